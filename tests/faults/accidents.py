"""Accidents in which other products lost work, repeated here; each returns what it cost.

Four concern schedulers with a database: two processes on one database, a kill after the claim, a long outage, and
an unknown kind after an upgrade. Two concern polling: a kill with a batch, and an update that cannot be parsed.
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
from store.outbox.failed import list_dead_letters, list_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from tests.faults.desk_process import DeskProcess, wait_for_desk
from tests.faults.leases import end_all_leases
from tests.faults.load import Load, Progress, add_obligations, send_messages
from tests.faults.losses import recorded_texts
from tests.faults.platforms import Platforms, platforms
from tests.faults.telegram import Json, Telegram

#: Longer than the grace period of any scheduler, and than most outages.
AWAY = timedelta(days=3)


@dataclass(frozen=True)
class Cost:
    """How many of `total` messages or obligations were lost, done twice, or set aside for a person."""

    name: str
    total: int
    lost: int
    twice: int
    dead_letters: int = 0


Accident = Callable[[Path, str, int], Awaitable[Cost]]


async def two_processes_one_database(folder: Path, database: str, count: int) -> Cost:
    """Two processes run while everything is due at once."""
    load = Load(updates=0, due=count, kills=0)
    async with platforms() as fakes:
        first = DeskProcess(folder / "first", fakes.env(), database)
        second = DeskProcess(folder / "second", fakes.env(), database)
        with closing(first.prepare()) as store:
            add_obligations(store, load)
        first.start()
        second.start()
        try:
            await wait_for_desk(lambda: _arrived(fakes, load) == count, first)
            await _wait_until_quiet(fakes)
        finally:
            await asyncio.gather(first.kill(), second.kill())
        return Cost(
            "two processes at one store, due together", count, count - _arrived(fakes, load), _twice(fakes)
        )


async def killed_after_claim(folder: Path, database: str, count: int) -> Cost:
    """The process is killed when it has claimed a batch and completed none of it."""
    load = Load(updates=0, due=count, kills=0)
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        with closing(desk.prepare()) as store:
            add_obligations(store, load)
            fakes.telegram.instead["sendMessage"] = _never_answer
            desk.start()
            await wait_for_desk(
                lambda: fakes.telegram.calls["sendMessage"] >= min(16, count // load.per_chat), desk
            )
            await desk.kill()
            fakes.telegram.instead.clear()
            end_all_leases(store)
            desk.start()
            try:
                await wait_for_desk(lambda: _arrived(fakes, load) == count, desk)
                await _wait_until_quiet(fakes)
            finally:
                await desk.kill()
        lost = count - _arrived(fakes, load)
        return Cost("killed between handing out and doing", count, lost, _twice(fakes))


async def down_for_days(folder: Path, database: str, count: int) -> Cost:
    """Everything fell due three days ago."""
    load = Load(updates=0, due=count, kills=0)
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        desk.prepare().close()
        with closing(desk.opened(lambda: datetime.now(UTC) - AWAY)) as store:
            add_obligations(store, load)
        desk.start()
        try:
            await wait_for_desk(lambda: _arrived(fakes, load) == count, desk)
            await _wait_until_quiet(fakes)
        finally:
            await desk.kill()
        return Cost(
            "down for three days at the due time", count, count - _arrived(fakes, load), _twice(fakes)
        )


async def unknown_kinds(folder: Path, database: str, count: int) -> Cost:
    """Rows of a kind that this release does not know stay, staff get a notice, and the rest is done."""
    load = Load(updates=0, due=count, kills=0)
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        desk.prepare().close()
        with closing(desk.opened(lambda: datetime.now(UTC) - AWAY)) as store:
            for number in range(count):
                store.write(
                    insert_obligation,
                    NewObligation(f"old:{number}", "kind_of_old", store.now(), SendPriority.NOTICE),
                )
            add_obligations(store, load)
        desk.start()
        try:
            await wait_for_desk(lambda: _arrived(fakes, load) == count, desk)
            await wait_for_desk(lambda: bool(_direct_messages(fakes, "kind of old", "kind_of_old")), desk)
        finally:
            await desk.kill()
        with closing(desk.opened()) as store:
            listed = [row for row in store.read(list_failed) if row["kind"] == "kind_of_old"]
        return Cost(
            "rows of a kind that is gone", count, count - len(listed), _twice(fakes), dead_letters=len(listed)
        )


async def killed_while_polling(folder: Path, database: str, count: int) -> Cost:
    """The process is killed twice, each time just after it received a batch."""
    load = Load(updates=count, due=0, kills=2)
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        with closing(desk.prepare()) as store:
            send_messages(fakes.telegram, load)
            for _ in range(load.kills):
                polls_before = fakes.telegram.calls["getUpdates"]
                desk.start()
                await _wait_for(
                    lambda polls_before=polls_before: fakes.telegram.calls["getUpdates"] > polls_before
                )
                await asyncio.sleep(0.02)
                await desk.kill()
                end_all_leases(store)
            desk.start()
            try:
                await wait_for_desk(lambda: fakes.telegram.waiting == 0, desk)
            finally:
                await desk.stop()
            return _message_cost("killed with a batch in hand, twice", store, load)


async def unparsable_update(folder: Path, database: str, count: int) -> Cost:
    """One update among good ones cannot be parsed."""
    load = Load(updates=count, due=0, kills=0)
    async with platforms() as fakes:
        desk = DeskProcess(folder, fakes.env(), database)
        with closing(desk.prepare()) as store:
            number = fakes.telegram.next_number()
            fakes.telegram.add_update(
                {"update_id": number, "message": {"message_id": "x", "date": "?", "chat": 7}}
            )
            send_messages(fakes.telegram, load)
            desk.start()
            try:
                await wait_for_desk(lambda: fakes.telegram.waiting == 0, desk)
                await wait_for_desk(
                    lambda: bool(_direct_messages(fakes, "set aside", "put aside", "could not be")), desk
                )
            finally:
                await desk.stop()
            cost = _message_cost("an update that cannot be parsed among good ones", store, load)
            return Cost(
                cost.name, cost.total, cost.lost, cost.twice, dead_letters=len(store.read(list_dead_letters))
            )


SCHEDULERS: tuple[Accident, ...] = (
    two_processes_one_database,
    killed_after_claim,
    down_for_days,
    unknown_kinds,
)
#: A database that is down while updates arrive is in database_faults.py.
POLLING: tuple[Accident, ...] = (killed_while_polling, unparsable_update)


def _message_cost(name: str, store: Store, load: Load) -> Cost:
    complaints = recorded_texts(store)
    parts = {chat: [words for case in complaints[chat].values() for words in case] for chat in load.writers}
    lost = sum(len(set(load.messages(chat)) - set(words)) for chat, words in parts.items())
    return Cost(name, load.updates, lost, sum(len(words) - len(set(words)) for words in parts.values()))


def _arrived(fakes: Platforms, load: Load) -> int:
    """Count the prompts and acknowledgements that reached their chats, each once."""
    return Progress(fakes.telegram, load, {}).steps + fakes.telegram.waiting


def _twice(fakes: Platforms) -> int:
    """Count the repeated messages and posts."""
    return len(fakes.telegram.doubled()) + len(fakes.slack.doubled())


def _direct_messages(fakes: Platforms, *parts: str) -> list[str]:
    texts = [str(post.body.get("text", "")) for post in fakes.slack.posted if post.channel.startswith("D")]
    return [text for text in texts if any(part in text for part in parts)]


async def _wait_until_quiet(fakes: Platforms) -> None:
    """Wait until no message has arrived for half a second, so that repeats are counted."""
    accepted = -1
    while accepted != len(fakes.telegram.accepted):
        accepted = len(fakes.telegram.accepted)
        await asyncio.sleep(0.5)


async def _wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def _never_answer(_: Telegram, __: str, ___: Json, ____: web.Request) -> web.StreamResponse | None:
    await asyncio.sleep(3600)
    return None
