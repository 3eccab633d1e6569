"""Kill the process that polls, and measure how the other one at the same database takes over."""

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
from tests.faults.desk_process import DeskProcess, wait_for_desk
from tests.faults.platforms import Platforms, platforms


class Lease(NamedTuple):
    """The polling lease in the database: the process, the fencing number, and the seconds left."""

    pid: int
    fencing: int
    left: float


@dataclass(frozen=True)
class Failover:
    """The lease before and after the kill; `seconds` from the kill until a message sent then was answered."""

    before: Lease
    after: Lease
    other: int
    seconds: float


async def run_failover(
    folder: Path, database: str, *, after_kill: Callable[[Store], None] = lambda store: None
) -> Failover:
    """Kill the polling process of two, then let someone write. `after_kill` may change the store before that."""
    loop = asyncio.get_running_loop()
    async with platforms() as fakes:
        only = ("--only", "telegram,scheduler")
        desks = [DeskProcess(folder / name, fakes.env(), database, args=only) for name in ("first", "second")]
        with closing(desks[0].prepare()) as store:
            for desk in desks:
                desk.start()
            try:
                await _message_is_answered(fakes, desks[0], 1)
                for desk in desks:
                    await wait_for_desk(lambda desk=desk: "started" in desk.log, desk)
                lease_before = _lease(store)
                (polling,) = [desk for desk in desks if desk.pid == lease_before.pid]
                (other,) = [desk for desk in desks if desk.pid != lease_before.pid]
                await polling.kill()
                lease_before, killed_at = _lease(store), loop.time()
                after_kill(store)
                await _message_is_answered(fakes, other, 2)
                return Failover(lease_before, _lease(store), other.pid, loop.time() - killed_at)
            finally:
                await asyncio.gather(*(desk.kill() for desk in desks))


async def _message_is_answered(fakes: Platforms, desk: DeskProcess, chat: int) -> None:
    fakes.telegram.add_message(chat, f"Chat {chat}: the water meter is broken.")
    await wait_for_desk(lambda: any(message.chat == chat for message in fakes.telegram.accepted), desk)


def _lease(store: Store) -> Lease:
    query = select(LEASES.c.holder, LEASES.c.fencing, LEASES.c.until - database_seconds())
    holder, fencing, left = store.read(
        lambda tx: tx.connection.execute(query.where(LEASES.c.name == LEADER)).one()
    )
    return Lease(int(holder.split(":")[1]), fencing, left)
