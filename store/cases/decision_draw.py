"""The draw of a decision for a second reader, which no person can steer (4.5; docs/quality.md)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from complaints.actions.authorisation import second_readers
from complaints.actions.quality_check import DRAWS
from complaints.actors import Actor
from complaints.case import Case
from store.database.transaction import Tx
from store.people.staff import load_current_roles
from store.tables import STAFF_ROLES

#: A decider is new for so long after the first role.
NEW_FOR = timedelta(days=90)


def keyed_number(tx: Tx, purpose: str, value: str) -> int:
    """A number of 64 bits: the same again with the instance's secret, and not to be foreseen without it."""
    return int.from_bytes(tx.keys.index(purpose, value)[:8])


def decision_draw(tx: Tx, case: Case, by: Actor) -> Mapping[str, Any]:
    """What a decision needs to know of its draw; nothing where no share is read.

    The draw is the same for every decision at this level, so neither another wording nor another try changes it.
    """
    if not case.rules.check_share:
        return {}
    first = select(func.min(STAFF_ROLES.c.since)).where(STAFF_ROLES.c.member_id == by.id)
    since: datetime | None = tx.connection.execute(first).scalar()
    number = keyed_number(tx, "quality_check", f"{case.ref}|{case.level}|{case.reopened}")
    return {
        "draw": number * DRAWS >> 64,
        "readers": len(second_readers(case, by.id, load_current_roles(tx))),
        "is_new": since is None or tx.now - since < NEW_FOR,
    }
