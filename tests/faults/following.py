"""The process that polls is killed: what the other one, at the same database, makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from bots.telegram.polling import LEADER
from store.database.transaction import database_seconds
from store.store import Store
from store.tables import LEASES
from tests.faults.desk import DeskProcess, waited
from tests.faults.standing import Platforms, platforms


class Lease(NamedTuple):
    """Who polls, as the database has it: the process, the how-manieth lead, and for how many seconds more."""

    pid: int
    fencing: int
    left: float


@dataclass(frozen=True)
class Followed:
    """The lease at the kill, and after; `seconds` from the kill until who wrote then was answered."""

    died: Lease
    took: Lease
    other: int
    seconds: float


async def followed(
    folder: Path, database: str, *, killed: Callable[[Store], None] = lambda store: None
) -> Followed:
    """Kill the one of two that polls, then somebody writes. `killed` may let time pass in the store."""
    loop = asyncio.get_running_loop()
    async with platforms() as far:
        only = ("--only", "telegram,scheduler")
        desks = [DeskProcess(folder / name, far.env(), database, args=only) for name in ("one", "two")]
        with closing(desks[0].prepare()) as store:
            for each in desks:
                each.start()
            try:
                await _answered(far, desks[0], 1)
                for each in desks:
                    await waited(lambda each=each: "started" in each.log, each)
                died = _lease(store)
                (leads,) = [each for each in desks if each.pid == died.pid]
                (other,) = [each for each in desks if each.pid != died.pid]
                await leads.kill()
                died, at = _lease(store), loop.time()
                killed(store)
                await _answered(far, other, 2)
                return Followed(died, _lease(store), other.pid, loop.time() - at)
            finally:
                await asyncio.gather(*(each.kill() for each in desks))


async def _answered(far: Platforms, desk: DeskProcess, chat: int) -> None:
    far.telegram.says(chat, f"Chat {chat}: the water meter is broken.")
    await waited(lambda: any(one.chat == chat for one in far.telegram.accepted), desk)


def _lease(store: Store) -> Lease:
    query = select(LEASES.c.holder, LEASES.c.fencing, LEASES.c.until - database_seconds())
    holder, fencing, left = store.read(
        lambda tx: tx.connection.execute(query.where(LEASES.c.name == LEADER)).one()
    )
    return Lease(int(holder.split(":")[1]), fencing, left)
