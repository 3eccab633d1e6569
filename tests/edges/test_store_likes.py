"""Like complaints in the store: found by keyed hashes alone, bounded, seen by those who may, gone when erased."""

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
from store.cases.erase import erase_words
from store.cases.propose import propose
from store.cases.read import load_case
from store.custody.retention import erase
from store.custody.rotate_keys import list_stale_keys, rotate_keys
from store.custody.verify import verify
from store.database.keyring import Keyring
from store.database.transaction import Tx
from store.incidents.incidents import open_incident
from store.outbox.claim import claim
from store.people.staff import load_actor
from store.rulebooks import use_rulebook
from store.similarity.similar import (
    find_similar_cases,
    is_similar_confirmed,
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
from triage.similarity import sketch

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


def told(desk: Desk, story: str, address: str = "70001", **facts: Any) -> str:
    """A complaint with its proposal and sketch, as the scheduler makes them."""
    ref = desk.receive(story, chat=desk.chat(address))
    desk.store.write(propose, ref, MODEL, {**PROPOSED, **facts}, {}, sketch=sketch(story))
    return ref


def refs(store: Store, ref: str, member: str | None = None) -> list[str]:
    """Which complaints are like this one, as this person may know."""
    by = None if member is None else store.read(load_actor, member)
    return [one.ref for one in store.read(list_similar_cases, ref, by)]


def drawn(store: Store) -> list[str]:
    """Of which complaints the card is drawn anew."""
    return sorted(
        str(one.facts["ref"]) for one in store.write(claim, ["redraw"], 50, 60) if "likes" not in one.facts
    )


@clause("7.5")
def test_a_near_copy_is_found_from_either_side_and_another_matter_is_not(store: Store) -> None:
    desk = Desk(store)
    first, second, third = told(desk, STORY), told(desk, COPY, "70002"), told(desk, OTHER, "70003")

    assert (refs(store, first), refs(store, second), refs(store, third)) == ([second], [first], [])
    (like,) = store.read(list_similar_cases, second)
    assert 0.35 < like.share <= 1
    assert like.cluster == first
    assert store.read(find_similar_cases, sketch(STORY), ref=third)[0].share == 1.0


def test_a_new_proposal_puts_a_new_sketch_in_place_of_the_old(store: Store) -> None:
    desk = Desk(store)
    first, second = told(desk, STORY), told(desk, "It is brown.", "70002")
    assert refs(store, second) == []
    store.write(propose, second, MODEL, PROPOSED, {}, sketch=sketch(COPY))
    assert refs(store, second) == [first]
    store.write(store_sketch, second, sketch("😀"))
    assert (refs(store, second), refs(store, first)) == ([], [])


def test_no_hash_of_the_words_themselves_stands_in_the_tables(store: Store) -> None:
    desk = Desk(store)
    told(desk, STORY)

    def held(tx: Any) -> tuple[set[bytes], bytes]:
        bands = tx.connection.execute(select(SKETCHES.c.band_index)).scalars()
        return {bytes(one) for one in bands}, tx.connection.execute(select(LIKENESSES.c.sealed)).scalar_one()

    bands, sealed = store.read(held)
    assert len(bands) == 24
    for one in sketch(STORY):
        assert not any(one in band or band[:8] == one for band in bands)
        assert one not in bytes(sealed)


def test_a_piece_that_very_many_have_counts_nothing_and_the_newest_copies_are_found(store: Store) -> None:
    template = (
        "I write to dispute the charge on my account as the law allows me to do and ask for proof in writing "
        "within the days that the statute gives you for an answer to this letter of mine"
    )
    desk = Desk(store)
    copies = [told(desk, template, str(60000 + n)) for n in range(POSTINGS + 3)]
    own = f"{STORY} {OTHER} {template}"
    assert store.read(find_similar_cases, sketch(f"{STORY} {template}"), ref="none") == ()
    first = told(desk, own)
    assert refs(store, first) == []
    again = [one.ref for one in store.read(find_similar_cases, sketch(template), ref="none")]
    assert len(again) == 50
    assert set(again) <= set(copies)


@clause("8.1")
def test_an_erased_complaint_is_like_nothing_any_more(store: Store) -> None:
    desk = Desk(store)
    gone, stays = desk.closed(), told(desk, STORY, "70002")
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
def test_erasing_leaves_no_hash_of_a_damaged_record_behind(store: Store, harm: Update) -> None:
    desk = Desk(store)
    gone = desk.closed()
    store.write(store_sketch, gone, sketch(STORY))
    store.write(lambda tx: tx.connection.execute(harm))
    store.write(lambda tx: erase_words(tx, gone))
    assert bands(store) == set()


def test_what_the_release_before_files_and_takes_out_is_found_and_gone(store: Store) -> None:
    desk = Desk(store)
    theirs, ours = told(desk, STORY), told(desk, COPY, "70002")

    def files_again(tx: Tx) -> None:
        query = select(SKETCHES.c.ref, SKETCHES.c.band_index, SKETCHES.c.at).where(SKETCHES.c.ref == theirs)
        rows = [dict(row) for row in tx.connection.execute(query).mappings()]
        tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.ref == theirs))
        tx.connection.execute(SKETCHES.insert(), [{**row, "n": n} for n, row in enumerate(rows)])

    store.write(files_again)
    assert refs(store, ours) == [theirs]
    assert store.read(verify).first_bad is None
    store.write(store_sketch, theirs, sketch(OTHER))
    assert (refs(store, ours), len(bands(store))) == ([], 48)


@clause("4.7")
def test_nobody_learns_of_a_complaint_that_is_kept_from_them(store: Store) -> None:
    desk = Desk(store)
    shown, kept = told(desk, STORY), told(desk, COPY, "70002", restricted=True)
    denied = told(desk, COPY, "70003")
    desk.act(denied, Verb.DECLARE_CONFLICT, MANAGER, {"who": SECOND}, {"reason": "A neighbour."})

    assert set(refs(store, shown)) == {denied}
    assert set(refs(store, shown, HANDLER)) == {denied}
    assert set(refs(store, shown, SECOND)) == set()
    assert set(refs(store, shown, MANAGER)) == {denied, kept}
    assert set(refs(store, shown, TOP)) == {denied, kept}


def test_the_cards_of_like_ones_are_drawn_anew_but_never_for_one_that_is_kept_back(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first = told(desk, STORY)
    assert drawn(store) == []
    second = told(desk, COPY, "70002")
    # Of many that come at once one drawing is owed, a little later.
    assert drawn(store) == []
    clock.go_on(minutes=1)
    assert drawn(store) == [first]
    told(desk, COPY, "70003", restricted=True)
    clock.go_on(minutes=1)
    assert drawn(store) == []
    # What may no longer be named goes at once.
    desk.act(second, Verb.RESTRICT, words={"reason": "About somebody here."})
    assert first in drawn(store)


def test_like_complaints_are_drawn_anew_when_one_joins_an_incident_or_ends(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first, second = told(desk, STORY), told(desk, COPY, "70002")
    clock.go_on(minutes=1)
    assert drawn(store) == [first]
    number = store.write(open_incident, store.read(load_actor, HANDLER), {}, {"what": "Brown water"}).id
    desk.act(second, Verb.LINK, facts={"incident": number})
    # The act itself does not look for them: a large archive must not hold up who closes a complaint.
    (looked,) = store.write(claim, ["redraw"], 50, 60)
    assert looked.facts == {"ref": second, "likes": True}
    store.write(redraw_similar_cases, second)
    clock.go_on(minutes=1)
    assert drawn(store) == [first]
    (like,) = store.read(list_similar_cases, first)
    assert like.incident == number


def test_recurrence_is_off_until_persons_linked_or_assessed_and_counts_ninety_days(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    early = [told(desk, STORY, str(70001 + n)) for n in range(3)]
    late = told(desk, COPY, "70010")
    assert store.read(is_similar_confirmed, late, sketch(COPY)) == 0

    desk.act(early[0], Verb.LINK, facts={"relation": SAME_INCIDENT, "other_ref": early[1]})
    # Itself is the third, as in the digest's cluster.
    assert store.read(is_similar_confirmed, late, sketch(COPY)) == 3
    desk.act(early[2], Verb.ASSESS, facts=ASSESSED)
    assert store.read(is_similar_confirmed, late, sketch(COPY)) == 4
    clock.go_on(days=91)
    assert store.read(is_similar_confirmed, told(desk, COPY, "70020"), sketch(COPY)) == 0


def test_those_of_its_own_incident_count_in_whatever_words(store: Store) -> None:
    desk = Desk(store)
    first, second = told(desk, STORY), told(desk, OTHER, "70002")
    number = store.write(open_incident, store.read(load_actor, HANDLER), {}, {"what": "Brown water"}).id
    for ref in (first, second):
        desk.act(ref, Verb.LINK, facts={"incident": number})
    assert store.read(is_similar_confirmed, first, sketch(STORY)) == 2


def test_the_digest_and_the_proposal_count_the_same_three(store: Store) -> None:
    desk = Desk(store)
    first, second = told(desk, STORY), told(desk, STORY, "70002")
    desk.act(first, Verb.ASSESS, facts=ASSESSED)
    assert store.read(list_similar_clusters, store.read(load_actor, MANAGER)) == ()
    assert store.read(is_similar_confirmed, second, sketch(STORY)) == 2
    desk.act(second, Verb.ASSESS, facts=ASSESSED)
    third = told(desk, COPY, "70003")
    (cluster,) = store.read(list_similar_clusters, store.read(load_actor, MANAGER))
    assert cluster.count == store.read(is_similar_confirmed, third, sketch(COPY)) == CLUSTER_FROM


@clause("8.2")
def test_clusters_are_three_and_more_that_no_incident_covers(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    by = store.read(load_actor, MANAGER)
    early = [told(desk, STORY, str(70001 + n)) for n in range(2)]
    assert store.read(list_similar_clusters, by) == ()
    clock.go_on(hours=1)
    late = told(desk, COPY, "70010")
    (cluster,) = store.read(list_similar_clusters, by)
    assert (cluster.count, set(cluster.refs), cluster.refs[0]) == (3, {*early, late}, late)

    desk.act(late, Verb.RESTRICT, words={"reason": "About somebody here."})
    assert store.read(list_similar_clusters, store.read(load_actor, HANDLER)) == ()
    assert len(store.read(list_similar_clusters, by)) == 1
    number = store.write(open_incident, by, {}, {"what": "Brown water"}).id
    for ref in (*early, late):
        desk.act(ref, Verb.LINK, MANAGER, facts={"incident": number})
    assert store.read(list_similar_clusters, by) == ()


def test_a_merged_one_is_no_second_complaint_of_a_cluster(store: Store) -> None:
    desk = Desk(store)
    first, twice, second = told(desk, STORY), told(desk, COPY), told(desk, STORY, "70002")
    assert len(store.read(list_similar_clusters, store.read(load_actor, MANAGER))) == 1
    desk.act(twice, Verb.MERGE, facts={"other_ref": first})
    assert store.read(list_similar_clusters, store.read(load_actor, MANAGER)) == ()
    assert store.read(is_similar_confirmed, second, sketch(STORY)) == 2


OLD, NEW = b"old" + b"." * 29, b"new" + b"." * 29


@clause("8.1")
def test_like_ones_are_found_before_during_and_after_a_rotation_of_keys(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        first = told(Desk(store), STORY)
        before = bands(store)
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        assert [one.ref for one in store.read(find_similar_cases, sketch(COPY), ref="none")] == [first]
        while store.write(rotate_keys, 2):
            pass
        assert store.read(list_stale_keys) == 0
        assert bands(store) & before == set()
    with opened(database_url, clock, Keyring([NEW])) as store:
        assert [one.ref for one in store.read(find_similar_cases, sketch(COPY), ref="none")] == [first]
        assert store.read(verify).first_bad is None


def bands(store: Store) -> set[bytes]:
    """Every hash that is filed."""
    query = select(SKETCHES.c.band_index)
    return store.read(lambda tx: {bytes(one) for one in tx.connection.execute(query).scalars()})


def test_verify_tells_of_an_altered_hash_and_of_one_left_behind(store: Store) -> None:
    desk = Desk(store)
    ref, gone = told(desk, STORY), desk.closed()
    one = select(func.min(SKETCHES.c.band_index)).scalar_subquery()
    altered = update(SKETCHES).where(SKETCHES.c.band_index == one).values(band_index=b"x")
    store.write(lambda tx: tx.connection.execute(altered))
    assert store.read(verify).first_bad == (ref, 2, "its hashes are not those of its sketch")
    store.write(store_sketch, ref, sketch(STORY))
    assert store.read(verify).first_bad is None
    store.write(erase, gone, "request")
    for whose, wrong in ((gone, LEFT_BEHIND), (ref, NOT_ITS_OWN)):
        stray = {"ref": whose, "band_index": b"x", "at": store.now()}
        store.write(partial(_stray, stray))
        assert store.read(verify).first_bad == (whose, store.read(load_case, whose).version, wrong)
        store.write(lambda tx: tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.band_index == b"x")))
    assert store.read(verify).first_bad is None


def _stray(row: dict[str, Any], tx: Tx) -> None:
    tx.add(SKETCHES, **row)


def test_the_look_up_reads_ranges_of_its_index_alone_on_postgresql(postgres_store: Store) -> None:
    desk = Desk(postgres_store)
    for n in range(3):
        told(desk, STORY, str(70001 + n))

    def plan(tx: Any) -> str:
        statements: list[Any] = []
        from sqlalchemy import event

        def remember(_c: Any, _cursor: Any, said: str, parameters: Any, *_: Any) -> None:
            statements.append((said, parameters))

        event.listen(tx.connection, "before_cursor_execute", remember)
        find_matches(tx, sketch(STORY), ref="none", limit=5)
        event.remove(tx.connection, "before_cursor_execute", remember)
        said, parameters = statements[0]
        # Three rows are cheaper read whole: what is asked is whether the index serves in its order.
        tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        tx.connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        rows = tx.connection.exec_driver_sql(f"EXPLAIN {said}", parameters).scalars()
        return "\n".join(rows)

    told_by = postgres_store.read(plan)
    assert told_by.count("Index Only Scan Backward using pk_sketches") == 24
    assert "Seq Scan" not in told_by
    assert "Sort" not in told_by


def test_a_case_without_words_has_no_sketch_and_no_like(store: Store) -> None:
    desk = Desk(store)
    ref = told(desk, "😀😀😀")
    case: Case = store.read(load_case, ref)
    assert case.is_open
    assert refs(store, ref) == []
    assert store.read(is_similar_confirmed, ref, ()) == 0
    assert store.now() - case.received_at < timedelta(minutes=5)


@pytest.mark.parametrize("by", [None, HANDLER])
def test_simulated_contacts_stand_beside_real_ones_apart(store: Store, by: str | None) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70002",)))
    real, tester = told(desk, STORY), told(desk, COPY, "70002")
    assert store.read(load_case, tester).is_simulation
    assert refs(store, real, by) == []
    assert refs(store, tester, by) == []
