"""The count is kept: every clause of the standard, its code and tests exist, the page and the index are current."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from reports.clauses.count import FILE as INDEX
from reports.clauses.count import marked_with, turned_red
from reports.clauses.evidence import Clause
from reports.clauses.page import FILE, page
from reports.clauses.table import CLAUSES, EDITIONS
from tests.clause_index import marked, written

ROOT = Path(__file__).parents[2]
#: The standard's own table of contents, with what the edition of 2018 adds as one row.
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
#: What the desk must be able to say "met" of.
ABLE = ["3", "4.4", "4.6", "4.7", "4.9", *(f"7.{n}" for n in range(1, 10)), "B", "D", "E", "F"]
CODE = [(one.id, name) for one in CLAUSES for name in one.code]


def test_every_clause_and_annex_of_the_standard_has_its_row() -> None:
    assert [one.id for one in CLAUSES] == STANDARD
    assert all(list(names) == STANDARD or set(names) == set(STANDARD) for names in EDITIONS.values())


@pytest.mark.parametrize("one", CLAUSES, ids=lambda one: one.id)
def test_every_row_says_what_is_demanded_and_what_meets_it(one: Clause) -> None:
    assert one.demand.endswith(".")
    assert one.control.endswith(".")
    assert one.has_query or one.lacks
    assert not one.has_query or one.shows


@pytest.mark.parametrize(("number", "name"), CODE, ids=[f"{number} {name}" for number, name in CODE])
def test_the_code_that_a_row_names_exists(number: str, name: str) -> None:
    module, _, rest = name.rpartition(".")
    assert hasattr(import_module(module), rest), f"{number} names {name}"


@pytest.mark.parametrize("one", [one for one in CLAUSES if one.lacks is None], ids=lambda one: one.id)
def test_a_record_that_breaks_it_turns_every_clause_red_that_can_be_met(one: Clause) -> None:
    assert turned_red(one.id), f"no test in tests/rules/test_clauses_*.py is marked @clause({one.id!r})"


@pytest.mark.parametrize("number", ABLE)
def test_the_desk_is_able_to_meet(number: str) -> None:
    (one,) = (one for one in CLAUSES if one.id == number)
    assert (one.has_query, one.lacks, turned_red(number)) == (True, None, True)


def test_the_index_of_tests_is_that_of_the_marks() -> None:
    assert INDEX.read_text(encoding="utf-8") == written(), "run `make docs`"


def test_every_mark_names_a_clause() -> None:
    assert set(marked()) <= set(STANDARD)


@pytest.mark.parametrize("number", STANDARD)
def test_every_test_that_is_named_exists(number: str) -> None:
    for one in marked_with(number):
        file, _, name = one.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_page_is_the_one_that_the_table_writes() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == page(), "run `make docs`"
