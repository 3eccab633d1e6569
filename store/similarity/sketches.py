"""The hashes of sketches as they are filed: by HMAC under the index key, and forgotten with their complaint.

The table of them is one tree in the order in which it is asked, by hash; a complaint's own rows are found by the
hashes of its sketch, which stands sealed beside it (`store.similarity.sketches`).

Sketches of stories: keyed hashes by which like complaints are found, deleted with their complaint.

The sketch stands sealed with the complaint's own key; its hashes are filed by HMAC under the index key, as the
numbers of people are (`store.similarity.sketches`), so that a stolen file tells nobody which words it holds.
"""

from __future__ import annotations

from collections import Counter
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
    or_,
    select,
    union_all,
)

from complaints.similarity import LEAST_SHARED, LIKE_FROM, similarity
from store.cases.load import case_key
from store.database.errors import Erased, SealBroken
from store.database.transaction import Tx
from store.proof.keyring import Keyring
from store.proof.seal import OVERHEAD, place, seal_bytes, unseal_bytes
from store.tables import COMPLAINTS, LIKENESSES, SKETCHES
from store.tables.columns import UtcDateTime

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


#: A hash in so many complaints or more is of a template: it is worth nothing, and no more of them are read.
POSTINGS = 64
#: So many candidates are compared in full, those with the most hashes in common.
COMPARED = 64
#: What `db verify` says.
LEFT_BEHIND = "its words were erased and its hashes were not"
NOT_ITS_OWN = "its hashes are not those of its sketch"
_HASH = 8


@dataclass(frozen=True)
class SketchMatch:
    """A complaint whose sketch is like another; `share` of the shorter in the longer."""

    ref: str
    share: float


def write_sketch(tx: Tx, ref: str, sketch: Sequence[bytes], *, cluster: str) -> None:
    """File the complaint under these hashes, in place of any before; an empty sketch files it nowhere."""
    drop_sketch(tx, ref)
    if not sketch:
        return
    row = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped, COMPLAINTS.c.received_at).where(COMPLAINTS.c.ref == ref)
    ).one()
    key = case_key(tx, ref, row.key_wrapped)
    tx.add(LIKENESSES, **likeness_row(ref, sketch, key=key, at=row.received_at, cluster=cluster))
    file_hashes(tx, [hashes_of(tx.keys, ref, sketch, at=row.received_at)])


def likeness_row(
    ref: str, sketch: Sequence[bytes], *, key: bytes, at: datetime, cluster: str
) -> dict[str, Any]:
    """The sketch itself, sealed with the complaint's own key; `at` is when the complaint was received."""
    return {
        "ref": ref,
        "sealed": seal_bytes(key, b"".join(sketch), _place(ref)),
        "cluster": cluster,
        "at": at,
    }


def drop_sketch(tx: Tx, ref: str) -> None:
    """File it nowhere; while its key is there, for that opens the sketch by which the hashes are found."""
    query = (
        select(LIKENESSES.c.sealed, LIKENESSES.c.at, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref == ref)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return
    try:
        sketch = _opened(case_key(tx, ref, row.key_wrapped), ref, row.sealed)
    except (SealBroken, Erased):
        sketch = ()
    take_out_hashes(tx, ref, sketch, at=row.at)
    tx.connection.execute(delete(LIKENESSES).where(LIKENESSES.c.ref == ref))


def sketch_of(tx: Tx, ref: str) -> tuple[bytes, ...]:
    """The sketch of a complaint; empty where it has none or was erased."""
    return sketches_of(tx, [ref]).get(ref, ())


def sketches_of(tx: Tx, refs: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
    """The sketches of these complaints, by reference."""
    query = (
        select(LIKENESSES.c.ref, LIKENESSES.c.sealed, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref.in_(refs), COMPLAINTS.c.key_wrapped.is_not(None))
    )
    return {
        row.ref: _opened(case_key(tx, row.ref, row.key_wrapped), row.ref, row.sealed)
        for row in tx.connection.execute(query)
    }


def _opened(key: bytes, ref: str, sealed: bytes) -> tuple[bytes, ...]:
    data = unseal_bytes(key, sealed, _place(ref))
    return tuple(data[at : at + _HASH] for at in range(0, len(data), _HASH))


def find_matches(tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int) -> tuple[SketchMatch, ...]:
    """The complaints that are like this sketch, the most like first; `ref` itself is left out.

    Bounded whatever the archive holds: `POSTINGS` rows of each hash, the newest first, and `COMPARED` sketches.
    """
    if not sketch:
        return ()
    filed = filed_under(tx, sketch, most=POSTINGS)
    worthless = {one for one, refs in filed.items() if len(refs) >= POSTINGS}
    if len(sketch) - len(worthless) < LEAST_SHARED:
        # Nothing but a template: then its copies are what there is to be found.
        worthless = set()
    hits = Counter(other for one, refs in filed.items() if one not in worthless for other in refs)
    del hits[ref]
    enough = min(LEAST_SHARED, len(sketch))
    near = [other for other, shared in hits.most_common(COMPARED) if shared >= enough]
    known = sketches_of(tx, near) if near else {}
    shares = ((other, similarity(sketch, theirs, worthless=worthless)) for other, theirs in known.items())
    found = [SketchMatch(other, round(share, 4)) for other, share in shares if share > LIKE_FROM]
    return tuple(sorted(found, key=lambda one: (-one.share, one.ref))[:limit])


def move_sketch(tx: Tx, ref: str, key: bytes) -> None:
    """The hashes of one complaint filed under the newest secret (rotation); `key` is the complaint's own."""
    query = select(LIKENESSES).where(LIKENESSES.c.ref == ref)
    row = tx.connection.execute(query).first()
    if row is None:
        return
    sketch = _opened(key, ref, row.sealed)
    take_out_hashes(tx, ref, sketch, at=row.at)
    file_hashes(tx, [hashes_of(tx.keys, ref, sketch, at=row.at)])


def check_sketch(tx: Tx, ref: str, wrapped: bytes | None) -> str | None:
    """What is wrong with the hashes of a complaint, None where all of its sketch are filed (`db verify`)."""
    query = select(LIKENESSES.c.sealed, LIKENESSES.c.at).where(LIKENESSES.c.ref == ref)
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    if wrapped is None:
        return LEFT_BEHIND
    sketch = _opened(case_key(tx, ref, wrapped), ref, row.sealed)
    return None if are_filed(tx, ref, sketch, at=row.at) else NOT_ITS_OWN


def stray_hashes(tx: Tx) -> tuple[str, str] | None:
    """A complaint with other hashes than its sketch has, and what is wrong (`db verify`); the whole table is read.

    One that has as many rows as its sketch, each of which is filed (`check_sketch`), has no others.
    """
    filed = select(SKETCHES.c.ref, func.count().label("count")).group_by(SKETCHES.c.ref).subquery()
    own = (func.length(LIKENESSES.c.sealed) - OVERHEAD) // _HASH
    query = (
        select(filed.c.ref, LIKENESSES.c.sealed)
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == filed.c.ref)
        .where(or_(LIKENESSES.c.sealed.is_(None), filed.c.count != own))
        .limit(1)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    return row.ref, LEFT_BEHIND if row.sealed is None else NOT_ITS_OWN


def _place(ref: str) -> str:
    return place("likenesses", ref, "sketch")
