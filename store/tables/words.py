"""Everything said and sent, sealed: texts, messages, files, drafts, and who read them."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class Text(Row, table=True):
    """The words of one field of one event; an edit is a new row that `replaces` an earlier seq."""

    __tablename__ = "texts"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    seq: int = Field(primary_key=True)
    field: str = Field(primary_key=True)
    role: str
    at: datetime = Field(sa_type=UtcDateTime)
    source: str | None = Field(index=True)
    replaces: int | None
    sealed: bytes | None = Field(sa_type=LargeBinary)


class Message(Row, table=True):
    """A word in or out, exact. `sealed_with` says whose key: case or person. `seq` points at the texts of
    an event where the words stand there already."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_ref", "ref", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str | None = Field(foreign_key="complaints.ref")
    contact_id: int | None = Field(foreign_key="contact_points.id", sa_type=NUMBER, index=True)
    obligation_id: int | None = Field(foreign_key="obligations.id", sa_type=NUMBER, index=True)
    seq: int | None
    direction: str
    channel: str
    at: datetime = Field(sa_type=UtcDateTime)
    template: str | None
    template_version: str | None
    language: str | None
    translated_from: str | None
    platform_id: str | None
    batch_id: str | None
    state: str
    reason: str | None
    answered_at: datetime | None = Field(sa_type=UtcDateTime)
    sealed_with: str | None
    sealed: bytes | None = Field(sa_type=LargeBinary)


class File(Row, table=True):
    """A file of a complaint; its name and the platform's ids are sealed."""

    __tablename__ = "files"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    seq: int
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    source: str
    mime: str | None
    size: int | None
    seconds: int | None
    group: str | None
    state: str
    sha256: str | None
    chunks: int
    meta_sealed: bytes | None = Field(sa_type=LargeBinary)


class FileChunk(Row, table=True):
    """One sealed mebibyte of a file, its own nonce, bound to file, part and total."""

    __tablename__ = "file_chunks"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    part: int = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)


class Draft(Row, table=True):
    """The typed facts of a previewed act, sealed, for 24 hours; an update to a whole incident has no `ref`."""

    __tablename__ = "drafts"

    id: str = Field(primary_key=True)
    ref: str | None = Field(foreign_key="complaints.ref", index=True)
    by: str
    form: str
    work_version: int
    sealed: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Read(Row, table=True):
    """Who opened what of a complaint, when, in which role, up to which version (4.7)."""

    __tablename__ = "reads"
    __table_args__ = (Index("ix_reads_ref_by", "ref", "by", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str = Field(foreign_key="complaints.ref")
    by: str
    role: str
    at: datetime = Field(sa_type=UtcDateTime)
    what: str
    version: int


class SlackMessage(Row, table=True):
    """Where a complaint stands in Slack; the row is written before the post."""

    __tablename__ = "slack_messages"
    __table_args__ = (
        UniqueConstraint("ref", "channel", "purpose"),
        Index("ix_slack_messages_at", "channel", "ts"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    ref: str = Field(foreign_key="complaints.ref")
    channel: str
    purpose: str
    ts: str | None
    shown: int
    draws: int
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(sa_type=UtcDateTime)
