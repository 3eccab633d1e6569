"""What every listener and job of Slack works with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from bots.letters.composer import LetterText
from bots.slack.staff_texts import StaffTexts
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import NotAllowed
from complaints.letter_texts import NO_TEXT, ComplaintText
from complaints.obligations.kinds import NewObligation, SendPriority
from store.outbox.rows import insert_obligation
from store.people.staff import load_actor
from store.record.access_log import record_refused_attempt

if TYPE_CHECKING:
    from reports.document import Report
    from reports.output.wording import ReportTexts
    from reports.tally import Period
    from store.store import Store


#: The obligation of a card waits at most so long for a press on it, in seconds.
MAX_PRESS_SECONDS = 5.0


class LetterPreview(Protocol):
    """Writes the exact letter of an act, as the complainant will read it; nothing is recorded.

    `issue_texts` are the issues in the words of the assessment. For a decision, `reviewers` is the number of people
    who could review it, and `complaint_text` the complaint in the complainant's own words. A stored letter is from
    `written_at`.
    """

    def __call__(
        self,
        form: str,
        case: Case,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
        *,
        now: datetime,
        issue_texts: Sequence[str] = (),
        reviewers: int = 0,
        complaint_text: ComplaintText = NO_TEXT,
        written_at: datetime | None = None,
    ) -> str: ...


class ReadOut(Protocol):
    """Writes what staff read out or post where no chat is connected, in the complainant's language.

    `about` is the kind of an obligation, or `logged` for the end of logging a complaint.
    """

    def __call__(
        self,
        case: Case,
        about: str,
        facts: Mapping[str, Any],
        *,
        events: Sequence[Event],
        words_of: Callable[[int], Mapping[str, str]],
        now: datetime,
        reviewers: int = 0,
        complaint_text: ComplaintText = NO_TEXT,
    ) -> LetterText | None: ...


@dataclass(frozen=True)
class StaffChannels:
    triage: str
    restricted: str
    executive: str
    #: Gets the checkpoints of the log, if it is set.
    proof: str | None = None

    def channel(self, purpose: str) -> str:
        """The channel of a complaint's post: `card`, `restricted` or `executive`."""
        return {"card": self.triage, "restricted": self.restricted, "executive": self.executive}[purpose]


class CardPresses:
    """The presses and submissions in progress in this process, by the complaint whose card they were made on.

    A press draws its card itself, without a slot of the rate limit, so the card's obligation waits for it.
    """

    def __init__(self) -> None:
        self._in_progress: dict[str, set[asyncio.Event]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def drawing(self, ref: str) -> asyncio.Lock:
        """Held while a drawing is made and sent: of two at once the older might arrive last."""
        return self._locks.setdefault(ref, asyncio.Lock())

    @contextmanager
    def in_progress(self, ref: str) -> Iterator[None]:
        ended = asyncio.Event()
        self._in_progress.setdefault(ref, set()).add(ended)
        try:
            yield
        finally:
            ended.set()
            self._in_progress[ref].discard(ended)
            if not self._in_progress[ref]:
                del self._in_progress[ref]

    async def ended(self, ref: str) -> None:
        """Wait for the presses that are in progress now, at most `MAX_PRESS_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_PRESS_SECONDS):
                for ended in tuple(self._in_progress.get(ref, ())):
                    await ended.wait()


@dataclass(frozen=True)
class StaffReports:
    """The reports that staff can have: `build` makes one of a kind for a period, `pdf` its file.

    Without a period: the last 91 days. They are made where every room is known.
    """

    kinds: tuple[str, ...]
    texts: ReportTexts
    build: Callable[[str, Period | None], Report]
    pdf: Callable[[Report], bytes]


@dataclass(frozen=True)
class SlackContext:
    """The store, the texts and channels of the staff, and the writers of letters."""

    store: Store
    texts: StaffTexts
    channels: StaffChannels
    preview: LetterPreview
    read_out: ReadOut
    #: Words that the record already has for the letter of a form, in the complainant's language.
    suggest: Callable[[str, Case], Mapping[str, str]] = lambda form, case: {}
    #: Whether a card may have the category and masked words as its subject (the setting `subject`).
    masked_subject: bool = False
    #: The virus scanner: whether it passes a file, None without a verdict.
    scan: Callable[[bytes], Awaitable[bool | None]] | None = None
    #: The check of the clauses, a line each; it is made where every room is known.
    clauses: Callable[[], Sequence[str]] | None = None
    reports: StaffReports | None = None
    presses: CardPresses = field(default_factory=CardPresses)

    async def actor(self, member_id: str) -> Actor:
        """The person with the roles held at this moment."""
        return await self.store.aread(load_actor, member_id)

    async def schedule(
        self,
        key: str,
        kind: str,
        facts: Mapping[str, Any] | None = None,
        *,
        payload: Mapping[str, Any] | None = None,
        priority: SendPriority = SendPriority.DIALOGUE,
        due: datetime | None = None,
    ) -> None:
        """Store an obligation that follows from no event, due at once without `due`; a repeated key changes nothing.

        A person's words are in `payload` and never in `facts`.
        """
        obligation = NewObligation(key, kind, due or self.store.now(), priority, facts or {})
        await self.store.awrite(insert_obligation, obligation, None, None, payload or {})

    @asynccontextmanager
    async def refusals_recorded(self, ref: str | None, attempt: str, actor: Actor) -> AsyncIterator[None]:
        """Record a NotAllowed that is raised inside (4.7); the store itself records what it refuses."""
        try:
            yield
        except NotAllowed as refusal:
            await self.store.awrite(record_refused_attempt, ref, attempt, actor, refusal.code)
            raise
