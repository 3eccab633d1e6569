"""Kill the desk at random while people write and messages are sent; count losses, repeats and wrong order."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from store.database.transaction import database_seconds
from store.outbox.complete import IS_OPEN
from store.store import Store
from store.tables import OBLIGATIONS
from tests.faults.desk_process import DeskProcess
from tests.faults.leases import end_all_leases
from tests.faults.load import Load, Progress, add_obligations, send_messages
from tests.faults.losses import LossCounts, count_losses
from tests.faults.platforms import Platforms, platforms

#: A run without progress for this many seconds has ended: what is missing counts as lost. Longer than any lease.
STALL_SECONDS = 120.0


@dataclass(frozen=True)
class KillRun:
    """The result of a run. `recoveries`: seconds from each kill to the first message of the next process."""

    load: Load
    losses: LossCounts
    seconds: float
    recoveries: list[float] = field(repr=False)

    @property
    def recovery(self) -> tuple[float, float]:
        """The median and the longest recovery, in seconds."""
        return (statistics.median(self.recoveries), max(self.recoveries)) if self.recoveries else (0.0, 0.0)


async def run_with_kills(
    load: Load,
    database: str,
    folder: Path,
    *,
    waits_out_leases: bool = False,
    stall_seconds: float = STALL_SECONDS,
    report: Callable[[str], None] = lambda line: None,
) -> KillRun:
    """Run the load with its kills, wait until everything is done, and count.

    With `waits_out_leases` the leases of a killed process on a shared database run to their end.
    """
    loop = asyncio.get_running_loop()
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        store = desk.prepare()
        try:
            add_obligations(store, load)
            progress = Progress(fakes.telegram, load, send_messages(fakes.telegram, load))
            started_at = loop.time()
            deaths: list[float] = []
            chance = random.Random(load.seed)
            desk.start()
            for number, steps in enumerate(load.deaths(), 1):
                await _wait_for_steps(progress, steps, desk, stall_seconds)
                # A random delay, so that the kill may hit any part of the work after the step.
                await asyncio.sleep(chance.uniform(0, 0.1))
                await desk.kill()
                deaths.append(loop.time())
                desk.environment |= fakes.env(life=number)
                if not waits_out_leases:
                    end_all_leases(store)
                desk.start()
                report(f"killed {number} of {load.kills}, {progress.steps} steps done")
            await _wait_for_steps(progress, progress.all_steps, desk, stall_seconds)
            # The last kill may come after the last message, with some that Telegram has and the record has not.
            await _wait_for_messages(store, stall_seconds)
            for line in _unfinished(store, progress):
                report(line)
            await desk.stop()
            numbers = list(progress.numbers)
            doubled = len(fakes.slack.doubled())
            counts = count_losses(store, fakes.telegram, load, numbers, deaths, doubled)
            return KillRun(load, counts, loop.time() - started_at, _recoveries(fakes, deaths))
        finally:
            await desk.kill()
            store.close()


async def _wait_for_steps(progress: Progress, steps: int, desk: DeskProcess, stall_seconds: float) -> None:
    """Wait for this many steps, or until nothing has moved for `stall_seconds`."""
    loop = asyncio.get_running_loop()
    last, moved = progress.steps, loop.time()
    while (now := progress.steps) < steps and loop.time() - moved < stall_seconds:
        if now != last:
            last, moved = now, loop.time()
        if not desk.is_running:
            raise RuntimeError(f"ended unexpectedly at {now} of {steps} steps:\n{desk.log}")
        await asyncio.sleep(0.02)


async def _wait_for_messages(store: Store, stall_seconds: float) -> None:
    """Wait until no message to a person is due, at most `stall_seconds`."""
    due = select(func.count()).where(IS_OPEN, OBLIGATIONS.c.speaks, OBLIGATIONS.c.due <= store.now())
    until = asyncio.get_running_loop().time() + stall_seconds
    while store.read(lambda tx: tx.connection.execute(due).scalar_one()):
        if asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(0.02)


def _unfinished(store: Store, progress: Progress) -> Iterator[str]:
    """Describe open obligations after an incomplete run, to distinguish late work from lost work."""
    if progress.steps == progress.all_steps:
        return
    columns = OBLIGATIONS.c
    query = select(
        columns.kind,
        columns.attempts,
        columns.why,
        func.round(columns.lease_until - database_seconds()).label("lease"),
        func.round(columns.wait_until - database_seconds()).label("wait"),
    ).where(IS_OPEN, columns.due <= store.now())
    rows = store.read(lambda tx: tx.connection.execute(query).all())
    for (kind, attempts, why, lease, wait), number in Counter(tuple(row) for row in rows).most_common(20):
        yield f"open: {number} {kind}, {attempts} tries, why {why}, lease {lease:+} s, wait {wait:+} s"


def _recoveries(fakes: Platforms, deaths: list[float]) -> list[float]:
    first: dict[int, float] = {}
    for message in fakes.telegram.accepted:
        first.setdefault(message.life, message.at)
    return [first[life] - death for life, death in enumerate(deaths, 1) if life in first]
