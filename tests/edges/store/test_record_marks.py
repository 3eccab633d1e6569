"""Each field of the record says what it is: whose data, sealed or not. Nobody sees one without a mark."""

from __future__ import annotations

from typing import Any

import pytest

from complaints.vocabulary import Verb
from store.cases.export import export_record
from store.custody.erasure import erase
from store.people.identification import add_identifier
from store.record.field_marks import MARKS, RECORD, Whose, fields_of, for_subject
from store.record.load import load_case_file
from store.store import Store
from tests.clauses import clause
from tests.edges.desk import Desk
from tests.edges.reports.test_case_file import whole_life

#: Rows whose fields are the facts of an act: only those that somebody outside sees have a mark.
_OF_FACTS = {"external", "proposal"}


@pytest.fixture
def desk(usual_store: Store) -> Desk:
    """A desk with rules and staff."""
    return Desk(usual_store)


def a_closed_complaint(desk: Desk) -> str:
    """A complaint with an entry in most lists of its record."""
    ref = whole_life(desk)
    desk.act(ref, Verb.REMEDY_DONE, facts={"remedy": "0", "done_at": "2026-11-03T10:00:00Z"})
    desk.store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "C-77"))
    return ref


def is_empty(value: Any) -> bool:
    return value in (None, "", [], {})


def test_every_field_of_the_record_has_a_mark(desk: Desk) -> None:
    record = desk.store.read(export_record, a_closed_complaint(desk))
    rows = {
        name: record[name][0] if isinstance(record[name], list) else record[name]
        for name in MARKS
        if record.get(name) and name not in _OF_FACTS
    }
    unmarked = {f"{name}.{field}" for name, row in rows.items() for field in row if field not in MARKS[name]}

    assert set(record) == set(MARKS[RECORD])
    assert unmarked == set()
    assert len(rows) >= 8


@clause("8.1")
def test_what_an_erasure_empties_is_marked_as_sealed_and_nothing_sealed_is_left(desk: Desk) -> None:
    ref = desk.closed()
    before = desk.store.read(export_record, ref)
    desk.store.write(erase, ref, "request")
    after = desk.store.read(export_record, ref)

    sealed = {name for name, mark in MARKS[RECORD].items() if "sealed" in mark.flags}
    rows = {name for name, marks in MARKS.items() if any("sealed" in mark.flags for mark in marks.values())}
    emptied = {name for name in before if not is_empty(before[name]) and is_empty(after[name])}
    left = {name for name in sealed if not is_empty(after[name])} | {
        f"{name}.{field}"
        for name in rows - {RECORD, "decisions"}
        for row in after.get(name) or ()
        for field, mark in MARKS[name].items()
        if "sealed" in mark.flags and not is_empty(row.get(field))
    }
    assert emptied <= sealed | rows
    assert left == set()
    assert {"description", "texts"} <= emptied


@clause("C")
def test_a_field_without_a_mark_is_no_part_of_the_edition_for_the_person_complained_about() -> None:
    with pytest.raises(KeyError):
        for_subject({"weather": "rain"})


@clause("C")
def test_the_edition_for_the_person_complained_about_has_no_note_and_nobody_elses_data() -> None:
    visible = {name for name, mark in MARKS[RECORD].items() if "subject" in mark.flags}
    hidden = {
        *fields_of({Whose.NOTE}),
        *fields_of({Whose.COMPLAINANT}),
        "name",
        "support_needs",
        "owner",
        "people",
    }
    assert visible & hidden == set()
