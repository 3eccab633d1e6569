"""The hash chains of events, their signed checkpoints, and refused attempts."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class EventRow(Row, table=True):
    """One event, never changed: `hash` proves `entry`, its canonical JSON, and a trigger refuses any change.

    `ref` is the complaint, `-settings` for the instance's log, or `-incident-` and the number of an incident.
    """

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("ref", "seq"), Index("ix_events_at", "at"))

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str
    seq: int
    verb: str
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    role: str
    entry: str = Field(sa_type=Text)
    hash: str


class CheckpointRow(Row, table=True):
    """A signed statement about all chain heads; `root` covers the heads that changed since `previous`."""

    __tablename__ = "checkpoints"

    n: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    last_event_id: int = Field(sa_type=NUMBER)
    heads: int
    root: str
    previous: str
    public_key: str
    signature: str


class CheckpointHeadRow(Row, table=True):
    """The head of one complaint's chain at a checkpoint."""

    __tablename__ = "checkpoint_heads"
    __table_args__ = (Index("ix_checkpoint_heads_ref", "ref", "n"),)

    n: int = Field(foreign_key="checkpoints.n", primary_key=True)
    ref: str = Field(primary_key=True)
    seq: int
    hash: str


class AttemptRow(Row, table=True):
    """An attempt that was refused because the person lacks the permission (4.7)."""

    __tablename__ = "attempts"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str | None = Field(index=True)
    verb: str
    by: str
    roles: str
    code: str
    at: datetime = Field(sa_type=UtcDateTime)
