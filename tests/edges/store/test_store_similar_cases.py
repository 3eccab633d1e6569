"""Similar cases in the store: found by keyed hashes only, bounded, shown by permission, gone after erasure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Update, delete, func, select, text, update

from complaints.actors import MODEL
from complaints.case import Case
from complaints.incidents import SAME_INCIDENT
from complaints.similarity import CLUSTER_FROM
from complaints.vocabulary import Verb
from store.cases.act import record_proposal
from store.cases.erase import erase_words
from store.cases.read import load_case
from store.custody.erasure import erase
from store.custody.secret_keys import list_stale_keys, rotate_keys
from store.custody.verify import verify
from store.database.keyring import Keyring
from store.database.transaction import Tx
from store.incidents import open_incident
from store.outbox.claim import claim
from store.people.staff import load_actor
from store.rulebooks import use_rulebook
from store.similarity import sketches
from store.similarity.similar import (
    MOST_SIMILAR,
    count_confirmed_similar,
    find_similar_cases,
    list_similar_cases,
    list_similar_clusters,
    redraw_similar_cases,
    store_sketch,
)
from store.similarity.sketches import LEFT_BEHIND, NOT_ITS_OWN, POSTINGS, find_matches
from store.store import Store
from store.tables import LIKENESSES, SKETCHES
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RULES, SECOND, TOP, Desk
from triage.shingles import sketch

STORY = (
    "Since Monday the water from the kitchen tap in our house is brown and smells of iron. I rang twice, was told "
    "that somebody would call back, and nobody did. We have a small child and buy bottled water every day."
)
COPY = (
    "Since Monday water from the kitchen tap in our hosue is brown and smells of iron. I rang twice, was told "
    "that somebody would call, and nobody did. We have a small child, and buy bottled water evry day!"
)
OTHER = (
    "Your reader came to our door on Friday, shouted at my mother because the gate was locked, and left a card "
    "with a figure that cannot be right, for we were abroad all of October."
)
PROPOSED: dict[str, Any] = {
    "words": 1,
    "category": "supply",
    "probability": 0.8,
    "severity": 2,
    "safety": 0,
    "abstained": False,
    "restricted": False,
    "model": None,
}


def complaint_with_sketch(desk: Desk, story: str, address: str = "70001", **facts: Any) -> str:
    """A complaint with its proposal and its sketch, as the scheduler makes them."""
    ref = desk.receive(story, chat=desk.chat(address))
    desk.store.write(record_proposal, ref, MODEL, {**PROPOSED, **facts}, {}, sketch=sketch(story))
    return ref


def refs(store: Store, ref: str, member: str | None = None) -> list[str]:
    """The cases that are similar to this one and that the member may know of."""
    actor = None if member is None else store.read(load_actor, member)
    return [similar.ref for similar in store.read(list_similar_cases, ref, actor)]


def redrawn(store: Store) -> list[str]:
    """The complaints whose cards are to be redrawn."""
    return sorted(
        str(obligation.facts["ref"])
        for obligation in store.write(claim, ["redraw"], 50, 60)
        if "likes" not in obligation.facts
    )


@clause("7.5")
def test_a_near_copy_is_found_from_both_sides_and_a_different_matter_is_not(store: Store) -> None:
    desk = Desk(store)
    first, second, third = (
        complaint_with_sketch(desk, STORY),
        complaint_with_sketch(desk, COPY, "70002"),
        complaint_with_sketch(desk, OTHER, "70003"),
    )

    assert (refs(store, first), refs(store, second), refs(store, third)) == ([second], [first], [])
    (similar_case,) = store.read(list_similar_cases, second)
    assert 0.35 < similar_case.share <= 1
    assert similar_case.cluster == first
    assert store.read(find_similar_cases, sketch(STORY), ref=third)[0].share == 1.0


def test_a_new_proposal_replaces_the_sketch(store: Store) -> None:
    desk = Desk(store)
    first, second = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, "It is brown.", "70002")
    assert refs(store, second) == []
    store.write(record_proposal, second, MODEL, PROPOSED, {}, sketch=sketch(COPY))
    assert refs(store, second) == [first]
    store.write(store_sketch, second, sketch("😀"))
    assert (refs(store, second), refs(store, first)) == ([], [])


def test_no_hash_of_the_plain_words_is_in_the_tables(store: Store) -> None:
    desk = Desk(store)
    complaint_with_sketch(desk, STORY)

    def stored(tx: Any) -> tuple[set[bytes], bytes]:
        bands = tx.connection.execute(select(SKETCHES.c.band_index)).scalars()
        return {bytes(band) for band in bands}, tx.connection.execute(
            select(LIKENESSES.c.sealed)
        ).scalar_one()

    bands, sealed = store.read(stored)
    assert len(bands) == 24
    for word_hash in sketch(STORY):
        assert not any(word_hash in band or band[:8] == word_hash for band in bands)
        assert word_hash not in bytes(sealed)


def test_a_fragment_that_very_many_cases_share_does_not_count_and_the_newest_copies_are_found(
    store: Store,
) -> None:
    template = (
        "I write to dispute the charge on my account as the law allows me to do and ask for proof in writing "
        "within the days that the statute gives you for an answer to this letter of mine"
    )
    desk = Desk(store)
    copies = [complaint_with_sketch(desk, template, str(60000 + n)) for n in range(POSTINGS + 3)]
    own = f"{STORY} {OTHER} {template}"
    assert store.read(find_similar_cases, sketch(f"{STORY} {template}"), ref="none") == ()
    first = complaint_with_sketch(desk, own)
    assert refs(store, first) == []
    again = [similar.ref for similar in store.read(find_similar_cases, sketch(template), ref="none")]
    assert len(again) == 50
    assert set(again) <= set(copies)


@clause("8.1")
def test_an_erased_complaint_is_no_longer_similar_to_any(store: Store) -> None:
    desk = Desk(store)
    gone, stays = desk.closed(), complaint_with_sketch(desk, STORY, "70002")
    store.write(store_sketch, gone, sketch(COPY))
    assert refs(store, stays) == [gone]
    store.write(claim, ["redraw"], 50, 60)
    store.write(erase, gone, "request")
    assert refs(store, stays) == []
    left = store.read(
        lambda tx: [
            tx.connection.execute(select(table.c.ref).where(table.c.ref == gone)).all()
            for table in (SKETCHES, LIKENESSES)
        ]
    )
    assert left == [[], []]
    assert store.read(verify).first_bad is None


@clause("8.1")
@pytest.mark.parametrize(
    "harm",
    [
        update(SKETCHES).values(at=datetime(2020, 1, 1, tzinfo=UTC)),
        update(LIKENESSES).values(sealed=b"x" * 60),
    ],
    ids=["a hash elsewhere", "a sketch that does not open"],
)
def test_erasing_a_damaged_record_leaves_no_hash_behind(store: Store, harm: Update) -> None:
    desk = Desk(store)
    gone = desk.closed()
    store.write(store_sketch, gone, sketch(STORY))
    store.write(lambda tx: tx.connection.execute(harm))
    store.write(lambda tx: erase_words(tx, gone))
    assert bands(store) == set()


def test_a_sketch_stored_by_the_previous_release_is_found_and_can_be_replaced(store: Store) -> None:
    desk = Desk(store)
    older, newer = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, COPY, "70002")

    def store_as_the_previous_release(tx: Tx) -> None:
        query = select(SKETCHES.c.ref, SKETCHES.c.band_index, SKETCHES.c.at).where(SKETCHES.c.ref == older)
        rows = [dict(row) for row in tx.connection.execute(query).mappings()]
        tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.ref == older))
        tx.connection.execute(SKETCHES.insert(), [{**row, "n": n} for n, row in enumerate(rows)])

    store.write(store_as_the_previous_release)
    assert refs(store, newer) == [older]
    assert store.read(verify).first_bad is None
    store.write(store_sketch, older, sketch(OTHER))
    assert (refs(store, newer), len(bands(store))) == ([], 48)


@clause("4.7")
def test_similar_cases_leave_out_complaints_that_the_member_may_not_know_of(store: Store) -> None:
    desk = Desk(store)
    visible, restricted = (
        complaint_with_sketch(desk, STORY),
        complaint_with_sketch(desk, COPY, "70002", restricted=True),
    )
    denied = complaint_with_sketch(desk, COPY, "70003")
    desk.act(denied, Verb.DECLARE_CONFLICT, MANAGER, {"who": SECOND}, {"reason": "A neighbour."})

    assert set(refs(store, visible)) == {denied}
    assert set(refs(store, visible, HANDLER)) == {denied}
    assert set(refs(store, visible, SECOND)) == set()
    assert set(refs(store, visible, MANAGER)) == {denied, restricted}
    assert set(refs(store, visible, TOP)) == {denied, restricted}


def test_cards_of_similar_cases_are_redrawn_but_never_for_a_restricted_complaint(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first = complaint_with_sketch(desk, STORY)
    assert redrawn(store) == []
    second = complaint_with_sketch(desk, COPY, "70002")
    # Many new cases at once schedule one redraw, a little later.
    assert redrawn(store) == []
    clock.go_on(minutes=1)
    assert redrawn(store) == [first]
    complaint_with_sketch(desk, COPY, "70003", restricted=True)
    clock.go_on(minutes=1)
    assert redrawn(store) == []
    # A reference that may no longer be shown is removed at once.
    desk.act(second, Verb.RESTRICT, words={"reason": "About somebody here."})
    assert first in redrawn(store)


def test_similar_cases_are_redrawn_when_one_joins_an_incident_or_is_closed(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first, second = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, COPY, "70002")
    clock.go_on(minutes=1)
    assert redrawn(store) == [first]
    number = store.write(open_incident, store.read(load_actor, HANDLER), {}, {"what": "Brown water"}).id
    desk.act(second, Verb.LINK, facts={"incident": number})
    # The act itself does not search for them: a large archive must not delay the person who closes a complaint.
    (search,) = store.write(claim, ["redraw"], 50, 60)
    assert search.facts == {"ref": second, "likes": True}
    store.write(redraw_similar_cases, second)
    clock.go_on(minutes=1)
    assert redrawn(store) == [first]
    (similar,) = store.read(list_similar_cases, first)
    assert similar.incident == number


def test_recurrence_counts_only_cases_that_staff_linked_or_assessed_within_ninety_days(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    early = [complaint_with_sketch(desk, STORY, str(70001 + n)) for n in range(3)]
    late = complaint_with_sketch(desk, COPY, "70010")
    assert store.read(count_confirmed_similar, late, sketch(COPY)) == 0

    desk.act(early[0], Verb.LINK, facts={"relation": SAME_INCIDENT, "other_ref": early[1]})
    # The complaint itself is the third, as in the digest's cluster.
    assert store.read(count_confirmed_similar, late, sketch(COPY)) == 3
    desk.act(early[2], Verb.ASSESS, facts=ASSESSED)
    assert store.read(count_confirmed_similar, late, sketch(COPY)) == 4
    clock.go_on(days=91)
    assert store.read(count_confirmed_similar, complaint_with_sketch(desk, COPY, "70020"), sketch(COPY)) == 0


def test_cases_of_the_same_incident_count_as_recurrence_whatever_their_words(store: Store) -> None:
    desk = Desk(store)
    first, second = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, OTHER, "70002")
    number = store.write(open_incident, store.read(load_actor, HANDLER), {}, {"what": "Brown water"}).id
    for ref in (first, second):
        desk.act(ref, Verb.LINK, facts={"incident": number})
    assert store.read(count_confirmed_similar, first, sketch(STORY)) == 2


def test_the_digest_and_the_proposal_count_the_same_cluster(store: Store) -> None:
    desk = Desk(store)
    first, second = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, STORY, "70002")
    desk.act(first, Verb.ASSESS, facts=ASSESSED)
    assert store.read(list_similar_clusters, store.read(load_actor, MANAGER)) == ()
    assert store.read(count_confirmed_similar, second, sketch(STORY)) == 2
    desk.act(second, Verb.ASSESS, facts=ASSESSED)
    third = complaint_with_sketch(desk, COPY, "70003")
    (cluster,) = store.read(list_similar_clusters, store.read(load_actor, MANAGER))
    assert cluster.count == store.read(count_confirmed_similar, third, sketch(COPY)) == CLUSTER_FROM


@clause("8.2")
def test_a_cluster_is_three_or_more_similar_cases_without_an_incident(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    actor = store.read(load_actor, MANAGER)
    early = [complaint_with_sketch(desk, STORY, str(70001 + n)) for n in range(2)]
    assert store.read(list_similar_clusters, actor) == ()
    clock.go_on(hours=1)
    late = complaint_with_sketch(desk, COPY, "70010")
    (cluster,) = store.read(list_similar_clusters, actor)
    assert (cluster.count, set(cluster.refs), cluster.refs[0]) == (3, {*early, late}, late)

    desk.act(late, Verb.RESTRICT, words={"reason": "About somebody here."})
    assert store.read(list_similar_clusters, store.read(load_actor, HANDLER)) == ()
    assert len(store.read(list_similar_clusters, actor)) == 1
    number = store.write(open_incident, actor, {}, {"what": "Brown water"}).id
    for ref in (*early, late):
        desk.act(ref, Verb.LINK, MANAGER, facts={"incident": number})
    assert store.read(list_similar_clusters, actor) == ()


def test_a_merged_complaint_does_not_count_twice_in_a_cluster(store: Store) -> None:
    desk = Desk(store)
    first, twice, second = (
        complaint_with_sketch(desk, STORY),
        complaint_with_sketch(desk, COPY),
        complaint_with_sketch(desk, STORY, "70002"),
    )
    assert len(store.read(list_similar_clusters, store.read(load_actor, MANAGER))) == 1
    desk.act(twice, Verb.MERGE, facts={"other_ref": first})
    assert store.read(list_similar_clusters, store.read(load_actor, MANAGER)) == ()
    assert store.read(count_confirmed_similar, second, sketch(STORY)) == 2


OLD, NEW = b"old" + b"." * 29, b"new" + b"." * 29


@clause("8.1")
def test_similar_cases_are_found_before_during_and_after_a_key_rotation(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        first = complaint_with_sketch(Desk(store), STORY)
        before = bands(store)
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        assert [similar.ref for similar in store.read(find_similar_cases, sketch(COPY), ref="none")] == [
            first
        ]
        while store.write(rotate_keys, 2):
            pass
        assert store.read(list_stale_keys) == 0
        assert bands(store) & before == set()
    with opened(database_url, clock, Keyring([NEW])) as store:
        assert [similar.ref for similar in store.read(find_similar_cases, sketch(COPY), ref="none")] == [
            first
        ]
        assert store.read(verify).first_bad is None


def bands(store: Store) -> set[bytes]:
    """Every stored hash."""
    query = select(SKETCHES.c.band_index)
    return store.read(lambda tx: {bytes(band) for band in tx.connection.execute(query).scalars()})


def test_verify_reports_an_altered_hash_and_a_hash_left_behind(store: Store) -> None:
    desk = Desk(store)
    ref, gone = complaint_with_sketch(desk, STORY), desk.closed()
    lowest = select(func.min(SKETCHES.c.band_index)).scalar_subquery()
    altered = update(SKETCHES).where(SKETCHES.c.band_index == lowest).values(band_index=b"x")
    store.write(lambda tx: tx.connection.execute(altered))
    assert store.read(verify).first_bad == (ref, 2, "its hashes are not those of its sketch")
    store.write(store_sketch, ref, sketch(STORY))
    assert store.read(verify).first_bad is None
    store.write(erase, gone, "request")
    for owner, wrong in ((gone, LEFT_BEHIND), (ref, NOT_ITS_OWN)):
        stray = {"ref": owner, "band_index": b"x", "at": store.now()}
        store.write(partial(_stray, stray))
        assert store.read(verify).first_bad == (owner, store.read(load_case, owner).version, wrong)
        store.write(lambda tx: tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.band_index == b"x")))
    assert store.read(verify).first_bad is None


def _stray(row: dict[str, Any], tx: Tx) -> None:
    tx.add(SKETCHES, **row)


def test_the_search_reads_only_ranges_of_its_index_on_postgresql(postgres_store: Store) -> None:
    desk = Desk(postgres_store)
    for n in range(3):
        complaint_with_sketch(desk, STORY, str(70001 + n))

    def plan(tx: Any) -> str:
        statements: list[Any] = []
        from sqlalchemy import event

        def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            statements.append((statement, parameters))

        event.listen(tx.connection, "before_cursor_execute", remember)
        find_matches(tx, sketch(STORY), ref="none", limit=5)
        event.remove(tx.connection, "before_cursor_execute", remember)
        statement, parameters = statements[0]
        # With three rows a full scan is cheaper: the question is whether the index serves in its order.
        tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        tx.connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        rows = tx.connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
        return "\n".join(rows)

    explanation = postgres_store.read(plan)
    assert explanation.count("Index Only Scan Backward using pk_sketches") == 24
    assert "Seq Scan" not in explanation
    assert "Sort" not in explanation


def test_in_an_outage_with_one_text_for_all_no_sketch_is_opened(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(usual_store)
    first = [complaint_with_sketch(desk, STORY, str(70001 + n)) for n in range(70)]

    def never(*_: Any) -> Any:
        raise AssertionError("a sketch was opened")

    monkeypatch.setattr(sketches, "load_sketches", never)
    matches = usual_store.read(find_similar_cases, sketch(STORY), ref=first[-1])
    assert (len(matches), {match.share for match in matches}) == (MOST_SIMILAR, {1.0})


def test_a_case_without_words_has_no_sketch_and_no_similar_cases(store: Store) -> None:
    desk = Desk(store)
    ref = complaint_with_sketch(desk, "😀😀😀")
    case: Case = store.read(load_case, ref)
    assert case.is_open
    assert refs(store, ref) == []
    assert store.read(count_confirmed_similar, ref, ()) == 0
    assert store.now() - case.received_at < timedelta(minutes=5)


@pytest.mark.parametrize("member", [None, HANDLER])
def test_simulated_and_real_complaints_are_never_similar_to_each_other(
    store: Store, member: str | None
) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70002",)))
    real, tester = complaint_with_sketch(desk, STORY), complaint_with_sketch(desk, COPY, "70002")
    assert store.read(load_case, tester).is_simulation
    assert refs(store, real, member) == []
    assert refs(store, tester, member) == []
