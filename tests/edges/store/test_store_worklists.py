"""Worklists: sorted by next due date, paged, without cases that the member may not know of; absence; numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from complaints.actors import SYSTEM, complainant
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.custody.verify import verify
from store.database.errors import UnknownRow
from store.people.staff import end_absence, list_members, load_actor, load_member, record_absence, sync_staff
from store.proof.hash_chain import list_instance_events
from store.record.load import load_texts
from store.record.worklists import (
    WorklistSection,
    count_open,
    count_open_by_owner,
    list_by_code,
    load_worklist,
)
from store.similarity.search import CaseSearch, search_cases
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, SECOND, STAFF, TOP, Desk


def refs(store: Store, section: WorklistSection, member: str, **more: object) -> list[str]:
    page = store.read(load_worklist, section, store.read(load_actor, member), **more)
    return [case.ref for case in page.cases]


def test_worklists_are_sorted_by_next_due_date_and_filtered_by_owner(store: Store) -> None:
    desk = Desk(store)
    mine, unassigned, closed = desk.assessed(), desk.receive(), desk.closed()

    assert refs(store, WorklistSection.MINE, HANDLER) == [mine]
    assert refs(store, WorklistSection.UNASSIGNED, SECOND) == [unassigned]
    assert sorted(refs(store, WorklistSection.OPEN, SECOND)) == sorted([mine, unassigned])
    assert refs(store, WorklistSection.MINE, MANAGER, owner=HANDLER) == [mine]
    assert closed not in refs(store, WorklistSection.OPEN, MANAGER)
    assert store.read(count_open_by_owner) == {HANDLER: 1}


@clause("4.9")
def test_a_complaint_whose_owner_holds_no_role_is_listed_and_counted_as_without_an_owner(
    store: Store,
) -> None:
    desk = Desk(store)
    owned, other = desk.assessed(), desk.receive()
    store.write(sync_staff, [member for member in STAFF if member.id != HANDLER])
    counts = store.read(count_open, store.read(load_actor, MANAGER), store.now())

    assert sorted(refs(store, WorklistSection.UNASSIGNED, MANAGER)) == sorted([owned, other])
    assert counts.unowned == 2
    assert HANDLER not in {member.id for member in store.read(list_members)}
    assert HANDLER in {member.id for member in store.read(list_members, with_owners=True)}
    assert store.read(load_case, owned).former_owner == HANDLER
    desk.act(owned, Verb.ASSIGN, SECOND)
    assert (store.read(load_case, owned).owner, store.read(load_case, owned).is_unowned) == (SECOND, False)
    assert refs(store, WorklistSection.UNASSIGNED, MANAGER) == [other]


def test_a_page_counts_the_cases_that_come_after_it(store: Store) -> None:
    desk = Desk(store)
    every = {desk.receive() for _ in range(5)}
    first = store.read(load_worklist, WorklistSection.UNASSIGNED, store.read(load_actor, HANDLER), limit=2)
    last = store.read(
        load_worklist, WorklistSection.UNASSIGNED, store.read(load_actor, HANDLER), offset=4, limit=2
    )

    assert (first.count, first.more, last.count, last.more) == (5, 3, 5, 0)
    assert {case.ref for case in (*first.cases, *last.cases)} < every


def test_bounds_of_the_next_due_date_are_applied(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    far = store.now() + timedelta(days=60)

    assert refs(store, WorklistSection.OPEN, HANDLER, due_before=far) == [ref]
    assert refs(store, WorklistSection.OPEN, HANDLER, due_from=far) == []
    assert refs(store, WorklistSection.OVERDUE, HANDLER) == []


@clause("4.7")
def test_a_restricted_complaint_is_counted_only_for_members_who_may_know_of_it(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    desk.act(ref, Verb.RESTRICT, MANAGER, words={"reason": "A neighbour of ours"})
    counts = {
        member: store.read(load_worklist, WorklistSection.OPEN, store.read(load_actor, member)).count
        for member in (HANDLER, SECOND, MANAGER, TOP)
    }

    assert counts == {HANDLER: 1, SECOND: 0, MANAGER: 1, TOP: 1}


@clause("C")
def test_a_member_with_a_conflict_of_interest_finds_the_complaint_in_no_list(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.DECLARE_CONFLICT, MANAGER, {"who": TOP}, {"reason": "A relative"})

    assert refs(store, WorklistSection.OPEN, TOP) == []
    assert refs(store, WorklistSection.OPEN, MANAGER) == [ref]
    assert store.read(list_by_code, "state", "received", store.read(load_actor, TOP)).count == 0


def test_a_complaint_waiting_for_a_second_person_is_listed_only_for_those_who_may_decide(
    store: Store,
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.RECLASSIFY, facts={"kind": "praise"}, words={"reason": "Only thanks"})

    assert refs(store, WorklistSection.WAITING, MANAGER) == [ref]
    assert refs(store, WorklistSection.WAITING, HANDLER) == []


def test_cases_are_found_by_code_open_ones_first(store: Store) -> None:
    desk = Desk(store)
    ref, closed = desk.assessed(), desk.closed()

    assert [
        case.ref
        for case in store.read(list_by_code, "category", "supply", store.read(load_actor, SECOND)).cases
    ] == [ref]
    assert [
        case.ref for case in store.read(list_by_code, "state", "closed", store.read(load_actor, SECOND)).cases
    ] == [closed]


def test_an_absence_is_kept_when_the_staff_are_synchronised_again(store: Store) -> None:
    desk = Desk(store)
    until = datetime(2026, 12, 1, tzinfo=UTC)
    store.write(record_absence, HANDLER, until, SECOND, by=MANAGER)
    store.write(sync_staff, STAFF)
    ann = store.read(load_member, HANDLER)

    assert ann is not None
    assert [(absence.until, absence.deputy) for absence in ann.absences] == [(until, SECOND)]
    assert ann.deputy == SECOND
    assert store.write(end_absence, HANDLER) is True
    assert store.write(end_absence, HANDLER) is False
    logged = [
        (event["facts"]["by"], event["facts"]["deputy"])
        for event in store.read(list_instance_events, "absence")
    ]
    assert logged == [(HANDLER, None), (MANAGER, SECOND)]
    with pytest.raises(UnknownRow):
        store.write(record_absence, "U9999999", until)
    assert desk.store.read(load_member, HANDLER) is not None


def test_a_second_absence_leaves_the_first_and_only_the_running_one_counts(
    store: Store, clock: FakeClock
) -> None:
    Desk(store)
    now, christmas = store.now(), store.now() + timedelta(days=40)
    store.write(record_absence, HANDLER, christmas + timedelta(days=14), SECOND, since=christmas)
    store.write(record_absence, HANDLER, now + timedelta(days=2), MANAGER)
    store.write(sync_staff, STAFF)
    ann = store.read(load_member, HANDLER)

    assert ann is not None
    days_away = [day for day in range(60) if ann.is_away(now + timedelta(days=day))]
    assert days_away == [0, 1, *range(40, 54)]
    assert store.read(load_actor, MANAGER).stands_in_for == {HANDLER}
    assert store.read(load_actor, SECOND).stands_in_for == frozenset()
    clock.go_on(days=41)
    assert store.read(load_actor, MANAGER).stands_in_for == frozenset()
    assert store.read(load_actor, SECOND).stands_in_for == {HANDLER}
    assert store.read(verify).first_bad is None


def test_an_absence_that_runs_is_prolonged_and_a_planned_one_removed(store: Store, clock: FakeClock) -> None:
    Desk(store)
    now, christmas = store.now(), store.now() + timedelta(days=40)
    store.write(record_absence, HANDLER, now + timedelta(days=2))
    store.write(record_absence, HANDLER, christmas + timedelta(days=14), SECOND, since=christmas)
    clock.go_on(days=1)
    prolonged = store.write(record_absence, HANDLER, now + timedelta(days=5))
    was_back = store.write(end_absence, HANDLER)
    ann = store.read(load_member, HANDLER)
    removed = store.write(end_absence, HANDLER, since=christmas)
    later = store.read(load_member, HANDLER)

    assert (prolonged.since, prolonged.until, was_back, removed) == (now, now + timedelta(days=5), True, True)
    assert ann is not None
    assert later is not None
    assert [absence.since for absence in ann.absences] == [now, christmas]
    assert [absence.since for absence in later.absences] == [now]
    assert store.read(verify).first_bad is None


@clause("7.2")
def test_numbers_of_every_message_are_filed_and_found_in_any_spelling(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is brown, account 88-41207.")
    desk.add(ref, "Ring me: 020 7946 0018, or mary@example.org")

    for written in ("8841207", "+442079460018", "Mary@example.org"):
        assert [
            case.ref
            for case in store.write(
                search_cases, CaseSearch(number=written), store.read(load_actor, HANDLER), limit=50
            ).cases
        ] == [ref]


@clause("8.3")
def test_a_bad_survey_answer_waits_for_managers_who_did_not_work_on_the_complaint(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    by = complainant(desk.case(ref).complainant)
    facts = {"step": "answered", "question": "q3", "score": 1}
    store.write(act, ref, Verb.SURVEY, by, facts)
    store.write(
        act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q6"}, {"q6": "Nobody listened to me."}
    )
    assert refs(store, WorklistSection.SURVEY, MANAGER) == [ref]
    assert refs(store, WorklistSection.SURVEY, HANDLER) == []
    for member, is_shown in ((MANAGER, True), (HANDLER, False)):
        opened = store.write(open_case, ref, store.read(load_actor, member), "case")
        assert ("Nobody listened to me." in {text.text for text in opened.texts}) is is_shown
        assert (Verb.SURVEY in {event.verb for event in opened.events}) is is_shown
    desk.act(ref, Verb.NOTE, MANAGER, {}, {"text": "We rang and said sorry."})
    assert refs(store, WorklistSection.SURVEY, MANAGER) == []


@clause("8.3")
def test_whoever_worked_on_a_complaint_sees_no_answer_although_another_person_closed_it(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    desk.act(ref, Verb.REPLY, HANDLER, {}, {"text": "We look into it.", "letter": "We look into it."})
    desk.act(ref, Verb.ASSIGN, MANAGER, {"owner": SECOND})
    store.write(open_case, ref, store.read(load_actor, SECOND), "open")
    desk.act(ref, Verb.RESOLVE, SECOND, RESOLVED, RESOLVED_WORDS)
    store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    desk.complain(ref, Verb.ACCEPT)
    desk.act(ref, Verb.CLOSE, SECOND, {"cause_class": "single"}, {"root_cause": "An old pipe."})
    by = complainant(desk.case(ref).complainant)
    store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q1", "score": 1})
    store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q6"}, {"q6": "Rude."})
    desk.deliver(ref, "survey.q2")

    for member, sees in ((HANDLER, False), (SECOND, False), (MANAGER, True), (TOP, True)):
        opened = store.write(open_case, ref, store.read(load_actor, member), "open", "contact")
        assert ("Rude." in {text.text for text in opened.texts}) is sees, member
        assert ("survey.q2" in {message["template"] for message in opened.messages}) is sees, member
    assert refs(store, WorklistSection.SURVEY, MANAGER) == [ref]
    assert refs(store, WorklistSection.SURVEY, HANDLER) == []
    assert "Rude." not in {text.text for text in store.read(load_texts, ref)}, "a new proposal would quote it"
