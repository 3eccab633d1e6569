"""Readability gets no worse: each count stays within its bound in bounds.json (`python -m tests.code_measures`)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests import code_counts
from tests.code_measures import (
    BOUNDS,
    FOLDER_LIMIT,
    current_bounds,
    excesses,
    kept_bounds,
    tightened,
    written,
)
from tests.source import ROOMS, Module

KINDS = (
    "old-fashioned words",
    "vague names",
    "citations of missing documents",
    "tables and comparisons of verbs",
    "tables and comparisons of forms",
    "duplicate class names",
    "doubled module names",
    "import cycles",
    "files per folder",
)


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return current_bounds()


@pytest.mark.parametrize("kind", KINDS)
def test_no_count_is_above_its_bound(kind: str, now: dict[str, Any]) -> None:
    above = excesses({kind: kept_bounds()[kind]}, now)
    assert not above, "\n".join((*above, "`python -m tests.code_measures --list WHAT` shows each place."))


def test_no_folder_of_tests_holds_more_than_25_files() -> None:
    files = Path(__file__).parents[1].rglob("*")
    counted = Counter(file.parent for file in files if file.is_file() and file.suffix != ".pyc")
    assert {str(folder): number for folder, number in counted.items() if number > 25} == {}


def test_every_room_has_its_bounds_and_no_folder_is_named_below_the_general_limit() -> None:
    bounds = kept_bounds()
    assert set(bounds) == set(KINDS)
    assert all(set(bounds[kind]) == set(ROOMS) for kind in KINDS[:4])
    assert [folder for folder, files in bounds["files per folder"].items() if files <= FOLDER_LIMIT] == []


def test_the_bounds_file_has_the_format_that_the_command_writes() -> None:
    assert BOUNDS.read_text(encoding="utf-8") == written(json.loads(BOUNDS.read_text(encoding="utf-8")))


def test_tightening_lowers_bounds_and_never_raises_one() -> None:
    bounds = {"vague names": {"bots": 5, "store": 2}, "duplicate class names": ["A", "B"]}
    now = {"vague names": {"bots": 3, "store": 4}, "duplicate class names": ["B", "C"]}
    assert tightened(bounds, now) == {"vague names": {"bots": 3, "store": 2}, "duplicate class names": ["B"]}
    assert excesses(bounds, now) == [
        "vague names: store has 4, at most 2 allowed",
        "duplicate class names: C is new",
    ]


def test_import_cycles_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = grimp.ImportGraph()
    edges = ("a b", "b c", "c b", "c d", "x y", "y z", "z x", "z a")
    for importer, imported in (edge.split() for edge in edges):
        graph.add_import(importer=importer, imported=imported)
    monkeypatch.setattr(code_counts, "_imports", lambda: graph)
    assert code_counts.import_cycles() == ["b, c", "x, y, z"]


def test_tables_and_comparisons_of_verbs_are_counted_and_the_rows_of_verbs_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = """
ROWS = {Verb.NOTE: Action("7.3")}
NEWS = frozenset({Verb.REPLY, Verb.ASK})
ROLES = ACTIONS[Verb.NOTE].roles
def is_news(event):
    return event.verb in (Verb.REPLY, Verb.ASK) or last_of(events, Verb.TALK)
"""
    module = Module("complaints/example.py")
    module.__dict__["text"] = source
    monkeypatch.setattr(code_counts, "modules", lambda **_: (module,))
    assert [place.text for place in code_counts.verb_sets()] == [
        "table NEWS",
        "event.verb in (Verb.REPLY, Verb.ASK)",
    ]
