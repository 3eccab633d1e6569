"""The order in one process: the most urgent first, then by arrival; a cancelled waiter does not block."""

from __future__ import annotations

import asyncio

from bots.priority_lock import PriorityLock
from complaints.obligations.kinds import SendPriority


async def test_the_most_urgent_goes_first_and_equals_in_order_of_arrival() -> None:
    line, went = PriorityLock(), list[str]()

    async def go(name: str, lane: SendPriority) -> None:
        async with line.hold(lane):
            went.append(name)

    async with line.hold(SendPriority.BULK):
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


async def test_a_cancelled_waiter_does_not_block_the_others() -> None:
    line, went = PriorityLock(), list[str]()

    async def go(name: str) -> None:
        async with line.hold(SendPriority.BULK):
            went.append(name)

    async with line.hold(SendPriority.BULK):
        tasks = [asyncio.create_task(go(name)) for name in ("a", "b", "c")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
    # The lock was just handed to b, which is cancelled before taking it.
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert went == ["c"]
    async with line.hold(SendPriority.BULK):
        assert len(line) == 0
