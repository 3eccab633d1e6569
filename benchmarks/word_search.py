"""The search by words among a million complaints: rows of the index alone, and events of those that are found.

The words of a complaint are drawn by Zipf's law from 50,000. A query has one to three of them, drawn alike, so that
common words are frequent; a third of the queries has a category too. The time includes the access check, loading
fifteen complaints and recording each as read.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from rich.table import Table
from sqlalchemy import func, literal, select, text

from benchmarks import databases
from benchmarks.intake import KEYS
from benchmarks.measuring import ms, result_table, verdict
from store.database.transaction import Tx
from store.similarity import search
from store.similarity.search import CaseSearch, search_cases
from store.similarity.sketches import WORD_TREE, every_index
from store.store import Store, open_store
from store.tables import COMPLAINTS, EVENTS
from tests.edges.desk import HANDLER, Desk

STORED = int(os.environ.get("AMENDS_ARCHIVE", "1000000"))
WORDS_OF_A_CASE, VOCABULARY, QUERIES, ROWS = 20, 50_000, 300, 15
#: No word is in more of the complaints than this.
MOST_COMMON = 0.3
GOAL_SECONDS = 0.1
FIRST_RECEIVED = datetime(2024, 1, 1, tzinfo=UTC)
CATEGORIES = ("supply", "money", "delivery", "staff_conduct", "other")


def table(stored: int = STORED) -> Table:
    report = result_table(
        f"Search by words among {stored:,} complaints",
        " | rows of the index | p50 | p95 | p95 of this process's work | queries with a result | cut | goal",
    )
    for name, fresh in databases.each():
        url = fresh()
        with closing(open_store(url, KEYS)) as store:
            ref = Desk(store).receive()
            pattern = store.read(_pattern)
            words = store.read(_indexes)
        rows = _fill(url, stored, pattern, words)
        with closing(open_store(url, KEYS)) as store:
            report.add_row(name, f"{rows:,}", *_measured(store, ref))
    return report


def _pattern(tx: Tx) -> dict[str, Any]:
    return dict(tx.connection.execute(select(COMPLAINTS)).mappings().one())


def _indexes(tx: Tx) -> list[bytes]:
    """The keyed hash of each word, the most common word first."""
    return [next(iter(every_index(tx, [_hash(n)], WORD_TREE))) for n in range(VOCABULARY)]


def _hash(n: int) -> bytes:
    return n.to_bytes(8, "big")


def _as_text(moment: datetime) -> str:
    """As SQLite stores a time."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.000000"


def _received(n: int) -> datetime:
    return FIRST_RECEIVED + timedelta(minutes=n)


def _case_rows(
    stored: int, pattern: dict[str, Any], at: Callable[[datetime], Any]
) -> Iterator[tuple[Any, ...]]:
    for n in range(stored):
        row = {**pattern, "ref": f"S{n:07d}", "received_at": at(_received(n)), "category": CATEGORIES[n % 5]}
        yield tuple(row.values())


def _word_rows(
    stored: int, words: Sequence[bytes], at: Callable[[datetime], Any]
) -> Iterator[tuple[bytes, Any, str]]:
    """In the order of the tree, so that each page is written once."""
    chance, scale = random.Random(7), WORDS_OF_A_CASE / sum(1 / (n + 1) for n in range(VOCABULARY))
    for rank in sorted(range(VOCABULARY), key=words.__getitem__):
        count = max(1, int(min(MOST_COMMON, scale / (rank + 1)) * stored))
        for n in sorted(chance.sample(range(stored), min(count, stored))):
            yield words[rank], at(_received(n)), f"S{n:07d}"


def _fill(url: str, stored: int, pattern: dict[str, Any], words: Sequence[bytes]) -> int:
    names = ", ".join(pattern)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            [stored_row] = connection.execute(f"SELECT {names} FROM complaints").fetchall()
            pattern = dict(zip(pattern, stored_row, strict=True))
            marks = ", ".join("?" * len(pattern))
            as_text = _as_text
            connection.executemany(
                f"INSERT INTO complaints ({names}) VALUES ({marks})", _case_rows(stored, pattern, as_text)
            )
            connection.executemany(
                "INSERT INTO word_hashes VALUES (?, ?, ?)", _word_rows(stored, words, as_text)
            )
            connection.execute("ANALYZE")
            connection.commit()
            return int(connection.execute("SELECT count(*) FROM word_hashes").fetchone()[0])
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as server:
        # Skip foreign keys and triggers: these rows are no record.
        server.execute("SET session_replication_role = replica")
        columns = [column for column in pattern if column != "ref"]
        common = {"received_at": FIRST_RECEIVED, "category": list(CATEGORIES)}
        taken = ", ".join(
            {
                "received_at": "%s::timestamptz + n * interval '1 minute'",
                "category": "(%s::text[])[n %% 5 + 1]",
            }.get(column, f'"{column}"')
            for column in columns
        )
        server.execute(
            f"INSERT INTO complaints (ref, {', '.join(columns)}) SELECT 'S' || lpad(n::text, 7, '0'), {taken} "
            f"FROM complaints, generate_series(0, {stored - 1}) n",
            [common[column] for column in columns if column in common],
        )
        with (
            server.cursor() as cursor,
            cursor.copy("COPY word_hashes (band_index, at, ref) FROM STDIN") as copy,
        ):
            for row in _word_rows(stored, words, lambda moment: moment):
                copy.write_row(row)
        server.execute("VACUUM ANALYZE")
        return int(server.execute("SELECT count(*) FROM word_hashes").fetchone()[0])  # type: ignore[index]


def _queries() -> list[CaseSearch]:
    chance = random.Random(11)
    weights = [1 / (n + 1) for n in range(VOCABULARY)]
    ranks = (chance.choices(range(VOCABULARY), weights, k=1 + n % 3) for n in range(QUERIES))
    return [
        # Three forms of each word, as with four languages; two of them are stored nowhere.
        CaseSearch(
            [(_hash(rank), _hash(rank + 10**6), _hash(rank + 2 * 10**6)) for rank in dict.fromkeys(query)],
            category=chance.choice(CATEGORIES) if n % 9 < 3 else None,
        )
        for n, query in enumerate(ranks)
    ]


def _measured(store: Store, pattern: str) -> tuple[str, ...]:
    actor, queries = Desk(store).actor(HANDLER), _queries()
    matches = {
        ref
        for query in queries
        for ref in store.read(search._looked_through, query, actor, ROWS)[0]  # noqa: SLF001
    }
    store.write(partial(_copy_events, pattern=pattern, refs=sorted(matches)))
    seconds, work, hits, cut = [], [], 0, 0
    for query in queries:
        started, worked = time.perf_counter(), time.process_time()
        result = store.write(search_cases, query, actor, limit=ROWS)
        seconds.append(time.perf_counter() - started)
        work.append(time.process_time() - worked)
        hits += bool(result.cases)
        cut += result.cut
    seconds.sort()
    work.sort()
    p95, worked_p95 = (values[int(len(values) * 0.95)] for values in (seconds, work))
    return (
        ms(seconds[len(seconds) // 2]),
        ms(p95),
        ms(worked_p95),
        f"{hits} of {QUERIES}",
        str(cut),
        verdict(p95 <= GOAL_SECONDS),
    )


def _copy_events(tx: Tx, pattern: str, refs: Sequence[str]) -> None:
    columns = [column for column in EVENTS.c if column.name not in ("id", "ref", "entry")]
    names = ["ref", "entry", *(column.name for column in columns)]
    if not tx.is_sqlite:
        tx.connection.execute(text("SET session_replication_role = replica"))
    for ref in refs:
        entry = func.replace(EVENTS.c.entry, pattern, ref)
        query = select(literal(ref), entry, *columns).where(EVENTS.c.ref == pattern)
        tx.connection.execute(EVENTS.insert().from_select(names, query))
