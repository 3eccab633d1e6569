"""`act` on both databases: one concurrent act wins, a repeat is recognised, refused attempts are recorded."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from complaints.actions.perform import fold
from complaints.actors import MODEL, SYSTEM
from complaints.errors import AlreadyDone, ComplaintError, NotAllowed, OutOfOrder, Stale, UnknownReference
from complaints.vocabulary import Role, State, Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import list_cases, load_case, load_history, open_case
from store.custody.verify import verify
from store.outbox.claim import claim
from store.outbox.complete import complete, reschedule
from store.outbox.failed import list_failed
from store.people.identification import add_identifier, find_by_identifier
from store.people.staff import list_members, load_member, sync_staff
from store.record.access_log import find_last_read
from store.record.load import load_case_file
from store.slack_posts import (
    claim_post,
    drop_draft,
    list_posts,
    read_draft,
    record_post_deleted,
    record_posted,
    record_slack_key,
    save_draft,
)
from store.store import Store
from store.tables import ATTEMPTS, PROPOSALS
from store.values import Member
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, SECOND, STAFF, TOP, Desk
from tests.rules.builders import a_proposal


def test_a_case_from_receipt_to_closing_equals_the_fold_of_its_events(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    case = store.read(load_case, ref)
    assert case.state is State.CLOSED
    assert fold(store.read(load_history, ref), case.rules) == case
    assert store.read(verify).first_bad is None


def test_of_two_concurrent_acts_one_wins_and_the_other_is_refused_as_stale(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    outcomes: list[object] = []

    def take(member: str) -> None:
        try:
            store.write(act, ref, Verb.ASSIGN, desk.actor(member), {"owner": member}, version=0)
            outcomes.append(member)
        except ComplaintError as why:
            outcomes.append(why)

    threads = [threading.Thread(target=take, args=(member,)) for member in (HANDLER, SECOND)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, Stale)]
    assert (store.read(load_case, ref).owner, loser.since) == (winner, ("assign",))


def test_fifty_concurrent_assignments_leave_one_owner_and_an_intact_hash_chain(store: Store) -> None:
    desk = Desk(store)
    store.write(
        sync_staff, [Member(f"P{n}", f"Person {n}", (), frozenset({Role.HANDLER})) for n in range(50)]
    )
    ref = desk.receive()
    winners: list[str] = []

    def take(member: str) -> None:
        try:
            store.write(act, ref, Verb.ASSIGN, desk.actor(member), {"owner": member}, version=0)
            winners.append(member)
        except Stale:
            return

    threads = [threading.Thread(target=take, args=(f"P{n}",)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners == [store.read(load_case, ref).owner]
    assert store.read(load_case, ref).version == 2
    assert store.read(verify).first_bad is None


def test_the_same_act_again_is_already_done(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.ASSESS, facts=ASSESSED, version=0)
    with pytest.raises(AlreadyDone):
        desk.act(ref, Verb.ASSESS, facts=ASSESSED, version=0)
    with pytest.raises(Stale) as stale:
        desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "severity": 3}, version=0)
    assert stale.value.since == ("assess",)
    assert store.read(load_case, ref).version == 2


def test_a_note_with_other_words_is_another_note(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.NOTE, words={"text": "Called."}, version=0)
    desk.act(ref, Verb.NOTE, words={"text": "Called again."}, version=0)
    with pytest.raises(AlreadyDone):
        desk.act(ref, Verb.NOTE, words={"text": "Called again."}, version=0)
    assert store.read(load_case, ref).version == 3


def test_an_idempotency_key_is_unique_within_its_complaint_only(store: Store) -> None:
    desk = Desk(store)
    first, second = desk.receive(), desk.receive(chat=desk.chat("70002"))
    store.write(act, first, Verb.END_FORM, SYSTEM, {"because": "silence"}, key="end_form:latest")
    store.write(act, second, Verb.END_FORM, SYSTEM, {"because": "silence"}, key="end_form:latest")
    with pytest.raises(AlreadyDone):
        store.write(act, first, Verb.END_FORM, SYSTEM, {"because": "silence"}, key="end_form:latest")


def test_an_act_refused_by_the_rules_may_be_retried_under_the_same_key(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    with pytest.raises(OutOfOrder):
        store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM, key="decision:1")
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM, key="decision:1")
    assert store.read(load_case, ref).state is State.DECIDED


def test_a_decision_is_refused_when_the_complainant_wrote_after_the_handlers_last_read(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    clock.go_on(hours=4, minutes=2)
    desk.add(ref, "Now it is black.")
    with pytest.raises(Stale, match="New message at 14:02") as stale:
        desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    assert stale.value.code == "new_message"
    desk.act(ref, Verb.NOTE, words={"text": "Goes through."})
    store.write(open_case, ref, desk.actor(SECOND), "open", "help")
    with pytest.raises(Stale):
        desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    assert store.read(load_case, ref).state is State.DECIDED
    assert store.read(find_last_read, ref, HANDLER) == store.now()


def test_a_refused_attempt_is_recorded_and_changes_nothing_else(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    with pytest.raises(NotAllowed):
        desk.act(ref, Verb.NOT_ACCEPT, words={"reason": "x"})
    with pytest.raises(NotAllowed):
        store.write(open_case, ref, desk.actor("stranger"), "open")
    rows = store.read(
        lambda tx: tx.connection.execute(
            select(ATTEMPTS.c.ref, ATTEMPTS.c.verb, ATTEMPTS.c.by, ATTEMPTS.c.code).order_by(ATTEMPTS.c.id)
        ).all()
    )
    assert [tuple(row) for row in rows] == [
        (ref, "not_accept", HANDLER, "not_allowed.role"),
        (ref, "open", "stranger", "not_allowed.read"),
    ]
    assert (store.read(load_case, ref).version, store.read(export_record, ref)["reads"]) == (1, [])


def test_an_unknown_reference_is_refused(store: Store) -> None:
    desk = Desk(store)
    with pytest.raises(UnknownReference):
        store.read(load_case, "A7K-M3Q-9T")
    ref = desk.receive()
    with pytest.raises(UnknownReference):
        desk.act(ref, Verb.LINK, facts={"relation": "same_incident", "other_ref": "A7K-M3Q-9T"})


def test_an_act_completes_its_obligation_in_the_same_transaction(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    facts = {
        "words": 1, "category": "supply", "probability": 0.8, "severity": 2, "safety": 0,
        "abstained": False, "restricted": False, "model": None,
    }  # fmt: skip
    desk.pass_card_delay()
    (obligation,) = store.write(claim, ["propose"], 1, 60)
    store.write(
        act,
        ref,
        Verb.PROPOSE,
        MODEL,
        facts,
        {"because": '{"why": "words"}'},
        key=obligation.key,
        completes=obligation.id,
    )
    assert obligation.id not in {row["id"] for row in store.read(list_failed, everything=True)}
    opened = store.write(open_case, ref, desk.actor(HANDLER), "assess")
    assert opened.proposal is not None
    assert (opened.proposal["category"], opened.proposal["because"]) == ("supply", {"why": "words"})


def test_a_proposed_danger_stays_on_the_record_until_a_person_assesses(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(severity=4, safety=1, category="safety"))
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(severity=2, category="money"))
    case = store.read(load_case, ref)
    assert (case.severity, case.safety, case.category) == (4, 1, "money")
    query = select(PROPOSALS.c.severity).where(PROPOSALS.c.ref == ref).order_by(PROPOSALS.c.seq)
    assert list(store.read(lambda tx: tx.connection.execute(query).scalars().all())) == [4, 4]
    assert store.read(verify).first_bad is None
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    assert store.read(load_case, ref).severity == 2
    assert store.read(verify).first_bad is None


def test_disagreeing_escalates_only_if_an_independent_reviewer_exists(store: Store) -> None:
    desk = Desk(store)
    ref = desk.resolved()
    desk.complain(ref, Verb.DISAGREE, words={"words": "No."})
    assert (store.read(load_case, ref).state, store.read(load_case, ref).level) == (State.ESCALATED, 2)
    store.write(sync_staff, [member for member in STAFF if member.id not in (MANAGER, TOP)])
    other = desk.resolved(chat=desk.chat("70002"))
    desk.complain(other, Verb.DISAGREE, words={"words": "No."}, chat=desk.chat("70002"))
    assert store.read(load_case, other).state is State.DISAGREED


def test_a_duplicate_of_another_person_is_not_merged(store: Store) -> None:
    desk = Desk(store)
    first, same, other = desk.receive(), desk.receive(), desk.receive(chat=desk.chat("70002"))
    with pytest.raises(NotAllowed):
        desk.act(first, Verb.MERGE, facts={"relation": "duplicate", "other_ref": other})
    desk.act(first, Verb.MERGE, facts={"relation": "duplicate", "other_ref": same})
    assert store.read(export_record, first)["close_code"] == "merged"
    assert [
        (link["other_ref"], link["relation"], link["theirs"])
        for link in store.read(export_record, first)["links"]
    ] == [
        (same, "duplicate", False),
        (same, "merged", True),
    ]


def test_roles_are_valid_by_period(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    assert desk.actor(HANDLER).roles == {Role.HANDLER}
    clock.go_on(days=1)
    store.write(sync_staff, [Member(HANDLER, "Ann Sealedname", (), frozenset({Role.MANAGER})), *STAFF[1:4]])
    assert desk.actor(HANDLER).roles == {Role.MANAGER}
    assert desk.actor("U5").roles == frozenset()
    assert [member.id for member in store.read(list_members)] == ["U1", "U2", "U3", "U4"]
    assert store.read(load_member, "U5") is None
    member = store.read(load_member, "U1")
    assert member is not None
    assert (member.name, member.roles) == ("Ann Sealedname", {Role.MANAGER})
    store.write(sync_staff, STAFF)
    assert desk.actor("U5").roles == {Role.AUDITOR}
    assert desk.actor("unknown").roles == frozenset()


def test_drafts_are_kept_for_a_day(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    number = store.write(save_draft, ref, HANDLER, "resolve", RESOLVED, RESOLVED_WORDS, "Dear Mary,", 1)
    draft = store.read(read_draft, number)
    assert draft is not None
    assert (draft.ref, draft.by, draft.form, draft.letter, draft.work_version) == (
        ref, HANDLER, "resolve", "Dear Mary,", 1,
    )  # fmt: skip
    assert (draft.facts, draft.words) == (dict(RESOLVED), RESOLVED_WORDS)
    clock.go_on(hours=24)
    assert store.read(read_draft, number) is None
    fresh = store.write(save_draft, ref, HANDLER, "resolve", {}, {}, "", 1)
    store.write(drop_draft, fresh)
    assert store.read(read_draft, fresh) is None


def test_a_post_is_claimed_once_updated_and_moved(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    assert store.write(claim_post, ref, "C1", "card") == store.write(claim_post, ref, "C1", "card")
    store.write(record_posted, ref, "card", "17.1", 1, 1)
    store.write(record_posted, ref, "card", "17.1", 0, 2)
    (post,) = store.read(list_posts, ref)
    assert (post.ts, post.shown_version, post.draws) == ("17.1", 1, 1)
    assert (post.ref, post.channel) == (ref, "C1")
    store.write(record_post_deleted, ref, "card")
    store.write(claim_post, ref, "C2", "restricted")
    assert [(post.channel, post.purpose, post.ts) for post in store.read(list_posts, ref)] == [
        ("C2", "restricted", None)
    ]
    again = store.write(claim_post, ref, "C1", "card")
    assert (again.ts, again.shown_version) == (None, 0)
    assert (store.write(record_slack_key, "Ev1"), store.write(record_slack_key, "Ev1")) == (False, True)


def test_thread_lines_that_waited_for_the_first_card_are_sent_in_order(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.act(ref, Verb.NOTE, words={"text": "x"})
    clock.go_on(seconds=5)
    desk.act(ref, Verb.ASSIGN, facts={"owner": HANDLER})
    store.write(claim_post, ref, "C1", "card")
    clock.go_on(seconds=1)
    store.write(record_posted, ref, "card", "17.1", 3, 1)
    seqs = []
    while claimed := store.write(claim, ["thread"], 9, 60.0):
        seqs += [obligation.facts["seq"] for obligation in claimed]
        store.write(complete, claimed[0].id)
    # The card itself shows the first event.
    assert seqs == [2, 3]
    # A later update of the card releases nothing.
    desk.add(ref, "One thing more")
    (burst,) = store.write(claim, ["thread"], 9, 60.0)
    store.write(reschedule, burst.id, store.now() + timedelta(seconds=60), "the burst may go on")
    store.write(record_posted, ref, "card", "17.1", 4, 2)
    assert store.write(claim, ["thread"], 9, 60.0) == []


def test_a_complaint_is_found_by_its_exact_number_in_any_spelling(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    assert store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "phone", "020 7946 0018"))
    assert store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "email", "Mary@Example.org"))
    assert store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "order", "ab-123 456"))
    assert not store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "phone", "no number"))
    for written in ("+44 20 7946 0018", "mary@example.org ", "AB123456"):
        assert store.read(find_by_identifier, written, "GB") == [ref]
    assert store.read(find_by_identifier, "AB12345", "GB") == []


def test_complaints_are_listed_by_next_due_date_page_by_page(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    refs = []
    for n in range(5):
        refs.append(desk.receive(chat=desk.chat(str(n))))
        clock.go_on(days=1)
    closed = desk.closed(chat=desk.chat("70001"))
    page, cursor = store.read(list_cases, limit=4)
    rest, end = store.read(list_cases, limit=4, after=cursor)
    assert [row["ref"] for row in page + rest] == [*refs, closed]
    assert end is None
    assert page[0] == {
        "ref": refs[0],
        "jurisdiction": "GB",
        "state": "received",
        "priority": "P3",
        "category": None,
        "owner": None,
        "received_at": "2026-11-03T10:00:00Z",
        "next_due": {"target": "ack", "at": "2026-11-04T17:30:00Z"},
    }
    assert rest[-1]["next_due"] is None
    assert [row["ref"] for row in store.read(list_cases, state="closed")[0]] == [closed]
    assert [row["ref"] for row in store.read(list_cases, overdue=True)[0]] == refs[:3]
    assert store.read(list_cases, owner=HANDLER, priority="P4")[0][0]["ref"] == closed
