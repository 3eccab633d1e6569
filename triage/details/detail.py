"""One fact in a story, and what must be known to read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from triage.folding import FoldedText

#: Every kind of detail.
KINDS = (
    *("order", "account", "customer", "invoice", "meter", "booking", "policy", "contract", "reference"),
    *("card", "date", "amount", "remedy", "branch", "place"),
)


@dataclass(frozen=True, slots=True)
class Detail:
    """A fact found in a story (7.2): its kind, a normalised value, and where it stands as written.

    `kind` is one of `KINDS`; a place is a street. `value` is a number without spaces in capitals, an ISO date
    or range ("2026-10-01/2026-10-31"), an amount with its currency ("40.00 GBP"), the code of a remedy, or a
    place as written; of a card it is the last four digits only. `text` is `story[span[0]:span[1]]`.
    """

    kind: str
    value: str
    text: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Story:
    """A story to be read: as written and folded, the day it was received, and the country of the organisation.

    The country (ISO 3166, two letters) tells day and month apart in 11/03/2026, and which dollar is meant.
    """

    text: str
    folded: FoldedText
    received: date
    country: str | None = None

    def detail(self, kind: str, value: str, start: int, end: int) -> Detail:
        """The detail that stands at these places of the folded text."""
        low, high = self.folded.span(start, end)
        return Detail(kind, value, self.text[low:high], (low, high))
