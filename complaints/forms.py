"""The one table of fields: what each act asks of a person, for every surface (surfaces.md, Modals).

A form is read once, here, whether it came from a modal, the command line or a file: `read` gives the facts
(codes, numbers, dates as JSON values) and apart from them the words, or every field that is wrong at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from complaints.errors import BadFacts
from complaints.fairness import NotYet
from complaints.fields import Field, Input, code, flag, one_of, present, text, value_of, whole
from complaints.vocabulary import Category, CauseClass, Finding, Kind, Remedy, Target, Verb

__all__ = [
    "EVIDENCE",
    "FORMS",
    "FORM_VERBS",
    "OTHERS_AFFECTED",
    "Field",
    "Input",
    "WrongFields",
    "code",
    "flag",
    "form_verb",
    "one_of",
    "read",
    "text",
    "whole",
]

EVIDENCE: tuple[str, ...] = (
    "complainant_heard",
    "records_checked",
    "staff_statement",
    "subject_heard",
    "site_or_item_seen",
    "similar_cases",
    "rule_or_contract",
    "third_party",
)
OTHERS_AFFECTED = ("unknown", "none", "some")
#: How somebody without a chat wants to be answered.
ANSWER_BY = ("phone", "counter", "email", "letter", "telegram")
#: What may be heard or told by voice, with the verb it is.
GIVEN: Mapping[str, Verb] = {
    "accept": Verb.ACCEPT,
    "disagree": Verb.DISAGREE,
    "withdraw": Verb.WITHDRAW,
    "acknowledge": Verb.ACKNOWLEDGE,
    "decision": Verb.COMMUNICATE_DECISION,
    "recourse": Verb.OFFER_RECOURSE,
    "letter": Verb.NOTE,
    "authority": Verb.NOTE,
}

_CAUSE = (text("root_cause", required=True), one_of("cause_class", CauseClass, required=True))

FORMS: Mapping[str, tuple[Field, ...]] = {
    "take": (),
    "receipt": (),
    "assess": (
        one_of("category", Category, required=True),
        whole("severity", 1, 5, required=True),
        whole("safety", 0, 3, required=True),
        whole("complexity", 1, 3, required=True),
        whole("reach", 1, 4, required=True),
        whole("recurrence", 1, 5, required=True),
        one_of("immediate_needed", ("no", "yes"), required=True),
        one_of("immediate_possible", ("no", "yes")),
        text("immediate_action"),
        flag("compensation_likely"),
        text("text", group="issues"),
        one_of("category", Category, group="issues"),
        flag("media_heard"),
        text("override_reason"),
    ),
    "assign": (Field("owner", Input.STAFF, required=True),),
    "reply": (
        text("text", required=True),
        flag("answers_privacy"),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "note": (text("text", required=True), Field("subject_outcome_at", Input.MOMENT)),
    "ask": (
        text("text", required=True),
        Field("needed_by", Input.DATE, required=True),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "inform": (
        text("done", required=True),
        text("left", required=True),
        Field("next_date", Input.DATE, required=True),
        text("reason"),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "investigate": (
        Field("evidence", Input.FLAGS, options=EVIDENCE),
        text("facts"),
        Field("subject_informed_at", Input.MOMENT),
        Field("subject_heard_at", Input.MOMENT),
        Field("subject_supported_at", Input.MOMENT),
        one_of("subject_not_yet", NotYet),
        Field("subject_review_by", Input.DATE),
    ),
    "resolve": (
        text("done", required=True),
        one_of("finding", Finding, required=True),
        text("cause", required=True),
        one_of("cause_class", CauseClass, required=True),
        text("agreed_how", required=True),
        one_of("others_affected", OTHERS_AFFECTED, required=True),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "decide": (
        one_of("finding", Finding, required=True, group="issues"),
        text("reasons", required=True, group="issues"),
        one_of("type", Remedy, group="remedies"),
        text("text", group="remedies"),
        Field("amount", Input.AMOUNT, group="remedies"),
        code("currency", group="remedies", most=3),
        Field("promised_by_date", Input.DATE, group="remedies"),
        flag("needs_acceptance", group="remedies"),
        text("changes"),
        one_of("others_affected", OTHERS_AFFECTED, required=True),
        text("others_action"),
        *_CAUSE,
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "approve": (one_of("agreed", ("yes", "no"), required=True), text("reason")),
    "remedy": (
        one_of("remedy", (), required=True),
        Field("done_at", Input.MOMENT, required=True),
        text("proof"),
    ),
    "verify": (one_of("remedy", (), required=True), text("how", required=True)),
    "close": (*_CAUSE, text("lesson")),
    "extend": (
        one_of("target", (Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION), required=True),
        Field("extended_to", Input.DATE, required=True),
        text("reason", required=True),
    ),
    "escalate": (text("reason", required=True),),
    "restrict": (text("reason", required=True), Field("subject", Input.STAFF)),
    "unrestrict": (text("reason", required=True),),
    "reopen": (text("reason", required=True),),
    "not_accept": (text("reason", required=True),),
    "hold": (text("reason", required=True),),
    "release": (text("reason", required=True),),
    "link": (
        one_of("relation", ("duplicate", "same_incident", "about_handling_of"), required=True),
        code("other_ref", required=True, most=20),
    ),
    "reclassify": (one_of("kind", Kind, required=True), text("reason", required=True)),
    "conflict": (Field("who", Input.STAFF, required=True), text("reason", required=True)),
    "external": (
        text("body", required=True, most=200),
        one_of("event", ("notified", "file_sent", "provisional", "final", "complied"), required=True),
        text("external_ref", most=100),
        text("outcome"),
        Field("comply_by", Input.DATE),
        one_of("overturned", ("no", "yes")),
        one_of("complainant_accepts", ("no", "yes")),
    ),
    "given": (
        one_of("what", GIVEN, required=True),
        Field("given_at", Input.MOMENT, required=True),
        text("by_whom", required=True, most=200),
        text("words"),
    ),
    "log_complaint": (
        one_of("channel", ("phone", "counter", "email", "letter", "web", "other"), required=True),
        Field("received_at", Input.MOMENT, required=True),
        text("description", required=True),
        text("name", most=200),
        text("phone", most=40),
        text("email", most=200),
        text("customer_ref", most=60),
        one_of("language", (), required=True),
        one_of("jurisdiction", ()),
        text("for_whom", most=200),
        text("remedy_requested"),
        flag("consent_to_contact"),
        one_of("answer_by", ANSWER_BY),
    ),
    "bind": (),
}

#: Which verb a form carries out; the others have the verb's own name or choose by a field.
FORM_VERBS: Mapping[str, Verb] = {
    "take": Verb.ASSIGN,
    "decide": Verb.RESPOND,
    "remedy": Verb.REMEDY_DONE,
    "conflict": Verb.DECLARE_CONFLICT,
    "external": Verb.NOTIFY_EXTERNAL,
    "given": Verb.ACCEPT,
    "log_complaint": Verb.RECEIVE,
    "incident": Verb.LINK,
} | {name: Verb(name) for name in FORMS if name in set(Verb)}


def form_verb(form: str, facts: Mapping[str, Any], *, assessed: bool = False) -> Verb:
    """The verb that a form means with these facts (assess again is reassess; given speaks for another)."""
    if form == "assess":
        return Verb.REASSESS if assessed else Verb.ASSESS
    if form == "given":
        return GIVEN[facts["what"]]
    if form == "external":
        return Verb.CONCLUDE_EXTERNAL if facts["event"] in ("final", "complied") else Verb.NOTIFY_EXTERNAL
    if form == "link":
        return Verb.MERGE if facts["relation"] == "duplicate" else Verb.LINK
    return FORM_VERBS[form]


class WrongFields(BadFacts):
    """Several fields are wrong; `fields` maps each path to a message id (and its arguments)."""

    code = "wrong_fields"

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("These fields need another value: " + ", ".join(sorted(wrong)))
        self.fields = dict(wrong)


def read(
    form: str, given: Mapping[str, Any], *, options: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a filled form.

    `given` maps paths (`severity`, `issues.0.finding`) to strings, booleans or lists of strings; empty means
    not given. `options` gives the choices that depend on the case (which remedy). Rows of a group with no
    value at all are left out and the rest renumbered from 0. Raises WrongFields with every wrong path.
    """
    facts: dict[str, Any] = {}
    words: dict[str, str] = {}
    wrong: dict[str, str] = {}
    fields = FORMS[form]
    groups = {one.group for one in fields if one.group}
    wrong.update((path, "unknown_field") for path in given if not _known(path, fields))
    for one in fields:
        if one.group is None:
            _take(one, one.name, given, options or {}, facts, words, wrong)
    for group in sorted(groups, key=str):
        members = [one for one in fields if one.group == group]
        rows = _rows(str(group), {one.name for one in members}, given)
        facts[str(group)] = []
        for at, row in enumerate(rows):
            inner: dict[str, Any] = {}
            said: dict[str, str] = {}
            bad: dict[str, str] = {}
            values = {one.name: given.get(f"{group}.{row}.{one.name}") for one in members}
            for one in members:
                _take(one, one.name, values, options or {}, inner, said, bad)
            facts[str(group)].append(inner)
            words.update({f"{group}.{at}.{name}": value for name, value in said.items()})
            wrong.update({f"{group}.{row}.{name}": why for name, why in bad.items()})
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def _known(path: str, fields: tuple[Field, ...]) -> bool:
    group, _, rest = path.partition(".")
    row, _, name = rest.partition(".")
    if not rest:
        return any(one.name == path for one in fields if one.group is None)
    return row.isdecimal() and any(one.name == name for one in fields if one.group == group)


def _rows(group: str, names: set[str], given: Mapping[str, Any]) -> list[int]:
    found = set()
    for path, value in given.items():
        head, _, rest = path.partition(".")
        row, _, name = rest.partition(".")
        if head == group and row.isdecimal() and name in names and present(value):
            found.add(int(row))
    return sorted(found)


def _take(
    one: Field,
    path: str,
    given: Mapping[str, Any],
    options: Mapping[str, tuple[str, ...]],
    facts: dict[str, Any],
    words: dict[str, str],
    wrong: dict[str, str],
) -> None:
    value = given.get(path)
    if not present(value):
        if one.required and one.input is not Input.FLAG:
            wrong[path] = "required"
        elif one.input is Input.FLAG:
            facts[path] = False
        elif one.input is Input.FLAGS:
            facts[path] = []
        return
    try:
        read_value = value_of(one, value, options.get(one.name, one.options))
    except ValueError as why:
        wrong[path] = str(why)
        return
    if one.sealed:
        words[path] = read_value
    else:
        facts[path] = read_value
