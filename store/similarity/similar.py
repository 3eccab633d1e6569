"""Like complaints as staff may know of them, and what moves when one is added (7.5, 8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, false, func, select

from complaints.actors import Actor
from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.similarity import CLUSTER_FROM, WITHIN, SimilarCase, SimilarCluster, confirmed
from complaints.vocabulary import CloseCode, Flag, State
from store.cases.load import load_case_file
from store.cases.worklists import known_to
from store.database.transaction import Tx
from store.outbox import rows
from store.similarity.sketches import SketchMatch, find_matches, sketch_of, write_sketch
from store.tables import ASSESSMENTS, COMPLAINTS, LIKENESSES, LINKS

#: More are not counted: that there are fifty says all.
LIKES = 50
#: Of the cards that a new one might change so many are drawn anew, and each at most once in so many seconds.
_REDRAWN, _TOGETHER = 5, 30
_ONE = COMPLAINTS.c


def sketch_case(tx: Tx, ref: str, sketch: Sequence[bytes]) -> None:
    """File a complaint under its sketch, in place of any before; the cards of like ones are drawn anew."""
    likes = find_similar_cases(tx, sketch, ref=ref)
    write_sketch(tx, ref, sketch, cluster=likes[0].cluster if likes else ref)
    if likes and _restriction(tx, ref) is None:
        _owe_redrawing(tx, [one.ref for one in likes if one.is_open][:_REDRAWN])


def find_similar_cases(
    tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int = LIKES
) -> tuple[SimilarCase, ...]:
    """Every complaint like this sketch, the most like first; what a person may know of them is `likes_of`."""
    return _read(tx, find_matches(tx, sketch, ref=ref, limit=limit), ref, ())


def is_similar_confirmed(tx: Tx, ref: str, sketch: Sequence[bytes]) -> int:
    """How many like complaints of the last 90 days persons found to be of one kind (docs/domain.md, section 4,
    recurrence).

    It counts itself with others. Those of the incident that it belongs to count too, however they are told.
    """
    received_at = tx.connection.execute(select(_ONE.received_at).where(_ONE.ref == ref)).scalar_one()
    likes = {one.ref: one for one in find_similar_cases(tx, sketch, ref=ref)}
    incident = select(_ONE.incident_id).where(_ONE.ref == ref).scalar_subquery()
    query = select(_ONE.ref).where(_ONE.incident_id == incident, _ONE.ref != ref).limit(LIKES)
    tied = [SketchMatch(one, 1.0) for one in tx.connection.execute(query).scalars() if one not in likes]
    return confirmed([*likes.values(), *_read(tx, tied, ref, ())], received_at=received_at, now=tx.now)


def list_similar_cases(tx: Tx, ref: str, by: Actor | None = None) -> tuple[SimilarCase, ...]:
    """The complaints like this one that this person may know of; without a person those open to every handler.

    The latter is what a post in a channel may name (4.7).
    """
    sketch = sketch_of(tx, ref)
    cleared = [_ONE.restriction.is_(None)] if by is None else known_to(by)
    return _read(tx, find_matches(tx, sketch, ref=ref, limit=LIKES), ref, cleared)


def list_all_similar_cases(tx: Tx, ref: str) -> tuple[SimilarCase, ...]:
    """All complaints like this one, for whoever runs the desk; UnknownReference where there is none."""
    load_case_file(tx, ref)
    return find_similar_cases(tx, sketch_of(tx, ref), ref=ref)


def list_similar_clusters(tx: Tx, by: Actor, *, limit: int = 5) -> tuple[SimilarCluster, ...]:
    """Three and more like complaints in 90 days that no incident covers, the largest first (8.2).

    Counted are those that this person may know of; one that was merged counts with the other.
    """
    known = [LIKENESSES.c.at >= tx.now - WITHIN, _not_merged(), ~_ONE.is_simulation, *known_to(by)]
    size = func.count()
    is_open = func.sum(case((_ONE.state == State.CLOSED.value, 0), else_=1))
    # From the index alone: most complaints are like no other, and need not be looked at any closer.
    large = (
        select(LIKENESSES.c.cluster)
        .where(LIKENESSES.c.at >= tx.now - WITHIN)
        .group_by(LIKENESSES.c.cluster)
        .having(size >= CLUSTER_FROM)
    )
    counted = (
        select(LIKENESSES.c.cluster, size.label("size"))
        .join(COMPLAINTS, _ONE.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.cluster.in_(large), *known)
        .group_by(LIKENESSES.c.cluster)
        .having(size >= CLUSTER_FROM, size > func.count(_ONE.incident_id), is_open > 0)
        .order_by(size.desc(), LIKENESSES.c.cluster)
        .limit(limit)
    )
    found = []
    for row in tx.connection.execute(counted).all():
        query = (
            select(LIKENESSES.c.ref)
            .join(COMPLAINTS, _ONE.ref == LIKENESSES.c.ref)
            .where(LIKENESSES.c.cluster == row.cluster, *known)
            .order_by(LIKENESSES.c.at.desc(), LIKENESSES.c.ref)
            .limit(LIKES)
        )
        found.append(SimilarCluster(row.size, tuple(tx.connection.execute(query).scalars())))
    return tuple(found)


def schedule_similar_redraw(tx: Tx, before: Case | None, after: Case) -> None:
    """A complaint that other cards name was restricted, made nameless, joined, closed or erased: they are redrawn.

    What may no longer be named goes at once. For the rest one duty is owed that looks for them (`redraw_likes`):
    who closes a complaint does not wait for what may be a long look into the archive.
    """
    if before is None or _named_as(before) == _named_as(after):
        return
    if _kept_back(before) != _kept_back(after):
        _owe_redrawing(tx, _open_likes(tx, after.ref), why=f"{after.ref}:{after.version}")
    elif before.erased_at != after.erased_at:
        # Its sketch goes with this very event: nothing could look for them later.
        redraw_similar_cases(tx, after.ref)
    else:
        key, facts = f"redraw:likes:{after.ref}:{after.version}", {"ref": after.ref, "likes": True}
        rows.insert_obligation(tx, NewObligation(key, "redraw", tx.now, SendPriority.BULK, facts))


def redraw_similar_cases(tx: Tx, ref: str) -> None:
    """The cards that name this one are drawn anew soon, a few of them."""
    _owe_redrawing(tx, _open_likes(tx, ref)[:_REDRAWN])


def _open_likes(tx: Tx, ref: str) -> list[str]:
    """The open ones: their cards name this complaint."""
    return [one.ref for one in find_similar_cases(tx, sketch_of(tx, ref), ref=ref) if one.is_open]


def _named_as(one: Case) -> tuple[Any, ...]:
    return _kept_back(one), one.incident, one.is_open, one.erased_at


def _kept_back(one: Case) -> tuple[bool, bool]:
    return one.restricted, Flag.ANONYMOUS in one.flags


def _owe_redrawing(tx: Tx, refs: Sequence[str], *, why: str | None = None) -> None:
    """Owe a drawing of each; without a reason of its own all of some seconds are one."""
    bucket = int(tx.now.timestamp()) // _TOGETHER + 1
    due = tx.now if why is not None else datetime.fromtimestamp(bucket * _TOGETHER, UTC)
    for ref in refs:
        owed = NewObligation(
            f"redraw:like:{ref}:{why or bucket}", "redraw", due, SendPriority.NOTICE, {"ref": ref}
        )
        rows.insert_obligation(tx, owed)


def _restriction(tx: Tx, ref: str) -> str | None:
    found: str | None = tx.connection.execute(select(_ONE.restriction).where(_ONE.ref == ref)).scalar_one()
    return found


def _not_merged() -> ColumnElement[bool]:
    return _ONE.close_code.is_distinct_from(CloseCode.MERGED.value)


def _read(
    tx: Tx, found: Sequence[SketchMatch], ref: str, cleared: Iterable[ColumnElement[bool]]
) -> tuple[SimilarCase, ...]:
    """What the record says of each, but of those of a simulated contact beside real ones."""
    if not found:
        return ()
    shares = {one.ref: one.share for one in found}
    ours = func.coalesce(select(_ONE.is_simulation).where(_ONE.ref == ref).scalar_subquery(), false())
    took_in = exists().where(LINKS.c.ref == _ONE.ref, LINKS.c.relation == "merged")
    assessed = exists().where(ASSESSMENTS.c.ref == _ONE.ref)
    query = (
        select(
            _ONE.ref, _ONE.complainant_id, _ONE.received_at, _ONE.state, _ONE.closed_at, _ONE.close_code,
            _ONE.incident_id, _ONE.category, _ONE.flags, LIKENESSES.c.cluster,
            took_in.label("took_in"), assessed.label("assessed"),
        )
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == _ONE.ref)
        .where(_ONE.ref.in_(list(shares)), _ONE.erased_at.is_(None), _ONE.is_simulation == ours, *cleared)
    )  # fmt: skip
    likes = [
        SimilarCase(
            ref=row.ref,
            share=shares[row.ref],
            complainant=row.complainant_id,
            received_at=row.received_at,
            is_open=row.state != State.CLOSED.value,
            closed_at=row.closed_at,
            merged=row.close_code == CloseCode.MERGED.value,
            took_in=bool(row.took_in),
            nameless=Flag.ANONYMOUS.value in row.flags,
            incident=row.incident_id,
            confirmed=row.category if row.assessed else None,
            cluster=row.cluster or row.ref,
        )
        for row in tx.connection.execute(query)
    ]
    return tuple(sorted(likes, key=lambda one: (-one.share, -one.received_at.timestamp(), one.ref)))
