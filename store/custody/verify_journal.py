"""Check every row against the journal: what was edited, inserted or deleted without the key of the MACs."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from complaints.times import format_time
from store.database.roles import APPEND_ONLY
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, sha256
from store.proof.journal import Item, entry_mac, head_mac, items_in, items_of
from store.proof.mac_key import UPGRADING
from store.tables import JOURNAL, JOURNAL_HEADS
from store.values import Damage

_KINDS = {
    "edited": "this row was changed by somebody who does not have the key",
    "inserted": "this row was added by somebody who does not have the key",
    "deleted": "this row is missing",
}
_REWRITTEN = "a later journal entry changes this row, and rows of this table are never changed"


def check_journal(tx: Tx, key: bytes, state: str, owners: Sequence[str]) -> tuple[list[Damage], int]:
    """The damage of these owners, which are all of one kind, and how many are older than the journal."""
    entries: dict[str, list[Any]] = defaultdict(list)
    query = select(JOURNAL).where(JOURNAL.c.owner.in_(owners)).order_by(JOURNAL.c.owner, JOURNAL.c.n)
    for row in tx.connection.execute(query):
        entries[row.owner].append(row)
    heads_query = select(JOURNAL_HEADS).where(JOURNAL_HEADS.c.owner.in_(owners))
    heads = {row.owner: row for row in tx.connection.execute(heads_query)}
    current = items_of(tx, key, owners)
    damages: list[Damage] = []
    unanchored = 0
    for owner in owners:
        if owner not in heads and not entries[owner]:
            if state == UPGRADING:
                unanchored += 1
            elif current[owner]:
                damages.append(Damage(owner, 0, "its journal is missing", "journal", "", "deleted"))
            continue
        broken = list(_check_entries(key, owner, entries[owner], heads.get(owner)))
        damages += broken or _compare(owner, [row.entry for row in entries[owner]], current[owner])
    return damages, unanchored


def _check_entries(key: bytes, owner: str, rows: Sequence[Any], head: Any) -> Iterator[Damage]:
    prev = GENESIS
    for n, row in enumerate(rows, start=1):
        problem = _check_entry(key, owner, n, row, prev)
        if problem is not None:
            yield Damage(owner, 0, problem, "journal", str(row.id), "edited")
            return
        prev = row.hash
    if head is None:
        yield Damage(owner, 0, "the head of its journal is missing", "journal_heads", owner, "deleted")
    elif head.mac != head_mac(key, owner, head.n, head.hash) or head.logged_n > head.n:
        yield Damage(owner, 0, "the head of its journal was changed", "journal_heads", owner, "edited")
    elif (head.n, head.hash) != (len(rows), prev):
        yield Damage(
            owner, 0, f"entry {len(rows) + 1} of its journal is missing", "journal", owner, "deleted"
        )


def _check_entry(key: bytes, owner: str, n: int, row: Any, prev: str) -> str | None:
    if row.n != n:
        return f"entry {n} of its journal is missing"
    if sha256(row.entry) != row.hash or row.mac != entry_mac(key, owner, n, row.hash):
        return f"entry {n} of its journal was not written by this desk"
    entry = json.loads(row.entry)
    if canonical(entry) != row.entry or entry["prev"] != prev:
        return f"entry {n} of its journal does not follow the entry before"
    if (entry["owner"], entry["n"], entry["at"]) != (owner, n, format_time(row.at)):
        return f"entry {n} of its journal differs from its row"
    return None


def _compare(owner: str, entries: Sequence[str], current: Sequence[Item]) -> list[Damage]:
    latest: dict[tuple[str, str], str | None] = {}
    added, damages = set(), []
    for table, key, commitment in items_in(entries):
        # A holder of the keys can write an entry for a row that this program never changes.
        if (table, key) in added and commitment != latest[table, key]:
            damages.append(Damage(owner, 0, _REWRITTEN, table, key, "edited"))
        latest[table, key] = commitment
        if table in APPEND_ONLY:
            added.add((table, key))
    rows = {(table, key): commitment for table, key, commitment in current}
    for table, key in sorted(latest.keys() | rows.keys()):
        expected, commitment = latest.get((table, key)), rows.get((table, key))
        if expected == commitment:
            continue
        kind = "deleted" if commitment is None else "inserted" if expected is None else "edited"
        damages.append(Damage(owner, _seq(table, key), _KINDS[kind], table, key, kind))
    return damages


def _seq(table: str, key: str) -> int:
    """The event that a row of `texts` belongs to; 0 for other tables."""
    parts = key.split("|")
    return int(parts[1]) if table == "texts" and len(parts) > 1 and parts[1].isdigit() else 0
