"""Which tests are evidence for which clause: read from `tests.json`, written from the tests' `@clause` marks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("tests.json")
#: Tests in files of this name turn a clause red by a record that breaks it.
RED = "test_clauses_"


@cache
def index() -> Mapping[str, tuple[str, ...]]:
    """Clause to its tests, as `path::name`."""
    return {number: tuple(found) for number, found in json.loads(FILE.read_text(encoding="utf-8")).items()}


def marked_with(number: str) -> tuple[str, ...]:
    """The tests of one clause."""
    return index().get(number, ())


def turned_red(number: str) -> bool:
    """True when a test shows a record that breaks this clause turning it red."""
    return any(RED in one for one in marked_with(number))
