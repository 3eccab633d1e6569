"""Update in -> prompt out: from a message in Telegram's queue to our answer at Telegram, through everything.

The ceiling beside it is the same round trip with the library alone: a bot that answers each message at once and keeps
nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from rich.table import Table
from telegram import Bot

from amends.demo.running import staged
from simulator import Simulator

ROUNDS = 60


async def table() -> Table:
    """Median and 95th percentile of both, and their ratio."""
    bare = await _bare()
    ours = await _ours()
    drawn = Table(title="Update in -> prompt out", title_justify="left", show_edge=False)
    for column in ("", "p50", "p95", "ratio of p50"):
        drawn.add_column(column)
    drawn.add_row("python-telegram-bot alone, nothing kept", *_row(bare), "1.0")
    ratio = statistics.median(ours) / statistics.median(bare)
    drawn.add_row("Amends: heard, recorded, sealed, answered", *_row(ours), f"{ratio:.1f}")
    return drawn


def _row(seconds: list[float]) -> tuple[str, str]:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered) * 1000:.1f} ms", f"{ordered[int(len(ordered) * 0.95)] * 1000:.1f} ms"


async def _bare() -> list[float]:
    async with Simulator() as simulator:
        bot = Bot(simulator.bot_token, base_url=f"{simulator.telegram_url}/bot")
        async with bot:
            answering = asyncio.create_task(_answer(bot))
            try:
                return await _rounds(simulator, "Heard")
            finally:
                answering.cancel()


async def _answer(bot: Bot) -> None:
    offset = 0
    while True:
        for update in await bot.get_updates(offset=offset, timeout=10):
            offset = update.update_id + 1
            if update.effective_chat is not None:
                await bot.send_message(update.effective_chat.id, "Heard")


async def _ours() -> list[float]:
    async with staged(ready=True) as stage:
        return await _rounds(stage.simulator, "")


async def _rounds(simulator: Simulator, answer: str) -> list[float]:
    """One message each from many people, one after the other; seconds until each hears the first answer."""
    taken = []
    for number in range(ROUNDS):
        person = simulator.customer(f"Person {number}", language="en")
        began = time.perf_counter()
        await person.says("The water meter in my cellar has been dripping since Monday.")
        await person.hears(answer, timeout=30)
        taken.append(time.perf_counter() - began)
    return taken[5:]
