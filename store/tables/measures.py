"""The measures of each complaint: a projection of its events, from which reports are counted (8.4)."""

from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table

from complaints.measures.row import CaseMeasures
from store.tables.columns import METADATA, NUMBER, UtcDateTime

_TYPES: dict[type, Any] = {
    str: String, int: Integer, float: Float, bool: Boolean, date: Date, datetime: UtcDateTime
}  # fmt: skip


def _column(name: str, hint: Any) -> Column[Any]:
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
    if name == "ref":
        return Column(name, String, ForeignKey("complaints.ref"), primary_key=True)
    column_type = NUMBER if name == "incident_id" else _TYPES[kinds[0]]
    return Column(name, column_type, nullable=NoneType in get_args(hint), index=name == "received_at")


MEASURES = Table(
    "measures",
    METADATA,
    *(_column(*field) for field in get_type_hints(CaseMeasures).items()),
    # Complaints by day and code are counted from this index alone: .5 s instead of 3 s for a million.
    Index(
        "ix_measures_received_on",
        *("received_on", "category", "product", "branch", "rule", "kind", "is_simulation", "received_at"),
    ),
)
