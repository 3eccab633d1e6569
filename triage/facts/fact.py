"""One fact in a story, and what is needed to read it."""

from dataclasses import dataclass
from datetime import date

from triage.matching import FoldedText

FACT_KINDS = (
    *("order", "account", "customer", "invoice", "meter", "booking", "policy", "contract", "reference"),
    *("card", "date", "amount", "remedy", "branch", "place", "spot", "habit"),
)


@dataclass(frozen=True, slots=True)
class StoryFact:
    """A fact in a story (7.2): its kind, its value in a normal form, and its place in the text as written.

    `kind` is one of `FACT_KINDS`; a place is a street, a spot has neither name nor number ("at the bus stop"), and a
    habit says when without a day ("every evening").
    `value` is a number without spaces in capitals, an ISO date or range ("2026-10-01/2026-10-31"), an amount with its
    currency ("40.00 GBP"), the code of a remedy, or a place as written; of a card it is the last four digits only.
    `text` is `story[span[0]:span[1]]`.
    """

    kind: str
    value: str
    text: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Story:
    """A story as written and folded, the day of its receipt, and the country of the organisation.

    The country (ISO 3166, two letters) decides between day and month in 11/03/2026, and whose dollar is meant.
    """

    text: str
    folded: FoldedText
    received: date
    country: str | None = None

    def fact(self, kind: str, value: str, start: int, end: int) -> StoryFact:
        """The fact from start to end of the folded text."""
        low, high = self.folded.span(start, end)
        return StoryFact(kind, value, self.text[low:high], (low, high))
