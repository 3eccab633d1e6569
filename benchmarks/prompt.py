"""From a message in Telegram's queue to the bot's answer at Telegram, with rate limits on.

People write at a steady rate whether they are answered or not, each in a separate chat: every update is a new
complaint, which is the most expensive kind. The desk is a real `amends run`; the fake platforms are another process.
The ceiling is the library alone at the same rate: a bot that answers at once and stores nothing.

`table` stops before the first proposals are due, 20 s after the first message. `under_proposals` goes on for a minute
with varied texts, and with one text for all, as in an outage.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing
from itertools import product

from rich.table import Table
from sqlalchemy import func, select

from benchmarks import databases
from benchmarks.measuring import ms, quantile, result_table, verdict
from benchmarks.processes import StandIn, cpu_seconds, desk, process, standin, store_of, trained
from store.database.transaction import Tx
from store.tables import PROPOSALS
from tests.edges.product import until
from triage.learning.examples import starter_examples

EACH_SECOND = 20.0
UPDATES = 400
WARM = 20
GOAL_SECONDS = 0.040
TEXT = "The water meter in my cellar has been dripping since Monday, and nobody answers the telephone."


#: The load with proposals: seconds, complaints a second, and from which second on every complaint brings a proposal.
LOAD_SECONDS, LOADS, PROPOSALS_FROM = 60, (10.0, 20.0), 25


async def under_proposals() -> Table:
    """The wait for the answer before and while proposals are made, on each store, for varied and for equal texts."""
    title = f"The same for {LOAD_SECONDS} s, with the proposals"
    report = result_table(title, " | p50 before | p50 | p95 | p99 | CPU each | proposals made within it")
    varied = [f"{example.text} Flat {n}." for n, example in enumerate(starter_examples(("en",)))]
    for name, fresh in databases.each():
        for rate, (kind, texts) in product(LOADS, (("varied texts", varied), ("one text", [TEXT]))):
            report.add_row(
                f"Amends on {name}, {rate:g} a second, {kind}", *await _loaded(fresh(), texts, rate)
            )
    return report


async def _loaded(url: str, texts: Sequence[str], each_second: float) -> tuple[str, ...]:
    number = int(LOAD_SECONDS * each_second)
    async with standin() as platforms, desk(platforms, url) as (running, started):
        await trained(started)
        await platforms.writes(chat=100_000, number=WARM, each_second=each_second, text=TEXT)
        await _all_answered(platforms, WARM)
        await platforms.seen(forget=True)
        cpu_before = cpu_seconds(running.pid)
        await platforms.writes(chat=200_000, number=number, each_second=each_second, texts=texts)
        await asyncio.sleep(LOAD_SECONDS)
        with closing(store_of(started)) as store:
            proposed = store.read(_count_proposals)
        answered = await _all_answered(platforms, number)
        cpu = (cpu_seconds(running.pid) - cpu_before) / number
    # In the order of the answers, which is nearly that of the messages.
    split = int(PROPOSALS_FROM * each_second)
    before, after = answered[: split - 50], answered[split:]
    waits = (ms(quantile(after, share)) for share in (0.5, 0.95, 0.99))
    return ms(quantile(before, 0.5)), *waits, ms(cpu), str(proposed)


def _count_proposals(tx: Tx) -> int:
    return int(tx.connection.execute(select(func.count()).select_from(PROPOSALS)).scalar_one())


async def table(updates: int = UPDATES, each_second: float = EACH_SECOND) -> Table:
    """p50, p95 and p99 of the library alone and of a desk on each store, with the ratio of their p95."""
    title = f"Update in -> prompt out, {each_second:g} new complaints a second, rate limits on"
    report = result_table(title, " | p50 | p95 | p99 | CPU each | ratio of p95 | goal")
    bare = await _bare(updates, each_second)
    report.add_row("python-telegram-bot alone, nothing stored", *_row(*bare), "1.0", "")
    for name, fresh in databases.each():
        seconds, cpu = await _product(fresh(), updates, each_second)
        p95 = quantile(seconds, 0.95)
        ratio = p95 / quantile(bare[0], 0.95)
        goal = verdict(p95 <= GOAL_SECONDS)
        report.add_row(f"Amends on {name}", *_row(seconds, cpu), f"{ratio:.1f}", goal)
    return report


def _row(seconds: list[float], cpu: float) -> tuple[str, ...]:
    return (*(ms(quantile(seconds, share)) for share in (0.5, 0.95, 0.99)), ms(cpu))


async def _bare(updates: int, each_second: float) -> tuple[list[float], float]:
    async with standin() as platforms:
        with process([sys.executable, "-m", "benchmarks.bare_bot", platforms.url]) as bot:
            return await _measured(platforms, bot.pid, updates, each_second)


async def _product(url: str, updates: int, each_second: float) -> tuple[list[float], float]:
    async with standin() as platforms, desk(platforms, url) as (running, product):
        await trained(product)
        return await _measured(platforms, running.pid, updates, each_second)


async def _measured(
    platforms: StandIn, pid: int, updates: int, each_second: float
) -> tuple[list[float], float]:
    """Seconds until each answer, and processor seconds per update."""
    await platforms.writes(chat=100_000, number=WARM, each_second=each_second, text=TEXT)
    await _all_answered(platforms, WARM)
    await platforms.seen(forget=True)
    cpu_before = cpu_seconds(pid)
    await platforms.writes(chat=200_000, number=updates, each_second=each_second, text=TEXT)
    await asyncio.sleep(updates / each_second)
    answered = await _all_answered(platforms, updates)
    return answered, (cpu_seconds(pid) - cpu_before) / updates


async def _all_answered(platforms: StandIn, number: int) -> list[float]:
    answered: list[float] = []

    async def is_complete() -> bool:
        nonlocal answered
        answered = (await platforms.seen())["answered"]
        return len(answered) >= number

    await until(is_complete, lambda: f"{len(answered)} of {number} answered")
    return answered
