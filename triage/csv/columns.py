"""Which column of a file holds what, and how its cells are read: a severity, a language, a date, a category."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from triage.errors import UnknownColumn
from triage.matching import fold, read_table


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The names of the columns. None: found by its usual names, and left out where the file has none of them."""

    text: str | None = None
    category: str | None = None
    severity: str | None = None
    language: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnPositions:
    """The position of each column (from 0), its name in the file, and the columns that were found by usual names."""

    positions: Mapping[str, int]
    names: Mapping[str, str]
    guessed: tuple[str, ...]


_TABLES = read_table("csv", "columns.toml")
#: Usual names, folded (lower case, no accents, one blank between words), the likelier first.
USUAL_NAMES: Mapping[str, Sequence[str]] = _TABLES["names"]
_REQUIRED = ("text", "category")

#: Words for how severe a case is, on the scale of clause 7.5; from 4 on a case counts as critical.
SEVERITY_WORDS = {word: int(severity) for severity, words in _TABLES["severity"].items() for word in words}
_LANGUAGES: Mapping[str, str] = {word: code for code, words in _TABLES["languages"].items() for word in words}
_LANGUAGE_CODE = re.compile(r"([a-z]{2,3})(?:[-_][A-Za-z0-9_-]{1,12})?", re.IGNORECASE)
_SEVERITY_NUMBER = re.compile(r"([1-5])(?:[.,]0+)?")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.0+)?")
_NUMERIC_DATE = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)
_DATE_FORMATS = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
                 "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y")  # fmt: skip


def find_columns(header: Sequence[str], names: ColumnNames) -> ColumnPositions:
    """The columns of a header; raises UnknownColumn where one that is needed is missing or there twice."""
    keys = [_column_key(name) for name in header]
    positions: dict[str, int] = {}
    guessed: list[str] = []
    for field in (column.name for column in fields(ColumnNames)):
        name = getattr(names, field)
        if name is not None:
            positions[field] = _by_name(header, keys, name, field)
            continue
        position = _by_usual_names(header, keys, field, positions)
        if position is not None:
            positions[field] = position
            guessed.append(field)
    for field in _REQUIRED:
        if field not in positions:
            raise UnknownColumn(
                f"The file has no column that is called as the {field} usually is; it has {_listed(header)}. "
                f"Name it with --{field}."
            )
    columns = {field: header[position] for field, position in positions.items()}
    return ColumnPositions(positions, columns, tuple(guessed))


def _column_key(name: str) -> str:
    return " ".join(fold(name).text.replace("_", " ").replace("-", " ").split())


def _listed(header: Sequence[str]) -> str:
    return ", ".join(map(repr, header)) or "none at all"


def _by_name(header: Sequence[str], keys: Sequence[str], name: str, field: str) -> int:
    exact = [position for position, column in enumerate(header) if column == name.strip()]
    matches = exact or [position for position, key in enumerate(keys) if key == _column_key(name)]
    if not matches:
        raise UnknownColumn(
            f"The file has no column {name!r}; it has {_listed(header)}. "
            "Name the columns with --text, --category, --severity, --language and --at."
        )
    if len(matches) > 1:
        numbers = " and ".join(str(position + 1) for position in matches)
        raise UnknownColumn(
            f"The file has {len(matches)} columns {name!r} (numbers {numbers}): rename all but the one that "
            f"is meant, or name another with --{field}."
        )
    return matches[0]


def _by_usual_names(
    header: Sequence[str], keys: Sequence[str], field: str, taken: Mapping[str, int]
) -> int | None:
    for usual in USUAL_NAMES[field]:
        matches = [
            position for position, key in enumerate(keys) if key == usual and position not in taken.values()
        ]
        if len(matches) > 1 and field in _REQUIRED:
            raise UnknownColumn(
                f"The file has {len(matches)} columns {header[matches[0]]!r}: rename all but the one that is "
                f"meant, or name another with --{field}."
            )
        if matches:
            return matches[0]
    return None


def read_severity(cell: str) -> int | None:
    """Severity 1 to 5 from a number ("4", "4.0") or a word of `SEVERITY_WORDS`; None for an empty cell.

    Raises ValueError for other texts.
    """
    word = fold(cell.strip()).text
    if not word:
        return None
    if word in SEVERITY_WORDS:
        return SEVERITY_WORDS[word]
    number = _SEVERITY_NUMBER.fullmatch(word)
    if number is None:
        raise ValueError("severity is neither a whole number from 1 to 5 nor a known word")
    return int(number.group(1))


def read_language(cell: str) -> str | None:
    """Two or three letters from "EN", "en-GB" or "English"; None for what is no language."""
    word = fold(cell.strip()).text
    if word in _LANGUAGES:
        return _LANGUAGES[word]
    code = _LANGUAGE_CODE.fullmatch(word)
    return code.group(1).lower() if code is not None else None


def read_label(cell: str) -> str:
    """A category in one line, without control characters and blanks around it."""
    return " ".join("".join(character if character.isprintable() else " " for character in cell).split())


def label_key(label: str) -> str:
    """Labels with the same key are the same category: "Staff conduct", "staff_conduct" and "STAFF-CONDUCT"."""
    return "_".join(fold(read_label(label)).text.replace("_", " ").replace("-", " ").split())


def is_day_first(cells: Sequence[str]) -> bool:
    """Whether dates such as 03/04/2026 in a column put the day first: they do unless the column shows otherwise."""
    day_first = month_first = 0
    for cell in cells:
        date = _NUMERIC_DATE.fullmatch(cell.strip())
        if date is not None and date.group(2) != ".":
            day_first += int(date.group(1)) > 12
            month_first += int(date.group(3)) > 12
    return month_first <= day_first


def read_moment(cell: str, *, day_first: bool = True, date_format: str | None = None) -> datetime | None:
    """An aware moment from a cell, in UTC where it names no zone; None for an empty one.

    Read are ISO 8601, seconds or milliseconds since 1970, 31.01.2026 and 31/01/2026 (with or without a time),
    "31 January 2026" and the dates of e-mails; `date_format` (as for strptime) replaces all of them. Raises
    ValueError for other texts.
    """
    text = cell.strip()
    if not text:
        return None
    moment = (
        datetime.strptime(text, date_format)  # noqa: DTZ007
        if date_format is not None
        else _read_usual_moment(text, day_first=day_first)
    )
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_usual_moment(text: str, *, day_first: bool) -> datetime:
    if _EPOCH.fullmatch(text):
        number = int(text.partition(".")[0])
        return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
    date = _NUMERIC_DATE.fullmatch(text)
    if date is not None:
        day, month = int(date.group(1)), int(date.group(3))
        if date.group(2) != "." and not day_first:
            day, month = month, day
        year = int(date.group(4))
        hour, minute, second = (int(part or 0) for part in date.group(5, 6, 7))
        year += 2000 if year < 100 else 0
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        pass  # not ISO 8601: the other ways of writing a date follow
    for date_format in _DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format)  # noqa: DTZ007
        except ValueError:
            continue
    return parsedate_to_datetime(text)
