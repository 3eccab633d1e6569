"""What every listener and performer of this side works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bots.letters.composer import Spoken
from bots.slack.voice import Voice
from complaints.actors import Actor
from complaints.case import Case, Event
from store.people.staff import load_actor

if TYPE_CHECKING:
    from store.store import Store

Made = TypeVar("Made")


class Preview(Protocol):
    """The exact letter of an act, as the complainant will read it."""

    def __call__(
        self,
        form: str,
        case: Case,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
        *,
        now: datetime,
        told: Sequence[str] = (),
    ) -> str:
        """Write it; nothing is recorded. `told` are the issues in the words of the assessment."""
        ...


class ReadOut(Protocol):
    """The exact words that people tell where no chat takes them, in the complainant's language."""

    def __call__(
        self,
        case: Case,
        about: str,
        facts: Mapping[str, Any],
        *,
        events: Sequence[Event],
        words_of: Callable[[int], Mapping[str, str]],
        now: datetime,
    ) -> Spoken | None:
        """`about` is the kind of duty, or `logged` for what is said at the end of logging."""
        ...


@dataclass(frozen=True)
class Places:
    """Where complaints are shown: ids of channels."""

    triage: str
    restricted: str
    executive: str

    def of(self, purpose: str) -> str:
        """The channel of a post of this purpose."""
        return {"card": self.triage, "restricted": self.restricted, "executive": self.executive}[purpose]


@dataclass(frozen=True)
class Desk:
    """The store, the staff's texts, the channels, and who writes letters."""

    store: Store
    voice: Voice
    places: Places
    preview: Preview
    read_out: ReadOut
    #: The desk's check of the clauses, a line each; made where every room is known.
    clauses: Callable[[], Sequence[str]] | None = None

    async def do(self, work: Callable[..., Made], *args: Any, **named: Any) -> Made:
        """Run a method of the store in its thread: the one crossing from async code."""
        made: Made = await self.store.in_thread(work, *args, **named)
        return made

    async def actor(self, member: str) -> Actor:
        """Who this is, with the roles held at this moment."""
        return await self.store.aread(load_actor, member)
