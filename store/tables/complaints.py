"""A complaint and what its events add up to: every table here is a projection, written with the event."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Index, LargeBinary, text
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class Complaint(Row, table=True):
    """Codes, times and ids only. `head` is the hash of the newest event; versions are compared and set."""

    __tablename__ = "complaints"
    __table_args__ = (
        Index("ix_complaints_next", "next_due_at", "ref"),
        Index("ix_complaints_state", "state", "next_due_at", "ref"),
        Index("ix_complaints_owner", "owner", "next_due_at", "ref"),
        Index("ix_complaints_priority", "priority", "next_due_at", "ref"),
        Index("ix_complaints_person", "complainant_id", "received_at"),
        Index("ix_complaints_received", "received_at"),
    )

    ref: str = Field(primary_key=True)
    key_wrapped: bytes | None = Field(sa_type=LargeBinary)
    complainant_id: str = Field(foreign_key="people.id")
    contact_id: int | None = Field(foreign_key="contact_points.id", sa_type=NUMBER)
    rulebook_id: str = Field(foreign_key="rulebooks.id")
    incident_id: int | None = Field(foreign_key="incidents.id", sa_type=NUMBER, index=True)
    jurisdiction: str
    channel: str
    language: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    is_simulation: bool
    version: int
    work_version: int
    head: str
    state: str
    kind: str
    category: str | None
    severity: int
    safety: int
    priority: str
    owner: str | None
    level: int
    flags: list[str] = Field(sa_type=JSON)
    form_open: bool
    last_words_at: datetime | None = Field(sa_type=UtcDateTime)
    next_target: str | None
    #: The end of time where nothing is due, so that one index orders all.
    next_due_at: datetime = Field(sa_type=UtcDateTime)
    reply: str | None
    close_code: str | None
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class Issue(Row, table=True):
    """One matter of a complaint with its finding (7.8)."""

    __tablename__ = "issues"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    category: str
    finding: str | None


class Decision(Row, table=True):
    """What was decided at one level, ours or an outside body's (7.8)."""

    __tablename__ = "decisions"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    level: int
    external: bool
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    short: bool
    findings: list[str] = Field(sa_type=JSON)
    cause_class: str
    others_affected: str
    needs_approval: bool
    approved_by: str | None
    communicated_at: datetime | None = Field(sa_type=UtcDateTime)


class Remedy(Row, table=True):
    """One thing promised, done and checked (7.7, Annex D)."""

    __tablename__ = "remedies"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    type: str
    level: int
    due: datetime = Field(sa_type=UtcDateTime)
    amount: str | None
    currency: str | None
    promised_by: date | None = Field(sa_type=Date)
    needs_acceptance: bool
    separate_verifier: bool
    external: bool
    done_at: datetime | None = Field(sa_type=UtcDateTime)
    done_by: str | None
    verified_at: datetime | None = Field(sa_type=UtcDateTime)
    verified_by: str | None
    promised_at: datetime | None = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)


class TargetRow(Row, table=True):
    """A due time in one version, internal and promised, with where it came from (7.3)."""

    __tablename__ = "targets"
    __table_args__ = (
        Index(
            "ix_targets_open",
            "internal_due",
            sqlite_where=text("met_at IS NULL"),
            postgresql_where=text("met_at IS NULL"),
        ),
    )

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    target: str = Field(primary_key=True)
    of: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    start: datetime = Field(sa_type=UtcDateTime)
    internal_due: datetime = Field(sa_type=UtcDateTime)
    promised_due: datetime = Field(sa_type=UtcDateTime)
    basis: str
    span: str
    met_at: datetime | None = Field(sa_type=UtcDateTime)


class Proposal(Row, table=True):
    """What the model proposed (7.5); the words behind it are sealed among the texts."""

    __tablename__ = "proposals"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    words: int
    category: str
    probability: float
    severity: int
    safety: int
    abstained: bool
    restricted: bool
    model: str | None


class Assessment(Row, table=True):
    """An initial assessment by a person, or a later one (7.5)."""

    __tablename__ = "assessments"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    by: str
    category: str
    severity: int
    safety: int
    complexity: int
    reach: int
    recurrence: int
    immediate_needed: bool
    immediate_possible: bool
    compensation_likely: bool


class Link(Row, table=True):
    """Two complaints that belong together; each keeps its own clock, answer and recourse."""

    __tablename__ = "links"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    other_ref: str = Field(index=True)
    relation: str
    at: datetime = Field(sa_type=UtcDateTime)


class External(Row, table=True):
    """What an outside body did about a complaint (7.9); its words are sealed among the texts."""

    __tablename__ = "externals"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    event: str
    comply_by: date | None = Field(sa_type=Date)
    at: datetime = Field(sa_type=UtcDateTime)


class Incident(Row, table=True):
    """One cause, many complaints: a record of its own with one card and one act for all."""

    __tablename__ = "incidents"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    what: str
    area: str | None
    owner: str | None
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    public_line: dict[str, Any] = Field(sa_type=JSON)


class Improvement(Row, table=True):
    """A corrective action and whether it helped (4.10, 8.2)."""

    __tablename__ = "improvements"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str | None = Field(foreign_key="complaints.ref", index=True)
    what_sealed: bytes | None = Field(sa_type=LargeBinary)
    cause_class: str | None
    owner: str | None
    state: str
    due: datetime | None = Field(sa_type=UtcDateTime)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    effective: bool | None


class Sketch(Row, table=True):
    """Keyed hashes by which near-duplicates are found; deleted with their complaint."""

    __tablename__ = "sketches"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    band_index: bytes = Field(sa_type=LargeBinary, index=True)
