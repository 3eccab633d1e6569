"""The alarm of a complaint: a danger, certain or possible, from its first sign to its closing by a person (5.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A possible danger whose question has no answer pages after this time, as a certain one does at once.
SILENCE_BEFORE_PAGE = timedelta(minutes=2)


@dataclass(frozen=True)
class Alarm:
    """A danger to people, certain or possible, from its first sign until a person closes it (5.3, 7.3)."""

    at: datetime
    #: It became certain: by a sign, or by an answer to "Is anybody in danger?" that is no clear "no".
    certain_at: datetime | None = None
    #: A person confirmed that they have seen it.
    seen_at: datetime | None = None
    seen_by: str | None = None
    #: The complainant denied the danger, or said that it is over.
    calm_at: datetime | None = None
    #: When the complainant wrote of it, where we read it much later.
    written_at: datetime | None = None
    #: A person closed it with a reason, or a newer alarm took its place.
    ended_at: datetime | None = None

    @property
    def read_after(self) -> timedelta:
        """How long the message about it had waited when we read it; zero where that was not long."""
        return self.at - (self.written_at or self.at)

    @property
    def talks_until(self) -> datetime | None:
        """Until when the bot stayed in the conversation; None while it does."""
        return min((at for at in (self.calm_at, self.ended_at) if at is not None), default=None)

    @property
    def pages_from(self) -> datetime | None:
        """From when people are paged; None where the complainant clearly denied it: then they are asked to look."""
        if self.certain_at is not None:
            return self.certain_at
        return self.at + SILENCE_BEFORE_PAGE if self.calm_at is None else None

    @property
    def kind(self) -> str:
        """`page` if it paged people, or does unless a person acts within the two minutes; otherwise `look`."""
        acts = (self.calm_at, self.seen_at, self.ended_at)
        is_quick = any(at is not None and at < self.at + SILENCE_BEFORE_PAGE for at in acts)
        return "look" if is_quick and self.certain_at is None else "page"
