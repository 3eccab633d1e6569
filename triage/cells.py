"""What stands in one cell: a severity in figures or words, a language, a date, a category as people type it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from triage.folding import fold

#: Words for how severe a case is, on the scale of clause 7.5; from 4 on a case counts as critical.
SEVERITY_WORDS: Mapping[str, int] = {
    **dict.fromkeys(("critical", "immediate", "emergency", "kritisch", "kritik", "notfall", "p1"), 5),
    **dict.fromkeys(("high", "severe", "major", "urgent", "serious", "hoch", "schwer", "dringend"), 4),
    **dict.fromkeys(("yuksek", "acil", "ciddi", "p2", "yes", "true", "ja", "evet"), 4),
    **dict.fromkeys(("medium", "moderate", "mittel", "orta", "p3"), 3),
    **dict.fromkeys(
        ("normal", "low", "minor", "no", "false", "niedrig", "gering", "nein", "dusuk", "hayir", "p4"), 2
    ),
    **dict.fromkeys(("none", "trivial", "keine", "yok"), 1),
}
_LANGUAGES = {
    **dict.fromkeys(("english", "englisch", "ingilizce", "anglais"), "en"),
    **dict.fromkeys(("turkish", "turkisch", "turkce", "turc"), "tr"),
    **dict.fromkeys(("german", "deutsch", "almanca", "allemand"), "de"),
    **dict.fromkeys(("french", "franzosisch", "fransizca", "francais"), "fr"),
    **dict.fromkeys(("spanish", "spanisch", "ispanyolca", "espanol"), "es"),
}
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][A-Za-z0-9_-]{1,12})?", re.IGNORECASE)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.0+)?")
_PARTED = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)
_WRITTEN = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
            "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y")  # fmt: skip


def severity_of(value: str) -> int | None:
    """Severity 1 to 5 from a figure ("4", "4.0") or a word of `SEVERITY_WORDS`; None for an empty cell.

    Raises ValueError for anything else.
    """
    said = fold(value.strip()).text
    if not said:
        return None
    if said in SEVERITY_WORDS:
        return SEVERITY_WORDS[said]
    figure = re.fullmatch(r"([1-5])(?:[.,]0+)?", said)
    if figure is None:
        raise ValueError("severity is neither a whole number from 1 to 5 nor a known word")
    return int(figure.group(1))


def language_of(value: str) -> str | None:
    """Two or three letters from "EN", "en-GB" or "English"; None for what is no language."""
    said = fold(value.strip()).text
    if said in _LANGUAGES:
        return _LANGUAGES[said]
    code = _CODE.fullmatch(said)
    return code.group(1).lower() if code is not None else None


def label_of(value: str) -> str:
    """A category as one line, without what surrounds it."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def label_key(value: str) -> str:
    """Two labels with the same key are one: "Staff conduct", "staff_conduct" and "STAFF-CONDUCT"."""
    return "_".join(fold(label_of(value)).text.replace("_", " ").replace("-", " ").split())


def day_first(values: list[str]) -> bool:
    """Whether dates such as 03/04/2026 in a column put the day first: they do unless the column says otherwise."""
    first = second = 0
    for value in values:
        parted = _PARTED.fullmatch(value.strip())
        if parted is not None and parted.group(2) != ".":
            first += int(parted.group(1)) > 12
            second += int(parted.group(3)) > 12
    return second <= first


def moment_of(value: str, *, day_leads: bool = True, form: str | None = None) -> datetime | None:
    """An aware moment from a cell, UTC where it names no zone; None for an empty one.

    Read are ISO 8601, seconds since 1970, 31.01.2026 and 31/01/2026 (with or without a time), "31 January
    2026" and the dates of letters by e-mail; `form` is a strptime format that goes before all of them. Raises
    ValueError for anything else.
    """
    said = value.strip()
    if not said:
        return None
    moment = datetime.strptime(said, form) if form is not None else _moment(said, day_leads)  # noqa: DTZ007
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(said: str, day_leads: bool) -> datetime:
    if _EPOCH.fullmatch(said):
        whole = int(said.partition(".")[0])
        return datetime.fromtimestamp(whole / 1000 if whole > 10**11 else whole, UTC)
    parted = _PARTED.fullmatch(said)
    if parted is not None:
        day, month = int(parted.group(1)), int(parted.group(3))
        if parted.group(2) != "." and not day_leads:
            day, month = month, day
        year = int(parted.group(4))
        hour, minute, second = (int(part or 0) for part in parted.group(5, 6, 7))
        year += 2000 if year < 100 else 0
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    try:
        return datetime.fromisoformat(said.removesuffix(" UTC"))
    except ValueError:
        pass  # not ISO 8601: the other ways of writing a date follow
    for way in _WRITTEN:
        try:
            return datetime.strptime(said, way)  # noqa: DTZ007
        except ValueError:
            continue
    return parsedate_to_datetime(said)
