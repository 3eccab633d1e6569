"""Who is told of a bad survey answer: never a person who worked on the complaint (8.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.slack.recipients import survey_readers
from complaints.actors import worked_on
from complaints.case import Case
from complaints.vocabulary import Role, Verb
from store.values import Absence, Member
from tests.clauses import clause
from tests.rules.builders import ALICE, MONA, TUESDAY, a_resolved_case, an_assessed_case

ALICE_M = Member(ALICE.id, "Alice", (), frozenset({Role.HANDLER}))
MONA_M = Member(MONA.id, "Mona", (), frozenset({Role.MANAGER}))
TUGBA = Member("U77", "Tugba", (), frozenset({Role.TOP_MANAGEMENT}))
AUDREY = Member("U88", "Audrey", (), frozenset({Role.AUDITOR}))
AWAY = Member(
    "U99", "Max", (), frozenset({Role.MANAGER}), absences=(Absence(TUESDAY, TUESDAY + timedelta(days=20)),)
)


def by_mona() -> Case:
    """A complaint that a manager worked on, besides the handler."""
    return a_resolved_case().do(Verb.NOTE, MONA, {}, {"text": "I rang them."}).case


@clause("8.3")
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ((ALICE_M, MONA_M, AWAY, TUGBA, AUDREY), ("U77",)),
        ((ALICE_M, MONA_M, AUDREY), ("U88",)),
        ((ALICE_M, MONA_M, AWAY), ("U99",)),
        ((ALICE_M, MONA_M), ()),
    ],
)
def test_a_bad_answer_goes_to_the_first_rank_with_a_person_who_did_not_work_on_it(
    members: tuple[Member, ...], expected: tuple[str, ...]
) -> None:
    assert survey_readers(by_mona(), members, TUESDAY) == expected


def test_assigning_a_complaint_is_no_work_on_it() -> None:
    assessed = an_assessed_case()
    assert worked_on(assessed.case, ALICE.id)
    assigned = assessed.do(Verb.ASSIGN, MONA, {"owner": "U55"})
    assert worked_on(assigned.case, ALICE.id), "who had it before worked on it"
    assert worked_on(assigned.case, "U55"), "the owner counts"
    assert not worked_on(assigned.case, MONA.id)
