"""The journal: what each transaction changed, as keyed commitments in one chain per owner (4.7, 8.1).

An entry is written at the end of every writing transaction, for every owner whose rows changed. It is no event:
`version` and `work_version` do not move and no card is redrawn. Without the key of the MACs nobody can write one, so
whoever only has the database can change no row unnoticed.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, text

from complaints.times import format_time
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, sha256
from store.proof.journaled import JOURNALED, TOUCHED, owner_key
from store.proof.mac_key import UPGRADING, mac_key
from store.tables import JOURNAL, JOURNAL_HEADS

VERSION = 1
_TAKE = text(f"SELECT DISTINCT tbl, owner, key FROM {TOUCHED}")
_CLEAR = text(f"DELETE FROM {TOUCHED}")
#: A changed row: its table, its key, and its commitment; None if the row is gone.
Item = tuple[str, str, str | None]


def write_journal(tx: Tx) -> None:
    """Write an entry for each owner of a row that this transaction changed; called last in the transaction."""
    touched = tx.connection.execute(_TAKE).all()
    if not touched:
        return
    tx.connection.execute(_CLEAR)
    key, state = mac_key(tx)
    keys: dict[str, set[str]] = defaultdict(set)
    items: dict[str, dict[tuple[str, str], str | None]] = defaultdict(dict)
    for table, owner, row_key in touched:
        keys[table].add(row_key)
        items[owner][table, row_key] = None
    for table, row_keys in keys.items():
        spec = JOURNALED[table]
        for row in spec.rows(tx.connection, row_keys):
            owner = spec.owner_of(row)
            items[owner][table, spec.key_of(row)] = spec.commitment(owner_key(key, owner), row)
    append_entries(tx, key, {owner: _sorted(changed) for owner, changed in items.items()}, state)


def _sorted(changed: Mapping[tuple[str, str], str | None]) -> list[Item]:
    return sorted((table, row_key, commitment) for (table, row_key), commitment in changed.items())


def append_entries(
    tx: Tx, key: bytes, changed: Mapping[str, Sequence[Item]], state: str, *, anchors: bool = False
) -> None:
    """Append an entry to the chain of each owner. While an older record is upgraded, a first entry covers all rows."""
    owners = sorted(changed)
    heads = _lock_heads(tx, owners)
    entries, new_heads = [], []
    for owner in owners:
        head = heads.get(owner)
        is_anchor = anchors or (head is None and state == UPGRADING)
        items = all_items(tx, key, owner) if is_anchor and not anchors else changed[owner]
        n, prev = (head.n + 1, head.hash) if head is not None else (1, GENESIS)
        content = {"version": VERSION, "owner": owner, "n": n, "at": format_time(tx.now), "prev": prev}
        entry = canonical({**content, "items": items, **({"anchor": True} if is_anchor else {})})
        hash_ = sha256(entry)
        mac = entry_mac(key, owner, n, hash_)
        entries.append({"owner": owner, "n": n, "at": tx.now, "entry": entry, "hash": hash_, "mac": mac})
        new_heads.append(
            {
                "owner": owner,
                "n": n,
                "hash": hash_,
                "mac": head_mac(key, owner, n, hash_),
                "logged_n": head.logged_n if head is not None else 0,
            }
        )
    tx.connection.execute(insert(JOURNAL), entries)
    tx.upsert_all(JOURNAL_HEADS, new_heads)


def _lock_heads(tx: Tx, owners: Sequence[str]) -> dict[str, Any]:
    """The heads of these owners; on PostgreSQL no other transaction can append to their chains until the commit.

    The rows are locked in sorted order and last in the transaction, so that two of them never wait for each other.
    """
    query = select(JOURNAL_HEADS).where(JOURNAL_HEADS.c.owner.in_(owners)).order_by(JOURNAL_HEADS.c.owner)
    if tx.is_sqlite:
        return {row.owner: row for row in tx.connection.execute(query)}
    query = query.with_for_update()
    heads = {row.owner: row for row in tx.connection.execute(query)}
    if len(heads) < len(owners):
        # A first entry has no row yet that could be locked.
        first = {"n": 0, "hash": GENESIS, "mac": b"", "logged_n": 0}
        tx.insert_missing(JOURNAL_HEADS, [{"owner": name, **first} for name in owners if name not in heads])
        heads = {row.owner: row for row in tx.connection.execute(query)}
    return {owner: head for owner, head in heads.items() if head.n}


def all_items(tx: Tx, key: bytes, owner: str) -> list[Item]:
    """Every row that this owner has now."""
    return items_of(tx, key, [owner]).get(owner, [])


def items_of(tx: Tx, key: bytes, owners: Sequence[str]) -> dict[str, list[Item]]:
    """Every row of these owners, which are all of one kind."""
    items: dict[str, list[Item]] = {owner: [] for owner in owners}
    owner_keys = {owner: owner_key(key, owner) for owner in owners}
    for name, spec in JOURNALED.items():
        condition = spec.condition(owners)
        if condition is None:
            continue
        for row in tx.connection.execute(spec.select.where(condition)):
            owner = spec.owner_of(row)
            if owner in items:
                items[owner].append((name, spec.key_of(row), spec.commitment(owner_keys[owner], row)))
    return items


def entry_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    """The MAC of a journal entry."""
    return hmac.digest(key, f"journal\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def head_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    """The MAC of the newest entry, which shows a chain whose end was cut off."""
    return hmac.digest(key, f"head\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def latest_items(entries: Iterable[str]) -> dict[tuple[str, str], str | None]:
    """The newest commitment of each row by table and key, from the entries of one owner in order."""
    latest: dict[tuple[str, str], str | None] = {}
    for entry in entries:
        for table, row_key, commitment in json.loads(entry)["items"]:
            latest[table, row_key] = commitment
    return latest
