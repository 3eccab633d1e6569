"""Reads what the record shows of its own keeping (8.1)."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select

from complaints.collection import CollectionRecord, DataRequest
from complaints.times import parse_time
from complaints.vocabulary import Flag, Target, Verb
from store.database.transaction import Tx
from store.proof.hash_chain import INSTANCE_CHAIN
from store.tables import COMPLAINTS, EVENTS, OBLIGATIONS, TARGETS

#: The events of the installation that a report on collection lists.
KEPT_VERBS = (
    "erasure",
    "backup",
    "backup_check",
    "restore",
    "rotate_keys",
    "data_request",
    "report",
    "publication",
)


def load_collection(tx: Tx, start: datetime, end: datetime) -> CollectionRecord:
    """The period's events, and the state now."""
    query = select(EVENTS.c.verb, EVENTS.c.at, EVENTS.c.entry).where(
        EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb.in_(KEPT_VERBS), EVENTS.c.at >= start, EVENTS.c.at < end
    )
    events: dict[str, list[tuple[datetime, Any]]] = defaultdict(list)
    for row in tx.connection.execute(query.order_by(EVENTS.c.seq)):
        events[row.verb].append((row.at, json.loads(row.entry)["facts"]))
    by_verb = select(EVENTS.c.verb, func.count()).where(
        EVENTS.c.verb.in_((Verb.HOLD.value, Verb.RELEASE.value)), EVENTS.c.at >= start, EVENTS.c.at < end
    )
    holds = {verb: int(number) for verb, number in tx.connection.execute(by_verb.group_by(EVENTS.c.verb))}
    is_held = cast(COMPLAINTS.c.flags, String).like(f'%"{Flag.LEGAL_HOLD.value}"%')
    counts = select(func.count(), func.count(COMPLAINTS.c.erased_at)).select_from(COMPLAINTS)
    complaints, erased = tx.connection.execute(counts).one()
    return CollectionRecord(
        events,
        (
            *_requests(tx, start, end),
            *(_by_operator(at, facts) for at, facts in events.get("data_request", ())),
        ),
        holds.get(Verb.HOLD.value, 0),
        holds.get(Verb.RELEASE.value, 0),
        int(tx.connection.execute(select(func.count()).where(is_held)).scalar_one()),
        int(complaints),
        int(erased),
    )


def _requests(tx: Tx, start: datetime, end: datetime) -> list[DataRequest]:
    """Copies that people asked for in their chat, and corrections and erasures that staff answered by letter."""
    copies = select(OBLIGATIONS.c.created_at, OBLIGATIONS.c.ended_at).where(
        OBLIGATIONS.c.kind == "mydata", OBLIGATIONS.c.created_at >= start, OBLIGATIONS.c.created_at < end
    )
    row = TARGETS.c
    letters = select(row.start, func.max(row.promised_due), func.max(row.met_at)).where(
        row.target == Target.DATA_REQUEST.value, row.start >= start, row.start < end
    )
    return [
        *(
            DataRequest("copy", asked_at, None, answered)
            for asked_at, answered in tx.connection.execute(copies)
        ),
        *(
            DataRequest("change", *values)
            for values in tx.connection.execute(letters.group_by(row.ref, row.start))
        ),
    ]


def _by_operator(at: datetime, facts: dict[str, Any]) -> DataRequest:
    asked_at = facts.get("asked_at")
    return DataRequest(facts["about"], parse_time(asked_at) if asked_at else at, None, at)
