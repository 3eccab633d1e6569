"""The search by words in the store: keyed hashes, within the searcher's rights, gone after erasure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from complaints.actors import MODEL, OPERATOR
from complaints.errors import NotAllowed
from complaints.vocabulary import Verb
from scheduler.proposals import ProposalHandler
from scheduler.ticks import _housekeeping
from store.cases.act import act, record_proposal
from store.cases.erase import erase_words
from store.custody.secret_keys import rotate_keys
from store.custody.verify import verify
from store.database.keyring import Keyring
from store.outbox.claim import claim
from store.outbox.complete import Completed
from store.people.masked_texts import load_masked_story
from store.people.staff import load_actor
from store.similarity import search as search_module
from store.similarity.search import CaseSearch, SearchResult, search_cases
from store.similarity.sketches import LEFT_BEHIND, NOT_ITS_OWN, list_stray_hashes
from store.store import Store
from store.tables import ATTEMPTS, READS, WORD_HASHES
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, Desk
from triage.search_words import search_words, story_words

OLD, NEW = b"old" + b"." * 29, b"new" + b"." * 29
PROPOSED: dict[str, Any] = {
    "words": 1, "category": "supply", "probability": 0.8, "severity": 2, "safety": 0, "abstained": False,
    "restricted": False, "model": None,
}  # fmt: skip


def indexed(desk: Desk, story: str, address: str, **facts: Any) -> str:
    ref = desk.receive(story, chat=desk.chat(address))
    words = story_words(desk.store.read(load_masked_story, ref), "en")
    desk.store.write(record_proposal, ref, MODEL, {**PROPOSED, **facts}, {}, sketch=(), story_words=words)
    return ref


def found(store: Store, query: str, member: str = HANDLER, **filters: Any) -> SearchResult:
    words = [word.hashes for word in search_words(query, ("en",))]
    return store.write(search_cases, CaseSearch(words, **filters), store.read(load_actor, member), limit=10)


def refs(result: SearchResult) -> list[str]:
    return [case.ref for case in result.cases]


@clause("4.7")
def test_complaints_with_all_words_are_found_newest_first_and_the_search_is_recorded(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first = indexed(desk, "The kitchen tap gives brown water", "70001")
    clock.go_on(days=1)
    second = indexed(desk, "Brown waters again in the cellar", "70002")
    assert refs(found(store, "WATER brown")) == [second, first]
    assert refs(found(store, "brown water kitchen")) == [first]
    assert refs(found(store, "brown", before=store.now() - timedelta(hours=1))) == [first]
    assert refs(found(store, "brown", category="money")) == []
    assert refs(found(store, "", category="supply")) == [second, first]
    with store._engines.reading.connect() as connection:
        reads = connection.execute(select(READS.c.ref, READS.c.what, READS.c.version)).all()
        attempts = connection.execute(select(ATTEMPTS.c.ref, ATTEMPTS.c.verb, ATTEMPTS.c.code)).all()
    assert sorted(reads) == sorted((ref, "search", 0) for ref in (first, second, first, first))
    assert attempts == [(None, "search", "nothing_found")]


@clause("4.7")
def test_a_search_by_words_finds_only_what_the_person_may_read(store: Store) -> None:
    desk = Desk(store)
    hidden = indexed(desk, "Your fitter was drunk", "70001", category="staff_conduct", restricted=True)
    limited = indexed(desk, "Drunk again", "70002")
    store.write(act, limited, Verb.RESTRICT_PROCESSING, OPERATOR, {}, {"reason": "She asked."})
    assert refs(found(store, "drunk")) == []
    assert refs(found(store, "drunk", MANAGER)) == [hidden]
    with pytest.raises(NotAllowed):
        found(store, "drunk", "U9999999")


def test_an_older_range_is_left_out_and_the_result_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store)
    for number in range(3):
        indexed(desk, "Brown water", f"7000{number}")
    monkeypatch.setattr(search_module, "FIRST_LOOK", 1)
    monkeypatch.setattr(search_module, "LOOKED_THROUGH", 2)
    result = found(store, "brown water", category="supply")
    assert (len(result.cases), result.cut, result.more) == (2, True, False)


@clause("8.1")
def test_an_erased_complaint_leaves_no_hash_of_a_word_and_verify_finds_hashes_left_behind(
    store: Store,
) -> None:
    desk = Desk(store)
    kept, gone = indexed(desk, "Brown water", "70001"), indexed(desk, "Brown cellar", "70002")
    words = hashes(store)
    store.write(erase_words, gone)
    assert set(hashes(store)) == {kept}
    assert refs(found(store, "brown")) == [kept]
    store.write(lambda tx: tx.connection.execute(WORD_HASHES.insert(), [dict(words[gone])]))
    assert store.read(list_stray_hashes) == [(gone, "word_hashes", LEFT_BEHIND)]


def test_a_changed_or_missing_hash_of_a_word_is_found_by_verify(store: Store) -> None:
    ref = indexed(Desk(store), "Brown water in the cellar", "70001")
    assert store.read(verify).first_bad is None
    first = select(func.min(WORD_HASHES.c.band_index)).scalar_subquery()
    store.write(
        lambda tx: tx.connection.execute(delete(WORD_HASHES).where(WORD_HASHES.c.band_index == first))
    )
    bad = store.read(verify).first_bad
    assert bad is not None
    assert (bad[0], bad[2]) == (ref, NOT_ITS_OWN)


@clause("8.1")
def test_words_are_found_before_and_after_a_key_rotation(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = indexed(Desk(store), "Brown water", "70001")
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        assert refs(found(store, "water")) == [ref]
        while store.write(rotate_keys, 2):
            pass
    with opened(database_url, clock, Keyring([NEW])) as store:
        assert refs(found(store, "water brown")) == [ref]
        assert store.read(verify).first_bad is None


async def test_old_complaints_and_words_after_the_assessment_are_stored_later(
    store: Store, clock: FakeClock
) -> None:
    thread = ThreadPoolExecutor(1)
    desk, handler = Desk(store), ProposalHandler(store, thread, languages=("en",))
    old, erased = (desk.receive("Brown water", chat=desk.chat(address)) for address in ("70001", "70002"))
    limited = desk.receive("Brown water", chat=desk.chat("70003"))
    store.write(erase_words, erased)
    store.write(act, limited, Verb.RESTRICT_PROCESSING, OPERATOR, {}, {"reason": "She asked."})
    new = indexed(desk, "Brown cellar", "70004")
    desk.act(new, Verb.ASSESS, facts=ASSESSED)
    _housekeeping(store, purges=False)
    await handle(handler, store)
    assert refs(found(store, "brown", MANAGER)) == sorted([old, new], reverse=True)
    desk.add(new, "Now it stinks too", chat=desk.chat("70004"))
    clock.go_on(minutes=2)
    await handle(handler, store)
    assert refs(found(store, "cellar stinks", MANAGER)) == [new]
    assert store.read(verify).first_bad is None
    thread.shutdown()


async def handle(handler: ProposalHandler, store: Store) -> None:
    obligations = store.write(claim, ("index_words",), 10, 60)
    assert obligations
    for obligation in obligations:
        assert await handler.handlers()["index_words"](obligation) == Completed()


def hashes(store: Store) -> dict[str, Any]:
    """By complaint one of its rows."""
    rows = store.read(lambda tx: tx.connection.execute(select(WORD_HASHES)).all())
    return {row.ref: row._mapping for row in rows}
