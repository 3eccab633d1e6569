"""From the first message to the acknowledgement, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator import Simulator
from store.cases.export import export_record
from store.cases.read import load_case
from store.store import Store
from tests.edges.telegram_line import Line, line


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Line]:
    async with Simulator() as sim, line(sim, store) as running:
        yield running


async def test_a_complaint_is_told_signed_and_acknowledged(desk: Line) -> None:
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
    heard = anna.heard
    assert heard[0].startswith(f"I have noted this. Your reference is {ref}.")
    assert heard[1].startswith("Where did it happen")
    assert heard[2].startswith("What would put this right?")
    assert heard[3].startswith(f"This is what I wrote down under {ref}:")
    assert heard[4].startswith(f"We have your complaint {ref}, received 3 November 2026, 10:00.")
    assert len(heard) == 5
    case = desk.store.read(load_case, ref)
    assert case.acks == {1: case.confirmed_at}
    record = desk.store.read(export_record, ref)
    assert [one["text"] for one in record["messages"] if one["direction"] == "out"] == heard
