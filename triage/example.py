"""A labelled text: what training and evaluation read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Example:
    """A complaint's words with the category a person gave it; severity 1-5 and language where known.

    `at` is when it was received (aware), so that an evaluation can hold back the most recent.
    """

    text: str
    category: str
    severity: int | None = None
    language: str | None = None
    at: datetime | None = None
