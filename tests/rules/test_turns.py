"""Who of one process asks next: the most urgent, then who came first; who gives up holds nobody back."""

from __future__ import annotations

import asyncio

from bots.priority_lock import PriorityLock
from complaints.obligations.kinds import SendPriority


async def test_the_most_urgent_goes_first_and_equals_as_they_came() -> None:
    line, went = PriorityLock(), list[str]()

    async def go(name: str, lane: SendPriority) -> None:
        async with line.turn(lane):
            went.append(name)

    async with line.turn(SendPriority.BULK):
        waiting = [
            asyncio.create_task(go(name, lane))
            for name, lane in (
                ("bulk", SendPriority.BULK),
                ("first", SendPriority.NOTICE),
                ("second", SendPriority.NOTICE),
            )
        ]
        await asyncio.sleep(0)
        assert len(line) == 3
    await asyncio.gather(*waiting)
    assert went == ["first", "second", "bulk"]


async def test_who_gives_up_while_waiting_or_at_its_turn_holds_nobody_back() -> None:
    line, went = PriorityLock(), list[str]()

    async def go(name: str) -> None:
        async with line.turn(SendPriority.BULK):
            went.append(name)

    async with line.turn(SendPriority.BULK):
        tasks = [asyncio.create_task(go(name)) for name in ("a", "b", "c")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
    # The line was just handed to b, who gives up before taking it.
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert went == ["c"]
    async with line.turn(SendPriority.BULK):
        assert len(line) == 0
