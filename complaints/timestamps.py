"""Times as they are written into facts and rows: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str) -> datetime:
    """An instant of the facts (ISO 8601, Z) as an aware datetime in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def format_time(at: datetime) -> str:
    """An instant as it stands in facts: ISO 8601 UTC ending in Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
