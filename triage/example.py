"""A labelled text, the input of training and evaluation."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Example:
    """A complaint's text with the category that a person assigned, and severity (1-5) and language where known.

    `at` is the time of receipt (aware), so that an evaluation can hold out the most recent. `ref` is the complaint's
    reference, where it comes from the record. `person` identifies who wrote it; without one, each row counts as a
    person of its own. A `written` example was made up for training and is no real complaint: figures are not taken
    on it where there are enough real ones.
    """

    text: str
    category: str
    severity: int | None = None
    language: str | None = None
    at: datetime | None = None
    ref: str | None = None
    written: bool = False
    person: str | None = None
