"""Sketches of stories: keyed hashes by which like complaints are found, deleted with their complaint.

The sketch stands sealed with the complaint's own key; its hashes are filed by HMAC under the index key, as the
numbers of people are, so that a stolen file tells nobody which words it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, bindparam, delete, select, union_all

from complaints.likeness import LEAST_SHARED, LIKE_FROM, likeness
from store.casefiles import case_key
from store.keyring import Keyring
from store.sealing import place, seal_bytes, unseal_bytes
from store.tables import COMPLAINTS, LIKENESSES, SKETCHES
from store.transactions import Tx

#: A hash in so many complaints or more is of a template: it is worth nothing, and no more of them are read.
POSTINGS = 64
#: So many candidates are compared in full, those with the most hashes in common.
COMPARED = 64
_HASH = 8
_INDEX = 16


@dataclass(frozen=True)
class Found:
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
    tx.connection.execute(SKETCHES.insert(), sketch_rows(tx.keys, ref, sketch, at=row.received_at))


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


def sketch_rows(keys: Keyring, ref: str, sketch: Sequence[bytes], *, at: datetime) -> list[dict[str, Any]]:
    """Its hashes as they are filed, under the newest secret."""
    return [
        {"ref": ref, "n": n, "band_index": keys.index(*_named(one))[:_INDEX], "at": at}
        for n, one in enumerate(sketch)
    ]


def drop_sketch(tx: Tx, ref: str) -> None:
    """File it nowhere."""
    for table in (SKETCHES, LIKENESSES):
        tx.connection.execute(delete(table).where(table.c.ref == ref))


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


def found_like(tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int) -> tuple[Found, ...]:
    """The complaints that are like this sketch, the most like first; `ref` itself is left out.

    Bounded whatever the archive holds: `POSTINGS` rows of each hash, the newest first, and `COMPARED` sketches.
    """
    if not sketch:
        return ()
    filed = _filed(tx, sketch)
    worthless = {one for one, refs in filed.items() if len(refs) >= POSTINGS}
    if len(sketch) - len(worthless) < LEAST_SHARED:
        # Nothing but a template: then its copies are what there is to be found.
        worthless = set()
    hits = Counter(other for one, refs in filed.items() if one not in worthless for other in refs)
    del hits[ref]
    enough = min(LEAST_SHARED, len(sketch))
    near = [other for other, shared in hits.most_common(COMPARED) if shared >= enough]
    known = sketches_of(tx, near) if near else {}
    shares = ((other, likeness(sketch, theirs, worthless=worthless)) for other, theirs in known.items())
    found = [Found(other, round(share, 4)) for other, share in shares if share > LIKE_FROM]
    return tuple(sorted(found, key=lambda one: (-one.share, one.ref))[:limit])


def _filed(tx: Tx, sketch: Sequence[bytes]) -> Mapping[bytes, set[str]]:
    """Under which hash which complaints are filed, at most `POSTINGS` of each, the newest."""
    # While keys rotate a hash may stand under an older one.
    whose = {index[:_INDEX]: one for one in sketch for index in tx.keys.indexes(*_named(one))}
    asked = {f"hash_{n}": index for n, index in enumerate(whose)}
    filed: dict[bytes, set[str]] = {one: set() for one in sketch}
    for row in tx.connection.execute(_postings(len(asked)), asked):
        filed[whose[bytes(row.band_index)]].add(row.ref)
    return filed


@lru_cache(maxsize=64)
def _postings(count: int) -> CompoundSelect[Any]:
    """One bounded range of the index for each hash, in one statement; built once for each number of them."""
    one = SKETCHES.c
    ranges = [
        select(one.band_index, one.ref)
        .where(one.band_index == bindparam(f"hash_{n}"))
        .order_by(one.at.desc(), one.ref.desc())
        .limit(POSTINGS)
        .subquery()
        for n in range(count)
    ]
    return union_all(*(select(each.c.band_index, each.c.ref) for each in ranges))


def move_sketch(tx: Tx, ref: str, key: bytes) -> None:
    """The hashes of one complaint filed under the newest secret (rotation); `key` is the complaint's own."""
    query = select(LIKENESSES).where(LIKENESSES.c.ref == ref)
    row = tx.connection.execute(query).first()
    if row is None:
        return
    tx.connection.execute(delete(SKETCHES).where(SKETCHES.c.ref == ref))
    rows = sketch_rows(tx.keys, ref, _opened(key, ref, row.sealed), at=row.at)
    tx.connection.execute(SKETCHES.insert(), rows)


def check_sketch(tx: Tx, ref: str, wrapped: bytes | None) -> str | None:
    """What is wrong with the hashes of a complaint, None where they are its sketch's (`db verify`)."""
    query = select(SKETCHES.c.band_index).where(SKETCHES.c.ref == ref)
    filed = [bytes(one) for one in tx.connection.execute(query).scalars()]
    if wrapped is None:
        return "its words were erased and its hashes were not" if filed else None
    sketch = sketch_of(tx, ref)
    every = [{index[:_INDEX] for index in tx.keys.indexes(*_named(one))} for one in sketch]
    if len(every) != len(filed) or not all(one & set(filed) for one in every):
        return "its hashes are not those of its sketch"
    return None


def _named(one: bytes) -> tuple[str, str]:
    """The kind and value under which a hash is looked up."""
    return "sketch", one.hex()


def _place(ref: str) -> str:
    return place("likenesses", ref, "sketch")
