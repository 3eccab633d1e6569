"""A second process on the same file: refused before it touches what the first has in hand."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from aiohttp import web

from tests.faults.desk import DeskProcess, waited
from tests.faults.load import Load, owe
from tests.faults.standing import platforms
from tests.faults.telegram import Json, Telegram, ok


async def _slowly(telegram: Telegram, _: str, body: Json, __: web.Request) -> web.StreamResponse:
    taken = telegram.accept(body)
    await asyncio.sleep(0.4)
    return ok(taken)


async def test_a_second_process_on_the_same_file_is_refused_and_nothing_is_said_twice(
    sqlite_url: str, tmp_path: Path
) -> None:
    load = Load(updates=0, due=20, kills=0)
    async with platforms() as far:
        far.telegram.instead["sendMessage"] = _slowly
        one = DeskProcess(tmp_path / "one", far.env(), sqlite_url)
        other = DeskProcess(tmp_path / "other", far.env(), sqlite_url)
        with closing(one.prepare()) as store:
            owe(store, load)
        one.start()
        await waited(lambda: far.telegram.calls["sendMessage"] >= 4, one)
        other.start()
        try:
            await waited(lambda: not other.lives, other)
            code = other.process.exitcode if other.process is not None else None
            await waited(lambda: len(far.telegram.accepted) >= 20, one)
            first = await one.stop()
        finally:
            await asyncio.gather(one.kill(), other.kill())

    assert (code, first) == (2, 0)
    assert "stop it first" in other.log
    assert far.telegram.doubled() == []
