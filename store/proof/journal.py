"""The journal: what each transaction changed, as keyed commitments in one chain per owner (4.7, 8.1).

An entry is written at the end of every writing transaction, for every owner whose rows changed. It is no event:
`version` and `work_version` do not move and no card is redrawn. Without the key of the MACs no entry can be written,
so a person who only has the database cannot change a row undetected.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import bindparam, text

from complaints.times import format_time
from store.database.journaled import JOURNALED, TOUCHED, commitment, owner_key
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, sha256
from store.proof.mac_key import UPGRADING, mac_key
from store.tables import JOURNAL_HEADS
from store.tables.columns import UtcDateTime

VERSION = 1
#: A changed row: its table, its key, and its commitment; None if the row is gone.
Item = tuple[str, str, str | None]
# The statements of every transaction, written out: built by SQLAlchemy they cost more than running them.
_TAKE = f"SELECT tbl, owner, key, content FROM {TOUCHED} ORDER BY id"  # noqa: S608  # our own name
_CLEAR = f"DELETE FROM {TOUCHED}"  # noqa: S608
_HEADS = text(
    "SELECT owner, n, hash, logged_n FROM journal_heads WHERE owner IN :owners ORDER BY owner"
).bindparams(bindparam("owners", expanding=True))
_HEADS_LOCKED = text(
    "SELECT owner, n, hash, logged_n FROM journal_heads WHERE owner IN :owners ORDER BY owner FOR UPDATE"
).bindparams(bindparam("owners", expanding=True))
_ENTRY = text(
    "INSERT INTO journal (owner, n, at, entry, hash, mac) VALUES (:owner, :n, :at, :entry, :hash, :mac)"
).bindparams(bindparam("at", type_=UtcDateTime()))
_HEAD = text(
    "INSERT INTO journal_heads (owner, n, hash, mac, logged_n) VALUES (:owner, :n, :hash, :head_mac, 0) "
    "ON CONFLICT (owner) DO UPDATE SET n = excluded.n, hash = excluded.hash, mac = excluded.mac"
)


def write_journal(tx: Tx) -> None:
    """Write an entry for each owner of a row that this transaction changed; called last in the transaction."""
    touched = tx.connection.exec_driver_sql(_TAKE).fetchall()
    if not touched:
        return
    tx.connection.exec_driver_sql(_CLEAR)
    key, state = mac_key(tx)
    contents: dict[str, dict[tuple[str, str], str | None]] = defaultdict(dict)
    for table, owner, row_key, content in touched:
        contents[owner][table, row_key] = content
    changed = {owner: _commitments(owner_key(key, owner), rows) for owner, rows in contents.items()}
    append_entries(tx, key, changed, state)


def _commitments(key: bytes, rows: Mapping[tuple[str, str], str | None]) -> list[Item]:
    return sorted(
        (table, row_key, None if content is None else commitment(key, table, row_key, content))
        for (table, row_key), content in rows.items()
    )


def append_entries(
    tx: Tx, key: bytes, changed: Mapping[str, Sequence[Item]], state: str, *, anchors: bool = False
) -> None:
    """Append an entry to the chain of each owner; in an older record a first entry covers all of its rows."""
    if not changed:
        return
    owners = sorted(changed)
    heads = _lock_heads(tx, owners)
    entries = []
    for owner in owners:
        n, prev = heads.get(owner, (0, GENESIS))
        is_anchor = anchors or (n == 0 and state == UPGRADING)
        items = all_items(tx, key, owner) if is_anchor and not anchors else changed[owner]
        content = {"version": VERSION, "owner": owner, "n": n + 1, "at": format_time(tx.now), "prev": prev}
        entry = canonical({**content, "items": items, **({"anchor": True} if is_anchor else {})})
        hash_ = sha256(entry)
        entries.append(
            {
                "owner": owner,
                "n": n + 1,
                "at": tx.now,
                "entry": entry,
                "hash": hash_,
                "mac": entry_mac(key, owner, n + 1, hash_),
                "head_mac": head_mac(key, owner, n + 1, hash_),
            }
        )
    for statement in (_ENTRY, _HEAD):
        tx.connection.execute(statement, entries)


def _lock_heads(tx: Tx, owners: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Number and hash of the newest entry of these owners.

    On PostgreSQL no other transaction can append to their chains until the commit. The rows are locked in sorted
    order and last in the transaction, so that two of them never wait for each other.
    """
    query = _HEADS if tx.is_sqlite else _HEADS_LOCKED
    heads = tx.connection.execute(query, {"owners": owners}).all()
    if not tx.is_sqlite and len(heads) < len(owners):
        # A first entry has no row yet that could be locked.
        missing = set(owners) - {head.owner for head in heads}
        first = {"n": 0, "hash": GENESIS, "mac": b"", "logged_n": 0}
        tx.insert_missing(JOURNAL_HEADS, [{"owner": name, **first} for name in sorted(missing)])
        heads = tx.connection.execute(query, {"owners": owners}).all()
    return {head.owner: (head.n, head.hash) for head in heads}


def all_items(tx: Tx, key: bytes, owner: str) -> list[Item]:
    """Every row that this owner has now."""
    return items_of(tx, key, [owner]).get(owner, [])


def items_of(tx: Tx, key: bytes, owners: Sequence[str]) -> dict[str, list[Item]]:
    """Every row of these owners, which are all of one kind."""
    items: dict[str, list[Item]] = {owner: [] for owner in owners}
    keys = {owner: owner_key(key, owner) for owner in owners}
    for name, spec in JOURNALED.items():
        query = spec.query(owners, tx.connection.dialect.name)
        if query is None:
            continue
        statement, wanted = query
        for owner, row_key, content in tx.connection.execute(statement, {"owners": wanted} if wanted else {}):
            items[owner].append((name, row_key, commitment(keys[owner], name, row_key, content)))
    return items


def entry_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    """The MAC of a journal entry."""
    return hmac.digest(key, f"journal\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def head_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    """The MAC of the newest entry, which shows a chain whose end was cut off."""
    return hmac.digest(key, f"head\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def items_in(entries: Iterable[str]) -> Iterator[Item]:
    """The changed rows that these entries of one owner list, in order."""
    for entry in entries:
        yield from map(tuple, json.loads(entry)["items"])
