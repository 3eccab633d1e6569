"""The journal: what each transaction changed, as keyed commitments in one chain per owner (4.7, 8.1).

An entry is written at the end of every writing transaction, for every owner whose rows changed. It commits to the
values that the transaction passed to the database, and to those that it found before. What a trigger or another
connection made of a row has no signature. It is no event: `version` and `work_version` do not move and no card is
redrawn. Without the key of the MACs no entry can be written, so a person who only has the database cannot change a
row undetected.
"""

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import methodcaller
from typing import Any

from complaints.times import format_time
from store.database.journaled import DESK, JOURNALED, commitment, owner_key
from store.database.prepared import DriverCursor, sqlite_time
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, mac_key, sha256
from store.tables import JOURNAL_HEADS

VERSION = 1
#: A row as it is: its table, its key, and its commitment.
Item = tuple[str, str, str]
#: A changed row: its table, its key, its commitment (None if the row is gone), and the one before if it had any.
Change = tuple[str, str, str | None] | tuple[str, str, str | None, str]
# The statements of every transaction, in the words of the drivers: built by SQLAlchemy they cost more than running
# them. On PostgreSQL each is a round trip, so reading and writing are one statement each. The heads are locked in
# sorted order and last in the transaction, so that two transactions never wait for each other; the array lets the
# planner use the index, since it cannot estimate a temporary table without statistics.
_HEADS_SQLITE = "SELECT owner, n, hash FROM journal_heads WHERE owner IN (SELECT value FROM json_each(?))"
_ENTRY_SQLITE = "INSERT INTO journal (owner, n, at, entry, hash, mac) VALUES (?, ?, ?, ?, ?, ?)"
_HEAD_SQLITE = (
    "INSERT INTO journal_heads (owner, n, hash, mac, logged_n) VALUES (?, ?, ?, ?, 0) "
    "ON CONFLICT (owner) DO UPDATE SET n = excluded.n, hash = excluded.hash, mac = excluded.mac"
)
_HEADS_POSTGRES = "SELECT owner, n, hash FROM journal_heads WHERE owner = ANY(%s) ORDER BY owner FOR UPDATE"
_APPEND_POSTGRES = (
    "WITH entry AS (SELECT * FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::text[], %s::text[], "
    "%s::bytea[], %s::bytea[]) AS e(owner, n, at, entry, hash, mac, head_mac)), "
    "appended AS (INSERT INTO journal (owner, n, at, entry, hash, mac) "
    "SELECT owner, n, at, entry, hash, mac FROM entry) "
    "INSERT INTO journal_heads (owner, n, hash, mac, logged_n) SELECT owner, n, hash, head_mac, 0 FROM entry "
    "ON CONFLICT (owner) DO UPDATE SET n = excluded.n, hash = excluded.hash, mac = excluded.mac"
)
Heads = dict[str, tuple[int, str]]


def write_journal(tx: Tx) -> None:
    """Write an entry for each owner of a row that this transaction changed; called last in the transaction."""
    changed = sorted(item for item in tx.changed.items() if item[1][0] != item[1][1])
    tx.changed.clear()
    if not changed:
        return
    key = mac_key(tx)
    changes: dict[str, list[Change]] = {}
    for owner, rows in groupby(changed, key=lambda item: item[0][0]):
        commit = partial(_commit, owner_key(key, owner))
        changes[owner] = [commit(table, row_key, *contents) for (_, table, row_key), contents in rows]
    append_entries(tx, key, changes, _read_heads(tx, list(changes)))


def _commit(key: bytes, table: str, row_key: str, before: str | None, after: str | None) -> Change:
    is_ = None if after is None else commitment(key, table, row_key, after)
    return (
        (table, row_key, is_)
        if before is None
        else (table, row_key, is_, commitment(key, table, row_key, before))
    )


def append_entries(tx: Tx, key: bytes, changed: Mapping[str, Sequence[Change]], heads: Heads) -> None:
    """Append an entry to the chain of each owner."""
    owners = sorted(changed)
    if not tx.is_sqlite and len(heads) < len(owners):
        heads |= _first_heads(tx, [owner for owner in owners if owner not in heads])
    entries = []
    for owner in owners:
        n, prev = heads.get(owner, (0, GENESIS))
        content = {"version": VERSION, "owner": owner, "n": n + 1, "at": format_time(tx.now), "prev": prev}
        entry = canonical({**content, "items": changed[owner]})
        hash_ = sha256(entry)
        macs = entry_mac(key, owner, n + 1, hash_), head_mac(key, owner, n + 1, hash_)
        entries.append((owner, n + 1, tx.now, entry, hash_, *macs))
    _write_entries(tx, entries)


def _write_entries(tx: Tx, entries: Sequence[tuple[Any, ...]]) -> None:
    if not tx.is_sqlite:
        tx.connection.exec_driver_sql(_APPEND_POSTGRES, tuple(map(list, zip(*entries, strict=True))))
        return
    at = sqlite_time(tx.now)
    with DriverCursor(tx.connection) as cursor:
        cursor.executemany(
            _ENTRY_SQLITE,
            [(owner, n, at, entry, hash_, mac) for owner, n, _, entry, hash_, mac, _ in entries],
        )
        cursor.executemany(
            _HEAD_SQLITE, [(owner, n, hash_, mac) for owner, n, _, _, hash_, _, mac in entries]
        )


def _rows(tx: Tx, statement: str, parameters: tuple[Any, ...] = ()) -> Sequence[Any]:
    if not tx.is_sqlite:
        return tx.connection.exec_driver_sql(statement, parameters).fetchall()
    with DriverCursor(tx.connection) as cursor:
        rows: Sequence[Any] = cursor.execute(statement, parameters).fetchall()
        return rows


def _read_heads(tx: Tx, owners: Sequence[str]) -> Heads:
    """Number and hash of the newest entry of these owners; on PostgreSQL the chains are locked until the commit."""
    rows = (
        _rows(tx, _HEADS_SQLITE, (json.dumps(owners),))
        if tx.is_sqlite
        else _rows(tx, _HEADS_POSTGRES, (list(owners),))
    )
    return {owner: (n, hash_) for owner, n, hash_ in rows}


def _first_heads(tx: Tx, owners: Sequence[str]) -> Heads:
    """The heads of owners without any entry, on PostgreSQL: there is no row yet that could be locked.

    Two transactions can write the first entry of the same owner only if it is the desk. A new complaint, chat, person
    or incident was inserted by this transaction.
    """
    shared = [owner for owner in owners if owner.startswith(DESK)]
    if not shared:
        return {}
    first = {"n": 0, "hash": GENESIS, "mac": b"", "logged_n": 0}
    tx.insert_missing(JOURNAL_HEADS, [{"owner": owner, **first} for owner in shared])
    return _read_heads(tx, shared)


def items_of(tx: Tx, key: bytes, owners: Sequence[str]) -> dict[str, list[Item]]:
    """Every row of these owners, which are all of one kind, as the database has it."""
    items: dict[str, list[Item]] = {owner: [] for owner in owners}
    keys = {owner: owner_key(key, owner) for owner in owners}
    for name, spec in JOURNALED.items():
        query = spec.query(owners)
        if query is None:
            continue
        statement, wanted = query
        result = tx.connection.execute(statement, {"owners": wanted} if wanted else {})
        for row in map(methodcaller("_asdict"), result):
            owner, row_key = spec.owner(row), spec.key(row)
            items[owner].append((name, row_key, commitment(keys[owner], name, row_key, spec.content(row))))
    return items


def entry_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    return hmac.digest(key, f"journal\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def head_mac(key: bytes, owner: str, n: int, hash_: str) -> bytes:
    """The MAC of the newest entry, which shows a chain whose end was cut off."""
    return hmac.digest(key, f"head\x00{owner}\x00{n}\x00{hash_}".encode(), "sha256")


def changes_in(entries: Iterable[str]) -> Iterator[Change]:
    """The changed rows that these entries of one owner list, in order."""
    for entry in entries:
        yield from map(tuple, json.loads(entry)["items"])
