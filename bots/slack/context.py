"""What every listener and job of Slack works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from bots.letters.composer import LetterText
from bots.slack.texts import StaffTexts
from complaints.actors import Actor
from complaints.case import Case, Event
from store.people.staff import load_actor

if TYPE_CHECKING:
    from store.store import Store


class LetterPreview(Protocol):
    """Writes the exact letter of an act, as the complainant will read it; nothing is recorded."""

    def __call__(
        self,
        form: str,
        case: Case,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
        *,
        now: datetime,
        issue_texts: Sequence[str] = (),
    ) -> str:
        """`issue_texts` are the issues in the words of the assessment."""
        ...


class ReadOut(Protocol):
    """Writes what staff read out or post where no chat is connected, in the complainant's language."""

    def __call__(
        self,
        case: Case,
        about: str,
        facts: Mapping[str, Any],
        *,
        events: Sequence[Event],
        words_of: Callable[[int], Mapping[str, str]],
        now: datetime,
    ) -> LetterText | None:
        """`about` is the kind of an obligation, or `logged` for the end of logging a complaint."""
        ...


@dataclass(frozen=True)
class StaffChannels:
    """The ids of the channels where complaints are shown."""

    triage: str
    restricted: str
    executive: str

    def channel(self, purpose: str) -> str:
        """The channel of a complaint's post: `card`, `restricted` or `executive`."""
        return {"card": self.triage, "restricted": self.restricted, "executive": self.executive}[purpose]


@dataclass(frozen=True)
class SlackContext:
    """The store, the texts and channels of the staff, and the writers of letters."""

    store: Store
    texts: StaffTexts
    channels: StaffChannels
    preview: LetterPreview
    read_out: ReadOut
    #: The check of the clauses, a line each; it is made where every room is known.
    clauses: Callable[[], Sequence[str]] | None = None

    async def actor(self, member_id: str) -> Actor:
        """The person with the roles held at this moment."""
        return await self.store.aread(load_actor, member_id)
