"""What all letters share: the language, how dates, sums and outside bodies are written, and the layout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bots.texts.phrases import body_list
from bots.texts.texts import Texts, capitalised
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.targets import answer_by
from complaints.letter_texts import NO_TEXT, ComplaintText


@dataclass(frozen=True)
class Letter:
    """A letter about one complaint in one language; days and times are in the organisation's time zone.

    Words of staff get a line of their own, never a place inside our sentences.
    """

    case: Case
    texts: Texts
    language: str
    #: Only for a decision: how many people could review it, and the complaint in the complainant's own words.
    reviewers: int = 0
    complaint_text: ComplaintText = NO_TEXT
    #: The promised dates that were written, each with its time in seconds since 1970.
    dates: dict[str, int] = field(default_factory=dict, compare=False)

    def text(self, id_: str, **fields: Any) -> str:
        """The text. Where staff read it out or post it, `ID.spoken` if there is one: without buttons and commands."""
        spoken = f"{id_}.spoken"
        id_ = spoken if self.case.is_offline and self.texts.has(spoken) else id_
        return self.texts.text(self.language, id_, **{"ref": self.case.ref, **fields})

    def due_day(self, at: datetime | date) -> str:
        calendar = self.case.rules.calendar
        due = at if isinstance(at, datetime) else closing_time(at, calendar)
        written = self.texts.day_by(self.language, at, calendar.zone)
        return self.texts.promise(self.dates, written, due, calendar.zone)

    def event_day(self, at: datetime) -> str:
        return self.texts.date(self.language, at, self.case.rules.calendar.zone)

    def moment(self, at: datetime) -> str:
        return self.texts.moment(self.language, at, self.case.rules.calendar.zone)

    def span(self, written: str) -> str:
        """A length of time in words: `20 working days`."""
        return self.texts.span(self.language, written)

    @property
    def team(self) -> str:
        return self.case.rules.team or self.text("ack.team")

    @property
    def signature(self) -> str:
        """The team as a line of its own begins, with a capital letter."""
        return capitalised(self.team, self.language)

    @property
    def organisation(self) -> str:
        return self.case.rules.organisation

    def answer_by(self, acknowledged: datetime | None = None) -> datetime:
        """The promised date of the answer; before the acknowledgement, as it will be promised in it."""
        return answer_by(self.case, acknowledged)

    def body_list(self) -> str:
        """The outside bodies in their order: how to reach each, its form, its cost and its time limit (7.9)."""
        return body_list(self.texts, self.language, self.case.rules) or self.text("recourse.none")

    def body_names(self) -> str:
        """The names of the outside bodies: `A and B`."""
        names = [self.texts.body(self.language, step.body) for step in self.case.rules.recourse]
        return self.texts.together(self.language, names)

    def remedy(
        self, type_: str, text: str = "", amount: str | None = None, currency: str | None = None
    ) -> str:
        """A promised remedy: its type, the sum, and the words of the person who promised it."""
        description = self.texts.remedy(self.language, type_, amount, currency)
        # A date or an offer follows: the last sentence of the text has no full stop of its own.
        text = text.strip().rstrip(".")
        return f"{description}: {text}" if text else description

    def recorded_remedy(self, remedy: RemedyOwed, words: Mapping[str, str]) -> str:
        """A remedy on the record; `words` are those of the decision that promised it."""
        first = min((other.n for other in self.case.remedies if other.level == remedy.level), default=0)
        text = words.get(f"remedies.{remedy.n - first}.text", "")
        return self.remedy(remedy.type, text, remedy.amount, remedy.currency)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit].rstrip()} […]"


def section(title: str, text: str) -> str:
    return f"{title}\n{text.strip()}"


def join_paragraphs(*paragraphs: str) -> str:
    """The paragraphs with blank lines between them; empty ones are left out."""
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph.strip())


def paragraph_below(text: str) -> str:
    """A last paragraph with its blank line; empty for an empty text."""
    return f"\n\n{text}" if text else ""
