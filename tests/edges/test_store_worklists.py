"""The lists of work: by what is due next, a page at a time, only what one may know of; absence; numbers filed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from complaints.vocabulary import Verb
from store.database.errors import UnknownRow
from store.people.identifiers import search_number
from store.people.staff import end_absence, load_actor, load_member, record_absence, sync_staff
from store.record.worklists import WorklistSection, count_open_by_owner, list_codes, load_worklist
from store.store import Store
from tests.clauses import clause
from tests.edges.desk import HANDLER, MANAGER, SECOND, STAFF, TOP, Desk


def refs(store: Store, section: WorklistSection, member: str, **more: object) -> list[str]:
    page = store.read(load_worklist, section, store.read(load_actor, member), **more)
    return [one.ref for one in page.cases]


def test_lists_are_by_what_is_due_next_and_by_owner(store: Store) -> None:
    desk = Desk(store)
    mine, nobodys, closed = desk.assessed(), desk.receive(), desk.closed()

    assert refs(store, WorklistSection.MINE, HANDLER) == [mine]
    assert refs(store, WorklistSection.UNASSIGNED, SECOND) == [nobodys]
    assert sorted(refs(store, WorklistSection.OPEN, SECOND)) == sorted([mine, nobodys])
    assert refs(store, WorklistSection.MINE, MANAGER, owner=HANDLER) == [mine]
    assert closed not in refs(store, WorklistSection.OPEN, MANAGER)
    assert store.read(count_open_by_owner) == {HANDLER: 1}


def test_a_page_counts_what_comes_after_it(store: Store) -> None:
    desk = Desk(store)
    every = {desk.receive() for _ in range(5)}
    first = store.read(load_worklist, WorklistSection.UNASSIGNED, store.read(load_actor, HANDLER), limit=2)
    last = store.read(
        load_worklist, WorklistSection.UNASSIGNED, store.read(load_actor, HANDLER), offset=4, limit=2
    )

    assert (first.count, first.more, last.count, last.more) == (5, 3, 5, 0)
    assert {one.ref for one in (*first.cases, *last.cases)} < every


def test_bounds_of_the_next_due_time_hold(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    far = store.now() + timedelta(days=60)

    assert refs(store, WorklistSection.OPEN, HANDLER, due_before=far) == [ref]
    assert refs(store, WorklistSection.OPEN, HANDLER, due_from=far) == []
    assert refs(store, WorklistSection.OVERDUE, HANDLER) == []


@clause("4.7")
def test_a_restricted_one_is_counted_only_for_who_may_know(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    desk.act(ref, Verb.RESTRICT, MANAGER, words={"reason": "A neighbour of ours"})
    counts = {
        one: store.read(load_worklist, WorklistSection.OPEN, store.read(load_actor, one)).count
        for one in (HANDLER, SECOND, MANAGER, TOP)
    }

    assert counts == {HANDLER: 1, SECOND: 0, MANAGER: 1, TOP: 1}


@clause("C")
def test_one_who_is_kept_from_it_finds_it_in_no_list(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.DECLARE_CONFLICT, MANAGER, {"who": TOP}, {"reason": "A relative"})

    assert refs(store, WorklistSection.OPEN, TOP) == []
    assert refs(store, WorklistSection.OPEN, MANAGER) == [ref]
    assert store.read(list_codes, "state", "received", store.read(load_actor, TOP)).count == 0


def test_what_waits_for_a_second_person_is_listed_for_those_who_may(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.RECLASSIFY, facts={"kind": "praise"}, words={"reason": "Only thanks"})

    assert refs(store, WorklistSection.WAITING, MANAGER) == [ref]
    assert refs(store, WorklistSection.WAITING, HANDLER) == []


def test_codes_are_found_open_ones_first(store: Store) -> None:
    desk = Desk(store)
    ref, closed = desk.assessed(), desk.closed()

    assert [
        one.ref for one in store.read(list_codes, "category", "supply", store.read(load_actor, SECOND)).cases
    ] == [ref]
    assert [
        one.ref for one in store.read(list_codes, "state", "closed", store.read(load_actor, SECOND)).cases
    ] == [closed]


def test_absence_is_kept_while_roles_are_read_anew(store: Store) -> None:
    desk = Desk(store)
    until = datetime(2026, 12, 1, tzinfo=UTC)
    store.write(record_absence, HANDLER, until, SECOND)
    store.write(sync_staff, STAFF)
    ann = store.read(load_member, HANDLER)

    assert ann is not None
    assert (ann.absent_until, ann.deputy) == (until, SECOND)
    assert store.write(end_absence, HANDLER) is True
    assert store.write(end_absence, HANDLER) is False
    with pytest.raises(UnknownRow):
        store.write(record_absence, "U9999999", until)
    assert desk.store.read(load_member, HANDLER) is not None


@clause("7.2")
def test_numbers_of_every_message_are_filed_and_found_in_any_spelling(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is brown, account 88-41207.")
    desk.add(ref, "Ring me: 020 7946 0018, or mary@example.org")

    for written in ("8841207", "+442079460018", "Mary@example.org"):
        assert [one.ref for one in store.write(search_number, written, store.read(load_actor, HANDLER))] == [
            ref
        ]
