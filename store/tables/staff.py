"""The members of staff, and their roles by period."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class MemberRow(Row, table=True):
    """A member of staff; name and aliases are sealed with the instance's key."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    slack_id: str = Field(index=True)
    line: str | None
    sealed: bytes = Field(sa_type=LargeBinary)
    limits: dict[str, Any] = Field(sa_type=JSON)
    absent_from: datetime | None = Field(sa_type=UtcDateTime)
    absent_until: datetime | None = Field(sa_type=UtcDateTime)
    deputy: str | None
    #: The deputy for the present absence; without one, `deputy` from the settings counts.
    stand_in: str | None
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
