"""What happened to somebody's complaints while they were away, for the morning of their return (6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, union_all

from complaints.people import Actor
from complaints.record import Case
from complaints.vocabulary import Verb
from store.casefiles import load_many
from store.tables import COMPLAINTS, EVENTS
from store.tables.complaints import OPEN
from store.transactions import Tx
from store.worklists import known_to

#: What comes by itself is no news to a person.
_UNTOLD = (Verb.PROPOSE.value, Verb.SURVEY.value, Verb.END_FORM.value)


@dataclass(frozen=True)
class Meanwhile:
    """One complaint of theirs: what was done to it, by verb in the order of the last time, and how often in all."""

    case: Case
    verbs: tuple[str, ...]
    count: int


def happened_since(tx: Tx, by: Actor, since: datetime, limit: int) -> tuple[Meanwhile, ...]:
    """The complaints that this person owns and others acted on since then, the most moved first."""
    event, one = EVENTS.c, COMPLAINTS.c
    is_open: ColumnElement[bool] = OPEN  # type: ignore[assignment]  # a text clause is one
    theirs = union_all(
        select(one.ref).where(is_open, one.owner == by.id, *known_to(by)),
        select(one.ref).where(one.closed_at >= since, one.owner == by.id, *known_to(by)),
    )
    query = (
        select(event.ref, event.verb, func.count().label("often"), func.max(event.seq).label("last"))
        .where(event.ref.in_(theirs), event.at >= since, event.by != by.id, event.verb.not_in(_UNTOLD))
        .group_by(event.ref, event.verb)
    )
    verbs: dict[str, list[tuple[int, str, int]]] = {}
    for row in tx.connection.execute(query):
        verbs.setdefault(row.ref, []).append((row.last, row.verb, row.often))
    moved = sorted(verbs, key=lambda ref: (-sum(one[2] for one in verbs[ref]), ref))[:limit]
    files = {one.case.ref: one.case for one in load_many(tx, moved)}
    return tuple(
        Meanwhile(
            files[ref],
            tuple(verb for _, verb, _ in sorted(verbs[ref])),
            sum(often for _, _, often in verbs[ref]),
        )
        for ref in moved
    )
