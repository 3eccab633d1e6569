"""Answers go into the topic of the private chat in which the person wrote last (Threaded Mode)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.vocabulary import Verb
from simulator import Simulator
from store.cases.act import act
from store.people.staff import load_actor
from store.store import Store
from tests.edges.desk import HANDLER
from tests.edges.telegram_desk import TelegramDesk, telegram_desk


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        sim.world.telegram.topics_enabled = True
        yield running


async def test_prompts_and_letters_go_into_the_topic_in_which_the_person_wrote(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    topic = anna.opens_topic()
    await anna.says("The water is brown.")
    await anna.hears("Your reference is")
    await anna.presses("Done")
    await anna.hears("Where did it happen")
    for label in ("Skip", "Skip", "Send"):
        await anna.presses(label)
        await desk.settled()
    assert anna.heard_in(None) == []
    assert len(anna.heard_in(topic)) == len(anna.heard)


async def test_an_answer_follows_the_person_into_another_topic_and_out_of_all(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    anna.opens_topic()
    await anna.says("The water is brown.")
    await anna.hears("Your reference is")
    second = anna.opens_topic()
    await anna.says("/how")
    await anna.hears("levels")
    assert len(anna.heard_in(second)) == 1
    anna.person.topic = None
    await anna.says("/policy")
    await anna.hears("Version")
    assert len(anna.heard_in(None)) == 1


@pytest.mark.parametrize("why", ["topic deleted", "topics switched off"])
async def test_without_the_topic_the_message_is_sent_at_once_outside_of_it(
    desk: TelegramDesk, why: str
) -> None:
    anna = desk.sim.customer("Anna")
    topic = anna.opens_topic()
    await anna.says("The water is brown.")
    await anna.hears("Your reference is")
    await desk.settled()
    before = len(desk.sim.calls("sendMessage"))
    if why == "topic deleted":
        anna.deletes_topic(topic)
    else:
        desk.sim.world.telegram.topics_enabled = False
    actor = desk.store.read(load_actor, HANDLER)
    desk.store.write(act, desk.ref, Verb.REPLY, actor, {}, {"text": "We come tomorrow."})
    await anna.hears("We come tomorrow.")
    await desk.settled()
    sent = desk.sim.calls("sendMessage")[before:]
    # The acknowledgement, refused and sent again at once, and the letter.
    assert [(call.status, "message_thread_id" in call.arguments) for call in sent] == [
        (400, True),
        (200, False),
        (200, False),
    ]
