"""Sketches: the hashes of a complaint's words by which similar cases are found, deleted with the complaint.

The sketch is sealed with the complaint's key. Its hashes are also stored one by one as HMACs under the index key,
so that a stolen database does not reveal words. That table is one tree ordered by hash, for fast searches.
"""

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

from complaints.similarity import LEAST_SHARED, SIMILAR_FROM, similarity
from store.database.damage import note_damage
from store.database.errors import Erased, SealBroken
from store.database.keyring import OVERHEAD, Keyring, place, seal_bytes, unseal_bytes
from store.database.transaction import Tx
from store.record.load import case_key
from store.tables import COMPLAINTS, LIKENESSES, SKETCHES
from store.tables.columns import UtcDateTime

#: A hash that this many complaints have comes from a template: it does not count, and no more rows are read.
POSTINGS = 64
#: At most this many candidates are compared in full, those with the most hashes in common.
COMPARED = 64
#: Findings of `db verify`.
LEFT_BEHIND = "its words were erased and its hashes were not"
NOT_ITS_OWN = "its hashes are not those of its sketch"
_HASH = 8

#: Bytes of a stored HMAC.
_INDEX = 16
#: Plain SQL, because building SQLAlchemy's statement takes longer than running it.
_INSERT = "INSERT INTO sketches (band_index, at, ref) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class SketchMatch:
    """A complaint with a similar sketch; `share` is the part of the shorter sketch that the longer one has."""

    ref: str
    share: float


@dataclass(frozen=True)
class Hashes:
    """The HMACs of a complaint's sketch, at least one; `at` is when the complaint was received."""

    ref: str
    at: datetime
    hashes: Sequence[bytes]


def write_sketch(tx: Tx, ref: str, sketch: Sequence[bytes], *, cluster: str) -> None:
    """Store the complaint's sketch and its hashes, replacing any before; an empty sketch stores nothing."""
    drop_sketch(tx, ref)
    if not sketch:
        return
    row = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped, COMPLAINTS.c.received_at).where(COMPLAINTS.c.ref == ref)
    ).one()
    key = case_key(tx, ref, row.key_wrapped)
    tx.add(LIKENESSES, **likeness_row(ref, sketch, key=key, at=row.received_at, cluster=cluster))
    store_hashes(tx, [hashes_of(tx.keys, ref, sketch, at=row.received_at)])


def drop_sketch(tx: Tx, ref: str) -> None:
    """Delete the complaint's sketch and hashes. Needs the complaint's key: it opens the sketch with the hashes."""
    query = (
        select(LIKENESSES.c.sealed, LIKENESSES.c.at, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref == ref)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return
    try:
        sketch = _unseal(case_key(tx, ref, row.key_wrapped), ref, row.sealed)
    except (SealBroken, Erased):
        sketch = ()
    delete_hashes(tx, ref, sketch, at=row.at)
    tx.connection.execute(delete(LIKENESSES).where(LIKENESSES.c.ref == ref))


def load_sketch(tx: Tx, ref: str) -> tuple[bytes, ...]:
    """The sketch of a complaint; empty if it has none or was erased."""
    return load_sketches(tx, [ref]).get(ref, ())


def load_sketches(tx: Tx, refs: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
    """The sketches of these complaints, by reference."""
    query = (
        select(LIKENESSES.c.ref, LIKENESSES.c.sealed, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref.in_(refs), COMPLAINTS.c.key_wrapped.is_not(None))
    )
    sketches = {}
    for row in tx.connection.execute(query):
        try:
            sketches[row.ref] = _unseal(case_key(tx, row.ref, row.key_wrapped), row.ref, row.sealed)
        except SealBroken:
            # `verify` names it; the other complaints are compared all the same.
            note_damage(_place(row.ref))
    return sketches


def find_matches(tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int) -> tuple[SketchMatch, ...]:
    """The complaints with a similar sketch, the most similar first; `ref` itself is left out.

    The cost is bounded for any archive: `POSTINGS` rows for each hash, the newest, and `COMPARED` sketches.
    """
    if not sketch:
        return ()
    refs_by_hash = find_refs_by_hash(tx, sketch, most=POSTINGS)
    worthless = {hash_ for hash_, refs in refs_by_hash.items() if len(refs) >= POSTINGS}
    if len(sketch) - len(worthless) < LEAST_SHARED:
        # The complaint is nothing but a template: its copies are the similar cases.
        worthless = set()
    hits = Counter(other for hash_, refs in refs_by_hash.items() if hash_ not in worthless for other in refs)
    del hits[ref]
    enough, valued = min(LEAST_SHARED, len(sketch)), len(set(sketch) - worthless)
    candidates = [(other, shared) for other, shared in hits.most_common(COMPARED) if shared >= enough]
    # Those that have every hash contain the whole text: in an outage they are many, and their sketches stay sealed.
    whole = [other for other, shared in candidates if shared == valued and shared >= LEAST_SHARED]
    partial = [other for other, shared in candidates if shared < valued or shared < LEAST_SHARED]
    # If they fill the list, the others are not read.
    sketches = load_sketches(tx, partial) if partial and len(whole) < limit else {}
    shares = (
        (other, similarity(sketch, other_sketch, worthless=worthless))
        for other, other_sketch in sketches.items()
    )
    matches = [SketchMatch(other, round(share, 4)) for other, share in shares if share > SIMILAR_FROM]
    matches += [SketchMatch(other, 1.0) for other in whole]
    return tuple(sorted(matches, key=lambda match: (-match.share, match.ref))[:limit])


def rotate_sketch(tx: Tx, ref: str, key: bytes) -> None:
    """Store the hashes of one complaint under the newest secret (key rotation); `key` is the complaint's own."""
    query = select(LIKENESSES).where(LIKENESSES.c.ref == ref)
    row = tx.connection.execute(query).first()
    if row is None:
        return
    sketch = _unseal(key, ref, row.sealed)
    delete_hashes(tx, ref, sketch, at=row.at)
    store_hashes(tx, [hashes_of(tx.keys, ref, sketch, at=row.at)])


def check_sketch(tx: Tx, ref: str, wrapped: bytes | None) -> str | None:
    """What is wrong with the hashes of a complaint (`db verify`); None if all of its sketch are stored."""
    query = select(LIKENESSES.c.sealed, LIKENESSES.c.at).where(LIKENESSES.c.ref == ref)
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    if wrapped is None:
        return LEFT_BEHIND
    sketch = _unseal(case_key(tx, ref, wrapped), ref, row.sealed)
    return None if are_hashes_stored(tx, ref, sketch, at=row.at) else NOT_ITS_OWN


def list_stray_hashes(tx: Tx) -> list[tuple[str, str]]:
    """Complaints that have other hashes than their sketch, and what is wrong (`db verify`); reads the whole table.

    It compares numbers of rows: `check_sketch` has verified that every hash of the sketch is stored.
    """
    filed = select(SKETCHES.c.ref, func.count().label("count")).group_by(SKETCHES.c.ref).subquery()
    own = (func.length(LIKENESSES.c.sealed) - OVERHEAD) // _HASH
    query = (
        select(filed.c.ref, LIKENESSES.c.sealed)
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == filed.c.ref)
        .where(or_(LIKENESSES.c.sealed.is_(None), filed.c.count != own))
    )
    rows = tx.connection.execute(query).all()
    return [(row.ref, LEFT_BEHIND if row.sealed is None else NOT_ITS_OWN) for row in rows]


def likeness_row(
    ref: str, sketch: Sequence[bytes], *, key: bytes, at: datetime, cluster: str
) -> dict[str, Any]:
    """The row of a sketch, sealed with the complaint's own key; `at` is when the complaint was received."""
    return {
        "ref": ref,
        "sealed": seal_bytes(key, b"".join(sketch), _place(ref)),
        "cluster": cluster,
        "at": at,
    }


def hashes_of(keys: Keyring, ref: str, sketch: Sequence[bytes], *, at: datetime) -> Hashes:
    """The HMACs of a sketch under the newest secret."""
    return Hashes(ref, at, [keys.index(*_index_name(hash_))[:_INDEX] for hash_ in sketch])


def store_hashes(tx: Tx, several: Sequence[Hashes]) -> None:
    """Store the hashes of several complaints."""
    if tx.is_sqlite:
        tx.connection.exec_driver_sql(_INSERT, _in_order(several, tx.connection.dialect))
        return
    rows = [
        {"hashes": b"".join(entry.hashes), "count": len(entry.hashes), "at": entry.at, "ref": entry.ref}
        for entry in several
    ]
    tx.connection.execute(_insert_postgresql(), rows)


def delete_hashes(tx: Tx, ref: str, sketch: Sequence[bytes], *, at: datetime) -> None:
    """Delete all hashes of a complaint, also those that are not in its sketch."""
    deleted = tx.connection.execute(delete(SKETCHES).where(_rows_of(ref, _every_index(tx, sketch), at)))
    if not sketch or deleted.rowcount != len(sketch):
        # A secret was lost or the tables were edited: search the whole table, so that nothing is left behind.
        tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.ref == ref))


def are_hashes_stored(tx: Tx, ref: str, sketch: Sequence[bytes], *, at: datetime) -> bool:
    """Whether every hash of this sketch is stored for its complaint."""
    hash_by_index = _every_index(tx, sketch)
    query = select(SKETCHES.c.band_index).where(_rows_of(ref, hash_by_index, at))
    stored = {hash_by_index[bytes(index)] for index in tx.connection.execute(query).scalars()}
    return stored == set(sketch)


def find_refs_by_hash(tx: Tx, sketch: Sequence[bytes], *, most: int) -> Mapping[bytes, set[str]]:
    """By hash the complaints that have it, at most this many, the newest."""
    hash_by_index = _every_index(tx, sketch)
    parameters = {f"hash_{n}": index for n, index in enumerate(hash_by_index)}
    refs_by_hash: dict[bytes, set[str]] = {hash_: set() for hash_ in sketch}
    # Fetched at once: of texts that many wrote these are 1,500 rows.
    for index, ref in tx.connection.execute(_postings(len(parameters), most), parameters).all():
        refs_by_hash[hash_by_index[bytes(index)]].add(ref)
    return refs_by_hash


def _in_order(several: Sequence[Hashes], dialect: Dialect) -> list[tuple[bytes, Any, str]]:
    """The rows in the order of the tree, so that each of its pages is written once."""
    to_sql: Any = SKETCHES.c.at.type.dialect_impl(dialect).bind_processor(dialect)
    return sorted(
        (hash_, at, entry.ref) for entry in several for at in [to_sql(entry.at)] for hash_ in entry.hashes
    )


@lru_cache(maxsize=1)
def _insert_postgresql() -> Insert:
    """One parameter holds all hashes of a complaint; PostgreSQL splits it. Sending rows costs more than writing."""
    n = select(literal(0, Integer).label("n")).cte("numbers", recursive=True)
    n = n.union_all(select(n.c.n + 1).where(n.c.n + 1 < bindparam("count", type_=Integer)))
    hash_ = func.substr(bindparam("hashes", type_=LargeBinary), n.c.n * _INDEX + 1, _INDEX)
    at, ref = bindparam("at", type_=UtcDateTime), bindparam("ref", type_=String)
    return SKETCHES.insert().from_select(["band_index", "at", "ref"], select(hash_, at, ref).select_from(n))


@lru_cache(maxsize=64)
def _postings(count: int, most: int) -> CompoundSelect[Any]:
    """One statement that reads a bounded range of the tree for each of `count` hashes."""
    columns = SKETCHES.c
    ranges = [
        select(columns.band_index, columns.ref)
        .where(columns.band_index == bindparam(f"hash_{n}"))
        .order_by(columns.at.desc(), columns.ref.desc())
        .limit(most)
        .subquery()
        for n in range(count)
    ]
    return union_all(*(select(part.c.band_index, part.c.ref) for part in ranges))


def _rows_of(ref: str, indexes: Iterable[bytes], at: datetime) -> ColumnElement[bool]:
    """Matches whole primary keys, because the tree has no order by complaint."""
    return and_(SKETCHES.c.band_index.in_(list(indexes)), SKETCHES.c.at == at, SKETCHES.c.ref == ref)


def _every_index(tx: Tx, sketch: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """The hashes by their HMAC under each secret: during a key rotation an older one may be stored."""
    return {index[:_INDEX]: hash_ for hash_ in sketch for index in tx.keys.indexes(*_index_name(hash_))}


def _index_name(hash_: bytes) -> tuple[str, str]:
    return "sketch", hash_.hex()


def _unseal(key: bytes, ref: str, sealed: bytes) -> tuple[bytes, ...]:
    data = unseal_bytes(key, sealed, _place(ref))
    return tuple(data[start : start + _HASH] for start in range(0, len(data), _HASH))


def _place(ref: str) -> str:
    return place("likenesses", ref, "sketch")
