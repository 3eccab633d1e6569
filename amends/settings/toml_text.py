"""TOML as text: the line number of each key, and how a value is written.

The standard library's parser keeps no line numbers, and the library cannot write TOML.
"""

import re
from collections.abc import Mapping
from typing import Any

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$"""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')

#: The names from the top of the file to a key; an integer is the index in an array of tables.
KeyPath = tuple[str | int, ...]


def line_numbers(text: str) -> dict[KeyPath, int]:
    """The line number (from 1) of every table and key of a TOML text.

    It is as exact as error messages need: keys inside an inline table or an array get the line where that starts.
    """
    lines: dict[KeyPath, int] = {}
    arrays: dict[KeyPath, int] = {}
    table: KeyPath = ()
    inside = ""  # the quotes of a multi-line string, or "[" in an array over several lines
    for number, line in enumerate(text.splitlines(), start=1):
        if inside:
            inside = "" if _ends(line, inside) else inside
            continue
        if header := _HEADER.match(line):
            table = _with_indexes(_parts(header.group(2)), arrays)
            if header.group(1) == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
        elif key := _KEY.match(line):
            path = (*table, *_parts(key.group(1)))
            for depth in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:depth], number)
            inside = _opens(key.group(2))
    return lines


def line_number(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of the key, or of the nearest table around it."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in lines:
            return lines[path[:depth]]
    return None


def dotted(path: KeyPath) -> str:
    """The path as error messages show it; tables of an array are counted from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def toml_value(value: Any) -> str:
    """A plain value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, Mapping) and not value:
        return "{}"
    if isinstance(value, Mapping):
        items = ", ".join(f"{_toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return "{ " + items + " }"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def _toml_key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else toml_value(key)


def _parts(key: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(key))


def _with_indexes(path: KeyPath, arrays: Mapping[KeyPath, int]) -> KeyPath:
    """The path with the index of the latest table after each array of tables that it goes through."""
    indexed: KeyPath = ()
    for position, part in enumerate(path):
        indexed = (*indexed, part)
        if position < len(path) - 1 and indexed in arrays:
            indexed = (*indexed, arrays[indexed])
    return indexed


def _opens(value: str) -> str:
    for quotes in ('"""', "'''"):
        if value.count(quotes) == 1:
            return quotes
    bare = _STRING.sub("", value).split("#")[0]
    return "[" if bare.count("[") > bare.count("]") else ""


def _ends(line: str, inside: str) -> bool:
    return "]" in _STRING.sub("", line).split("#")[0] if inside == "[" else inside in line
