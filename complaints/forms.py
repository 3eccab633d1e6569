"""The fields of every form, for all surfaces (docs/surfaces.md, "Modals"), and how a filled form is read.

`read` handles a form from a modal, the command line or a file. It returns the facts (codes, numbers, dates as JSON
values) and separately the words, or raises one error that names every wrong field.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from complaints.case_values import NotYet
from complaints.errors import BadFacts
from complaints.times import format_time
from complaints.vocabulary import Category, CauseClass, ContactKind, Finding, Remedy


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
    """One input. `group` repeats it in numbered rows; `sealed` words are never in the facts of an event.

    `reader` is `complainant`, `asker` or `staff` (forms.toml); empty outside the forms of complaints and incidents.
    `asked_if` and `required_if` are conditions of form_conditions.py; a confirmation is ticked again each time.
    """

    name: str
    input: Input
    required: bool = False
    options: tuple[str, ...] = ()
    group: str | None = None
    sealed: bool = False
    most: int = 3000
    reader: str = ""
    own_label: str = ""
    asked_if: str = ""
    required_if: str = ""
    is_confirmation: bool = False

    @property
    def label(self) -> str:
        """The id of its label."""
        return self.own_label or f"field.{self.name}"

    @property
    def is_long(self) -> bool:
        """An input of several lines."""
        return self.name.partition(".")[0] in _TABLES["shown"]["long"]

    @property
    def is_menu(self) -> bool:
        """Always a menu, however few the choices are."""
        return self.name in _TABLES["shown"]["menus"]

    @property
    def choices(self) -> str:
        """The prefix of the ids of the texts of its choices."""
        return str(_TABLES["shown"]["choices"].get(self.name, "choice"))

    @property
    def path(self) -> str:
        """`issues.N.finding` in a group, otherwise the name."""
        return f"{self.group}.N.{self.name}" if self.group else self.name


@dataclass(frozen=True)
class Form:
    """The form of one act: one table of forms.toml.

    In the file `labels` are the ids of the labels that are not `field.NAME`, by the path of the field.
    """

    name: str
    fields: tuple[Field, ...] = ()
    #: The letter is shown before it is sent; some of these acts send one only in some complaints.
    is_previewed: bool = False
    #: Its letter is stored with the act as it was previewed. This is the id of the text around the fields that the
    #: complainant reads, or `decision`, which is composed.
    letter: str = ""
    #: What of the complainant's words it shows, and so is recorded as a read: `words`, `story` (the story and the
    #: latest ones) or `everything` that fits; nothing if empty.
    shows: str = ""
    #: A person whose complaint it is not says first why they read it.
    asks_reason: bool = False
    #: A right that it needs in addition to that of its act.
    access: str = ""
    #: The sources of its first values and of what is above its fields (bots/slack/views/prefill.py).
    starts: tuple[str, ...] = ()
    #: What is checked or added when it is submitted (bots/slack/listeners/form_checks.py).
    checks: tuple[str, ...] = ()
    #: The field that a template fills, and the one with the finding, which a template for one outcome chooses too.
    template_fills: str = ""
    template_finds: str = ""
    #: Its words may name money only as an amount: by default where the complainant reads words of it.
    checks_sums: bool = False
    #: All rows of its groups may stay empty: what a filled row needs is checked when the form is read.
    may_have_no_rows: bool = False
    #: It is for several acts, each with its own states.
    is_for_many_acts: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(field.group for field in self.fields if field.group))

    @property
    def names(self) -> frozenset[str]:
        """The names of the fields outside groups."""
        return frozenset(field.name for field in self.fields if field.group is None)

    def rows_of(self, group: str) -> tuple[Field, ...]:
        """The fields of each row of a group."""
        return tuple(field for field in self.fields if field.group == group)

    @property
    def keeps_letter(self) -> bool:
        return bool(self.letter)

    @property
    def read_by_complainant(self) -> frozenset[str]:
        """The names of the fields whose words are in the letter, word for word."""
        return frozenset(f.name for f in self.fields if f.sealed and f.reader == "complainant")


@dataclass(frozen=True)
class CardAct:
    """What a card offers: a possible act, if the condition `of_use` holds."""

    of_use: str = "always"
    #: A first button that is green where it takes the complaint on: on every card (`everybody`), on that of top
    #: management too (`executives`), or only in the complaint that a person opened (`person`).
    primary: str = ""
    #: A button of the opened complaint wherever it fits; the others are in its menu.
    is_common: bool = False


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


def flag(name: str) -> Field:
    """A box to tick."""
    return Field(name, Input.FLAG, options=("yes",))


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


#: The path of a field in a numbered row: group, number and name.
ROW_PATH = re.compile(r"(\w+)\.(\d+)\.(\w+)")
#: A choice of the form only: the remedy that was asked for and filled in is not promised.
NO_REMEDY = "no_remedy"
#: A choice of the form only: the issue of this row is dropped.
NO_ISSUE = "no_issue"
#: The choices that leave a row out, by the field that has them.
_LEAVES_OUT = {"type": NO_REMEDY, "category": NO_ISSUE}
#: The author states that the act makes no payment; in an event, the sums in its words that this is about ("9.00GBP").
NO_PAYMENT = "no_payment"
#: A limit on contact: one person writes to the complainant. No limit stops a message, a new complaint or a sign of
#: danger.
ONE_CONTACT = "one_contact"

FILE = Path(__file__).with_suffix(".toml")
_TABLES: Mapping[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
#: The lists of options that a field may name.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "categories": tuple(Category),
    "causes": tuple(CauseClass),
    "findings": tuple(Finding),
    "kinds": tuple(ContactKind),
    "not_yet": tuple(NotYet),
    "remedies": tuple(Remedy),
} | {name: tuple(options) for name, options in _TABLES["options"].items()}
EVIDENCE, ANSWERS = OPTIONS["evidence"], OPTIONS["answers"]
#: Who gets the letters of a complaint without a chat; the representative only with a written authority.
ANSWER_TO = OPTIONS["answer_to"]


#: In `Field.group` of a field that has an input for each language, until `in_languages` makes them.
_LANGUAGES = "languages"
#: In `Field.required_if` of such a field: only the text in the first language is required.
_FIRST_LANGUAGE = "first_language"


def field_of(path: str, keys: Mapping[str, Any], options: Mapping[str, tuple[str, ...]]) -> Field:
    """A field as a list in forms.toml or registers.toml names it: `GROUP.NAME`, with ! if it is required."""
    group, _, name = path.rstrip("!").rpartition(".")
    kind, choices = keys["input"], keys.get("options", ())
    if kind == Input.FLAG:
        choices = ("yes",)
    elif kind == Input.WHOLE:
        choices = map(str, range(keys["from"], keys["to"] + 1))
    elif isinstance(choices, str):
        choices = options[choices]
    return Field(
        name,
        Input.TEXT if kind == "code" else Input(kind),
        path.endswith("!"),
        tuple(choices),
        _LANGUAGES if keys.get("languages") else group or None,
        kind in (Input.TEXT, Input.FILES),
        keys.get("most", 100 if kind == "code" else 3000),
        keys.get("reader", ""),
        own_label=keys.get("text_id", ""),
        asked_if=keys.get("asked_if", ""),
        required_if=keys.get("required_if", ""),
        is_confirmation=keys.get("is_confirmation", False),
    )


def _in_language(entry: Field, language: str, is_first: bool) -> Field:
    is_required = entry.required or (is_first and entry.required_if == _FIRST_LANGUAGE)
    return replace(entry, name=f"{entry.name}.{language}", group=None, required=is_required)


def in_languages(fields: Iterable[Field], languages: Sequence[str]) -> tuple[Field, ...]:
    """The fields with an input for each language (`text.en`) where the table says so."""
    return tuple(
        in_language
        for entry in fields
        for in_language in (
            [_in_language(entry, language, not number) for number, language in enumerate(languages)]
            if entry.group == _LANGUAGES
            else [entry]
        )
    )


_READERS = {path: reader for reader, paths in _TABLES["readers"].items() for path in paths}


def _form(name: str, keys: Mapping[str, Any], fields: Mapping[str, Any], readers: Mapping[str, str]) -> Form:
    """A form as its table has it; `FORM.NAME` describes a field that is another in this form."""
    own: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()
    }
    labels, may_have_no_rows = own.pop("labels", {}), "may_have_no_rows" in own

    def field_in(path: str) -> Field:
        field_name = path.rstrip("!").rpartition(".")[2]
        entry = field_of(path, fields.get(f"{name}.{field_name}") or fields[field_name], OPTIONS)
        reader = readers.get(f"{name}.{field_name}") or readers.get(field_name, entry.reader)
        if readers and not reader:
            raise LookupError(f"{FILE.name}: [readers] does not say who reads {name}.{field_name}")
        return replace(
            entry,
            reader=reader,
            own_label=labels.get(entry.path) or entry.own_label,
            required_if="never" if entry.group and may_have_no_rows else entry.required_if,
        )

    form = Form(name, **{**own, "fields": tuple(map(field_in, keys["fields"]))})
    return replace(form, checks_sums=own.get("checks_sums", bool(form.read_by_complainant)))


def _forms(table: Mapping[str, Any], readers: Mapping[str, str]) -> dict[str, Form]:
    return {name: _form(name, keys, table["fields"], readers) for name, keys in table["forms"].items()}


FORMS: Mapping[str, Form] = _forms(_TABLES, _READERS)
INCIDENT_FORMS: Mapping[str, Form] = _forms(_TABLES["incident"], _READERS)
DESK_FORMS: Mapping[str, Form] = _forms(_TABLES["desk"], {})
#: The letter of these is shown before it is sent.
PREVIEWED = frozenset(name for name, form in FORMS.items() if form.is_previewed)
#: The acts that meet a due time, by the target, with its number where each has another meaning.
SERVING: Mapping[str, tuple[str, ...]] = {target: tuple(acts) for target, acts in _TABLES["serves"].items()}
#: What a card offers, in the order of its menu: forms, and the views that have no form.
CARD_ACTS: Mapping[str, CardAct] = {name: CardAct(**keys) for name, keys in _TABLES["card"].items()}
#: What a second reader answers about a decision before it is sent.
DECISION_QUESTIONS = tuple(entry.name for entry in FORMS["check_decision"].fields if entry.options == ANSWERS)
#: What a reviewer answers about a closed complaint: the principles of Annex C.
REVIEW_QUESTIONS = tuple(entry.name for entry in FORMS["review_case"].fields if entry.options == ANSWERS)


class WrongFields(BadFacts):
    """Several fields are wrong; `fields` maps each path to a message id (and its arguments)."""

    code = "wrong_fields"

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("These fields need another value: " + ", ".join(sorted(wrong)))
        self.fields = dict(wrong)


#: Where a row is only a default, it is empty: by group and field, the fields for which the default is meant.
_DEFAULT_FOR: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("remedies", "currency"): ("amount",),
    ("received", "statement"): ("received_on", "not_needed"),
    ("findings", "issue"): ("finding",),
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
    fields = FORMS[form].fields
    unknown = {path: "unknown_field" for path in values if not _is_field(path, fields)}
    facts, words, wrong = read_fields([field for field in fields if field.group is None], values, options)
    wrong = unknown | wrong
    if "amount" in facts:
        facts = dict(defaults or {}) | facts
    for group in sorted(FORMS[form].groups):
        members, rows = FORMS[form].rows_of(group), rows_in(group, values)
        facts[group] = []
        for position, row in enumerate(filled_rows(form, group, values)):
            row_values = dict(rows[row])
            for (of_group, name), needed_for in _DEFAULT_FOR.items():
                if of_group == group and not any(present(row_values.get(field)) for field in needed_for):
                    row_values[name] = None
                elif of_group == group and not present(row_values.get(name)):
                    row_values[name] = (defaults or {}).get(name)
            row_facts, row_words, row_wrong = read_fields(members, row_values, options)
            if row_facts.pop(NO_PAYMENT, False):
                facts[NO_PAYMENT] = True
            facts[group].append(row_facts)
            words.update({f"{group}.{position}.{name}": value for name, value in row_words.items()})
            wrong.update({f"{group}.{row}.{name}": why for name, why in row_wrong.items()})
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def read_all(
    fields: Iterable[Field], values: Mapping[str, Any], options: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a form without rows; raises WrongFields with every wrong field."""
    facts, words, wrong = read_fields(fields, values, options)
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def path_in_form(form: str, path: str, values: Mapping[str, Any]) -> str:
    """Where a field of the facts is in the form: the facts number the rows without the empty ones."""
    match = ROW_PATH.fullmatch(path)
    if match is None:
        return path
    rows, position = filled_rows(form, match[1], values), int(match[2])
    empty = next(row for row in count() if row not in rows)
    return f"{match[1]}.{rows[position] if position < len(rows) else empty}.{match[3]}"


def read_fields(
    fields: Iterable[Field], values: Mapping[str, Any], options: Mapping[str, tuple[str, ...]] | None
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Facts, words, and a message id for each wrong field, by the names of the fields."""
    facts: dict[str, Any] = {}
    words: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        value = values.get(field.name)
        if field.input is Input.AMOUNT and str(value or "").strip().casefold() in field.options:
            facts[NO_PAYMENT] = True
        elif present(value):
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
    if "amount" not in facts:
        # A form offers the currency of the country.
        facts.pop("currency", None)
    return facts, words, wrong


def _is_field(path: str, fields: tuple[Field, ...]) -> bool:
    match = ROW_PATH.fullmatch(path)
    group, name = (match[1], match[3]) if match else (None, path)
    return any((field.group, field.name) == (group, name) for field in fields)


def rows_in(group: str, values: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The values of a group, by the number of the row and the name of the field."""
    rows: dict[int, dict[str, Any]] = {}
    for path, value in values.items():
        if (match := ROW_PATH.fullmatch(path)) and match[1] == group:
            rows.setdefault(int(match[2]), {})[match[3]] = value
    return rows


def filled_rows(form: str, group: str, values: Mapping[str, Any]) -> list[int]:
    """The numbers of the rows that are neither empty nor left out; their position is their number in the facts."""
    names = {field.name for field in FORMS[form].rows_of(group)}
    names -= {name for of_group, name in _DEFAULT_FOR if of_group == group}
    return sorted(
        number
        for number, row in rows_in(group, values).items()
        if any(present(row.get(name)) for name in names)
        and not any(row.get(name) == choice for name, choice in _LEAVES_OUT.items())
    )
