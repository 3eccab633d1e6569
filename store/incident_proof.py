"""Is an incident's record whole? Its chain is checked like every other; here its words and its row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from complaints.incidents import fold
from store.errors import SealBroken
from store.incidents import CHAIN, incident_history, incident_row, key_place
from store.sealing import commitment
from store.tables import INCIDENTS
from store.transactions import Tx

Bad = tuple[str, int, str]


def is_incident(chain: str) -> bool:
    """Is this the chain of an incident?"""
    return chain.startswith(CHAIN)


def check_incident(tx: Tx, chain: str, rows: Sequence[Row[Any]]) -> Bad | None:
    """The first thing that is wrong with an incident whose chain holds: reference, seq, what."""
    number, last = int(chain.removeprefix(CHAIN)), rows[-1].seq
    header = tx.connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).first()
    if header is None:
        return chain, last, "these events have no incident"
    if header.head != rows[-1].hash:
        return chain, last, "the last events are cut off: the incident knows a later one"
    try:
        events = incident_history(tx, number)
        key = tx.keys.unwrap(header.key_wrapped, key_place(number)) if header.key_wrapped else None
    except SealBroken as wrong:
        return chain, 1, str(wrong)
    for event, row in zip(events, rows, strict=True):
        if key is not None and commitment(key, event.words) != json.loads(row.entry)["commit"]:
            return chain, event.seq, "the words are not those that were recorded"
    wanted = incident_row(fold(events, id_=number))
    for name, value in wanted.items():
        if header._mapping[name] != value:  # noqa: SLF001  # SQLAlchemy's public name
            return chain, last, f"the row's {name} is not what the events add up to"
    return None
