"""What a proposal may use of a complaint in addition to its text."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from triage.safety.organisation import DangerSign


@dataclass(frozen=True, slots=True)
class ProposalContext:
    """What is known in addition to the text.

    The organisation's languages and danger signs, its country, the day of receipt, the complaint's reference, how
    many similar cases were confirmed in 90 days (this one included), the categories of the complaint's rulebook
    (None: all that the model knows), and the story without the answers to the questions of the form, in which the
    issues are searched (empty: in the whole text).
    """

    languages: Sequence[str] = ("en", "tr")
    danger: Sequence[DangerSign] = ()
    country: str | None = None
    received: date | None = None
    ref: str | None = None
    like_confirmed: int = 0
    categories: Collection[str] | None = None
    story: str = ""
