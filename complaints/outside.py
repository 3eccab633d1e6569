"""What came from outside bodies and what it leaves behind: their decisions, and improvements owed (7.9, 8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OutsideDecision:
    """A final decision of an outside body; it stands above ours, which stay in the record as they were.

    `overturned`: None where nobody said. `refused`: the complainant does not accept it.
    """

    seq: int
    at: datetime
    by: str
    level: int
    overturned: bool | None
    refused: bool = False


@dataclass(frozen=True)
class Improvement:
    """A corrective action that a complaint has opened (4.10); `due` is when it should have been taken."""

    seq: int
    opened_at: datetime
    due: datetime
    cause_class: str | None
