"""Proof, checkpoint and verification with a log of a million entries (AMENDS_LOG), on SQLite and PostgreSQL.

The journals of persons without data are filled directly, ten entries each, with the hashes and MACs of a real desk.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.table import Table
from sqlalchemy import insert, text

from amends.cli.db import verify_in_steps
from benchmarks import databases
from benchmarks.measuring import ms, quantile, result_table, verdict
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.custody.verify import Outside
from store.database.journaled import PERSON
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, mac_key, sha256
from store.proof.journal import entry_mac, head_mac
from store.proof.log import (
    add_checkpoint,
    add_cosignature,
    checkpoint_mac,
    log_signer,
    prove,
    update_state,
)
from store.proof.merkle import leaf_hash, new_nodes, root
from store.proof.notes import Checkpoint, Signer, split_note
from store.store import Store, open_store
from store.tables import JOURNAL, JOURNAL_HEADS, LOG_CHECKPOINTS, LOG_LEAVES, LOG_NODES
from tests.databases import KEYS
from tests.edges.alterations import SEED
from tests.edges.desk import Desk

SIZE = int(os.environ.get("AMENDS_LOG", "20000"))
#: Journal entries of one owner, each with a leaf of its own.
PER_OWNER = 10
PAGE = 5_000
PROOFS = 300
#: Goals of an inclusion proof: bytes and seconds.
MAX_BYTES, MAX_SECONDS = 2048, 0.010
WITNESSES = [Signer(f"witness-{n}.example", bytes([n]) * 32, is_witness=True) for n in (1, 2)]


def table(size: int = SIZE) -> Table:
    """Sizes and times on both databases."""
    report = result_table(f"A log of {size:,} entries", " | SQLite | PostgreSQL")
    columns: list[dict[str, str]] = []
    for _, fresh in databases.each():
        with closing(open_store(fresh(), KEYS)) as store:
            columns.append(measure(store, size))
    for row in columns[0]:
        report.add_row(row, *(column[row] for column in columns))
    return report


def measure(store: Store, size: int) -> dict[str, str]:
    """Fill a log of this size, then prove, add checkpoints, and verify."""
    desk = Desk(store)
    refs = [desk.receive(chat=desk.chat(f"5{n:05}")) for n in range(20)]
    store.write(add_checkpoint, SEED)
    filled = store.write(fill, size)
    store.write(lambda tx: None if tx.is_sqlite else tx.connection.execute(text("ANALYZE")))
    for ref in refs:
        desk.act(ref, Verb.NOTE, words={"text": "x"})
    checkpoint_seconds, _ = _timed(lambda: store.write(add_checkpoint, SEED))
    _cosign(store)
    seconds, sizes = [], []
    for n in range(PROOFS):
        took, document = _timed(partial(store.read, prove, refs[n % len(refs)], SEED))
        seconds.append(took)
        sizes.append(len(json.dumps(document, indent=1)) + 1)
    whole = _verify(store)
    for ref in refs:
        desk.act(ref, Verb.NOTE, words={"text": "y"})
    store.write(add_checkpoint, SEED)
    changed = _verify(store)
    p99 = quantile(seconds, 0.99)
    return {
        "entries filled": f"{filled:,}",
        "receipt with its proof, bytes, most": f"{max(sizes):,} ({verdict(max(sizes) <= MAX_BYTES)})",
        "building it, p50": ms(quantile(seconds, 0.5)),
        "building it, p99": f"{ms(p99)} ({verdict(p99 <= MAX_SECONDS)})",
        "checkpoint over 20 new entries": ms(checkpoint_seconds),
        "db verify --full": f"{whole:,.1f} s",
        "db verify, 20 complaints changed": ms(changed),
    }


def _timed(do: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = do()
    return time.perf_counter() - started, result


def _verify(store: Store) -> float:
    took, verification = _timed(lambda: verify_in_steps(store, Outside(), full=False, show=lambda *_: None))
    assert not verification.problems, verification.problems
    return took


def _cosign(store: Store) -> None:
    saved, _ = store.write(add_checkpoint, SEED)
    assert saved is not None
    body = split_note(saved.note)[0]
    for witness in WITNESSES:
        store.write(add_cosignature, saved.size, witness.name, witness.cosign(body, 1_800_000_000))


def fill(tx: Tx, size: int) -> int:
    """Add leaves up to this size, and the journal that they name; returns how many."""
    key, at = mac_key(tx), datetime(2026, 1, 5, 9, tzinfo=UTC)
    start = int(tx.connection.execute(text("SELECT count(*) FROM log_leaves")).scalar_one())
    # Only the complete subtrees left of the next leaf are needed: the last of each level.
    subtrees = {(row.level, row.n): row.hash for row in tx.connection.execute(LOG_NODES.select())}
    total = start
    for page in _pages(key, at, start, size):
        tx.connection.execute(insert(JOURNAL), [entry for entry, _ in page])
        tx.connection.execute(insert(LOG_LEAVES), [leaf for _, leaf in page])
        newest = {entry["owner"]: entry for entry, _ in page}
        heads = [
            {
                "owner": owner, "n": entry["n"], "hash": entry["hash"], "logged_n": entry["n"],
                "mac": head_mac(key, owner, entry["n"], entry["hash"]),
            }
            for owner, entry in newest.items()
        ]  # fmt: skip
        tx.connection.execute(insert(JOURNAL_HEADS), heads)
        nodes = new_nodes(total, [leaf["hash"] for _, leaf in page], partial(_node, subtrees))
        rows = [{"level": level, "n": n, "hash": hash_} for level, n, hash_ in nodes]
        tx.connection.execute(insert(LOG_NODES), rows)
        total += len(page)
        subtrees |= {(level, n): hash_ for level, n, hash_ in nodes}
        subtrees = {(level, n): hash_ for (level, n), hash_ in subtrees.items() if n == (total >> level) - 1}
    signer = log_signer(tx, SEED)
    assert signer is not None
    checkpoint = Checkpoint(signer.name, total, root(total, partial(_node, subtrees)))
    note = f"{checkpoint.body()}\n{signer.sign(checkpoint.body())}\n"
    mac = checkpoint_mac(key, total, note, tx.now)
    tx.add(LOG_CHECKPOINTS, size=total, at=tx.now, root=checkpoint.root, note=note, mac=mac)
    update_state(tx, checkpoints=1)
    return total - start


def _node(nodes: dict[tuple[int, int], bytes], level: int, n: int) -> bytes:
    return nodes[level, n]


def _pages(
    key: bytes, at: datetime, start: int, size: int
) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Journal entries with their leaves, whole owners in each page."""
    page, n, moment = [], start, format_time(at)
    while n < size:
        owner, prev = f"{PERSON}{n:016x}", GENESIS
        for number in range(1, PER_OWNER + 1):
            content = {"version": 1, "owner": owner, "n": number, "at": moment, "prev": prev, "items": []}
            entry = canonical(content)
            prev = sha256(entry)
            data = canonical({"owner": owner, "n": number, "journal": prev, "seq": 0, "events": None})
            mac = entry_mac(key, owner, number, prev)
            leaf = {"n": n, "owner": owner, "entry_n": number, "entry_seq": 0, "data": data}
            page.append(
                (
                    {"owner": owner, "n": number, "at": at, "entry": entry, "hash": prev, "mac": mac},
                    {**leaf, "hash": leaf_hash(data.encode())},
                )
            )
            n += 1
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page
