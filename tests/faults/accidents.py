"""Accidents that have lost other desks their work, replayed on this one; each tells what it cost.

Four of schedulers with a store (two of them at one store, killed between handing out and doing, away for longer than
any grace, a name that is gone after an upgrade) and three of polling (killed with a batch in hand, the store away
while updates come, an update that nobody can parse).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from complaints.obligations.kinds import NewObligation, SendPriority
from store.outbox.dead_letters import list_dead_letters
from store.outbox.failed import list_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from tests.faults.desk import DeskProcess, waited
from tests.faults.leases import let_leases_run_out
from tests.faults.load import Load, Progress, owe, tell
from tests.faults.reckoning import told
from tests.faults.standing import Platforms, platforms
from tests.faults.telegram import Json, Telegram

#: Longer than the grace of any scheduler, and than most outages.
AWAY = timedelta(days=3)


@dataclass(frozen=True)
class Cost:
    """Of so many things told or owed: how many were lost, how many done twice, how many put aside for a person."""

    name: str
    of: int
    lost: int
    twice: int
    aside: int = 0


Accident = Callable[[Path, str, int], Awaitable[Cost]]


async def two_at_one_store(folder: Path, database: str, many: int) -> Cost:
    """Two processes, everything due at once."""
    load = Load(updates=0, due=many, kills=0)
    async with platforms() as far:
        one = DeskProcess(folder / "one", far.env(), database)
        other = DeskProcess(folder / "other", far.env(), database)
        with closing(one.prepare()) as store:
            owe(store, load)
        one.start()
        other.start()
        try:
            await waited(lambda: _arrived(far, load) == many, one)
            await _quiet(far)
        finally:
            await asyncio.gather(one.kill(), other.kill())
        return Cost("two processes at one store, due together", many, many - _arrived(far, load), _twice(far))


async def killed_between(folder: Path, database: str, many: int) -> Cost:
    """Every duty that one process takes at once is in its hands, none is done: then it is killed."""
    load = Load(updates=0, due=many, kills=0)
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        with closing(desk.prepare()) as store:
            owe(store, load)
            far.telegram.instead["sendMessage"] = _keeps_waiting
            desk.start()
            await waited(lambda: far.telegram.calls["sendMessage"] >= min(16, many // load.a_chat), desk)
            await desk.kill()
            far.telegram.instead.clear()
            let_leases_run_out(store)
            desk.start()
            try:
                await waited(lambda: _arrived(far, load) == many, desk)
                await _quiet(far)
            finally:
                await desk.kill()
        lost = many - _arrived(far, load)
        return Cost("killed between handing out and doing", many, lost, _twice(far))


async def away_for_days(folder: Path, database: str, many: int) -> Cost:
    """Everything fell due three days ago."""
    load = Load(updates=0, due=many, kills=0)
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        desk.prepare().close()
        with closing(desk.opened(lambda: datetime.now(UTC) - AWAY)) as store:
            owe(store, load)
        desk.start()
        try:
            await waited(lambda: _arrived(far, load) == many, desk)
            await _quiet(far)
        finally:
            await desk.kill()
        return Cost("down for three days at the due time", many, many - _arrived(far, load), _twice(far))


async def a_name_is_gone(folder: Path, database: str, many: int) -> Cost:
    """Rows of a kind that this release does not know: they stay, staff are told, the others are done."""
    load = Load(updates=0, due=many, kills=0)
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        desk.prepare().close()
        with closing(desk.opened(lambda: datetime.now(UTC) - AWAY)) as store:
            for number in range(many):
                store.write(
                    insert_obligation,
                    NewObligation(f"old:{number}", "kind_of_old", store.now(), SendPriority.NOTICE),
                )
            owe(store, load)
        desk.start()
        try:
            await waited(lambda: _arrived(far, load) == many, desk)
            await waited(lambda: bool(_direct(far, "kind of old", "kind_of_old")), desk)
        finally:
            await desk.kill()
        with closing(desk.opened()) as store:
            listed = [row for row in store.read(list_failed) if row["kind"] == "kind_of_old"]
        return Cost("rows of a kind that is gone", many, many - len(listed), _twice(far), aside=len(listed))


async def killed_with_a_batch(folder: Path, database: str, many: int) -> Cost:
    """Killed the moment it was handed a batch, twice."""
    load = Load(updates=many, due=0, kills=2)
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        with closing(desk.prepare()) as store:
            tell(far.telegram, load)
            for _ in range(load.kills):
                asked = far.telegram.calls["getUpdates"]
                desk.start()
                await _soon(lambda asked=asked: far.telegram.calls["getUpdates"] > asked)
                await asyncio.sleep(0.02)
                await desk.kill()
                let_leases_run_out(store)
            desk.start()
            try:
                await waited(lambda: far.telegram.waiting == 0, desk)
            finally:
                await desk.stop()
            return _of_telling("killed with a batch in hand, twice", store, load)


async def one_cannot_be_parsed(folder: Path, database: str, many: int) -> Cost:
    """One update among good ones is no update at all."""
    load = Load(updates=many, due=0, kills=0)
    async with platforms() as far:
        desk = DeskProcess(folder, far.env(), database)
        with closing(desk.prepare()) as store:
            number = far.telegram.next_number()
            far.telegram.brings({"update_id": number, "message": {"message_id": "x", "date": "?", "chat": 7}})
            tell(far.telegram, load)
            desk.start()
            try:
                await waited(lambda: far.telegram.waiting == 0, desk)
                await waited(lambda: bool(_direct(far, "set aside", "put aside", "could not be")), desk)
            finally:
                await desk.stop()
            cost = _of_telling("an update that cannot be parsed among good ones", store, load)
            return Cost(cost.name, cost.of, cost.lost, cost.twice, aside=len(store.read(list_dead_letters)))


SCHEDULERS: tuple[Accident, ...] = (two_at_one_store, killed_between, away_for_days, a_name_is_gone)
#: The third of polling, the store away while updates come, is a trouble of the database (database.py).
POLLING: tuple[Accident, ...] = (killed_with_a_batch, one_cannot_be_parsed)


def _of_telling(name: str, store: Store, load: Load) -> Cost:
    found = told(store)
    parts = {chat: [words for case in found[chat].values() for words in case] for chat in load.tellers}
    lost = sum(len(set(load.told(chat)) - set(words)) for chat, words in parts.items())
    return Cost(name, load.updates, lost, sum(len(words) - len(set(words)) for words in parts.values()))


def _arrived(far: Platforms, load: Load) -> int:
    """Prompts and acknowledgements that reached their chats, each counted once."""
    return Progress(far.telegram, load, {}).steps + far.telegram.waiting


def _twice(far: Platforms) -> int:
    """What came again although the process that sent it was not killed while the answer was under way."""
    return len(far.telegram.doubled()) + len(far.slack.doubled())


def _direct(far: Platforms, *parts: str) -> list[str]:
    texts = [str(one.body.get("text", "")) for one in far.slack.posted if one.channel.startswith("D")]
    return [one for one in texts if any(part in one for part in parts)]


async def _quiet(far: Platforms) -> None:
    """Long enough for a second one to come, if it came."""
    seen = -1
    while seen != len(far.telegram.accepted):
        seen = len(far.telegram.accepted)
        await asyncio.sleep(0.5)


async def _soon(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.002)


async def _keeps_waiting(_: Telegram, __: str, ___: Json, ____: web.Request) -> web.StreamResponse | None:
    await asyncio.sleep(3600)
    return None
