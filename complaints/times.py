"""Times: ISO 8601 in UTC in facts and exported fields, local wall time where days and hours are counted."""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


def parse_time(text: str) -> datetime:
    """The aware datetime, in UTC, of an ISO 8601 text from the facts."""
    return datetime.fromisoformat(text).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """The ISO 8601 text of a time, in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """The zone of this name; raises ValueError with an example."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as wrong:
        raise ValueError(f'{name!r} is not a time zone; write one such as "Europe/London"') from wrong


def to_utc(at: datetime) -> datetime:
    """The same instant in UTC; raises ValueError for a naive time."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no zone; times are aware, in UTC")
    return at.astimezone(UTC)


def local_time(at: datetime, zone: str) -> datetime:
    return at.astimezone(zone_named(zone))


def from_local_time(local: datetime, zone: str) -> datetime:
    """The instant (UTC) of a naive local time.

    A time that does not exist moves forward by the gap. Of a time that happens twice the first counts. Both follow
    from fold 0 (PEP 495).
    """
    return local.replace(tzinfo=zone_named(zone), fold=0).astimezone(UTC)


def last_day(at: datetime, zone: str) -> date:
    """The local day of a due time; 24:00, a common closing time, belongs to the day that it ends."""
    return local_time(at - timedelta(microseconds=1), zone).date()


def day_ended(local: datetime) -> date | None:
    """The day that ends at this local time if it is midnight; None at any other time."""
    return local.date() - timedelta(days=1) if local.time() == time.min else None


def at_minute(day: date, minute: int, zone: str) -> datetime:
    """The instant of this minute after local midnight; 1440 is the midnight that ends the day."""
    days, rest = divmod(minute, MINUTES_A_DAY)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60))
    return from_local_time(local, zone)


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
