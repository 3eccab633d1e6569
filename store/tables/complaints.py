"""Complaints and incidents: every table here is a projection of events, written in the event's transaction."""

from datetime import date, datetime

from sqlalchemy import JSON, Date, Index, LargeBinary, text
from sqlmodel import Field

from store.tables.column_types import NUMBER, Row, UtcDateTime, partial_index

#: Conditions of partial indexes; a query must use the same SQL text to be served by the index.
OPEN, WAITS, UNCHECKED = (
    text("state <> 'closed'"),
    text("waits"),
    text("done_at IS NOT NULL AND verified_at IS NULL"),
)


class ComplaintRow(Row, table=True):
    """One complaint: codes, times and ids, no words.

    `head` is the hash of the newest event. Every update checks `version` and `work_version`, to detect conflicts.
    """

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
        partial_index("ix_complaints_work", "owner", "next_due_at", "ref", where=OPEN),
        partial_index("ix_complaints_open", "next_due_at", "ref", where=OPEN),
        partial_index("ix_complaints_waits", "next_due_at", "ref", where=WAITS),
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
    #: Who may know of it apart from the owner: every handler (None), `managers` or `top`, each without those denied.
    restriction: str | None
    #: True if something waits for the approval of a second person.
    waits: bool
    form_open: bool
    last_words_at: datetime | None = Field(sa_type=UtcDateTime)
    next_target: str | None
    #: The year 9999 if nothing is due, so that one index orders all complaints.
    next_due_at: datetime = Field(sa_type=UtcDateTime)
    reply: str | None
    close_code: str | None
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class DeniedMemberRow(Row, table=True):
    """A member of staff who has no access to this complaint (4.5, C); every list excludes these rows."""

    __tablename__ = "denied_members"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    member_id: str = Field(primary_key=True)


class IssueRow(Row, table=True):
    """One issue of a complaint with its finding (7.8)."""

    __tablename__ = "issues"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    category: str
    finding: str | None


class DecisionRow(Row, table=True):
    """A decision at one level, by the organisation or by an outside body (7.8)."""

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
    #: Whether an outside body overturned the organisation's decision; None if unknown or not an outside body.
    overturned: bool | None


class RemedyRow(Row, table=True):
    """A remedy: promised, carried out and verified (7.7, Annex D)."""

    __tablename__ = "remedies"
    __table_args__ = (partial_index("ix_remedies_unchecked", "done_at", where=UNCHECKED),)

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
    """One version of a target: its internal and its promised due time, and their basis (7.3)."""

    __tablename__ = "targets"
    __table_args__ = (partial_index("ix_targets_open", "internal_due", where=text("met_at IS NULL")),)

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


class ProposalRow(Row, table=True):
    """A proposal of the model (7.5); its words are sealed in `texts`."""

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


class AssessmentRow(Row, table=True):
    """An assessment by a person, the initial one or a later one (7.5)."""

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


class LinkRow(Row, table=True):
    """A link between two complaints; each keeps its own targets, response and recourse."""

    __tablename__ = "links"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    other_ref: str = Field(index=True)
    relation: str
    at: datetime = Field(sa_type=UtcDateTime)


class ExternalRow(Row, table=True):
    """An act of an outside body about a complaint (7.9); its words are sealed in `texts`."""

    __tablename__ = "externals"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    event: str
    comply_by: date | None = Field(sa_type=Date)
    at: datetime = Field(sa_type=UtcDateTime)


class IncidentRow(Row, table=True):
    """An incident, one cause of many complaints: the newest state of its chain in `events`, and its Slack card.

    Its words are sealed in `incident_words`; `told_seq` is the event with the present description.
    """

    __tablename__ = "incidents"
    __table_args__ = (partial_index("ix_incidents_open", "id", where=text("ended_at IS NULL")),)

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


class IncidentWordsRow(Row, table=True):
    """The words of one act on an incident: JSON, sealed with the incident's own key."""

    __tablename__ = "incident_words"

    incident_id: int = Field(foreign_key="incidents.id", primary_key=True, sa_type=NUMBER)
    seq: int = Field(primary_key=True)
    sealed: bytes | None = Field(sa_type=LargeBinary)


class IncidentReceiverRow(Row, table=True):
    """One complaint of an incident update: the event that informed it, or the reason why it was left out."""

    __tablename__ = "incident_receivers"

    batch: str = Field(primary_key=True)
    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    incident_id: int = Field(foreign_key="incidents.id", sa_type=NUMBER, index=True)
    left_out: str | None
    seq: int | None


class SketchRow(Row, table=True):
    """Keyed hashes by which similar cases are found; deleted with their complaint.

    The table is one tree in the order of its searches. It has no foreign key, because checking it for every row is
    slow: the complaint's `LikenessRow`, written together with these rows, has one.
    """

    __tablename__ = "sketches"
    __table_args__ = ({"sqlite_with_rowid": False},)

    band_index: bytes = Field(sa_type=LargeBinary, primary_key=True)
    #: When the complaint was received: for a hash of many complaints, only the newest are read.
    at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    ref: str = Field(primary_key=True)


class WordHashRow(Row, table=True):
    """Keyed hashes of the words of a complaint, by which staff search; like `SketchRow` in every other way."""

    __tablename__ = "word_hashes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    band_index: bytes = Field(sa_type=LargeBinary, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    ref: str = Field(primary_key=True)


class LikenessRow(Row, table=True):
    """The sketch, sealed with the complaint's key; `cluster` is the first complaint that it is similar to.

    `words` are the hashes of its words, sealed as the sketch is; None until they are stored.
    """

    __tablename__ = "likenesses"
    __table_args__ = (Index("ix_likenesses_at", "at", "cluster", "ref"),)

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    cluster: str
    at: datetime = Field(sa_type=UtcDateTime)
    words: bytes | None = Field(default=None, sa_type=LargeBinary)
