"""Similar complaints that a person may know of, and the redraws that a new or changed one causes (7.5, 8.2)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, false, func, select, true

from complaints.actors import Actor
from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.similarity import CLUSTER_FROM, WITHIN, SimilarCase, SimilarCluster, confirmed_count
from complaints.vocabulary import CloseCode, Flag, State
from store.database.errors import SealBroken
from store.database.keyring import unseal
from store.database.transaction import Tx
from store.outbox import rows
from store.record.load import case_key, load_case_file, text_place
from store.record.projections import may_be_used
from store.record.worklists import visible_to
from store.similarity.sketches import SketchMatch, find_matches, load_sketch, write_sketch
from store.tables import ASSESSMENTS, COMPLAINTS, DECISIONS, LIKENESSES, LINKS, TEXTS

#: At most this many similar cases are listed or counted.
MOST_SIMILAR = 50
#: A new similar case redraws at most this many cards, each at most once within this many seconds.
_MOST_REDRAWS, _BUCKET_SECONDS = 5, 30
_COLUMNS = COMPLAINTS.c
#: The complaint that the others are compared with. Built once: an alias takes 1 ms.
_OWN = COMPLAINTS.alias("own")


def store_sketch(
    tx: Tx,
    ref: str,
    sketch: Sequence[bytes],
    similar: Sequence[SimilarCase] | None = None,
    words: Sequence[bytes] | None = None,
) -> None:
    """Store a complaint's sketch and words, replacing any before; cards of similar cases are redrawn.

    `similar` are the similar cases where they were read before: answers to people wait while this writes.
    """
    similar_cases = find_similar_cases(tx, sketch, ref=ref) if similar is None else similar
    cluster = similar_cases[0].cluster if similar_cases else ref
    write_sketch(tx, ref, sketch, cluster=cluster, words=words)
    restriction = select(_COLUMNS.restriction).where(_COLUMNS.ref == ref)
    if similar_cases and tx.connection.execute(restriction).scalar_one() is None:
        _schedule_redraws(tx, [similar.ref for similar in similar_cases if similar.is_open][:_MOST_REDRAWS])


def find_similar_cases(
    tx: Tx, sketch: Sequence[bytes], *, ref: str, limit: int = MOST_SIMILAR
) -> tuple[SimilarCase, ...]:
    """Every complaint similar to this sketch, the most similar first, whoever may know of it."""
    return _load_matches(tx, find_matches(tx, sketch, ref=ref, limit=limit), ref, ())


def count_confirmed_similar(
    tx: Tx, ref: str, sketch: Sequence[bytes], similar: Sequence[SimilarCase] | None = None
) -> int:
    """How many similar complaints of the last 90 days people confirmed as one kind (docs/domain.md, section 4,
    recurrence).

    It counts the complaint itself with the others. Complaints of the same incident count too, whatever their words.
    `similar` are the similar cases where they were read before.
    """
    received_at = tx.connection.execute(select(_COLUMNS.received_at).where(_COLUMNS.ref == ref)).scalar_one()
    matches = find_similar_cases(tx, sketch, ref=ref) if similar is None else similar
    similar_cases = {other.ref: other for other in matches}
    incident = select(_COLUMNS.incident_id).where(_COLUMNS.ref == ref).scalar_subquery()
    query = (
        select(_COLUMNS.ref).where(_COLUMNS.incident_id == incident, _COLUMNS.ref != ref).limit(MOST_SIMILAR)
    )
    refs = [other for other in tx.connection.execute(query).scalars() if other not in similar_cases]
    of_incident = _load_matches(tx, [SketchMatch(other, 1.0) for other in refs], ref, ())
    return confirmed_count([*similar_cases.values(), *of_incident], received_at=received_at, now=tx.now)


def list_similar_cases(tx: Tx, ref: str, by: Actor | None = None) -> tuple[SimilarCase, ...]:
    """The complaints similar to this one that this person may know of.

    Without a person: those that every handler may know of, which a post in a channel may name (4.7).
    """
    sketch = load_sketch(tx, ref)
    allowed = [_COLUMNS.restriction.is_(None)] if by is None else visible_to(by)
    return _load_matches(tx, find_matches(tx, sketch, ref=ref, limit=MOST_SIMILAR), ref, allowed)


def list_all_similar_cases(tx: Tx, ref: str) -> tuple[SimilarCase, ...]:
    """All complaints similar to this one, for the operator; raises UnknownReference."""
    load_case_file(tx, ref)
    return find_similar_cases(tx, load_sketch(tx, ref), ref=ref)


def list_similar_clusters(tx: Tx, by: Actor, *, limit: int = 5) -> tuple[SimilarCluster, ...]:
    """Clusters of three or more similar complaints in 90 days that no incident covers, the largest first (8.2).

    Only complaints that this person may know of count. A merged complaint does not count in addition.
    """
    not_merged = _COLUMNS.close_code.is_distinct_from(CloseCode.MERGED.value)
    conditions = [LIKENESSES.c.at >= tx.now - WITHIN, not_merged, ~_COLUMNS.is_simulation, *visible_to(by)]
    size = func.count()
    is_open = func.sum(case((_COLUMNS.state == State.CLOSED.value, 0), else_=1))
    # Answered from the index alone: most complaints are similar to no other and are dropped here.
    large = (
        select(LIKENESSES.c.cluster)
        .where(LIKENESSES.c.at >= tx.now - WITHIN)
        .group_by(LIKENESSES.c.cluster)
        .having(size >= CLUSTER_FROM)
    )
    counted = (
        select(LIKENESSES.c.cluster, size.label("size"))
        .join(COMPLAINTS, _COLUMNS.ref == LIKENESSES.c.ref)
        .where(LIKENESSES.c.cluster.in_(large), *conditions)
        .group_by(LIKENESSES.c.cluster)
        .having(size >= CLUSTER_FROM, size > func.count(_COLUMNS.incident_id), is_open > 0)
        .order_by(size.desc(), LIKENESSES.c.cluster)
        .limit(limit)
    )
    clusters = []
    for row in tx.connection.execute(counted).all():
        query = (
            select(LIKENESSES.c.ref)
            .join(COMPLAINTS, _COLUMNS.ref == LIKENESSES.c.ref)
            .where(LIKENESSES.c.cluster == row.cluster, *conditions)
            .order_by(LIKENESSES.c.at.desc(), LIKENESSES.c.ref)
            .limit(MOST_SIMILAR)
        )
        clusters.append(SimilarCluster(row.size, tuple(tx.connection.execute(query).scalars())))
    return tuple(clusters)


def schedule_similar_redraw(tx: Tx, before: Case | None, after: Case) -> None:
    """Redraw the cards that name this complaint, if it was restricted, anonymised, linked, closed or erased.

    A change that forbids naming it redraws all of them at once. For the others one obligation searches for them
    later (`redraw_similar_cases`), so that closing a complaint does not wait for a long search.
    """
    if before is None or _display(before) == _display(after):
        return
    if _secrecy(before) != _secrecy(after):
        _schedule_redraws(tx, _open_similar(tx, after.ref), why=f"{after.ref}:{after.version}")
    elif before.erased_at != after.erased_at:
        # This event also deletes the sketch: a later search would find nothing.
        redraw_similar_cases(tx, after.ref)
    else:
        key, facts = f"redraw:likes:{after.ref}:{after.version}", {"ref": after.ref, "likes": True}
        rows.insert_obligation(tx, NewObligation(key, "redraw", tx.now, SendPriority.BULK, facts))


def redraw_similar_cases(tx: Tx, ref: str) -> None:
    """Schedule a redraw of a few of the cards that name this complaint."""
    _schedule_redraws(tx, _open_similar(tx, ref)[:_MOST_REDRAWS])


def _open_similar(tx: Tx, ref: str) -> list[str]:
    similar_cases = find_similar_cases(tx, load_sketch(tx, ref), ref=ref)
    return [similar.ref for similar in similar_cases if similar.is_open]


def _display(complaint: Case) -> tuple[Any, ...]:
    return _secrecy(complaint), complaint.incident, complaint.is_open, complaint.erased_at


def _secrecy(complaint: Case) -> tuple[bool, bool, bool]:
    flags = complaint.flags
    return complaint.restricted, Flag.ANONYMOUS in flags, Flag.PROCESSING_RESTRICTED in flags


def _schedule_redraws(tx: Tx, refs: Sequence[str], *, why: str | None = None) -> None:
    """Schedule a redraw of each card: at once if `why` is given, otherwise one for some seconds together."""
    bucket = int(tx.now.timestamp()) // _BUCKET_SECONDS + 1
    due = tx.now if why is not None else datetime.fromtimestamp(bucket * _BUCKET_SECONDS, UTC)
    for ref in refs:
        rows.insert_redraw(tx, ref, f"like:{ref}:{why or bucket}", due=due, priority=SendPriority.NOTICE)


def _load_matches(
    tx: Tx, matches: Sequence[SketchMatch], ref: str, allowed: Iterable[ColumnElement[bool]]
) -> tuple[SimilarCase, ...]:
    """Load what is shown of each match; simulated complaints are not similar to real ones."""
    if not matches:
        return ()
    shares = {match.ref: match.share for match in matches}
    took_in = exists().where(LINKS.c.ref == _COLUMNS.ref, LINKS.c.relation == "merged")
    assessed = exists().where(ASSESSMENTS.c.ref == _COLUMNS.ref)
    query = (
        select(
            _COLUMNS.ref,
            _COLUMNS.complainant_id,
            _COLUMNS.received_at,
            _COLUMNS.state,
            _COLUMNS.closed_at,
            _COLUMNS.close_code,
            _COLUMNS.incident_id,
            _COLUMNS.category,
            _COLUMNS.flags,
            LIKENESSES.c.cluster,
            took_in.label("took_in"),
            assessed.label("assessed"),
        )
        .select_from(COMPLAINTS)
        .outerjoin(_OWN, _OWN.c.ref == ref)
        .outerjoin(LIKENESSES, LIKENESSES.c.ref == _COLUMNS.ref)
        .where(
            _COLUMNS.ref.in_(list(shares)),
            _COLUMNS.erased_at.is_(None),
            _COLUMNS.is_simulation == func.coalesce(_OWN.c.is_simulation, false()),
            may_be_used(),
            func.coalesce(may_be_used(_OWN.c), true()),
            *allowed,
        )
    )
    similar_cases = [
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
    return tuple(
        sorted(
            similar_cases, key=lambda similar: (-similar.share, -similar.received_at.timestamp(), similar.ref)
        )
    )


#: So many complaints, the last closed, are looked at.
_LATEST = 500
#: Words are offered only if so many people's complaints have exactly these: fewer could be about one person.
_PEOPLE = 5
_FIELDS = ("root_cause", "cause")


def find_usual_cause(tx: Tx, case: Case, by: Actor) -> tuple[str | None, str | None]:
    """The class of the root cause, and its words, chosen most often in this category, as far as this person may know.

    None where there is none. Words that fewer than five people's complaints share are left out.
    """
    columns = COMPLAINTS.c
    latest = (
        select(columns.ref)
        .where(columns.closed_at.is_not(None))
        .order_by(columns.closed_at.desc())
        .limit(_LATEST)
    )
    query = (
        select(columns.ref, columns.complainant_id, columns.key_wrapped, DECISIONS.c.cause_class)
        .join(DECISIONS, DECISIONS.c.ref == columns.ref)
        .where(
            columns.ref.in_(latest),
            columns.category == case.category,
            DECISIONS.c.external.is_(False),
            DECISIONS.c.cause_class != "",
            columns.key_wrapped.is_not(None),
            may_be_used(),
            *visible_to(by),
        )
        .order_by(columns.ref, DECISIONS.c.seq)
    )
    # The last decision of each complaint counts, and the last words.
    rows = {row.ref: row for row in tx.connection.execute(query)}
    if not rows:
        return None, None
    classes = Counter(row.cause_class for row in rows.values())
    words = (
        select(TEXTS)
        .where(TEXTS.c.ref.in_(rows), TEXTS.c.field.in_(_FIELDS), TEXTS.c.sealed.is_not(None))
        .order_by(TEXTS.c.ref, TEXTS.c.seq)
    )
    people: dict[str, set[str]] = {}
    for text in {text.ref: text for text in tx.connection.execute(words)}.values():
        row = rows[text.ref]
        try:
            key = case_key(tx, text.ref, row.key_wrapped)
            cause = unseal(key, text.sealed, text_place(text.ref, text.seq, text.field)).strip()
        except SealBroken:
            continue  # It is only a suggestion; `verify` names the damage.
        people.setdefault(cause, set()).add(row.complainant_id)
    shared = {cause: len(ids) for cause, ids in people.items() if len(ids) >= _PEOPLE}
    return classes.most_common(1)[0][0], max(shared, key=lambda cause: shared[cause], default=None)
