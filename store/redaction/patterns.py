"""What the masks search for: `patterns.toml`, and numbers that its patterns cannot check alone."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import import_module, resources
from typing import Any


@lru_cache(maxsize=1)
def read_patterns() -> dict[str, Any]:
    file = resources.files("store").joinpath("redaction", "patterns.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def word_list(name: str) -> frozenset[str]:
    return frozenset(read_patterns()[name].split())


@lru_cache(maxsize=16)
def patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """The lines of this name, compiled."""
    return tuple(re.compile(line) for line in _lines(name))


@lru_cache(maxsize=16)
def pattern(name: str) -> re.Pattern[str]:
    """One pattern that matches any of the lines of this name."""
    return re.compile("|".join(_lines(name)))


def _lines(name: str) -> list[str]:
    text, parts = read_patterns()[name], read_patterns()["parts"]
    part = re.compile("|".join(f"{{{name}}}" for name in parts))
    while part.search(text):
        text = part.sub(lambda match: parts[match.group()[1:-1]], text)
    return [line for line in text.split("\n") if line]


# Letters or digits, and what may come between two groups of one number.
_GROUP = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[ \t\u00a0]?[().+/\-–·]{0,2}[ \t\u00a0]?[()]?")
_MOST_GROUPS, _LONGEST, _FEWEST_DIGITS, _MOST_WINDOWS = 12, 48, 7, 2_000
#: Where people write phones that do not begin with 0 without gaps.
_UNGROUPED = ("ES", "TR")


def find_numbers(text: str, countries: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind (`card`, `iban`, `number` or `phone`) of each number in a text.

    National numbers are those of `countries`; the longest row of groups that is such a number counts. Rows after
    `_MOST_WINDOWS` comparisons (a table of figures) are masked whole, so that no text takes long.
    """
    for match in pattern("forms").finditer(text):
        yield (*match.span(), "number")
    left = _MOST_WINDOWS
    for row in _rows(text):
        start, end = row[0][0], row[-1][1]
        if sum(map(str.isdigit, text[start:end])) < _FEWEST_DIGITS:
            continue
        left -= len(row) * min(len(row), _MOST_GROUPS)
        if left < 0:
            yield start, end, "number"
        else:
            yield from _numbers_in(text, row, countries)


def _rows(text: str) -> Iterator[list[tuple[int, int]]]:
    """Groups that may belong to one number: with a digit, or few capital letters, and only gaps between them."""
    row: list[tuple[int, int]] = []
    for match in _GROUP.finditer(text):
        group = match.group()
        has_digit = not group.isalpha() and any(map(str.isdigit, group))
        is_part = has_digit or (len(group) <= 4 and group.isupper())
        if row and not (is_part and _GAP.fullmatch(text, row[-1][1], match.start())):
            yield row
            row = []
        if is_part:
            row.append(match.span())
    if row:
        yield row


def _numbers_in(
    text: str, row: list[tuple[int, int]], countries: Sequence[str]
) -> Iterator[tuple[int, int, str]]:
    windows = sorted(
        (
            (first, last)
            for first in range(len(row))
            for last in range(first, min(len(row), first + _MOST_GROUPS))
            if row[last][1] - row[first][0] <= _LONGEST
        ),
        key=lambda window: row[window[0]][0] - row[window[1]][1],
    )
    taken: set[int] = set()
    for first, last in windows:
        if not taken.isdisjoint(range(first, last + 1)):
            continue
        start, end = row[first][0], row[last][1]
        while start > 0 and end - start < _LONGEST and text[start - 1] in "+(":
            start -= 1
        kind = _kind(text, start, end, countries)
        if kind is not None:
            taken.update(range(first, last + 1))
            yield start, end, kind


def _kind(text: str, start: int, end: int, countries: Sequence[str]) -> str | None:
    raw = text[start:end]
    compact = "".join(filter(str.isalnum, raw)).upper()
    digits = sum(map(str.isdigit, compact))
    if digits < _FEWEST_DIGITS or not compact.isascii() or pattern("date").search(raw):
        return None
    if re.match(r"[A-Z]{2}\d\d", compact) and len(compact) >= 15 and _check("iban").is_valid(compact, False):
        return "iban"
    if 13 <= digits <= 19 and pattern("card").fullmatch(compact) and _check("luhn").is_valid(compact):
        return "card"
    # National numbers rarely begin with 0, and phones within a country mostly do.
    has_phone_form = raw.startswith(("+", "0", "("))
    is_phone = compact.isdigit() and _is_phone(text, start, raw, compact, countries)
    if is_phone and has_phone_form:
        return "phone"
    if not raw.startswith("+") and any(check.is_valid(compact) for check in _checks(tuple(countries))):
        return "number"
    return "phone" if is_phone else None


def _is_phone(text: str, start: int, raw: str, digits: str, countries: Sequence[str]) -> bool:
    import phonenumbers  # 58 modules: loaded for the first text with a long number

    if not _FEWEST_DIGITS <= len(digits) <= 16:
        return False
    if raw.startswith(("+", "00", "(+", "(00")):
        return _is_number("+" + digits.lstrip("0"), None, exact=False)
    if pattern("phone_word").search(text, max(0, start - 40), start):
        return True
    is_grouped, no_trunk = len(raw) > len(digits), read_patterns()["no_trunk"]
    for country in countries:
        if len(digits) > 10 and digits[0] != "0":
            code = str(phonenumbers.country_code_for_region(country))
            is_likely = is_grouped and digits.startswith(code)
        else:
            has_form = re.match(no_trunk.get(country, "0") + "|0", digits) is not None
            is_likely = has_form and (digits[0] == "0" or is_grouped or country in _UNGROUPED)
        if is_likely and _is_number(digits, country, exact=digits[0] != "0" or len(digits) < 10):
            return True
    return False


def _is_number(digits: str, country: str | None, *, exact: bool) -> bool:
    """Whether a phone may have these digits; `exact` also requires that its area exists."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number) if exact else phonenumbers.is_possible_number(number))


@lru_cache(maxsize=64)
def _checks(countries: tuple[str, ...]) -> list[Any]:
    numbers = read_patterns()["numbers"]
    return [_check(name) for country in countries for name in numbers.get(country, ())]


@lru_cache(maxsize=64)
def _check(name: str) -> Any:
    return import_module(f"stdnum.{name}")
