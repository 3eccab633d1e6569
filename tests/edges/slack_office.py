"""A whole office for tests: the simulated Slack, the real app over Socket Mode, a real store and its worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from amends.runtime.slack import staff_reports
from bots.letters.composer import LetterText
from bots.slack.app import build_app
from bots.slack.client import connection
from bots.slack.client.client import make_client
from bots.slack.context import SlackContext, StaffChannels
from bots.slack.job_handlers import job_handlers
from bots.slack.staff_sync import sync_staff
from complaints.actions.intake import message_facts
from complaints.actors import MODEL, SYSTEM
from complaints.case import Case, Event
from complaints.event_facts import TAKE_BACK_SECONDS
from complaints.vocabulary import Role, Verb
from scheduler.ticks import act_handlers, morning_handlers, review_handlers
from scheduler.worker import Worker
from simulator import Limits, Simulator
from simulator.colleague import StaffMember
from simulator.screen import Card, Modal
from store.cases.act import act
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import load_case
from store.cases.receive_message import receive_message
from store.outbox.complete import Completed, Outcome
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.people.staff import load_actor
from store.record.load import load_event_words
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
    **decision: Any,
) -> str:
    """A letter in fixed words: its wording is tested with the letters."""
    paragraphs = "\n".join(words.values())
    return f"Dear Anna, about {case.ref}:\n{paragraphs}"


def read_out_text(
    case: Case,
    about: str,
    facts: Mapping[str, Any],
    *,
    events: Sequence[Event],
    words_of: Callable[[int], Mapping[str, str]],
    now: datetime,
    **decision: Any,
) -> LetterText:
    """The text that staff read out, in fixed words."""
    return LetterText(f"Read out about {case.ref}: {about}", about)


@dataclass
class Office:
    """The running office with everything that a test drives or looks at."""

    sim: Simulator
    store: Store
    clock: FakeClock
    desk: SlackContext
    client: AsyncWebClient
    worker: Worker
    running: asyncio.Task[None]
    numbers: count[int] = field(default_factory=lambda: count(1))
    letters: list[str] = field(default_factory=list)

    async def stop_worker(self) -> None:
        """End the worker, so that the test claims the obligations itself.

        Waits for the loop to end: a claim that it had begun could take the obligation that the test makes next.
        """
        self.worker.stop()
        await self.running

    def complainant_acts(
        self,
        verb: Verb,
        ref: str | None,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
        *files: ReceivedFile,
    ) -> str:
        """Store a message in which Anna performs this act, and return the reference of her complaint."""

        def step(talk: Conversation) -> DialogueTurn:
            return DialogueTurn(state={}, acts=(PlannedAct(verb, ref or talk.next_ref, facts, words, files),))

        return self.store.write(receive_message, f"tg:{next(self.numbers)}", ANNA, step).refs[0]

    def receive(self, text: str = WORDS, *files: ReceivedFile, **more: Any) -> str:
        """Store Anna's first message."""
        facts = message_facts(field="description", has_words=bool(text), media=len(files), **more)
        return self.complainant_acts(Verb.RECEIVE, None, facts, {"description": text}, *files)

    def add(self, ref: str, text: str = "One thing more", **more: Any) -> None:
        """Store a further message of Anna's."""
        self.complainant_acts(
            Verb.ADD, ref, message_facts(field="addition", has_words=True, **more), {"addition": text}
        )

    def propose(self, ref: str, **more: Any) -> None:
        """Record a proposal of the model."""
        facts = {
            "words": self.store.read(load_case, ref).words, "category": "money", "probability": 0.83, "severity": 2,
            "safety": 0, "abstained": False, "restricted": False, "model": "m1", "alternatives": [],
        }  # fmt: skip
        self.store.write(
            act, ref, Verb.PROPOSE, MODEL, facts | more, {"because": '[{"word": "bill", "weight": 1.0}]'}
        )

    def proposed(self, text: str = WORDS, **more: Any) -> str:
        """Receive a complaint and record a proposal, so that its card may be posted."""
        ref = self.receive(text)
        self.propose(ref, **more)
        return ref

    def owned(self, member: str, text: str = WORDS, **more: Any) -> str:
        """Receive a complaint with a proposal, and let the manager assign it to this member."""
        ref = self.proposed(text, **more)
        self.store.write(act, ref, Verb.ASSIGN, self.store.read(load_actor, MONA), {"owner": member})
        return ref

    def staff(self, member: str) -> StaffMember:
        """This member in the simulated Slack."""
        return self.sim.staff(member)

    async def idle(self) -> None:
        """Wait until every due obligation is done."""
        await self.worker.idle()

    async def until(self, at: datetime) -> None:
        """Set the clock to this moment and wait until everything due by then is done."""
        self.clock.go_on(seconds=(at - self.clock.at).total_seconds())
        self.worker.nudge()
        await self.idle()

    async def card(self, ref: str, member: str = ALICE, channel: str = TRIAGE) -> Card:
        """Return the card as this member sees it now."""
        await self.idle()
        return self.staff(member).channel(channel).card(ref)

    async def reads(self, member: str, ref: str, reason: str = "Quality check or audit") -> Modal:
        """Open a complaint of another person from its card, with this reason."""
        colleague = self.staff(member)
        await colleague.presses(await self.card(ref, member), "Open")
        await colleague.presses(await colleague.opened("Reason for reading"), reason)
        return await colleague.opened("Open")

    async def submits(self, member: str, form: str, values: Mapping[str, Any]) -> Any:
        """Fill in and submit the open form. Returns the view that is on top afterwards."""
        colleague = self.staff(member)
        await colleague.opened(form)
        await colleague.fills(dict(values))
        top = await colleague.submits()
        await self.idle()
        return top

    async def acts(
        self, member: str, label: str, ref: str, values: Mapping[str, Any], *, channel: str = TRIAGE
    ) -> Any:
        """Press or choose an action on the card, submit its form, and send the letter if a preview opened."""
        card = await self.card(ref, member, channel)
        colleague = self.staff(member)
        if label in card.buttons:
            await colleague.presses(card, label)
        else:
            await colleague.chooses(card, "More", label)
        top = await self.submits(member, "", values)
        if top is not None and top.callback_id.endswith("_preview"):
            await colleague.submits()
            await self.passes_ten_seconds()
        return top

    async def passes_ten_seconds(self) -> None:
        """Let a letter leave that its sender did not take back."""
        await self.idle()
        await self.until(self.clock.at + timedelta(seconds=TAKE_BACK_SECONDS))

    async def private_answer(self, member: str) -> str:
        """Wait for an answer to a press, which comes outside the queue, and return the newest."""
        colleague = self.staff(member)
        await self.sim.until(lambda: bool(colleague.ephemerals), timeout=10)
        return colleague.ephemerals[-1].text

    def texts(self, member: str) -> list[str]:
        """The texts of every direct and ephemeral message to this member."""
        colleague = self.staff(member)
        return [message.text for message in (*colleague.direct_messages, *colleague.ephemerals)]


def report_settings() -> Any:
    """The settings that reports read."""
    organisation = SimpleNamespace(
        name=RULES.organisation, timezone=RULES.calendar.zone, staff_language="en", languages=RULES.languages
    )
    return SimpleNamespace(organisation=organisation, texts_folder=None, own_names={})


@asynccontextmanager
async def open_office(
    store: Store,
    clock: FakeClock,
    *,
    complainants: Callable[[Simulator, Store], Mapping[str, Any]] | None = None,
    **limits: Any,
) -> AsyncIterator[Office]:
    """Open it; `complainants` gives the handlers of what goes to them, in place of `telegram`."""
    # Slack's 3 s are real time, and tests share the machine.
    patient = {"ack_seconds": 30, "trigger_seconds": 30}
    async with Simulator(limits=Limits(**(patient | limits))) as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        desk = SlackContext(
            store,
            voice(),
            StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE, proof=EXECUTIVE),
            letter,
            read_out_text,
            reports=staff_reports(store, report_settings()),
        )
        store.write(use_rulebook, RULES)
        await sync_staff(client, desk, ROLES, on_call=(MONA,))
        app = await build_app(desk, client)
        handler = await connection.connect(app, sim.slack_app_token, ping_interval=1)
        worker = Worker(
            store,
            {
                **(complainants(sim, store) if complainants is not None else telegram(store)),
                **{kind: act_handlers(store)[kind] for kind in ("add_due", "check_late", "talk_end")},
                **morning_handlers(store),
                **review_handlers(store, 2),
                **job_handlers(desk, client, interval=0),
            },
        )
        store.on_commit(worker.nudge)
        running = asyncio.create_task(worker.run())
        try:
            yield Office(sim, store, clock, desk, client, worker, running)
            assert sim.breaches == []
        finally:
            worker.stop()
            await running
            await connection.close(handler)


def telegram(store: Store) -> dict[str, Any]:
    """Handlers for what the bot would send: every message is accepted at once."""

    async def acknowledge(obligation: Obligation) -> Outcome:
        await store.awrite(
            act, str(obligation.ref), Verb.ACKNOWLEDGE, SYSTEM, {"level": obligation.facts["level"]}
        )
        return Completed()

    async def decision(obligation: Obligation) -> Outcome:
        await store.awrite(act, str(obligation.ref), Verb.COMMUNICATE_DECISION, SYSTEM)
        return Completed()

    async def letter(obligation: Obligation) -> Outcome:
        text = (await store.aread(load_event_words, str(obligation.ref), int(obligation.facts["seq"])))[
            "letter"
        ]
        ref, seq = str(obligation.ref), int(obligation.facts["seq"])
        number = await store.awrite(
            begin_sending, obligation, text, template="letter", language="en", ref=ref
        )
        unsent = (await store.aread(load_case, ref)).unsent
        follows = [(ref, Verb.DELIVER, SYSTEM, {"seq": seq}, {}) for held in unsent if held.event.seq == seq]
        await store.awrite(record_sent, number, "1", completes=obligation.id, acts=follows)
        return Completed(settled=True)

    async def sent(obligation: Obligation) -> Outcome:
        return Completed()

    by_kind = {"acknowledge": acknowledge, "decision": decision, "letter": letter}
    return {**dict.fromkeys(SENT_TO_COMPLAINANT, sent), **by_kind}
