"""Talk to them now: a conversation between a member's direct messages in Slack and the complainant's chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bots.slack.conversation import SENT
from bots.telegram.application import build_application
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.jobs import job_handlers
from bots.telegram.polling import Poller
from complaints.case import Case
from complaints.obligations.standing import TALK_IDLE
from complaints.vocabulary import Role, Verb
from simulator import Simulator
from simulator.customer import Customer
from simulator.screen import Card, DisplayedPost
from simulator.slack import payloads
from store.cases.act import act
from store.cases.read import list_cases, load_case, load_history, open_case
from store.cases.staff_letters import end_conversations_without_right
from store.custody.erasure import erase
from store.people.staff import list_members, load_actor, sync_staff
from store.record.load import load_event_words
from store.store import Store
from store.tables import READS
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, BURAK, MONA, TRIAGE, Office, open_office
from tests.edges.telegram_desk import SECRET, TEXTS

GAS = "There is a strong smell of gas in the kitchen now!"
TALK, END, TAKE_OVER = "Talk to them now", "End the conversation", "Take the conversation over"


@dataclass
class Both:
    """A complainant in danger in the real bot, and the office with the real Slack app."""

    office: Office
    anna: Customer
    ref: str

    @property
    def case(self) -> Case:
        return self.office.store.read(load_case, self.ref)

    async def settled(self) -> None:
        sim = self.office.sim
        await sim.until(lambda: not sim.world.telegram.updates, timeout=20, what="updates taken")
        await self.office.idle()

    async def begins(self, member: str = MONA) -> Card:
        """Press the button on the page, in whose thread the conversation is then."""
        page = next(m for m in self.office.staff(member).direct_messages if TALK in m.buttons)
        await self.office.staff(member).presses(page, TALK)
        await self.settled()
        return page

    async def types(self, root: Card, text: str, member: str = MONA, **more: Any) -> DisplayedPost:
        """Type a line into the thread, and wait until it was sent or refused."""
        before = self.case.version
        said = len(root.thread)
        written = await self.office.staff(member).says(root.channel, text, thread=root, **more)
        await self.office.sim.until(
            lambda: self.case.version > before or len(root.thread) > said + 1, timeout=20, what="line taken"
        )
        await self.settled()
        return written

    async def hears(self, text: str) -> None:
        await self.anna.says(text)
        await self.settled()


@asynccontextmanager
async def in_danger(store: Store, clock: FakeClock) -> AsyncIterator[Both]:
    made: dict[str, Any] = {}

    def complainants(sim: Simulator, store: Store) -> Mapping[str, Any]:
        app = build_application(sim.bot_token, sim.telegram_url)
        buttons = Buttons(SECRET)
        intake = Intake(app, store, buttons, TEXTS)
        made.update(app=app, poller=Poller(app, store, intake, timeout=2))
        return job_handlers(app, store, intake, buttons, TEXTS, rate_limited=False)

    async with open_office(store, clock, complainants=complainants) as office:
        app, poller = made["app"], made["poller"]
        await app.initialize()
        await app.start()
        polling = asyncio.create_task(poller.run())
        try:
            anna = office.sim.customer("Anna")
            both = Both(office, anna, "")
            await both.hears(GAS)
            (row,) = store.read(list_cases)[0]
            both.ref = str(row["ref"])
            yield both
        finally:
            poller.stop()
            await asyncio.wait([polling], timeout=10)
            await app.stop()
            await app.shutdown()


@clause("5.3")
async def test_only_lines_of_the_thread_reach_the_complainant_and_each_is_marked_as_sent(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        assert both.anna.heard[-1] == "A person from Northwind Water is here now (the person on call)."
        first = root.thread[0]
        assert GAS in first.text
        assert "English" in first.text
        written = await both.types(root, "Is everybody <b>out</b> & safe?")
        assert both.anna.heard[-1] == "Is everybody <b>out</b> & safe?"
        await both.office.sim.until(lambda: bool(written.post.reactions), timeout=20)
        assert written.post.reactions == {SENT: ["U0000BOT"]}
        event = both.office.store.read(load_history, both.ref)[-1]
        assert (event.verb, event.by, event.role) == (Verb.TALK, MONA, Role.ON_CALL)
        assert both.office.store.read(load_event_words, both.ref, event.seq) == {
            "text": "Is everybody <b>out</b> & safe?"
        }
        assert both.case.contacted
        heard = list(both.anna.heard)
        card = await both.office.card(both.ref, MONA)
        await both.office.staff(MONA).says(TRIAGE, "He sounds drunk", thread=card)
        said = len(both.office.texts(MONA))
        await both.office.staff(MONA).says(root.channel, "He sounds drunk")
        await both.office.sim.until(lambda: len(both.office.texts(MONA)) > said, timeout=20)
        assert "Not sent" in both.office.texts(MONA)[-1]
        await both.settled()
        assert list(both.anna.heard) == heard


@clause("7.3")
async def test_what_the_complainant_writes_appears_in_the_thread_and_goes_with_an_erasure(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        await both.hears("We are all in the garden")
        await both.hears("Can we go back in?")
        shown = [post.text for post in root.thread]
        assert [text for text in shown if "garden" in text or "back in" in text] == [
            text for text in shown if text.endswith(("garden", "back in?"))
        ]
        assert shown[-1].endswith("Can we go back in?")
        reads = usual_store.read(
            lambda tx: tx.connection.execute(READS.select().where(READS.c.what == "talk")).all()
        )
        assert [(read.by, read.version) for read in reads] == [(MONA, 0)]
        mona = usual_store.read(load_actor, MONA)
        usual_store.write(open_case, both.ref, mona, "open")
        usual_store.write(act, both.ref, Verb.NOT_ACCEPT, mona, {}, {"reason": "Not ours."})
        await both.settled()
        assert both.case.talk is None
        usual_store.write(erase, both.ref, "request")
        await both.settled()
        left = [
            m.text
            for m in both.office.staff(MONA).direct_messages
            if both.ref in m.text or "garden" in m.text
        ]
        assert left == []


@clause("7.4")
async def test_the_acknowledgement_waits_until_the_conversation_is_over(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        await both.office.until(clock.at + timedelta(minutes=6))
        assert both.case.acks == {}
        await both.office.staff(MONA).presses(root.thread[0], END)
        mona = usual_store.read(load_actor, MONA)
        usual_store.write(act, both.case.ref, Verb.END_DANGER, mona, {"danger_end": "helped"})
        await both.office.until(clock.at + timedelta(minutes=6))
        assert list(both.case.acks) == [1]


async def test_a_line_that_slack_delivers_twice_is_sent_once(usual_store: Store, clock: FakeClock) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        written = await both.types(root, "Stay outside.")
        link = both.office.staff(MONA).link
        channel = link.world.slack.channels[root.channel]
        assert (
            await link.deliver("events_api", payloads.message_event(link.world, channel, written.post))
            is not None
        )
        await both.settled()
        assert list(both.anna.heard).count("Stay outside.") == 1


@pytest.mark.parametrize(
    ("case", "answer"), [("file", "only words"), ("long", "4,096"), ("ended", "has ended")]
)
async def test_what_cannot_be_sent_is_refused_in_the_thread_with_a_way_out(
    usual_store: Store, clock: FakeClock, case: str, answer: str
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        if case == "ended":
            await both.office.staff(MONA).presses(root.thread[0], END)
            await both.settled()
        heard = len(both.anna.heard)
        files = (("map.png", b"x"),) if case == "file" else ()
        await both.types(root, "a" * 4097 if case == "long" else "Look at this", files=files)
        assert "Not sent" in root.thread[-1].text
        assert answer in root.thread[-1].text
        assert len(both.anna.heard) == heard


async def test_an_edited_or_deleted_line_stays_as_it_was_sent(usual_store: Store, clock: FakeClock) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        written = await both.types(root, "Go back in.")
        heard = list(both.anna.heard)
        said = len(root.thread)
        await both.office.staff(MONA).edits(written, "Do not go back in.")
        await both.office.sim.until(lambda: len(root.thread) > said, timeout=20)
        await both.settled()
        assert "what was sent stays" in root.thread[-1].text
        await both.office.staff(MONA).deletes(written)
        await both.settled()
        assert list(both.anna.heard) == heard


async def test_a_second_person_is_told_who_talks_and_takes_over_with_a_button(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        page = next(m for m in both.office.staff(MONA).direct_messages if TALK in m.buttons)
        alice = both.office.staff(ALICE)
        direct = alice.world.slack.direct_channel(ALICE)
        moved = replace(page.post, channel=direct.id, ts="1.000100", thread_ts=None)
        direct.posts.append(moved)
        await alice.presses(Card(alice.world, direct, moved), TALK)
        await both.office.private_answer(ALICE)
        answer = alice.ephemerals[-1]
        assert f"<@{MONA}>" in answer.post.text or "Mona" in answer.text
        await alice.presses(answer, TAKE_OVER)
        await both.settled()
        taken = Card(alice.world, direct, moved)
        assert both.case.talk is not None
        assert both.case.talk.member == ALICE
        await both.types(root, "I am still here")
        assert "Not sent" in root.thread[-1].text
        await both.types(taken, "This is Alice", ALICE)
        assert both.anna.heard[-1] == "This is Alice"


@clause("4.7")
async def test_a_conversation_ends_for_a_member_who_loses_the_role_and_after_thirty_minutes(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        await both.begins()
        await both.office.until(clock.at + TALK_IDLE + timedelta(seconds=1))
        await both.settled()
        assert both.case.talk is None
        assert "left the conversation" in both.anna.heard[-1]
        begin = {
            "phase": "begin",
            "thread": both.office.staff(BURAK).world.slack.direct_channel(BURAK).id + ":1.2",
        }
        usual_store.write(act, both.ref, Verb.TALK, usual_store.read(load_actor, BURAK), begin)
        await both.settled()
        usual_store.write(sync_staff, [m for m in usual_store.read(list_members) if m.id != BURAK])
        usual_store.write(end_conversations_without_right)
        await both.settled()
        assert both.case.talk is None


async def test_a_blocked_chat_says_plainly_that_nothing_was_sent(
    usual_store: Store, clock: FakeClock
) -> None:
    async with in_danger(usual_store, clock) as both:
        root = await both.begins()
        both.anna.blocks()
        await both.types(root, "Are you there?")
        await both.office.sim.until(lambda: "blocked" in root.thread[-1].text, timeout=20)
        assert "Not sent" in root.thread[-1].text
        await both.types(root, "Hello?")
        assert "another route" in root.thread[-1].text
