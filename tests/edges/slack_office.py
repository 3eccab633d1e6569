"""A whole office for tests: the simulated Slack, the real app over Socket Mode, a real store, its duties."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.letters.composer import LetterText
from bots.slack.app import build_app
from bots.slack.client import connection
from bots.slack.client.client import make_client
from bots.slack.context import SlackContext, StaffChannels
from bots.slack.jobs.registry import job_handlers
from bots.slack.staff_sync import sync_staff
from complaints.actions.intake import message_facts
from complaints.actors import MODEL, SYSTEM
from complaints.case import Case, Event
from complaints.vocabulary import Role, Verb
from scheduler.ticks import morning_handlers
from scheduler.worker import Worker
from simulator import Limits, Simulator
from simulator.colleague import StaffMember
from simulator.screen import Card
from store.cases.act import act
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import load_case
from store.cases.receive_message import receive_message
from store.outbox.outcomes import Completed, Outcome
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.people.staff import load_actor
from store.record.texts import load_event_words
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, Obligation, PlannedAct, ReceivedFile
from tests.databases import FakeClock
from tests.rules.slack_cases import RULES, voice

TRIAGE, RESTRICTED, EXECUTIVE = "C0000001", "C0000002", "C0000003"
ALICE, MONA, TUGBA, AUDREY, BURAK = (f"U000000{n}" for n in range(1, 6))
ROLES: Mapping[Role, tuple[str, ...]] = {
    Role.HANDLER: (ALICE, BURAK),
    Role.MANAGER: (MONA,),
    Role.TOP_MANAGEMENT: (TUGBA,),
    Role.AUDITOR: (AUDREY,),
}
ANNA = Chat("telegram", "70001", "en", "Anna Zzyzx")
WORDS = "Zzyzx: my bill is wrong"
ASSESSMENT = {
    "category": "money", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
    "immediate_needed": "no",
}  # fmt: skip
RESOLVED = {
    "done": "We sent it back.", "finding": "upheld", "cause": "Read twice", "cause_class": "single",
    "agreed_how": "As she asked", "others_affected": "none",
}  # fmt: skip


def letter(
    form: str,
    case: Case,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    now: datetime,
    issue_texts: Sequence[str] = (),
) -> str:
    """A letter in the tests' own words; what it says is the letters' affair."""
    said_words = "\n".join(words.values())
    return f"Dear Anna, about {case.ref}:\n{said_words}"


def spoken(
    case: Case,
    about: str,
    facts: Mapping[str, Any],
    *,
    events: Sequence[Event],
    words_of: Callable[[int], Mapping[str, str]],
    now: datetime,
) -> LetterText:
    """What is read out, in the tests' own words."""
    return LetterText(f"Read out about {case.ref}: {about}", about)


@dataclass
class Office:
    """Everything at hand."""

    sim: Simulator
    store: Store
    clock: FakeClock
    desk: SlackContext
    client: AsyncWebClient
    performing: Worker
    numbers: count[int] = field(default_factory=lambda: count(1))
    letters: list[str] = field(default_factory=list)

    def hear(
        self,
        verb: Verb,
        ref: str | None,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
        *files: ReceivedFile,
    ) -> str:
        """Anna writes; the reference of her complaint."""

        def step(talk: Conversation) -> DialogueTurn:
            return DialogueTurn(state={}, acts=(PlannedAct(verb, ref or talk.next_ref, facts, words, files),))

        return self.store.write(receive_message, f"tg:{next(self.numbers)}", ANNA, step).refs[0]

    def receive(self, text: str = WORDS, *files: ReceivedFile, **more: Any) -> str:
        """Her first message."""
        facts = message_facts(field="description", has_words=bool(text), media=len(files), **more)
        return self.hear(Verb.RECEIVE, None, facts, {"description": text}, *files)

    def add(self, ref: str, text: str = "One thing more", **more: Any) -> None:
        """A further message."""
        self.hear(Verb.ADD, ref, message_facts(field="addition", has_words=True, **more), {"addition": text})

    def propose(self, ref: str, **more: Any) -> None:
        """The model proposes."""
        facts = {
            "words": self.store.read(load_case, ref).words, "category": "money", "probability": 0.83, "severity": 2,
            "safety": 0, "abstained": False, "restricted": False, "model": "m1", "alternatives": [],
        }  # fmt: skip
        self.store.write(
            act, ref, Verb.PROPOSE, MODEL, facts | more, {"because": '[{"word": "bill", "weight": 1.0}]'}
        )

    def proposed(self, text: str = WORDS, **more: Any) -> str:
        """One with a proposal, so that its card may be posted."""
        ref = self.receive(text)
        self.propose(ref, **more)
        return ref

    def owned(self, member: str, text: str = WORDS, **more: Any) -> str:
        """One with a proposal that the manager gave to this colleague."""
        ref = self.proposed(text, **more)
        self.store.write(act, ref, Verb.ASSIGN, self.store.read(load_actor, MONA), {"owner": member})
        return ref

    def staff(self, member: str) -> StaffMember:
        """A colleague at the simulated Slack."""
        return self.sim.staff(member)

    async def idle(self) -> None:
        """Everything due is done."""
        await self.performing.idle()

    async def until(self, at: datetime) -> None:
        """The clock stands at this moment, and everything due by then is done."""
        self.clock.go_on(seconds=(at - self.clock.at).total_seconds())
        self.performing.nudge()
        await self.idle()

    async def card(self, ref: str, member: str = ALICE, channel: str = TRIAGE) -> Card:
        """The card as this colleague sees it now."""
        await self.idle()
        return self.staff(member).channel(channel).card(ref)

    async def submits(self, member: str, form: str, values: Mapping[str, Any]) -> Any:
        """Fill in and submit the form on top; what is on top afterwards."""
        colleague = self.staff(member)
        await colleague.opened(form)
        await colleague.fills(dict(values))
        top = await colleague.submits()
        await self.idle()
        return top

    async def acts(
        self, member: str, label: str, ref: str, values: Mapping[str, Any], *, channel: str = TRIAGE
    ) -> Any:
        """Press or choose on the card, fill in, submit, and send where a preview came."""
        card = await self.card(ref, member, channel)
        colleague = self.staff(member)
        if label in card.buttons:
            await colleague.presses(card, label)
        else:
            await colleague.chooses(card, "More", label)
        top = await self.submits(member, "", values)
        if top is not None and top.callback_id.endswith("_preview"):
            await colleague.submits()
            await self.idle()
        return top

    def texts(self, member: str) -> list[str]:
        """Every direct and ephemeral message of a colleague."""
        colleague = self.staff(member)
        return [one.text for one in (*colleague.direct_messages, *colleague.ephemerals)]


@asynccontextmanager
async def office_of(store: Store, clock: FakeClock, **limits: Any) -> AsyncIterator[Office]:
    """An office that is open."""
    async with Simulator(limits=Limits(**limits)) as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        desk = SlackContext(store, voice(), StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE), letter, spoken)
        store.write(use_rulebook, RULES)
        await sync_staff(client, desk, ROLES, on_call=(MONA,))
        app = await build_app(desk, client)
        handler = await connection.connect(app, sim.slack_app_token, ping_interval=1)
        performing = Worker(
            store, {**telegram(store), **morning_handlers(store), **job_handlers(desk, client, interval=0)}
        )
        store.on_commit(performing.nudge)
        running = asyncio.create_task(performing.run())
        try:
            yield Office(sim, store, clock, desk, client, performing)
            assert sim.breaches == []
        finally:
            performing.stop()
            await running
            await connection.close(handler)


def telegram(store: Store) -> dict[str, Any]:
    """What the other side would perform: here every message is accepted at once."""

    async def acknowledge(owed: Obligation) -> Outcome:
        await store.awrite(act, str(owed.ref), Verb.ACKNOWLEDGE, SYSTEM, {"level": owed.facts["level"]})
        return Completed()

    async def decision(owed: Obligation) -> Outcome:
        await store.awrite(act, str(owed.ref), Verb.COMMUNICATE_DECISION, SYSTEM)
        return Completed()

    async def letter(owed: Obligation) -> Outcome:
        text = (await store.aread(load_event_words, str(owed.ref), int(owed.facts["seq"])))["letter"]
        number = await store.awrite(begin_sending, owed, text, template="letter", language="en", ref=owed.ref)
        await store.awrite(record_sent, number, "1", settles=owed.id)
        return Completed(settled=True)

    async def spoken(owed: Obligation) -> Outcome:
        return Completed()

    by_kind = {"acknowledge": acknowledge, "decision": decision, "letter": letter}
    return {**dict.fromkeys(SENT_TO_COMPLAINANT, spoken), **by_kind}
