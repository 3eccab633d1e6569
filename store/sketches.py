"""Sketches of stories: keyed hashes by which like complaints are found, deleted with their complaint.

The sketch stands sealed with the complaint's own key; its hashes are filed by HMAC under the index key, as the
numbers of people are (`store.hashes`), so that a stolen file tells nobody which words it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select

from complaints.likeness import LEAST_SHARED, LIKE_FROM, likeness
from store.casefiles import case_key
from store.errors import Erased, SealBroken
from store.hashes import are_filed, file_hashes, filed_under, hashes_of, take_out_hashes
from store.sealing import OVERHEAD, place, seal_bytes, unseal_bytes
from store.tables import COMPLAINTS, LIKENESSES, SKETCHES
from store.transactions import Tx

#: A hash in so many complaints or more is of a template: it is worth nothing, and no more of them are read.
POSTINGS = 64
#: So many candidates are compared in full, those with the most hashes in common.
COMPARED = 64
#: What `db verify` says.
LEFT_BEHIND = "its words were erased and its hashes were not"
NOT_ITS_OWN = "its hashes are not those of its sketch"
_HASH = 8


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


def found_like(tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int) -> tuple[Found, ...]:
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
    shares = ((other, likeness(sketch, theirs, worthless=worthless)) for other, theirs in known.items())
    found = [Found(other, round(share, 4)) for other, share in shares if share > LIKE_FROM]
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
