"""What an input is, and how one given value is read: the parts of the one table of fields.

The one table of fields: what each act asks of a person, for every surface (docs/surfaces.md, "Modals").

A form is read once, here, whether it came from a modal, the command line or a file: `read` gives the facts
(codes, numbers, dates as JSON values) and apart from them the words, or every field that is wrong at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from complaints.case_values import NotYet
from complaints.errors import BadFacts
from complaints.vocabulary import Category, CauseClass, ContactKind, Finding, Remedy, Target, Verb


class Input(StrEnum):
    """How a value is given."""

    TEXT = "text"
    CHOICE = "choice"
    WHOLE = "whole"
    FLAG = "flag"
    FLAGS = "flags"
    DATE = "date"
    MOMENT = "moment"
    STAFF = "staff"
    AMOUNT = "amount"


@dataclass(frozen=True)
class Field:
    """One input. `group` repeats it in numbered rows; `sealed` words never stand in an event."""

    name: str
    input: Input
    required: bool = False
    options: tuple[str, ...] = ()
    group: str | None = None
    sealed: bool = False
    most: int = 3000

    @property
    def path(self) -> str:
        """`issues.N.finding` in a group, else the name."""
        return f"{self.group}.N.{self.name}" if self.group else self.name


def text(name: str, *, required: bool = False, group: str | None = None, most: int = 3000) -> Field:
    """Free words: sealed."""
    return Field(name, Input.TEXT, required, group=group, sealed=True, most=most)


def code(name: str, *, required: bool = False, group: str | None = None, most: int = 100) -> Field:
    """A short code or reference that may stand in an event."""
    return Field(name, Input.TEXT, required, group=group, most=most)


def one_of(name: str, options: Any, *, required: bool = False, group: str | None = None) -> Field:
    """One of few."""
    return Field(name, Input.CHOICE, required, tuple(str(one) for one in options), group)


def whole(name: str, low: int, high: int, *, required: bool = False) -> Field:
    """A step of a scale."""
    return Field(name, Input.WHOLE, required, tuple(str(one) for one in range(low, high + 1)))


def flag(name: str, *, required: bool = False, group: str | None = None) -> Field:
    """Yes or nothing; required means it must be a considered yes or no."""
    return Field(name, Input.FLAG, required, ("yes",), group)


#: Due times are counted on calendars: a slip of the keyboard is refused here, where its field is known.
_YEARS = range(1900, 2200)
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_YES: tuple[Any, ...] = (True, "yes", ["yes"])
_NO: tuple[Any, ...] = (False, "no", [])


def present(value: Any) -> bool:
    """False for what counts as not given: nothing, blanks, an unticked box, no choices."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], False)


def value_of(one: Field, value: Any, options: tuple[str, ...]) -> Any:
    """A present value as it stands in facts or words; raises ValueError with a message id."""
    match one.input:
        case Input.TEXT | Input.STAFF:
            return _text(one, value)
        case Input.CHOICE | Input.WHOLE:
            if isinstance(value, bool) or str(value) not in options:
                raise ValueError("not_an_option")
            return int(value) if one.input is Input.WHOLE else str(value)
        case Input.FLAG:
            if value not in (*_YES, *_NO):
                raise ValueError("not_an_option")
            return value in _YES
        case Input.FLAGS:
            if not isinstance(value, list | tuple) or not all(str(item) in options for item in value):
                raise ValueError("not_an_option")
            return list(dict.fromkeys(str(item) for item in value))
        case Input.DATE:
            return day_of(value).isoformat()
        case Input.MOMENT:
            return _moment(value)
        case Input.AMOUNT:
            return _amount(value)


def _text(one: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not_an_option")
    said = value.strip()
    if len(said) > one.most:
        raise ValueError("too_long")
    if one.input is Input.STAFF and any(letter.isspace() for letter in said):
        raise ValueError("not_an_option")
    return said


def day_of(value: Any) -> date:
    """A day as `2026-11-03`; raises ValueError."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError as wrong:
        raise ValueError("not_a_date") from wrong
    if day.year not in _YEARS:
        raise ValueError("not_a_date")
    return day


def moment_of(value: Any) -> datetime:
    """A moment as seconds since 1970 (Slack) or ISO 8601 with a zone, in UTC; raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not_a_moment")
    try:
        seconds = isinstance(value, int) or str(value).isdigit()
        at = datetime.fromtimestamp(int(value), UTC) if seconds else datetime.fromisoformat(str(value))
        if at.tzinfo is None or at.year not in _YEARS:
            raise ValueError("not_a_moment")
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as wrong:
        raise ValueError("not_a_moment") from wrong


def _moment(value: Any) -> str:
    return moment_of(value).isoformat().replace("+00:00", "Z")


def _amount(value: Any) -> str:
    """An amount with a decimal point and at most two places, above zero."""
    said = str(value).strip()
    if not _AMOUNT.fullmatch(said) or Decimal(said) <= 0:
        raise ValueError("not_an_amount")
    return f"{Decimal(said):.2f}"


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
    "reclassify": (one_of("kind", ContactKind, required=True), text("reason", required=True)),
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
