"""Fields of values as JSON, as the exported record has them."""

from datetime import date, datetime
from enum import Enum
from typing import Any

from complaints.times import format_time


def json_fields(source: object | None, names: str) -> dict[str, Any]:
    """These fields, with blanks between their names, each null without a source.

    Times become ISO 8601 in UTC, codes their text, and sets sorted lists.
    """
    return {name: _json(None if source is None else getattr(source, name)) for name in names.split()}


def _json(value: Any) -> Any:
    match value:
        case datetime():
            return format_time(value)
        case date():
            return value.isoformat()
        case Enum():
            return value.value
        case frozenset():
            return sorted(map(_json, value))
    return value
