"""The complaint form on Telegram, from the first message to the acknowledgement, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator import Simulator
from store.cases.export import export_record
from store.cases.read import load_case
from store.store import Store
from store.tables import DEAD_LETTERS, TEXTS
from tests.edges.proof.test_damage import flip_a_bit
from tests.edges.telegram_desk import TelegramDesk, telegram_desk


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, store) as running:
        yield running


async def test_a_complaint_is_described_sent_and_acknowledged(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    await anna.says("My water bill shows the same payment taken twice.")
    await desk.settled()
    await anna.presses("Done")
    await desk.settled()
    await anna.says("Account 8841207, on 3 November")
    await desk.settled()
    await anna.presses("Money back")
    await desk.settled()
    await anna.presses("Send")
    await desk.settled()
    ref = desk.ref
    replies = anna.heard
    assert replies[0].startswith(f"We are sorry to hear this. I have noted it. Your reference is {ref}.")
    assert replies[1].startswith("Where did it happen")
    assert replies[2].startswith("What would put this right?")
    assert replies[3].startswith(f"This is what I wrote down under {ref}:")
    assert replies[4].startswith(f"We have your complaint {ref}, received 3 November 2026, 10:00. Our ")
    assert len(replies) == 5
    case = desk.store.read(load_case, ref)
    assert case.acks == {1: case.confirmed_at}
    record = desk.store.read(export_record, ref)
    assert [message["text"] for message in record["messages"] if message["direction"] == "out"] == replies


@pytest.mark.parametrize("damaged", [0, 1])
async def test_a_damaged_text_does_not_stop_an_unfinished_form(desk: TelegramDesk, damaged: int) -> None:
    anna = desk.sim.customer("Anna")
    await anna.says("The tram never stops at Mill Lane any more.")
    await desk.settled()
    await anna.presses("Done")
    await desk.settled()
    await anna.says("Since 2 November, line 4")
    await desk.settled()
    flip_a_bit(desk.store, TEXTS, TEXTS.c.sealed, damaged)
    await anna.says("An explanation, please.")
    await desk.settled()
    if damaged == 0:
        assert anna.heard[-1] == "Tell me in your own words what went wrong."
        await anna.says("The tram passes our stop.")
        await desk.settled()
        await anna.presses("Done")
        await desk.settled()
    await anna.presses("Send")
    await desk.settled()

    assert desk.store.read(load_case, desk.ref).confirmed_at is not None
    assert "[unreadable]" not in " ".join(anna.heard)
    assert desk.store.read(lambda tx: tx.connection.execute(DEAD_LETTERS.select()).all()) == []
