"""A second process on the same SQLite file is refused before it takes the first one's work."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from aiohttp import web

from tests.faults.desk_process import DeskProcess, wait_for_desk
from tests.faults.load import Load, add_obligations
from tests.faults.platforms import platforms
from tests.faults.telegram import Json, Telegram, ok


async def _answer_slowly(telegram: Telegram, _: str, body: Json, __: web.Request) -> web.StreamResponse:
    message = telegram.accept(body)
    await asyncio.sleep(0.4)
    return ok(message)


async def test_a_second_process_on_the_same_file_is_refused_and_no_message_is_sent_twice(
    sqlite_url: str, tmp_path: Path
) -> None:
    load = Load(updates=0, due=20, kills=0)
    async with platforms() as fakes:
        fakes.telegram.instead["sendMessage"] = _answer_slowly
        first = DeskProcess(tmp_path / "first", fakes.env(), sqlite_url)
        second = DeskProcess(tmp_path / "second", fakes.env(), sqlite_url)
        with closing(first.prepare()) as store:
            add_obligations(store, load)
        first.start()
        await wait_for_desk(lambda: fakes.telegram.calls["sendMessage"] >= 4, first)
        second.start()
        try:
            await wait_for_desk(lambda: not second.is_running, second)
            code = second.process.exitcode if second.process is not None else None
            await wait_for_desk(lambda: len(fakes.telegram.accepted) >= 20, first)
            first_code = await first.stop()
        finally:
            await asyncio.gather(first.kill(), second.kill())

    assert (code, first_code) == (2, 0)
    assert "stop it first" in second.log
    assert fakes.telegram.doubled() == []
