"""The measures of each complaint: a projection of its events, from which reports are counted (8.4)."""

from datetime import date, datetime

from sqlalchemy import Date, Index
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class MeasureRow(Row, table=True):
    """One row for each complaint; the columns are explained in `complaints.measures.row`.

    `rule` is the version of the rule that computed it, and `version` that of the complaint: a row that differs in
    one of them is computed again.
    """

    __tablename__ = "measures"
    __table_args__ = (Index("ix_measures_received", "received_at"),)

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    rule: int
    version: int
    rulebook_id: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    received_on: date = Field(sa_type=Date)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(sa_type=UtcDateTime)
    assessed_at: datetime | None = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    is_simulation: bool
    is_history: bool
    kind: str
    channel: str
    language: str
    written_in: str | None
    category: str | None
    severity: int
    safety: int
    priority: str
    first_priority: str | None
    state: str
    level: int
    close_code: str | None
    outcome: str | None
    cause_class: str | None
    incident_id: int | None = Field(sa_type=NUMBER)
    support_need: bool
    missed_danger: bool
    incomplete: bool
    decision_working_days: int | None
    decision_days: float | None
    closure_working_days: int | None
    closure_days: float | None
    process_score: float | None
    outcome_score: float | None
    marks: str
    pending: str | None
    stages: str
    details: str | None
