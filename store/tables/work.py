"""Obligations, keys of received messages, dead letters, and what several processes share: rates, leases, clock."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from store.tables.column_types import NUMBER, Row, UtcDateTime, partial_index

_OPEN = text("state = 'open'")
_STUCK = text("state = 'failed' OR (state = 'open' AND attempts > 0)")


class ObligationRow(Row, table=True):
    """An obligation with a key and a due time; its key is unique within `scope`, a complaint or a chat.

    `due` is by the desk's clock; `lease_until` and `wait_until` by the database's, in seconds since 1970.
    """

    __tablename__ = "obligations"
    __table_args__ = (
        UniqueConstraint("scope", "key"),
        partial_index("ix_obligations_due", "due", where=_OPEN),
        partial_index("ix_obligations_lane", "lane", "due", "id", "kind", where=_OPEN),
        partial_index("ix_obligations_chat", "contact_id", "due", where=_OPEN),
        partial_index("ix_obligations_stuck", "due", "id", where=_STUCK),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    scope: str
    key: str
    kind: str
    ref: str | None = Field(foreign_key="complaints.ref")
    contact_id: int | None = Field(foreign_key="contact_points.id", sa_type=NUMBER)
    speaks: bool
    lane: int
    due: datetime = Field(sa_type=UtcDateTime)
    state: str
    facts: dict[str, Any] = Field(sa_type=JSON)
    payload: bytes | None = Field(sa_type=LargeBinary)
    lease_until: float
    wait_until: float
    attempts: int
    why: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)


class ReceivedKeyRow(Row, table=True):
    """The key of a received message, event or act: a repeat with the same key changes nothing."""

    __tablename__ = "received_keys"

    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class DeadLetterRow(Row, table=True):
    """A dead letter: a message that could not be handled, raw and sealed, kept for 30 days."""

    __tablename__ = "dead_letters"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    key: str = Field(unique=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    why: str
    at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class RateLimitRow(Row, table=True):
    """A slot of a rate limit over all processes: when its next message may be sent (database time)."""

    __tablename__ = "rate_limits"

    name: str = Field(primary_key=True)
    next_free_at: float


class LeaseRow(Row, table=True):
    """A lease on what only one process may do, such as polling; every new holder increments `fencing`."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    fencing: int
    until: float


class ClockRow(Row, table=True):
    """How far the desk's clock is ahead of real time, in seconds; only the demo and tests change it."""

    __tablename__ = "clock"

    id: int = Field(primary_key=True)
    offset_seconds: float
