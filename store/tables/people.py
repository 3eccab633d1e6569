"""The persons of complaints with their contact points, and members of staff with their roles; names are sealed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from store.tables.column_types import NUMBER, Row, UtcDateTime


class PersonRow(Row, table=True):
    """A person outside the organisation. `key_wrapped` is the person's key: deleting it erases the data."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    key_wrapped: bytes | None = Field(sa_type=LargeBinary)
    name_sealed: bytes | None = Field(sa_type=LargeBinary)
    needs_sealed: bytes | None = Field(sa_type=LargeBinary)
    language: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class ContactPointRow(Row, table=True):
    """One address of a person on one channel; `address_index` is its HMAC for searches."""

    __tablename__ = "contact_points"
    __table_args__ = (UniqueConstraint("channel", "address_index"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    person_id: str = Field(foreign_key="people.id", index=True)
    channel: str
    address_sealed: bytes | None = Field(sa_type=LargeBinary)
    address_index: bytes = Field(sa_type=LargeBinary)
    verified: bool
    preferred: bool
    blocked: bool
    blocked_at: datetime | None = Field(sa_type=UtcDateTime)
    quiet_hours: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)


class CasePersonRow(Row, table=True):
    """A person's role in a complaint: complainant, affected, representative, subject or witness."""

    __tablename__ = "case_people"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    person_id: str = Field(foreign_key="people.id", primary_key=True, index=True)
    role: str = Field(primary_key=True)
    relation: str | None
    authority: str | None
    may_receive: bool


class IdentifierRow(Row, table=True):
    """A customer or order number, phone or e-mail of a complaint: sealed, found only by its HMAC."""

    __tablename__ = "identifiers"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    kind: str = Field(primary_key=True)
    value_index: bytes = Field(sa_type=LargeBinary, primary_key=True, index=True)
    sealed: bytes | None = Field(sa_type=LargeBinary)


class ConversationRow(Row, table=True):
    """The state of the dialogue with one contact point: codes and ids, no words."""

    __tablename__ = "conversations"

    contact_id: int = Field(foreign_key="contact_points.id", primary_key=True, sa_type=NUMBER)
    state: dict[str, Any] = Field(sa_type=JSON)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class BindingRow(Row, table=True):
    """The hash of a code that binds a complaint to a chat: one use, five tries."""

    __tablename__ = "bindings"

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    code_index: bytes = Field(sa_type=LargeBinary, primary_key=True, index=True)
    tries: int
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)


class MemberRow(Row, table=True):
    """A member of staff; name and aliases are sealed with the instance's key."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    slack_id: str = Field(index=True)
    line: str | None
    sealed: bytes = Field(sa_type=LargeBinary)
    limits: dict[str, Any] = Field(sa_type=JSON)
    deputy: str | None
    left_at: datetime | None = Field(sa_type=UtcDateTime)


class StaffRoleRow(Row, table=True):
    """A role of a member from `since` until `until`; None means that it is current."""

    __tablename__ = "staff_roles"
    __table_args__ = (Index("ix_staff_roles_member", "member_id", "until"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    member_id: str = Field(foreign_key="staff.id")
    role: str
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(sa_type=UtcDateTime)


class AbsenceRow(Row, table=True):
    """An absence of a member, and the deputy for it; without one, the deputy from the settings counts."""

    __tablename__ = "absences"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    member_id: str = Field(foreign_key="staff.id")
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    deputy: str | None
