"""What is wrong with the settings, said so that it can be put right without reading code.

Where in a TOML text a key stands: the parser of the standard library keeps no line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One wrong setting: its key, where it stands, what is wrong, and the forms that are accepted."""

    key: str
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.what}" if self.key else f"{self.place}: {self.what}"


class SettingsError(Exception):
    """The settings cannot be used; one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(one) for one in self.problems))


class BadCalendarFile(ValueError):
    """This is no usable iCalendar file; the message names the line, if there is one, and the remedy."""


class NotCounted(Exception):
    """An event of a calendar file that cannot be counted as days off: why, and what to write instead."""


_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$"""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')

Place = tuple[str | int, ...]


def lines_of(text: str) -> dict[Place, int]:
    """Line number (from 1) of every table and key of a TOML text, by path; tables of an array by index.

    Only as exact as messages need: what stands inside an inline table or an array is found at its own line.
    """
    places: dict[Place, int] = {}
    arrays: dict[Place, int] = {}
    table: Place = ()
    inside = ""  # a multi-line string's quotes, or "[" within an array over several lines
    for number, line in enumerate(text.splitlines(), start=1):
        if inside:
            inside = "" if _ends(line, inside) else inside
            continue
        if header := _HEADER.match(line):
            table = _resolved(_parts(header.group(2)), arrays)
            if header.group(1) == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            for depth in range(1, len(table) + 1):
                places.setdefault(table[:depth], number)
        elif key := _KEY.match(line):
            path = (*table, *_parts(key.group(1)))
            for depth in range(len(table) + 1, len(path) + 1):
                places.setdefault(path[:depth], number)
            inside = _opens(key.group(2))
    return places


def line_of(path: Place, places: dict[Place, int]) -> int | None:
    """The line of the key, or of the nearest table around it."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in places:
            return places[path[:depth]]
    return None


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _resolved(path: Place, arrays: dict[Place, int]) -> Place:
    """The path with the index of the last table of each array that it leads through."""
    found: Place = ()
    for position, part in enumerate(path):
        found = (*found, part)
        if position < len(path) - 1 and found in arrays:
            found = (*found, arrays[found])
    return found


def _opens(value: str) -> str:
    for quotes in ('"""', "'''"):
        if value.count(quotes) == 1:
            return quotes
    bare = _STRING.sub("", value).split("#")[0]
    return "[" if bare.count("[") > bare.count("]") else ""


def _ends(line: str, inside: str) -> bool:
    return "]" in _STRING.sub("", line).split("#")[0] if inside == "[" else inside in line
