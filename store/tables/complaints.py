"""A complaint and what its events add up to: every table here is a projection, written with the event."""

from datetime import date, datetime

from sqlalchemy import JSON, Date, Index, LargeBinary, text
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime

#: Spelled the same in the indexes and in the queries that they serve.
OPEN, WAITS, UNCHECKED = (
    text("state <> 'closed'"),
    text("waits"),
    text("done_at IS NOT NULL AND verified_at IS NULL"),
)


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
        Index("ix_complaints_closed", "closed_at", "ref"),
        Index("ix_complaints_incident", "incident_id", "ref"),
        Index("ix_complaints_work", "owner", "next_due_at", "ref", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_complaints_open", "next_due_at", "ref", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_complaints_waits", "next_due_at", "ref", sqlite_where=WAITS, postgresql_where=WAITS),
    )

    ref: str = Field(primary_key=True)
    key_wrapped: bytes | None = Field(sa_type=LargeBinary)
    complainant_id: str = Field(foreign_key="people.id")
    contact_id: int | None = Field(foreign_key="contact_points.id", sa_type=NUMBER)
    rulebook_id: str = Field(foreign_key="rulebooks.id")
    incident_id: int | None = Field(foreign_key="incidents.id", sa_type=NUMBER)
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
    #: Who besides the owner may know of it: everybody (None), `managers` or `top`; beyond that see `denied`.
    restriction: str | None
    #: Something on it waits for a second person.
    waits: bool
    form_open: bool
    last_words_at: datetime | None = Field(sa_type=UtcDateTime)
    next_target: str | None
    #: The end of time where nothing is due, so that one index orders all.
    next_due_at: datetime = Field(sa_type=UtcDateTime)
    reply: str | None
    close_code: str | None
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class Denied(Row, table=True):
    """A member of staff who never sees this complaint (4.5, C): every list is asked through this table."""

    __tablename__ = "denied"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    member_id: str = Field(primary_key=True)


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
    #: Of an outside body: whether it overturned ours; None for ours and where nobody said.
    overturned: bool | None


class Remedy(Row, table=True):
    """One thing promised, done and checked (7.7, Annex D)."""

    __tablename__ = "remedies"
    __table_args__ = (
        Index("ix_remedies_unchecked", "done_at", sqlite_where=UNCHECKED, postgresql_where=UNCHECKED),
    )

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
    """One cause, many complaints: the newest state of its chain in `events`, and its one post in Slack.

    Its words stand sealed among `incident_words`; `told_seq` is the act that gave those in force.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        Index(
            "ix_incidents_open",
            "id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    key_wrapped: bytes | None = Field(sa_type=LargeBinary)
    head: str
    version: int
    told_seq: int
    batch: str | None
    owner: str | None
    opened_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    channel: str | None
    ts: str | None
    draws: int


class IncidentWords(Row, table=True):
    """What was said in one act on an incident, as sealed JSON under the incident's own key."""

    __tablename__ = "incident_words"

    incident_id: int = Field(foreign_key="incidents.id", primary_key=True, sa_type=NUMBER)
    seq: int = Field(primary_key=True)
    sealed: bytes | None = Field(sa_type=LargeBinary)


class IncidentReceiver(Row, table=True):
    """One complaint of an update to all: the event by which it was told, or why it was left out."""

    __tablename__ = "incident_receivers"

    batch: str = Field(primary_key=True)
    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    incident_id: int = Field(foreign_key="incidents.id", sa_type=NUMBER, index=True)
    left_out: str | None
    seq: int | None


class Improvement(Row, table=True):
    """A corrective action and whether it helped (4.10, 8.2)."""

    __tablename__ = "improvements"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str | None = Field(foreign_key="complaints.ref", index=True)
    #: The event that opened it, where one did.
    seq: int | None
    what_sealed: bytes | None = Field(sa_type=LargeBinary)
    cause_class: str | None
    owner: str | None
    state: str
    due: datetime | None = Field(sa_type=UtcDateTime)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    effective: bool | None


class Sketch(Row, table=True):
    """Keyed hashes by which near-duplicates are found; deleted with their complaint.

    One tree, in the order in which it is asked. No reference to the complaint is checked row by row: each is
    written beside its `Likeness`, which has one.
    """

    __tablename__ = "sketches"
    __table_args__ = ({"sqlite_with_rowid": False},)

    band_index: bytes = Field(sa_type=LargeBinary, primary_key=True)
    #: When the complaint was received: of a hash that very many have, the newest are looked at.
    at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    ref: str = Field(primary_key=True)
    #: Of the release before, which writes it; nobody reads it.
    n: int | None


class Likeness(Row, table=True):
    """The sketch itself, sealed with the complaint's key, and the first complaint that it is like."""

    __tablename__ = "likenesses"
    __table_args__ = (Index("ix_likenesses_at", "at", "cluster", "ref"),)

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    cluster: str
    at: datetime = Field(sa_type=UtcDateTime)
