"""The fields of every form, for all surfaces (docs/surfaces.md, "Modals"), and how a filled form is read.

`read` handles a form from a modal, the command line or a file. It returns the facts (codes, numbers, dates as JSON
values) and separately the words, or raises one error that names every wrong field.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any

from complaints.case_values import NotYet
from complaints.errors import BadFacts
from complaints.times import format_time
from complaints.vocabulary import Category, CauseClass, ContactKind, Finding, Remedy, Target, Verb


class Input(StrEnum):
    """The kind of input of a field."""

    TEXT = "text"
    CHOICE = "choice"
    WHOLE = "whole"
    FLAG = "flag"
    FLAGS = "flags"
    DATE = "date"
    MOMENT = "moment"
    STAFF = "staff"
    AMOUNT = "amount"
    FILES = "files"


@dataclass(frozen=True)
class Field:
    """One input. `group` repeats it in numbered rows; `sealed` words are never in the facts of an event."""

    name: str
    input: Input
    required: bool = False
    options: tuple[str, ...] = ()
    group: str | None = None
    sealed: bool = False
    most: int = 3000

    @property
    def path(self) -> str:
        """`issues.N.finding` in a group, otherwise the name."""
        return f"{self.group}.N.{self.name}" if self.group else self.name


@dataclass(frozen=True)
class Attachment:
    """A file that a member of staff uploaded for a letter: its id in Slack, its name, and its size in bytes."""

    id: str
    name: str
    size: int


#: Files with one letter, and the size of each in bytes: half of what a bot may send through Telegram.
MOST_ATTACHMENTS, LARGEST_ATTACHMENT = 5, 20 * 1024 * 1024
#: Endings of programs, which are refused before they are uploaded; the content is checked after that.
_PROGRAMS = re.compile(r"\.(exe|com|scr|bat|cmd|ps1|vbs|js|jar|apk|msi|sh|html?|svg|lnk)", re.IGNORECASE)


def text(name: str, *, required: bool = False, group: str | None = None, most: int = 3000) -> Field:
    """Free text, sealed."""
    return Field(name, Input.TEXT, required, group=group, sealed=True, most=most)


def code(name: str, *, required: bool = False, group: str | None = None, most: int = 100) -> Field:
    """A short code or reference, part of the facts."""
    return Field(name, Input.TEXT, required, group=group, most=most)


def choice(name: str, options: Any, *, required: bool = False, group: str | None = None) -> Field:
    """A choice of one option."""
    return Field(name, Input.CHOICE, required, tuple(str(option) for option in options), group)


def whole(name: str, low: int, high: int, *, required: bool = False) -> Field:
    """A number on a scale."""
    return Field(name, Input.WHOLE, required, tuple(str(step) for step in range(low, high + 1)))


def flag(name: str, *, required: bool = False, group: str | None = None) -> Field:
    """A box to tick; `required` asks for an explicit yes or no."""
    return Field(name, Input.FLAG, required, ("yes",), group)


#: A year outside this range is a typing mistake. It is refused here, where its field is known.
_YEARS = range(1900, 2200)
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_YES: tuple[Any, ...] = (True, "yes", ["yes"])
_NO: tuple[Any, ...] = (False, "no", [])


def present(value: Any) -> bool:
    """False for an empty value: nothing, blanks, an unticked box, no choices."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], False)


def value_of(field: Field, value: Any, options: tuple[str, ...]) -> Any:
    """A present value as it goes into facts or words; raises ValueError with a message id."""
    match field.input:
        case Input.TEXT | Input.STAFF:
            return _text(field, value)
        case Input.CHOICE | Input.WHOLE:
            if isinstance(value, bool) or str(value) not in options:
                raise ValueError("not_an_option")
            return int(value) if field.input is Input.WHOLE else str(value)
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
            return format_time(moment_of(value))
        case Input.AMOUNT:
            return _amount(value)
        case Input.FILES:
            return json.dumps([asdict(attachment) for attachment in _attachments(value)])


def attachments_of(words: Mapping[str, str]) -> list[Attachment]:
    """The files of a form that was read."""
    return [Attachment(**stored) for stored in json.loads(words.get("attachments") or "[]")]


def _attachments(value: Any) -> list[Attachment]:
    if not isinstance(value, list) or len(value) > MOST_ATTACHMENTS:
        raise ValueError("too_many_files")
    try:
        attachments = [
            Attachment(str(file["id"]), str(file["name"])[:200], int(file["size"])) for file in value
        ]
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError("not_an_option") from wrong
    if any(attachment.size > LARGEST_ATTACHMENT for attachment in attachments):
        raise ValueError("file_too_large")
    if any(_PROGRAMS.search(attachment.name[-6:]) for attachment in attachments):
        raise ValueError("file_is_program")
    return attachments


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not_an_option")
    text = value.strip()
    if len(text) > field.most:
        raise ValueError("too_long")
    if field.input is Input.STAFF and any(letter.isspace() for letter in text):
        raise ValueError("not_an_option")
    return text


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


def _amount(value: Any) -> str:
    """An amount with a decimal point and at most two places, above zero."""
    text = str(value).strip()
    if not _AMOUNT.fullmatch(text) or Decimal(text) <= 0:
        raise ValueError("not_an_amount")
    return f"{Decimal(text):.2f}"


EVIDENCE: tuple[str, ...] = (
    "complainant_heard",
    "records_checked",
    "staff_statement",
    "subject_heard",
    "site_or_item_seen",
    "similar_cases",
    "rule_or_contract",
    "third_party",
    "independent_view",
)
#: A choice of the form only: the remedy that was asked for and filled in is not promised.
NO_REMEDY = "no_remedy"
#: One person writes to the complainant.
ONE_CONTACT = "one_contact"
#: What a limit on contact may name. It never stops a message, a new complaint or a sign of danger.
LIMITS: tuple[str, ...] = ("one_channel", ONE_CONTACT, "fewer_replies")
OTHERS_AFFECTED = ("unknown", "none", "some")
#: How a complainant without a chat wants to be answered.
ANSWER_BY = ("phone", "counter", "email", "letter", "telegram")
#: Who gets the letters of such a complaint; the representative only with a written authority.
ANSWER_TO = ("complainant", "representative")
#: What staff can record of a conversation or letter, and the verb for it.
OFFLINE_VERBS: Mapping[str, Verb] = {
    "accept": Verb.ACCEPT,
    "disagree": Verb.DISAGREE,
    "withdraw": Verb.WITHDRAW,
    "acknowledge": Verb.ACKNOWLEDGE,
    "decision": Verb.COMMUNICATE_DECISION,
    "recourse": Verb.OFFER_RECOURSE,
    "letter": Verb.NOTE,
    "authority": Verb.NOTE,
}

_FILES = Field("attachments", Input.FILES, sealed=True)
#: What a second reader answers about a decision before it is sent.
DECISION_QUESTIONS = (
    "check_facts", "check_issues", "check_reasons", "check_redress", "check_tone", "check_language", "check_recourse",
)  # fmt: skip
#: What a reviewer answers about a closed complaint: the principles of Annex C.
REVIEW_QUESTIONS = (
    "review_open", "review_impartial", "review_confidential", "review_accessible", "review_complete",
    "review_equitable", "review_sensitive",
)  # fmt: skip
ANSWERS = ("yes", "no", "not_applicable")

_CAUSE = (text("root_cause", required=True), choice("cause_class", CauseClass, required=True))

FORMS: Mapping[str, tuple[Field, ...]] = {
    "take": (),
    "receipt": (),
    "assess": (
        choice("category", Category, required=True),
        whole("severity", 1, 5, required=True),
        whole("safety", 0, 3, required=True),
        whole("complexity", 1, 3, required=True),
        whole("reach", 1, 4, required=True),
        whole("recurrence", 1, 5, required=True),
        choice("immediate_needed", ("no", "yes"), required=True),
        choice("immediate_possible", ("no", "yes")),
        text("immediate_action"),
        flag("compensation_likely"),
        text("text", group="issues"),
        choice("category", Category, group="issues"),
        flag("media_heard"),
        Field("period_from", Input.DATE),
        choice("product", ()),
        choice("branch", ()),
        text("override_reason"),
    ),
    "assign": (Field("owner", Input.STAFF, required=True), text("reason")),
    "reply": (
        text("text", required=True),
        flag("answers_privacy"),
        _FILES,
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "note": (text("text", required=True), Field("subject_outcome_at", Input.MOMENT)),
    "ask": (
        text("text", required=True),
        Field("needed_by", Input.DATE, required=True),
        flag("incomplete"),
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
        choice("subject_not_yet", NotYet),
        Field("subject_review_by", Input.DATE),
        choice("step", EVIDENCE, required=True, group="items"),
        text("shows", required=True, group="items"),
        text("from_whom", group="items", most=200),
        Field("dated", Input.DATE, group="items"),
        text("reference", group="items", most=200),
        choice("issue", (), group="items"),
        text("of_whom", required=True, group="statements", most=200),
        choice("inside", ("yes", "no"), required=True, group="statements"),
        Field("due_on", Input.DATE, required=True, group="statements"),
        choice("statement", (), group="received"),
        Field("received_on", Input.DATE, required=True, group="received"),
        text("says", group="received"),
        choice("issue", (), group="findings"),
        choice("finding", Finding, required=True, group="findings"),
        text("happened", required=True, group="findings"),
        Field("basis", Input.FLAGS, group="findings"),
    ),
    "resolve": (
        text("done", required=True),
        choice("finding", Finding, required=True),
        text("cause", required=True),
        choice("cause_class", CauseClass, required=True),
        text("agreed_how", required=True),
        choice("others_affected", OTHERS_AFFECTED, required=True),
        _FILES,
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "decide": (
        choice("finding", Finding, required=True, group="issues"),
        text("reasons", required=True, group="issues"),
        choice("type", Remedy, group="remedies"),
        text("text", group="remedies"),
        Field("amount", Input.AMOUNT, group="remedies"),
        code("currency", group="remedies", most=3),
        Field("promised_by_date", Input.DATE, group="remedies"),
        flag("needs_acceptance", group="remedies"),
        text("nothing_why"),
        text("changes"),
        choice("others_affected", OTHERS_AFFECTED, required=True),
        text("others_action"),
        *_CAUSE,
        _FILES,
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "approve": (
        *(choice(question, ANSWERS) for question in DECISION_QUESTIONS),
        choice("agreed", ("yes", "no"), required=True),
        text("reason"),
    ),
    "check_decision": (
        *(choice(question, ANSWERS, required=True) for question in DECISION_QUESTIONS),
        choice("agreed", ("yes", "no"), required=True),
        text("reason"),
    ),
    "review_case": (
        *(choice(question, ANSWERS, required=True) for question in REVIEW_QUESTIONS),
        text("reason"),
    ),
    "remedy": (
        choice("remedy", (), required=True),
        Field("done_at", Input.MOMENT, required=True),
        text("proof"),
    ),
    "verify": (choice("remedy", (), required=True), text("how", required=True)),
    "close": (*_CAUSE, text("lesson")),
    "extend": (
        choice("target", (Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION), required=True),
        Field("extended_to", Input.DATE, required=True),
        text("reason", required=True),
    ),
    "escalate": (text("reason", required=True),),
    "restrict": (text("reason", required=True), Field("subject", Input.STAFF)),
    "unrestrict": (text("reason", required=True),),
    "reopen": (text("reason", required=True),),
    "not_accept": (text("reason", required=True),),
    "hold": (text("reason", required=True), Field("hold_until", Input.DATE)),
    "release": (text("reason", required=True),),
    "link": (
        choice("relation", ("duplicate", "same_incident", "about_handling_of"), required=True),
        code("other_ref", required=True, most=20),
    ),
    "warn_conduct": (
        text("text", required=True),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "limit_contact": (
        Field("limits", Input.FLAGS, required=True, options=LIMITS),
        choice("reply_days", ("7", "14", "28")),
        Field("until", Input.DATE, required=True),
        text("reason", required=True),
        flag("language_confirmed"),
    ),
    "appeal_limit": (text("reason", required=True),),
    "review_limit": (
        choice("outcome", ("kept", "ended", "renewed"), required=True),
        Field("until", Input.DATE),
        text("reason", required=True),
        flag("language_confirmed"),
        flag("disclosure_checked"),
    ),
    "reclassify": (choice("kind", ContactKind, required=True), text("reason", required=True)),
    "conflict": (Field("who", Input.STAFF, required=True), text("reason", required=True)),
    "external": (
        text("body", required=True, most=200),
        choice("event", ("notified", "file_sent", "provisional", "final", "complied"), required=True),
        text("external_ref", most=100),
        text("outcome"),
        Field("comply_by", Input.DATE),
        choice("overturned", ("no", "yes")),
        choice("complainant_accepts", ("no", "yes")),
    ),
    "given": (
        choice("what", OFFLINE_VERBS, required=True),
        Field("given_at", Input.MOMENT, required=True),
        text("by_whom", required=True, most=200),
        text("words"),
    ),
    "log_complaint": (
        choice("channel", ("phone", "counter", "email", "letter", "web", "other"), required=True),
        Field("received_at", Input.MOMENT, required=True),
        Field("received_by", Input.STAFF),
        text("description", required=True),
        text("where_and_when"),
        Field("happened_on", Input.DATE),
        text("customer_ref", most=60),
        text("order_ref", most=60),
        text("remedy_requested"),
        Field("amount", Input.AMOUNT),
        code("currency", most=3),
        _FILES,
        flag("signed"),
        text("immediate_action"),
        text("name", most=200),
        text("address", most=300),
        text("phone", most=40),
        text("email", most=200),
        text("for_whom", most=200),
        text("representative", most=300),
        choice("language", (), required=True),
        choice("jurisdiction", ()),
        flag("consent_to_contact"),
        choice("answer_by", ANSWER_BY),
        choice("answer_to", ANSWER_TO),
    ),
    "bind": (),
}

#: The verb of each form. The names of most forms are verbs; `form_verb` covers the forms that choose by a field.
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
    """The verb of a form with these facts: several forms choose it by a field."""
    if form == "assess":
        return Verb.REASSESS if assessed else Verb.ASSESS
    if form == "given":
        return OFFLINE_VERBS[facts["what"]]
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


#: Where a row is only a default, it is empty: by group and field, the field for which the default is meant.
_DEFAULT_FOR: Mapping[tuple[str, str], str] = {
    ("remedies", "currency"): "amount",
    ("received", "statement"): "received_on",
    ("findings", "issue"): "finding",
}


def read(
    form: str,
    values: Mapping[str, Any],
    *,
    options: Mapping[str, tuple[str, ...]] | None = None,
    defaults: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a filled form.

    `values` maps paths (`severity`, `issues.0.finding`) to strings, booleans or lists of strings; an empty one
    counts as missing. `options` gives the choices that depend on the case (which remedy), `defaults` what an empty
    field of a row means (the currency of an amount). Empty rows of a group are left out and the others renumbered
    from 0, see `filled_rows`. Raises WrongFields with every wrong path.
    """
    fields = FORMS[form]
    unknown = {path: "unknown_field" for path in values if not _is_field(path, fields)}
    facts, words, wrong = read_fields([field for field in fields if field.group is None], values, options)
    wrong = unknown | wrong
    for group in sorted({field.group for field in fields if field.group}):
        members = [field for field in fields if field.group == group]
        facts[group] = []
        for position, row in enumerate(filled_rows(form, group, values)):
            row_values = {field.name: values.get(f"{group}.{row}.{field.name}") for field in members}
            for (of_group, name), needed_for in _DEFAULT_FOR.items():
                if of_group == group and not present(row_values.get(needed_for)):
                    row_values[name] = None
                elif of_group == group and not present(row_values.get(name)):
                    row_values[name] = (defaults or {}).get(name)
            row_facts, row_words, row_wrong = read_fields(members, row_values, options)
            facts[group].append(row_facts)
            words.update({f"{group}.{position}.{name}": value for name, value in row_words.items()})
            wrong.update({f"{group}.{row}.{name}": why for name, why in row_wrong.items()})
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def path_in_form(form: str, path: str, values: Mapping[str, Any]) -> str:
    """Where a field of the facts is in the form: the facts number the rows without the empty ones."""
    group, _, rest = path.partition(".")
    position, _, name = rest.partition(".")
    if not position.isdecimal():
        return path
    rows = filled_rows(form, group, values)
    empty = next(row for row in count() if row not in rows)
    return f"{group}.{rows[int(position)] if int(position) < len(rows) else empty}.{name}"


def read_fields(
    fields: Iterable[Field], values: Mapping[str, Any], options: Mapping[str, tuple[str, ...]] | None
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Facts, words, and a message id for each wrong field, by the names of the fields."""
    facts: dict[str, Any] = {}
    words: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        value = values.get(field.name)
        if present(value):
            try:
                read_value = value_of(field, value, (options or {}).get(field.name, field.options))
            except ValueError as why:
                wrong[field.name] = str(why)
            else:
                (words if field.sealed else facts)[field.name] = read_value
        elif field.input is Input.FLAG:
            facts[field.name] = False
        elif field.required:
            wrong[field.name] = "required"
        elif field.input is Input.FLAGS:
            facts[field.name] = []
    return facts, words, wrong


def _is_field(path: str, fields: tuple[Field, ...]) -> bool:
    group, _, rest = path.partition(".")
    row, _, name = rest.partition(".")
    if not rest:
        return any(field.name == path for field in fields if field.group is None)
    return row.isdecimal() and any(field.name == name for field in fields if field.group == group)


def filled_rows(form: str, group: str, values: Mapping[str, Any]) -> list[int]:
    """The numbers of the rows that are neither empty nor `NO_REMEDY`; their position is their number in the facts."""
    names = {field.name for field in FORMS[form] if field.group == group}
    names -= {name for of_group, name in _DEFAULT_FOR if of_group == group}
    numbers = set()
    for path, value in values.items():
        head, _, rest = path.partition(".")
        row, _, name = rest.partition(".")
        if head == group and row.isdecimal() and name in names and present(value):
            numbers.add(int(row))
    return sorted(number for number in numbers if values.get(f"{group}.{number}.type") != NO_REMEDY)
