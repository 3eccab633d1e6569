"""Sketches: the hashes of a complaint's words by which similar cases are found, deleted with the complaint.

The sketch is sealed with the complaint's key. Its hashes are also stored one by one as HMACs under the index key,
so that a stolen database does not reveal words. That table is one tree ordered by hash, for fast searches. The hashes
of single words, by which staff search, are kept the same way in a tree of their own.
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
    Table,
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
from store.database.errors import Erased, SealBroken, note_damage
from store.database.keyring import OVERHEAD, Keyring, place, seal_bytes, unseal_bytes
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.record.load import case_key
from store.record.projections import may_be_used
from store.tables import COMPLAINTS, LIKENESSES, SKETCHES, WORD_HASHES
from store.tables.column_types import UtcDateTime

#: A hash that this many complaints have comes from a template: it does not count, and no more rows are read.
POSTINGS = 64
#: At most this many candidates are compared in full, those with the most hashes in common.
COMPARED = 64
#: Findings of `db verify`.
LEFT_BEHIND = "its words were erased and its hashes were not"
NOT_ITS_OWN = "its hashes are not those of its sketch"
_HASH = 8

#: Complaints that one step of the daily search for missing words reads.
_SWEPT = 2000
#: Bytes of a stored HMAC.
_INDEX = 16
#: Plain SQL, because building SQLAlchemy's statement takes longer than running it.
_INSERT = "INSERT INTO {} (band_index, at, ref) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class HashTree:
    """A table of HMACs, and the column of `likenesses` that has the hashes of a complaint, sealed.

    `purpose` goes into each HMAC, so that no hash of one tree is found in the other.
    """

    table: Table
    column: str
    purpose: str


SKETCH_TREE = HashTree(SKETCHES, "sealed", "sketch")
WORD_TREE = HashTree(WORD_HASHES, "words", "word")
TREES = (SKETCH_TREE, WORD_TREE)
_SKETCH = Prepared(select(LIKENESSES).where(LIKENESSES.c.ref == bindparam("ref")))


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


def write_sketch(
    tx: Tx, ref: str, sketch: Sequence[bytes], *, cluster: str, words: Sequence[bytes] | None = None
) -> None:
    """Store the complaint's sketch, its words and their hashes, replacing any before.

    Without a sketch and words nothing is stored. With `words` None they are stored later (`write_words`).
    """
    drop_sketch(tx, ref)
    if not sketch and words is None:
        return
    row = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped, COMPLAINTS.c.received_at).where(COMPLAINTS.c.ref == ref)
    ).one()
    key = case_key(tx, ref, row.key_wrapped)
    values = likeness_row(ref, sketch, key=key, at=row.received_at, cluster=cluster)
    if words is not None:
        values["words"] = seal_bytes(key, b"".join(words), _place(ref, WORD_TREE))
    tx.add(LIKENESSES, **values)
    for tree, hashes in ((SKETCH_TREE, sketch), (WORD_TREE, words or ())):
        store_hashes(tx, [hashes_of(tx.keys, ref, hashes, at=row.received_at, tree=tree)], tree)


def write_words(tx: Tx, ref: str, words: Sequence[bytes]) -> None:
    """Store the words of a complaint in addition to its sketch, replacing any before; nothing if it was erased."""
    query = (
        select(COMPLAINTS.c.key_wrapped, LIKENESSES.c.cluster)
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == COMPLAINTS.c.ref)
        .where(COMPLAINTS.c.ref == ref, COMPLAINTS.c.key_wrapped.is_not(None))
    )
    row = tx.connection.execute(query).first()
    if row is not None:
        write_sketch(tx, ref, load_sketch(tx, ref), cluster=row.cluster or ref, words=words)


def list_without_words(tx: Tx, after: str) -> tuple[str, list[tuple[str, str]]]:
    """Of the next complaints after this reference: the last one ("" at the end), and those whose words are missing.

    Those come with their language. A complaint whose processing is restricted has to wait.
    """
    missing = LIKENESSES.c.words.is_(None) & COMPLAINTS.c.key_wrapped.is_not(None) & may_be_used()
    query = (
        select(COMPLAINTS.c.ref, COMPLAINTS.c.language, missing.label("missing"))
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == COMPLAINTS.c.ref)
        .where(COMPLAINTS.c.ref > after)
        .order_by(COMPLAINTS.c.ref)
    )
    rows = tx.connection.execute(query.limit(_SWEPT)).all()
    return rows[-1].ref if rows else "", [(row.ref, row.language) for row in rows if row.missing]


def drop_sketch(tx: Tx, ref: str) -> None:
    """Delete the complaint's sketch, words and hashes. Needs the complaint's key: it opens those that are sealed."""
    query = (
        select(LIKENESSES, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref == ref)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return
    for tree in TREES:
        try:
            hashes = _sealed_hashes(case_key(tx, ref, row.key_wrapped), row, tree)
        except (SealBroken, Erased):
            hashes = None
        delete_hashes(tx, ref, hashes, at=row.at, tree=tree)
    tx.delete(LIKENESSES, LIKENESSES.c.ref == ref)


def load_sketch(tx: Tx, ref: str) -> tuple[bytes, ...]:
    """The sketch of a complaint; empty if it has none or was erased."""
    return load_sketches(tx, [ref]).get(ref, ())


def load_sketches(tx: Tx, refs: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
    """The sketches of these complaints, by reference."""
    query = (
        select(LIKENESSES, COMPLAINTS.c.key_wrapped)
        .join(COMPLAINTS, COMPLAINTS.c.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.ref.in_(refs), COMPLAINTS.c.key_wrapped.is_not(None))
    )
    sketches = {}
    for row in tx.connection.execute(query):
        try:
            sketches[row.ref] = _sealed_hashes(case_key(tx, row.ref, row.key_wrapped), row, SKETCH_TREE)
        except SealBroken:
            # `verify` names it; the other complaints are compared all the same.
            note_damage(_place(row.ref, SKETCH_TREE))
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
    row = _SKETCH.first(tx.connection, ref=ref)
    if row is None:
        return
    for tree in TREES:
        hashes = _sealed_hashes(key, row, tree)
        delete_hashes(tx, ref, hashes, at=row.at, tree=tree)
        store_hashes(tx, [hashes_of(tx.keys, ref, hashes, at=row.at, tree=tree)], tree)


def check_sketch(tx: Tx, ref: str, wrapped: bytes | None) -> str | None:
    """What is wrong with the hashes of a complaint (`db verify`); None if all of its sketch are stored."""
    row = _SKETCH.first(tx.connection, ref=ref)
    if row is None:
        return None
    if wrapped is None:
        return LEFT_BEHIND
    key = case_key(tx, ref, wrapped)
    complete = [
        are_hashes_stored(tx, ref, _sealed_hashes(key, row, tree), at=row.at, tree=tree) for tree in TREES
    ]
    return None if all(complete) else NOT_ITS_OWN


def list_stray_hashes(tx: Tx) -> list[tuple[str, str, str]]:
    """Complaints that have other hashes than those sealed, the table, and what is wrong (`db verify`).

    It reads the whole tables and compares numbers of rows: `check_sketch` has verified that every hash is stored.
    """
    strays = []
    for tree in TREES:
        stored, sealed = tree.table.c.ref, LIKENESSES.c[tree.column]
        filed = select(stored, func.count().label("count")).group_by(stored).subquery()
        own = (func.length(sealed) - OVERHEAD) // _HASH
        query = (
            select(filed.c.ref, LIKENESSES.c.ref.is_(None).label("left"))
            .outerjoin(LIKENESSES, LIKENESSES.c.ref == filed.c.ref)
            .where(or_(sealed.is_(None), filed.c.count != own))
        )
        strays += [
            (row.ref, tree.table.name, LEFT_BEHIND if row.left else NOT_ITS_OWN)
            for row in tx.connection.execute(query)
        ]
    return strays


def likeness_row(
    ref: str, sketch: Sequence[bytes], *, key: bytes, at: datetime, cluster: str
) -> dict[str, Any]:
    """The row of a sketch, sealed with the complaint's own key; `at` is when the complaint was received."""
    return {
        "ref": ref,
        "sealed": seal_bytes(key, b"".join(sketch), _place(ref, SKETCH_TREE)),
        "cluster": cluster,
        "at": at,
    }


def hashes_of(
    keys: Keyring, ref: str, hashes: Sequence[bytes], *, at: datetime, tree: HashTree = SKETCH_TREE
) -> Hashes:
    """The HMACs of these hashes under the newest secret."""
    return Hashes(ref, at, [keys.index(*_index_name(hash_, tree))[:_INDEX] for hash_ in hashes])


def store_hashes(tx: Tx, several: Sequence[Hashes], tree: HashTree = SKETCH_TREE) -> None:
    """Store the hashes of several complaints."""
    several = [entry for entry in several if entry.hashes]
    if not several:
        return
    if tx.is_sqlite:
        rows = _in_order(several, tx.connection.dialect)
        tx.connection.exec_driver_sql(_INSERT.format(tree.table.name), rows)
        return
    entries = [
        {"hashes": b"".join(entry.hashes), "count": len(entry.hashes), "at": entry.at, "ref": entry.ref}
        for entry in several
    ]
    tx.connection.execute(_insert_postgresql(tree), entries)


def delete_hashes(
    tx: Tx, ref: str, hashes: Sequence[bytes] | None, *, at: datetime, tree: HashTree = SKETCH_TREE
) -> None:
    """Delete all hashes of a complaint, also those that are not among `hashes`; None: those are not known."""
    table = tree.table
    if hashes is not None and not hashes:
        return
    deleted = 0
    if hashes:
        rows = _rows_of(ref, every_index(tx, hashes, tree), at, tree)
        deleted = tx.connection.execute(delete(table).where(rows)).rowcount
    if hashes is None or deleted != len(hashes):
        # A secret was lost or the tables were edited: search the whole table, so that nothing is left behind.
        tx.connection.execute(delete(table).where(table.c.ref == ref))


def are_hashes_stored(
    tx: Tx, ref: str, hashes: Sequence[bytes], *, at: datetime, tree: HashTree = SKETCH_TREE
) -> bool:
    """Whether every one of these hashes is stored for its complaint."""
    hash_by_index = every_index(tx, hashes, tree)
    query = select(tree.table.c.band_index).where(_rows_of(ref, hash_by_index, at, tree))
    stored = {hash_by_index[bytes(index)] for index in tx.connection.execute(query).scalars()}
    return stored == set(hashes)


def find_refs_by_hash(tx: Tx, sketch: Sequence[bytes], *, most: int) -> Mapping[bytes, set[str]]:
    """By hash the complaints that have it, at most this many, the newest."""
    hash_by_index = every_index(tx, sketch, SKETCH_TREE)
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


@lru_cache(maxsize=2)
def _insert_postgresql(tree: HashTree) -> Insert:
    """One parameter holds all hashes of a complaint; PostgreSQL splits it. Sending rows costs more than writing."""
    n = select(literal(0, Integer).label("n")).cte("numbers", recursive=True)
    n = n.union_all(select(n.c.n + 1).where(n.c.n + 1 < bindparam("count", type_=Integer)))
    hash_ = func.substr(bindparam("hashes", type_=LargeBinary), n.c.n * _INDEX + 1, _INDEX)
    at, ref = bindparam("at", type_=UtcDateTime), bindparam("ref", type_=String)
    return tree.table.insert().from_select(["band_index", "at", "ref"], select(hash_, at, ref).select_from(n))


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


def _rows_of(ref: str, indexes: Iterable[bytes], at: datetime, tree: HashTree) -> ColumnElement[bool]:
    """Matches whole primary keys, because the tree has no order by complaint."""
    columns = tree.table.c
    return and_(columns.band_index.in_(list(indexes)), columns.at == at, columns.ref == ref)


def every_index(tx: Tx, hashes: Iterable[bytes], tree: HashTree) -> Mapping[bytes, bytes]:
    """The hashes by their HMAC under each secret: during a key rotation an older one may be stored."""
    return {index[:_INDEX]: hash_ for hash_ in hashes for index in tx.keys.indexes(*_index_name(hash_, tree))}


def _index_name(hash_: bytes, tree: HashTree) -> tuple[str, str]:
    return tree.purpose, hash_.hex()


def _sealed_hashes(key: bytes, row: Any, tree: HashTree) -> tuple[bytes, ...]:
    """The hashes in a row of `likenesses`; none where it has no value."""
    sealed = getattr(row, tree.column)
    data = b"" if sealed is None else unseal_bytes(key, sealed, _place(row.ref, tree))
    return tuple(data[start : start + _HASH] for start in range(0, len(data), _HASH))


def _place(ref: str, tree: HashTree) -> str:
    return place("likenesses", ref, tree.purpose)
