"""The chained events, their signed checkpoints, and what was refused."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class EventRow(Row, table=True):
    """One act, for ever: `entry` is the canonical JSON that `hash` proves; a trigger refuses any change.

    `ref` is the complaint, or `-settings` for the chain of the settings in force.
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


class Checkpoint(Row, table=True):
    """A signed statement of all heads: `root` is over those that changed since `previous`."""

    __tablename__ = "checkpoints"

    n: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    last_event_id: int = Field(sa_type=NUMBER)
    heads: int
    root: str
    previous: str
    public_key: str
    signature: str


class CheckpointHead(Row, table=True):
    """The head of one complaint as a checkpoint sealed it."""

    __tablename__ = "checkpoint_heads"
    __table_args__ = (Index("ix_checkpoint_heads_ref", "ref", "n"),)

    n: int = Field(foreign_key="checkpoints.n", primary_key=True)
    ref: str = Field(primary_key=True)
    seq: int
    hash: str


class Attempt(Row, table=True):
    """An act that was refused for want of a right: recorded, never carried out (4.7)."""

    __tablename__ = "attempts"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str | None = Field(index=True)
    verb: str
    by: str
    roles: str
    code: str
    at: datetime = Field(sa_type=UtcDateTime)
