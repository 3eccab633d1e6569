"""Every clause of the standard has its row, its code and its tests; the page and the index are current."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import reports.clauses
from reports.clauses.clause_evidence import FAULTS, Clause
from reports.clauses.count import FILE as INDEX
from reports.clauses.count import marked_with, turned_red
from reports.clauses.table import CLAUSES, EDITIONS
from tests.clause_index import marked, written
from tests.clause_page import FILE, page

ROOT = Path(__file__).parents[2]
#: The standard's table of contents, with the additions of the 2018 edition as one row.
STANDARD = [
    "3",
    *(f"4.{n}" for n in range(1, 11)),
    "2018",
    *(f"5.{n}" for n in range(1, 4)),
    *(f"6.{n}" for n in range(1, 5)),
    *(f"7.{n}" for n in range(1, 10)),
    *(f"8.{n}" for n in range(1, 8)),
    *"ABCDEFGH",
]
#: The clauses that the desk must be able to meet.
CAN_BE_MET = ["3", "4.4", "4.6", "4.7", "4.9", *(f"7.{n}" for n in range(1, 10)), "B", "D", "E", "F"]
CODE = [(row.id, name) for row in CLAUSES for name in row.code]


def test_every_clause_and_annex_of_the_standard_has_its_row() -> None:
    assert [row.id for row in CLAUSES] == STANDARD
    assert all(list(names) == STANDARD or set(names) == set(STANDARD) for names in EDITIONS.values())


@pytest.mark.parametrize("row", CLAUSES, ids=lambda row: row.id)
def test_every_row_has_a_requirement_and_a_control(row: Clause) -> None:
    assert row.demand.endswith(".")
    assert row.control.endswith(".")
    assert row.has_query or row.lacks
    assert not row.has_query or row.shows


@pytest.mark.parametrize(("number", "name"), CODE, ids=[f"{number} {name}" for number, name in CODE])
def test_the_code_that_a_row_names_exists(number: str, name: str) -> None:
    module, _, rest = name.rpartition(".")
    assert hasattr(import_module(module), rest), f"{number} names {name}"


@pytest.mark.parametrize("row", [row for row in CLAUSES if row.lacks is None], ids=lambda row: row.id)
def test_every_clause_that_can_be_met_has_a_test_with_a_failing_record(row: Clause) -> None:
    assert turned_red(row.id), (
        f"no test in tests/rules/reports/test_clauses_*.py is marked @clause({row.id!r})"
    )


@pytest.mark.parametrize("number", CAN_BE_MET)
def test_the_desk_can_meet_the_clause(number: str) -> None:
    (row,) = (row for row in CLAUSES if row.id == number)
    assert (row.has_query, row.lacks, turned_red(number)) == (True, None, True)


def test_the_index_of_tests_matches_the_marks() -> None:
    assert INDEX.read_text(encoding="utf-8") == written(), "run `make docs`"


def test_every_mark_names_a_clause() -> None:
    assert set(marked()) <= set(STANDARD)


@pytest.mark.parametrize("number", STANDARD)
def test_every_named_test_exists(number: str) -> None:
    for test in marked_with(number):
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_page_is_generated_from_the_table() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_table_of_faults_has_those_of_all_points_that_can_violate_a_clause() -> None:
    named = set()
    for module in Path(reports.clauses.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in {
                "must",
                "violated",
                "fault_if",
            }:
                named |= {what.value for what in call.args[:1] if isinstance(what, ast.Constant)}
    demands = [demand for row in CLAUSES for demand in row.records]
    named |= {demand.in_time for demand in demands if demand.in_time}
    named |= {f"no {demand.what}" for demand in demands if demand.within is not None}
    assert named == set(FAULTS)
