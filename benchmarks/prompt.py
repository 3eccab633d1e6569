"""Update in -> prompt out, pacing on: from a message in Telegram's queue to our answer at Telegram.

People write at a steady pace whether they are answered or not, each from a chat of their own, so that every
update is a new complaint: the dearest kind. The desk is a real `amends run`, the stand-in a process of its
own. The ceiling beside it is the library alone at the same pace: a bot that answers at once and keeps nothing.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack

from rich.table import Table

from benchmarks import databases
from benchmarks.measuring import ms, quantile, verdict
from benchmarks.processes import StandIn, cpu_seconds, desk, process, standin, trained
from tests.edges.product import until

EACH_SECOND = 20.0
UPDATES = 400
WARM = 20
GOAL_SECONDS = 0.040
TEXT = "The water meter in my cellar has been dripping since Monday, and nobody answers the telephone."


async def table(updates: int = UPDATES, each_second: float = EACH_SECOND) -> Table:
    """p50, p95 and p99 of the library alone and of a desk on each store, and the ratio of their p95."""
    title = f"Update in -> prompt out, {each_second:g} new complaints a second, pacing on"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in ("", "p50", "p95", "p99", "CPU each", "ratio of p95", "goal"):
        drawn.add_column(column)
    bare = await _bare(updates, each_second)
    drawn.add_row("python-telegram-bot alone, nothing kept", *_row(*bare), "1.0", "")
    with ExitStack() as stack:
        for name, fresh in (
            ("SQLite", stack.enter_context(databases.sqlite())),
            ("PostgreSQL", stack.enter_context(databases.postgres())),
        ):
            seconds, cpu = await _ours(fresh(), updates, each_second)
            p95 = quantile(seconds, 0.95)
            ratio = p95 / quantile(bare[0], 0.95)
            goal = verdict(p95 <= GOAL_SECONDS)
            drawn.add_row(f"Amends on {name}", *_row(seconds, cpu), f"{ratio:.1f}", goal)
    return drawn


def _row(seconds: list[float], cpu: float) -> tuple[str, ...]:
    return (*(ms(quantile(seconds, share)) for share in (0.5, 0.95, 0.99)), ms(cpu))


async def _bare(updates: int, each_second: float) -> tuple[list[float], float]:
    async with standin() as far:
        with process([sys.executable, "-m", "benchmarks.bare_bot", far.url]) as bot:
            return await _measured(far, bot.pid, updates, each_second)


async def _ours(url: str, updates: int, each_second: float) -> tuple[list[float], float]:
    async with standin() as far, desk(far, url) as (running, product):
        await trained(product)
        return await _measured(far, running.pid, updates, each_second)


async def _measured(far: StandIn, pid: int, updates: int, each_second: float) -> tuple[list[float], float]:
    """Seconds until each was answered, and the processor time that the bot took for one."""
    await far.writes(chat=100_000, number=WARM, each_second=each_second, text=TEXT)
    await _all_answered(far, WARM)
    await far.seen(forget=True)
    before = cpu_seconds(pid)
    await far.writes(chat=200_000, number=updates, each_second=each_second, text=TEXT)
    await asyncio.sleep(updates / each_second)
    answered = await _all_answered(far, updates)
    return answered, (cpu_seconds(pid) - before) / updates


async def _all_answered(far: StandIn, number: int) -> list[float]:
    answered: list[float] = []

    async def enough() -> bool:
        nonlocal answered
        answered = (await far.seen())["answered"]
        return len(answered) >= number

    await until(enough, lambda: f"{len(answered)} of {number} answered")
    return answered
