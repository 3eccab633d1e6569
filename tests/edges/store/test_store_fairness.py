"""Conflicts of interest, merging and outside decisions: the event copies facts of other rows (4.5, 7.9, C)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from complaints.errors import NotAllowed, OutOfOrder
from complaints.vocabulary import Flag, State, Verb
from store.cases.export import export_record
from store.cases.read import load_case, open_case
from store.custody.verify import verify
from store.people.staff import sync_staff
from store.record.load import load_texts
from store.store import Store
from store.tables import OBLIGATIONS
from tests.clauses import clause
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, SECOND, STAFF, TOP, Desk

REASON = {"reason": "About this person."}


def with_line(desk: Desk, member: str, line: str) -> None:
    """Put this member into that manager's line from now on."""
    desk.store.write(
        sync_staff, [replace(person, line=line) if person.id == member else person for person in STAFF]
    )


@clause("C")
def test_naming_a_handler_excludes_their_line_manager_too(store: Store) -> None:
    desk = Desk(store)
    with_line(desk, HANDLER, MANAGER)
    ref = desk.receive(subjects=(HANDLER,))
    case = store.read(load_case, ref)
    assert case.denied == {HANDLER, MANAGER}
    assert case.fairness.roles == {"handler"}
    for member in (HANDLER, MANAGER):
        with pytest.raises(NotAllowed):
            store.write(open_case, ref, desk.actor(member), "open")
        with pytest.raises(NotAllowed):
            desk.act(ref, Verb.NOTE, member, words={"text": "x"})
    assert store.write(open_case, ref, desk.actor(TOP), "open").case.ref == ref


def test_a_later_change_of_the_line_does_not_change_who_was_excluded(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive(subjects=(HANDLER,))
    with_line(desk, HANDLER, MANAGER)
    assert store.read(load_case, ref).denied == {HANDLER}


@clause("C")
def test_members_who_read_the_complaint_before_they_were_excluded_are_listed(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.add(ref, "It was Annie.", subjects=(HANDLER,))
    opened = store.write(open_case, ref, desk.actor(MANAGER), "open")
    assert [read.by for read in opened.earlier_reads] == [HANDLER]
    assert store.read(export_record, ref)["read_before_denied"][0]["by"] == HANDLER


def test_without_an_independent_member_an_outside_review_is_due_at_once(store: Store) -> None:
    desk = Desk(store)
    store.write(sync_staff, [member for member in STAFF if member.id in (HANDLER, MANAGER)])
    ref = desk.receive(subjects=(HANDLER, MANAGER))
    assert store.read(load_case, ref).no_reviewer_left
    kinds = store.read(
        lambda tx: set(
            tx.connection.execute(select(OBLIGATIONS.c.kind).where(OBLIGATIONS.c.ref == ref)).scalars()
        )
    )
    assert "no_independent" in kinds


def test_a_merged_complaint_points_to_the_surviving_one_which_has_every_text(store: Store) -> None:
    desk = Desk(store)
    first = desk.receive("The water is brown.")
    second = desk.receive("My water is still brown.", source="9")
    desk.act(first, Verb.MERGE, MANAGER, facts={"other_ref": second})
    gone, whole = store.read(load_case, first), store.read(load_case, second)
    assert gone.merged_into == second
    assert whole.received_at == gone.received_at
    assert whole.merged == (first,)
    record = store.read(export_record, second)
    assert record["merged"][0]["texts"][0]["text"] == "The water is brown."
    opened = store.write(open_case, second, desk.actor(MANAGER), "open")
    assert opened.merged[0].texts[0].text == "The water is brown."
    desk.add(first, "It smells, too.", source="10")
    assert "It smells, too." in [text.text for text in store.read(load_texts, second)]
    with pytest.raises(OutOfOrder):
        desk.act(second, Verb.MERGE, MANAGER, facts={"other_ref": first})
    assert store.read(verify).first_bad is None


def test_a_complaint_about_handling_excludes_everybody_who_handled_the_other_complaint(store: Store) -> None:
    desk = Desk(store)
    first = desk.receive()
    desk.act(first, Verb.ASSESS, HANDLER, facts=ASSESSED)
    second = desk.receive("Nobody ever answered me.", source="9")
    facts = {"other_ref": first, "relation": "about_handling_of"}
    desk.act(second, Verb.LINK, SECOND, facts=facts)
    case = store.read(load_case, second)
    assert case.conflicted == {HANDLER}
    assert Flag.RESTRICTED in case.flags
    assert store.read(export_record, first)["links"][0]["theirs"] is True


@clause("7.9")
def test_an_outside_decision_is_recorded_with_ours_and_opens_an_improvement(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(
        ref,
        Verb.CONCLUDE_EXTERNAL,
        MANAGER,
        facts={"event": "final", "comply_by": "2099-01-05"},
        words={"body": "Ombudsman", "outcome": "Repair it."},
    )
    record = store.read(export_record, ref)
    (decision,) = record["decisions"]
    assert decision["external"] is True
    assert decision["overturned"] is True
    assert decision["body"] == "Ombudsman"
    assert len(record["capa_ids"]) == 1
    assert store.read(load_case, ref).state is State.REMEDYING
    assert store.read(verify).first_bad is None
