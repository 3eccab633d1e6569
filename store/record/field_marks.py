"""What each field of a complaint's record is: whose data, and whether it is sealed (`fields.toml`)."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

#: The list of the marks of the record's own fields; the other lists have the names of the fields that hold them.
RECORD = "record"
_FLAGS = frozenset({"sealed", "subject", "further", "assessed"})


class Whose(Enum):
    """Whose data a field is; `fields.toml` explains each."""

    OWN = "own"
    COMPLAINANT = "complainant"
    LETTER = "letter"
    DECISION = "decision"
    NOTE = "note"
    OTHERS = "others"
    DERIVED = "derived"
    DESK = "desk"


@dataclass(frozen=True)
class FieldMark:
    """What one field is: whose it is, its `flags`, and the kind of its values, by which documents print them."""

    whose: Whose
    flags: frozenset[str]
    shown_as: str = "words"


def _parsed(line: str) -> FieldMark:
    whose, *others = line.split()
    shown_as = (word for word in others if word not in _FLAGS)
    return FieldMark(Whose(whose), _FLAGS.intersection(others), *shown_as)


MARKS: Mapping[str, Mapping[str, FieldMark]] = {
    name: {field: _parsed(line) for field, line in fields.items()}
    for name, fields in tomllib.loads(
        Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
    ).items()
}


def fields_of(whose: Collection[Whose], rows_of: str = RECORD) -> tuple[str, ...]:
    """The names of the fields that are theirs, in the order of the record."""
    return tuple(name for name, mark in MARKS[rows_of].items() if mark.whose in whose)


def for_subject(values: Mapping[str, Any], rows_of: str = RECORD) -> dict[str, Any]:
    """The record or a row of it with every field empty that the member of staff complained about may not know (C)."""
    marks = MARKS[rows_of]
    return {
        name: value if "subject" in marks[name].flags else _empty(value) for name, value in values.items()
    }


def _empty(value: Any) -> Any:
    if isinstance(value, bool):
        return False
    return type(value)() if isinstance(value, list | dict) else None
