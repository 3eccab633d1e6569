"""What an input is, and how one given value is read: the parts of the one table of fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Input(StrEnum):
    """How a value is given."""

    TEXT = "text"
    CHOICE = "choice"
    WHOLE = "whole"
    FLAG = "flag"
    FLAGS = "flags"
    DATE = "date"
    MOMENT = "moment"
    STAFF = "staff"
    AMOUNT = "amount"


@dataclass(frozen=True)
class Field:
    """One input. `group` repeats it in numbered rows; `sealed` words never stand in an event."""

    name: str
    input: Input
    required: bool = False
    options: tuple[str, ...] = ()
    group: str | None = None
    sealed: bool = False
    most: int = 3000

    @property
    def path(self) -> str:
        """`issues.N.finding` in a group, else the name."""
        return f"{self.group}.N.{self.name}" if self.group else self.name


def text(name: str, *, required: bool = False, group: str | None = None, most: int = 3000) -> Field:
    """Free words: sealed."""
    return Field(name, Input.TEXT, required, group=group, sealed=True, most=most)


def code(name: str, *, required: bool = False, group: str | None = None, most: int = 100) -> Field:
    """A short code or reference that may stand in an event."""
    return Field(name, Input.TEXT, required, group=group, most=most)


def one_of(name: str, options: Any, *, required: bool = False, group: str | None = None) -> Field:
    """One of few."""
    return Field(name, Input.CHOICE, required, tuple(str(one) for one in options), group)


def whole(name: str, low: int, high: int, *, required: bool = False) -> Field:
    """A step of a scale."""
    return Field(name, Input.WHOLE, required, tuple(str(one) for one in range(low, high + 1)))


def flag(name: str, *, required: bool = False, group: str | None = None) -> Field:
    """Yes or nothing; required means it must be a considered yes or no."""
    return Field(name, Input.FLAG, required, ("yes",), group)


#: Due times are counted on calendars: a slip of the keyboard is refused here, where its field is known.
_YEARS = range(1900, 2200)
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_YES: tuple[Any, ...] = (True, "yes", ["yes"])
_NO: tuple[Any, ...] = (False, "no", [])


def present(value: Any) -> bool:
    """False for what counts as not given: nothing, blanks, an unticked box, no choices."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], False)


def value_of(one: Field, value: Any, options: tuple[str, ...]) -> Any:
    """A present value as it stands in facts or words; raises ValueError with a message id."""
    match one.input:
        case Input.TEXT | Input.STAFF:
            return _text(one, value)
        case Input.CHOICE | Input.WHOLE:
            if isinstance(value, bool) or str(value) not in options:
                raise ValueError("not_an_option")
            return int(value) if one.input is Input.WHOLE else str(value)
        case Input.FLAG:
            if value not in (*_YES, *_NO):
                raise ValueError("not_an_option")
            return value in _YES
        case Input.FLAGS:
            if not isinstance(value, list | tuple) or not all(str(item) in options for item in value):
                raise ValueError("not_an_option")
            return list(dict.fromkeys(str(item) for item in value))
        case Input.DATE:
            return day_of(value).isoformat()
        case Input.MOMENT:
            return _moment(value)
        case Input.AMOUNT:
            return _amount(value)


def _text(one: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not_an_option")
    said = value.strip()
    if len(said) > one.most:
        raise ValueError("too_long")
    if one.input is Input.STAFF and any(letter.isspace() for letter in said):
        raise ValueError("not_an_option")
    return said


def day_of(value: Any) -> date:
    """A day as `2026-11-03`; raises ValueError."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError as wrong:
        raise ValueError("not_a_date") from wrong
    if day.year not in _YEARS:
        raise ValueError("not_a_date")
    return day


def moment_of(value: Any) -> datetime:
    """A moment as seconds since 1970 (Slack) or ISO 8601 with a zone, in UTC; raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not_a_moment")
    try:
        seconds = isinstance(value, int) or str(value).isdigit()
        at = datetime.fromtimestamp(int(value), UTC) if seconds else datetime.fromisoformat(str(value))
        if at.tzinfo is None or at.year not in _YEARS:
            raise ValueError("not_a_moment")
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as wrong:
        raise ValueError("not_a_moment") from wrong


def _moment(value: Any) -> str:
    return moment_of(value).isoformat().replace("+00:00", "Z")


def _amount(value: Any) -> str:
    """An amount with a decimal point and at most two places, above zero."""
    said = str(value).strip()
    if not _AMOUNT.fullmatch(said) or Decimal(said) <= 0:
        raise ValueError("not_an_amount")
    return f"{Decimal(said):.2f}"
