"""Killed again and again while people tell and letters leave: what is lost, doubled, out of order (rules 1 and 2)."""

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
from tests.faults.desk import DeskProcess
from tests.faults.leases import let_leases_run_out
from tests.faults.load import Load, Progress, owe, tell
from tests.faults.reckoning import Reckoning, reckoned
from tests.faults.standing import Platforms, platforms

#: Nothing moved for so long, more than any lease: what has not come by then is lost, and is counted so.
STILL = 120.0


@dataclass(frozen=True)
class Survived:
    """What came of a run. `recoveries`: seconds from each kill to the first word of the next process."""

    load: Load
    reckoning: Reckoning
    seconds: float
    recoveries: list[float] = field(repr=False)

    @property
    def recovery(self) -> tuple[float, float]:
        """Median and worst."""
        return (statistics.median(self.recoveries), max(self.recoveries)) if self.recoveries else (0.0, 0.0)


async def survived(
    load: Load,
    database: str,
    folder: Path,
    *,
    waits_out_leases: bool = False,
    still: float = STILL,
    report: Callable[[str], None] = lambda line: None,
) -> Survived:
    """Tell and owe all of it, kill as often as the load says, wait until all is done, count.

    With `waits_out_leases` a shared database keeps the leases of each dead process for as long as they last.
    """
    loop = asyncio.get_running_loop()
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        store = desk.prepare()
        try:
            owe(store, load)
            progress = Progress(far.telegram, load, tell(far.telegram, load))
            began = loop.time()
            deaths: list[float] = []
            chance = random.Random(load.seed)
            desk.start()
            for number, steps in enumerate(load.deaths(), 1):
                await _reached(progress, steps, desk, still)
                # Not always at the answer to something: anywhere in the work that follows it.
                await asyncio.sleep(chance.uniform(0, 0.1))
                await desk.kill()
                deaths.append(loop.time())
                desk.environment |= far.env(life=number)
                if not waits_out_leases:
                    let_leases_run_out(store)
                desk.start()
                report(f"killed {number} of {load.kills}, {progress.steps} steps done")
            await _reached(progress, progress.all_steps, desk, still)
            for line in _unfinished(store, progress):
                report(line)
            await desk.stop()
            numbers = list(progress.numbers)
            doubled = len(far.slack.doubled())
            found = reckoned(store, far.telegram, load, numbers, deaths, doubled)
            return Survived(load, found, loop.time() - began, _recoveries(far, deaths))
        finally:
            await desk.kill()
            store.close()


async def _reached(progress: Progress, steps: int, desk: DeskProcess, still: float) -> None:
    """Return when so many steps are done, or when nothing has moved for `still` seconds."""
    loop = asyncio.get_running_loop()
    last, moved = progress.steps, loop.time()
    while (now := progress.steps) < steps and loop.time() - moved < still:
        if now != last:
            last, moved = now, loop.time()
        if not desk.lives:
            raise RuntimeError(f"ended by itself at {now} of {steps} steps:\n{desk.log}")
        await asyncio.sleep(0.02)


def _unfinished(store: Store, progress: Progress) -> Iterator[str]:
    """What still stands open where not all came: without it nobody could tell what is late from what is lost."""
    if progress.steps == progress.all_steps:
        return
    one = OBLIGATIONS.c
    query = select(
        one.kind,
        one.attempts,
        one.why,
        func.round(one.lease_until - database_seconds()).label("lease"),
        func.round(one.wait_until - database_seconds()).label("wait"),
    ).where(IS_OPEN, one.due <= store.now())
    rows = store.read(lambda tx: tx.connection.execute(query).all())
    for (kind, attempts, why, lease, wait), number in Counter(tuple(row) for row in rows).most_common(20):
        yield f"open: {number} {kind}, {attempts} tries, why {why}, lease {lease:+} s, wait {wait:+} s"


def _recoveries(far: Platforms, deaths: list[float]) -> list[float]:
    first: dict[int, float] = {}
    for one in far.telegram.accepted:
        first.setdefault(one.life, one.at)
    return [first[life] - death for life, death in enumerate(deaths, 1) if life in first]
