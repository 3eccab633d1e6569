"""The hashes of sketches as they are filed: by HMAC under the index key, and forgotten with their complaint.

The table of them is one tree in the order in which it is asked, by hash; a complaint's own rows are found by the
hashes of its sketch, which stands sealed beside it (`store.sketches`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Dialect,
    Insert,
    Integer,
    LargeBinary,
    String,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
    union_all,
)

from store.keyring import Keyring
from store.tables import SKETCHES
from store.tables.columns import UtcDateTime
from store.transactions import Tx

_INDEX = 16
#: As a statement of SQLAlchemy's it would cost more to say than to do.
_ROW = "INSERT INTO sketches (band_index, at, ref) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class Hashes:
    """What a complaint is filed under, at least one; `at` is when it was received."""

    ref: str
    at: datetime
    hashes: Sequence[bytes]


def hashes_of(keys: Keyring, ref: str, sketch: Sequence[bytes], *, at: datetime) -> Hashes:
    """The hashes of a sketch under the newest secret."""
    return Hashes(ref, at, [keys.index(*_named(one))[:_INDEX] for one in sketch])


def file_hashes(tx: Tx, several: Sequence[Hashes]) -> None:
    """File each complaint under its hashes."""
    if tx.is_sqlite:
        tx.connection.exec_driver_sql(_ROW, _in_order(several, tx.connection.dialect))
        return
    rows = [
        {"hashes": b"".join(one.hashes), "count": len(one.hashes), "at": one.at, "ref": one.ref}
        for one in several
    ]
    tx.connection.execute(_filing(), rows)


def _in_order(several: Sequence[Hashes], dialect: Dialect) -> list[tuple[bytes, Any, str]]:
    """In the order of the tree: of many complaints each of its pages is written once."""
    written: Any = SKETCHES.c.at.type.dialect_impl(dialect).bind_processor(dialect)
    return sorted((hash_, at, one.ref) for one in several for at in [written(one.at)] for hash_ in one.hashes)


@lru_cache(maxsize=1)
def _filing() -> Insert:
    """PostgreSQL cuts the hashes of a complaint apart itself: a row of them is dearer to hand over than to write."""
    n = select(literal(0, Integer).label("n")).cte("numbers", recursive=True)
    n = n.union_all(select(n.c.n + 1).where(n.c.n + 1 < bindparam("count", type_=Integer)))
    one = func.substr(bindparam("hashes", type_=LargeBinary), n.c.n * _INDEX + 1, _INDEX)
    at, ref = bindparam("at", type_=UtcDateTime), bindparam("ref", type_=String)
    return SKETCHES.insert().from_select(["band_index", "at", "ref"], select(one, at, ref).select_from(n))


def take_out_hashes(tx: Tx, ref: str, sketch: Sequence[bytes], *, at: datetime) -> None:
    """Delete what a complaint is filed under, all of it, whether or not it is what its sketch says."""
    gone = tx.connection.execute(delete(SKETCHES).where(_rows_of(ref, _every_index(tx, sketch), at)))
    if not sketch or gone.rowcount != len(sketch):
        # A lost secret, or a hand in the tables: that nothing is left is worth reading the whole table.
        tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.ref == ref))


def are_filed(tx: Tx, ref: str, sketch: Sequence[bytes], *, at: datetime) -> bool:
    """Every hash of this sketch leads to its complaint."""
    whose = _every_index(tx, sketch)
    query = select(SKETCHES.c.band_index).where(_rows_of(ref, whose, at))
    return {whose[bytes(one)] for one in tx.connection.execute(query).scalars()} == set(sketch)


def filed_under(tx: Tx, sketch: Sequence[bytes], *, most: int) -> Mapping[bytes, set[str]]:
    """Under which hash which complaints are filed, at most so many of each, the newest."""
    whose = _every_index(tx, sketch)
    asked = {f"hash_{n}": index for n, index in enumerate(whose)}
    filed: dict[bytes, set[str]] = {one: set() for one in sketch}
    for row in tx.connection.execute(_postings(len(asked), most), asked):
        filed[whose[bytes(row.band_index)]].add(row.ref)
    return filed


@lru_cache(maxsize=64)
def _postings(count: int, most: int) -> CompoundSelect[Any]:
    """One bounded range of the tree for each hash, in one statement; built once for each number of them."""
    one = SKETCHES.c
    ranges = [
        select(one.band_index, one.ref)
        .where(one.band_index == bindparam(f"hash_{n}"))
        .order_by(one.at.desc(), one.ref.desc())
        .limit(most)
        .subquery()
        for n in range(count)
    ]
    return union_all(*(select(each.c.band_index, each.c.ref) for each in ranges))


def _rows_of(ref: str, indexes: Iterable[bytes], at: datetime) -> ColumnElement[bool]:
    """By the whole key: the tree is not in the order of complaints."""
    return and_(SKETCHES.c.band_index.in_(list(indexes)), SKETCHES.c.at == at, SKETCHES.c.ref == ref)


def _every_index(tx: Tx, sketch: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """Under what the hashes may stand, and which each is: while keys rotate, it may be an older one."""
    return {index[:_INDEX]: one for one in sketch for index in tx.keys.indexes(*_named(one))}


def _named(one: bytes) -> tuple[str, str]:
    """The kind and value under which a hash is looked up."""
    return "sketch", one.hex()
