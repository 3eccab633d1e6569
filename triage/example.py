"""A labelled text: what training and evaluation read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Example:
    """A complaint's words with the category a person gave it; severity 1-5 and language where known.

    `at` is when it was received (aware), so that an evaluation can hold back the most recent. `ref` is the
    complaint it comes from, where it comes from the record. `written`: made up to teach, not a complaint
    that somebody sent; it trains, but no figure is taken on it where there are enough real ones.
    """

    text: str
    category: str
    severity: int | None = None
    language: str | None = None
    at: datetime | None = None
    ref: str | None = None
    written: bool = False
