"""What became of a notice, and what is stuck, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Fate(StrEnum):
    """How far it got."""

    DELIVERED = "delivered"
    SENT_AGAIN = "sent_again"
    UNCERTAIN = "uncertain"
    NOT_DELIVERED = "not_delivered"
    TRYING = "trying"
    WAITING = "waiting"
    GIVEN_UP = "given_up"
    ENDED = "ended"
    TO_TELL = "to_tell"
    TOLD = "told"


@dataclass(frozen=True)
class Delivery:
    """One notice. `at` is when that became so (of `waiting`: until when), `first` when it was sent uncertainly."""

    number: int
    kind: str
    fate: Fate
    at: datetime
    #: Meant for the complainant; else a duty of ours inside, which shows only once given up.
    is_notice: bool
    why: str | None = None
    first: datetime | None = None


@dataclass(frozen=True)
class Stuck:
    """Something given up, that waits for a person: of which complaint, what, since when."""

    number: int
    ref: str | None
    kind: str
    at: datetime

    #: Meant for the complainant.
    is_notice: bool
