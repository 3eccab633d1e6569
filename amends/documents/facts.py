"""The facts of an event and the fields of a record in the words of the staff's catalogues."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from babel.core import UnknownLocaleError

from amends.documents.labels import Labels
from bots.sign_names import rule_name
from bots.texts.texts import UnknownText, language_name
from complaints.deadlines.working_time import Span

#: The catalogue family of the codes in a field; other fields have the family of their own name.
_FAMILIES = {
    "findings": "finding", "issue_categories": "category", "cause_class": "cause", "others_affected": "others",
    "flags": "flag", "event": "external", "by": "part", "by_whom": "part", "role": "part",
    "direction": "messages", "closed_by": "part", "closing": "close_code", "extends": "target",
    "field": "said", "intent": "kind", "of": "did", "reason": "criterion", "reply": "answer",
    "remedies_requested": "remedy", "remedy_requested": "remedy", "type": "remedy", "verb": "did", "what": "verb",
}  # fmt: skip
#: Families in which a code without a label of its own is looked up.
_OTHERS = (
    "close_code", "state", "category", "target", "relation", "said", "case", "did", "flag", "delivery",
    "remedy",
)  # fmt: skip
#: Families that every code without a label is looked up in at last.
_ANY = ("value", "detail", "asked_for", "delivery", "delivery.why")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LENGTH = re.compile(r"-?\d+ (s|min|h|days|weeks|months|wh|bd)")
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Fields with a person's own words, which stay as they are.
_WORDS = frozenset({"text", "word", "words"})
_SHARES = frozenset({"probability", "share"})
_EMPTY: tuple[Any, ...] = (None, False, "", [], {}, ())


def field_name(name: str, labels: Labels) -> str:
    """The label of a field; its name with spaces if no catalogue has one."""
    if name.isdecimal():
        return f"{labels.text('case.level')} {name}"
    for family in ("fact", "case", "said", "field", "table"):
        if label := _label(family, name, labels):
            return label.rstrip("?")
    return name.replace("_", " ")


def fact_lines(
    facts: Mapping[str, Any], labels: Labels, *, without: frozenset[str] = frozenset()
) -> Iterator[str]:
    """`label: value` for every fact that has a value; lists and tables in words."""
    for name, value in facts.items():
        if name not in without and value not in _EMPTY:
            yield f"{field_name(name, labels)}: {value_words(name, value, labels)}"


def value_words(name: str, value: Any, labels: Labels) -> str:
    """The value of a field: codes by their labels, times in the zone of `labels`, lists and tables in words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return labels.yes_or_no(value) or ""
    if isinstance(value, Mapping):
        return ", ".join(fact_lines(value, labels)) or "–"
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(value_words(name, item, labels) for item in value) or "–"
    if isinstance(value, float) and name.rpartition("_")[2] in _SHARES:
        return f"{value:.0%}"
    text = str(value)
    if name in ("language", "written_in"):
        try:
            return language_name(text)
        except (ValueError, UnknownLocaleError):
            return text.replace("_", " ")
    if name in ("severity", "safety", "complexity", "reach", "recurrence") and has_label(name, text, labels):
        return labels.code(name, text) or text
    return _text_words(name, text, labels)


def _text_words(name: str, text: str, labels: Labels) -> str:
    if name in _WORDS:
        return text
    if _INSTANT.fullmatch(text):
        return labels.moment(text) or text
    if all(map(_DATE.fullmatch, days := text.split("/"))):
        return " – ".join(labels.date(date.fromisoformat(day)) for day in days)
    if text in ("yes", "no"):
        return labels.yes_or_no(text == "yes") or ""
    if name == "basis":
        return " ".join(basis_words(text, labels))
    if _LENGTH.fullmatch(text):
        span = Span.parse(text)
        return labels.count(f"span.{span.unit.value}", abs(span.number))
    if name == "template":
        return code_words(name, text.partition(".")[0], labels)
    if name in ("rule", "rules", "signs"):
        return rule_name(text, labels.text)
    return code_words(name, text, labels) if _CODE.fullmatch(text) else text


def code_words(name: str, code: str, labels: Labels) -> str:
    """The label of a code in this field or in any family; without one, the code with spaces."""
    spaced = code.replace("_", " ")
    for family in (_FAMILIES.get(name, name), name, *(_OTHERS if "_" in code else ()), *_ANY):
        if label := _label(family, code, labels):
            return label
    return spaced


def has_label(family: str, code: str | None, labels: Labels) -> bool:
    return code is not None and _label(family, code, labels) is not None


def _label(family: str, code: str, labels: Labels) -> str | None:
    """The label of a code in a family; None without one, or if the text is a sentence with fields."""
    id_ = f"{family}.{code}"
    try:
        return labels.text(id_) if any(texts.has(id_) for texts in labels.domains) else None
    except UnknownText:
        return None


def basis_words(basis: str, labels: Labels) -> Iterator[str]:
    """The rule of a due time, such as `P3.first_action, promised 10 bd`, in words."""
    for word in re.split(r"[ .,]+", re.sub(r"(\d+) (bd|wh)\b", r"\1_\2", basis)):
        length = word.replace("_", " ")
        if _LENGTH.fullmatch(length):
            yield value_words("span", length, labels)
        elif word == "promised":
            yield labels.text("table.promised").lower()
        elif word:
            yield code_words("target", word.removesuffix("_every"), labels)


def reason_words(reason: str | None, labels: Labels) -> str | None:
    """Why a message was not delivered; None if it was."""
    return None if reason is None else code_words("delivery.why", reason, labels)
