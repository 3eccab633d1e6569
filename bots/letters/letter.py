"""What every letter begins with: whose it is, the language, how dates, sums and bodies are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bots.texts import Texts
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.deadlines.targets import answer_by


@dataclass(frozen=True)
class Letter:
    """A letter about one complaint in one language. Words of staff stand alone, never inside a sentence."""

    case: Case
    texts: Texts
    language: str

    def say(self, id_: str, **fields: Any) -> str:
        """A text; the reference is always among its fields."""
        return self.texts.say(self.language, id_, **{"ref": self.case.ref, **fields})

    def day(self, at: datetime | date) -> str:
        """The day by which something is due, where the organisation works."""
        return self.texts.day_by(self.language, at, self.case.rules.calendar.zone)

    def day_when(self, at: datetime) -> str:
        """The day on which something happened, where the organisation works."""
        return self.texts.date(self.language, at, self.case.rules.calendar.zone)

    def moment(self, at: datetime) -> str:
        """A moment where the organisation works."""
        return self.texts.moment(self.language, at, self.case.rules.calendar.zone)

    def span(self, written: str) -> str:
        """A length of time in words: `20 working days`."""
        return self.texts.span(self.language, written)

    def way(self, written: str, spoken: str) -> str:
        """The text for a chat, or the one that people read out or post: it names no button and no command."""
        return spoken if self.case.told_by_people else written

    @property
    def team(self) -> str:
        """Who answers."""
        return self.case.rules.team or self.say("ack.team")

    @property
    def organisation(self) -> str:
        """For whom."""
        return self.case.rules.organisation

    def answer_by(self, acknowledged: datetime | None = None) -> datetime:
        """The date of the answer that is promised outside, or will be once it is acknowledged."""
        return answer_by(self.case, acknowledged)

    def bodies(self) -> str:
        """The outside bodies in their order: how to reach each, cost, time limit (7.9)."""
        steps = [
            self.step(number, one.body, one.contact, free=one.free, limit=one.limit)
            for number, one in enumerate(self.case.rules.recourse, start=1)
        ]
        return "\n".join(steps) or self.say("recourse.none")

    def step(self, number: int, body: str, contact: str, *, free: bool, limit: str) -> str:
        """One outside body."""
        parts = [f"{number}. {body.rstrip('.')}."]
        if contact:
            parts.append(f"{contact.rstrip('.')}.")
        parts.append(self.say("recourse.free" if free else "recourse.paid"))
        if limit:
            parts.append(self.say("recourse.limit", limit=self.texts.limit(self.language, limit)))
        return " ".join(parts)

    def names_of_bodies(self) -> str:
        """The outside bodies by name: `A and B`."""
        return self.texts.together(self.language, [one.body for one in self.case.rules.recourse])

    def remedy(
        self, type_: str, text: str = "", amount: str | None = None, currency: str | None = None
    ) -> str:
        """A remedy as it is promised: what it is, the sum, and the words of whoever promised it."""
        said = self.say(f"remedy.{type_}")
        if amount and currency:
            said = f"{said} ({self.texts.amount(self.language, amount, currency)})"
        return f"{said}: {text.strip()}" if text.strip() else said

    def owed(self, one: RemedyOwed, words: Mapping[str, str]) -> str:
        """The same for one on the record; `words` are those of the decision that promised it."""
        at = one.n - min((r.n for r in self.case.remedies if r.level == one.level), default=0)
        return self.remedy(one.type, words.get(f"remedies.{at}.text", ""), one.amount, one.currency)


def heading(title: str, text: str) -> str:
    """A part of a letter: its heading, and below it what stands alone."""
    return f"{title}\n{text.strip()}"


def parts(*paragraphs: str) -> str:
    """A letter of paragraphs; empty ones are left out."""
    return "\n\n".join(one for one in paragraphs if one.strip())


def below(text: str) -> str:
    """A paragraph that may be missing at the end of a text."""
    return f"\n\n{text}" if text else ""
