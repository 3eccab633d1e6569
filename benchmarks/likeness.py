"""Searching similar cases among 100,000: how long a search takes in the store and what it finds.

The queries are 500 edited repeats (a tenth of the words dropped, typos, other digits) and 500 texts that were never
stored. The baseline is a dictionary of the same sketches in memory, without keys, limits or encryption; the
difference is their cost. Storing is measured in processor seconds of this process, searching in elapsed time.

The last table has the time of a whole proposal with all of them stored: rules, category, severity, issues, reasons,
similar cases and the search, for texts of 1,100 characters. With `DATA` the texts come from its files, completed with
six-word pieces of them; without it they are generated.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import select, text

from benchmarks import databases
from benchmarks.intake import RULES, WORDS
from benchmarks.measuring import result_table
from complaints.actions.intake import message_facts
from complaints.similarity import SIMILAR_FROM
from complaints.vocabulary import Verb
from store.cases.receive_message import receive_message
from store.database.keyring import Keyring, new_key
from store.database.transaction import Tx
from store.record.load import key_place
from store.rulebooks import use_rulebook
from store.similarity.similar import count_confirmed_similar, find_similar_cases
from store.similarity.sketches import hashes_of, likeness_row, store_hashes
from store.store import Store, open_store
from store.tables import COMPLAINTS, LIKENESSES
from store.values import Chat, Conversation, DialogueTurn, PlannedAct
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.training import train
from triage.model.pipeline import Model
from triage.proposal import propose
from triage.proposal_context import ProposalContext
from triage.shingles import sketch, word_shingles

STORED = 100_000
QUERIES = 500
KEYS = Keyring([b"benchmarks only, 32 bytes long.."])
SETS = ("cfpb_unlabelled.csv.gz", "cfpb_train.csv.gz")
FIRST_RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_000
LONG_TEXT = 1_100
TRAINED_ON = 2_000
_SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "ki", "lo", "ma", "ne", "po", "ra", "si", "tu", "ve", "wa")

#: The references of the cases similar to a text, the most similar first.
LookUp = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class SearchTexts:
    """Stored texts by reference, edited repeats with the reference of each, and texts never stored."""

    stored: dict[str, str]
    repeats: list[tuple[str, str]]
    new: list[str]


def tables(stored: int = STORED) -> tuple[Table, Table]:
    """The first table has storing, searching and hits in each store, the second the time of a whole proposal."""
    chance = random.Random(7)
    texts = _search_texts(chance, stored)
    model, long_texts = _train_model(texts), _long_texts(texts)
    proposals = result_table(
        f"A whole proposal with {stored:,} stored ({len(long_texts)} texts of {LONG_TEXT:,} characters)",
        " | p50 | p95 | search at the p95",
    )
    searches = result_table(
        f"Similar complaints among {stored:,} ({QUERIES} repeats, {QUERIES} new texts)",
        " | stored in | p50 | p95 | found | new: hits | of these not similar",
    )
    searches.add_row("dictionary in memory, one core", *_time_searches(texts, *_dictionary(texts)))
    for name, fresh in databases.each():
        with closing(open_store(fresh(), KEYS)) as store:
            seconds = _store_texts(store, texts)
            look_up = partial(_similar_refs, store)
            searches.add_row(
                f"Amends on {name}: keyed, encrypted, limited", *_time_searches(texts, seconds, look_up)
            )
            proposals.add_row(name, *_time_proposals(model, store, long_texts))
    return searches, proposals


def _train_model(texts: SearchTexts) -> Model:
    """A model with neighbours: the starter examples, and 2,000 of the texts as if people had assessed them."""
    starters = starter_examples(("en",))
    categories = sorted({example.category for example in starters})
    refs = list(texts.stored)[:TRAINED_ON]
    assessed = [
        Example(texts.stored[ref], categories[n % len(categories)], severity=4 if n % 16 == 0 else 2, ref=ref)
        for n, ref in enumerate(refs)
    ]
    return train([*starters, *assessed])


def _long_texts(texts: SearchTexts) -> list[tuple[str, str]]:
    return [(ref, story[:LONG_TEXT]) for ref, story in texts.repeats if len(story) >= LONG_TEXT]


def _time_proposals(model: Model, store: Store, texts: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Milliseconds to compute the proposal of one complaint; recording it is not counted."""
    propose(model, texts[0][1])
    seconds = []
    for ref, story in texts:
        started = time.perf_counter()
        hashes = sketch(story)
        store.read(count_confirmed_similar, ref, hashes)
        search_seconds = time.perf_counter() - started
        propose(model, story, ProposalContext(("en",)))
        seconds.append((time.perf_counter() - started, search_seconds))
    seconds.sort()
    whole, search_seconds = seconds[int(len(seconds) * 0.95)]
    return (
        f"{seconds[len(seconds) // 2][0] * 1000:.1f} ms",
        f"{whole * 1000:.1f} ms",
        f"{search_seconds * 1000:.1f} ms",
    )


def _search_texts(chance: random.Random, stored: int) -> SearchTexts:
    texts = _texts(chance)
    new, stored_texts = texts[:QUERIES], texts[QUERIES:]
    parts = [text.split() for text in stored_texts if len(text.split()) > 12]
    while len(stored_texts) < stored:
        stored_texts.append(
            " ".join(word for _ in range(chance.randrange(5, 50)) for word in _six_words(chance, parts))
        )
    by_ref = {f"B{n:06d}": text for n, text in enumerate(stored_texts[:stored])}
    real = [ref for ref in list(by_ref)[: len(parts)] if len(by_ref[ref].split()) > 12]
    repeats = [(ref, _edited(chance, by_ref[ref])) for ref in chance.sample(real, QUERIES)]
    return SearchTexts(by_ref, repeats, new)


def _texts(chance: random.Random) -> list[str]:
    folder = Path(os.environ.get("DATA") or "")
    files = [folder / name for name in SETS if os.environ.get("DATA") and (folder / name).is_file()]
    texts: list[str] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            texts += [row["text"] for row in csv.DictReader(lines)]
    if not texts:
        words = ["".join(chance.choices(_SYLLABLES, k=chance.randrange(1, 4))) for _ in range(1_500)]
        texts = [" ".join(chance.choices(words, k=chance.randrange(15, 300))) for _ in range(6_000)]
    chance.shuffle(texts)
    return texts


def _six_words(chance: random.Random, parts: Sequence[Sequence[str]]) -> Sequence[str]:
    words = chance.choice(parts)
    start = chance.randrange(len(words) - 6)
    return words[start : start + 6]


def _edited(chance: random.Random, story: str) -> str:
    words = [word for word in story.split() if chance.random() > 0.10]
    for n, word in enumerate(words):
        if len(word) > 3 and chance.random() < 0.03:
            k = chance.randrange(len(word) - 1)
            words[n] = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
        words[n] = "".join(chance.choice("0123456789") if c.isdigit() else c for c in words[n])
    return " ".join(words)


def _time_searches(texts: SearchTexts, seconds: float, look_up: LookUp) -> tuple[str, ...]:
    times, matches = [], 0
    for ref, repeat in texts.repeats:
        started = time.perf_counter()
        similar = look_up(repeat)
        times.append(time.perf_counter() - started)
        matches += ref in similar or bool(similar)
    hits = [(story, similar[0]) for story in texts.new if (similar := look_up(story))]
    unlike = sum(_overlap(story, texts.stored[ref]) <= SIMILAR_FROM for story, ref in hits)
    return (
        f"{seconds:.1f} s",
        f"{statistics.median(times) * 1000:.1f} ms",
        f"{sorted(times)[int(len(times) * 0.95)] * 1000:.1f} ms",
        f"{matches / QUERIES:.3f}",
        f"{len(hits) / QUERIES:.3f}",
        str(unlike),
    )


def _overlap(text: str, other: str) -> float:
    """The exact share of the shorter text's pieces that the longer one has."""
    text_pieces, other_pieces = word_shingles(text), word_shingles(other)
    return len(text_pieces & other_pieces) / max(1, min(len(text_pieces), len(other_pieces)))


def _dictionary(texts: SearchTexts) -> tuple[float, LookUp]:
    started = time.process_time()
    sketches = {ref: sketch(story) for ref, story in texts.stored.items()}
    refs_by_hash: defaultdict[bytes, list[str]] = defaultdict(list)
    for ref, hashes in sketches.items():
        for hash_ in hashes:
            refs_by_hash[hash_].append(ref)
    seconds = time.process_time() - started

    def look_up(story: str) -> list[str]:
        hashes = sketch(story)
        hits_by_ref = Counter(ref for hash_ in hashes for ref in refs_by_hash.get(hash_, ()))
        return [
            ref
            for ref, hits in hits_by_ref.most_common()
            if hits / max(1, min(len(hashes), len(sketches[ref]))) > SIMILAR_FROM
        ]

    return seconds, look_up


def _similar_refs(store: Store, story: str) -> list[str]:
    return [similar.ref for similar in store.read(find_similar_cases, sketch(story), ref="")]


def _store_texts(store: Store, texts: SearchTexts) -> float:
    """Store the sketches as a proposal does, in batches; returns the seconds without the complaints' rows."""
    store.write(use_rulebook, RULES)
    store.write(receive_message, "tg:1", Chat("telegram", "chat", "en", "Somebody"), _step)
    pattern: dict[str, Any] = store.read(
        lambda tx: dict(tx.connection.execute(select(COMPLAINTS)).mappings().one())
    )
    seconds = 0.0
    refs = list(texts.stored)
    for start in range(0, len(refs), BATCH):
        cases = [
            (ref, new_key(), FIRST_RECEIVED + timedelta(minutes=start + n))
            for n, ref in enumerate(refs[start : start + BATCH])
        ]
        rows = [
            {**pattern, "ref": ref, "key_wrapped": KEYS.wrap(key, key_place(ref)), "received_at": at}
            for ref, key, at in cases
        ]
        store.write(partial(_insert, COMPLAINTS, rows))
        started = time.process_time()
        sketches = [(ref, key, at, sketch(texts.stored[ref])) for ref, key, at in cases]
        store.write(
            partial(
                _insert,
                LIKENESSES,
                [likeness_row(ref, hashes, key=key, at=at, cluster=ref) for ref, key, at, hashes in sketches],
            )
        )
        hashes = [hashes_of(KEYS, ref, hashes, at=at) for ref, _, at, hashes in sketches if hashes]
        store.write(partial(store_hashes, several=hashes))
        seconds += time.process_time() - started
    store.write(lambda tx: tx.connection.execute(text("ANALYZE")))
    return seconds


def _insert(into: Any, rows: list[dict[str, Any]], tx: Tx) -> None:
    tx.connection.execute(into.insert(), rows)


def _step(conversation: Conversation) -> DialogueTurn:
    facts = message_facts(field="description", has_words=True, source="1")
    return DialogueTurn(
        state={"step": "story"},
        acts=(PlannedAct(Verb.RECEIVE, conversation.next_ref, facts, {"description": WORDS}),),
    )
