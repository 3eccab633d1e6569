"""Whole lives through the wire, in an open loop: complaints arrive at a fixed rate, however long the answers take.

A complaint arrives in Telegram, is assessed, resolved, accepted, closed and surveyed. The desk is `amends` in a
process of its own, without the platforms' rate limits: four lives are 36 messages a second, and Telegram takes 30.
Complainants and 20 handlers are driven in the simulator, which shares the machine with the desk, so that the
processor time of both is shown. Two settings differ from the usual ones: the survey is due a second after the
closing, and a handler may pay 27.50.

A time counts from the moment at which a complaint was to arrive, or from the act before. A letter that can be taken
back counts from the end of those ten seconds. Each repeat is shown; they share one desk, after one life that warms
it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import databases
from benchmarks.life import WAITS, Life, Screens
from benchmarks.measuring import quantile, result_table
from benchmarks.noise import noise
from benchmarks.processes import all_cpu_seconds, cpu_seconds, settings_of, unlimited_desk
from benchmarks.reports import fill
from simulator import Simulator
from store.database.keyring import Keyring
from tests.edges.product import SETTINGS, Product

HANDLERS = [f"U{number:07}" for number in range(101, 121)]
#: A first answer after more seconds than this is late.
LATE_SECONDS = 1.0
#: How long lives may take after the last arrival.
PATIENCE = 90.0
STORY = "My water bill of flat {number} shows the same payment taken twice, please look at it."
LIVES_SETTINGS = (
    SETTINGS.replace('handler = ["U0000001"]', f"handler = {HANDLERS}".replace("'", '"'))
    + '[survey]\ndelay = "1 s"\n[authority]\nhandler = { amount = "100 GBP" }\n'
    + 'manager = { amount = "2000 GBP" }\n'
)


@dataclass(frozen=True)
class Repeat:
    """The lives of one repeat, the processor seconds that they cost, and why lives failed.

    The seconds are those of the desk's main process, of its other processes, and of the simulator.
    """

    lives: Sequence[Life]
    cpu_seconds: Sequence[float]
    failures: Counter[str]

    def shares(self) -> str:
        """How many were never started, late and not finished, in per cent of all."""
        first = [life.seconds["prompt"] for life in self.lives]
        never = sum(not seconds for seconds in first)
        late = sum(not seconds or seconds[0] > LATE_SECONDS for seconds in first)
        unfinished = sum(not life.is_finished for life in self.lives)
        return ", ".join(f"{part / len(self.lives):.1%}" for part in (never, late, unfinished))

    def waits(self, name: str) -> str:
        """p50, p95 and p99 of one wait in ms."""
        seconds = [second for life in self.lives for second in life.seconds[name]]
        if not seconds:
            return "none"
        return ", ".join(f"{1000 * quantile(seconds, share):,.0f}" for share in (0.5, 0.95, 0.99))

    def cpu(self) -> str:
        """Processor time in ms a life."""
        return ", ".join(f"{1000 * seconds / len(self.lives):,.0f}" for seconds in self.cpu_seconds)


def main(arguments: Sequence[str]) -> None:
    """Print the machine's noise and the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lives", description=__doc__)
    parser.add_argument("--rate", type=float, default=2.0, help="complaints a second")
    parser.add_argument("--on-file", type=int, default=0, help="complaints in the record before")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they arrive")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args(arguments)
    console = Console()
    console.print(noise())
    with getattr(databases, options.database)() as fresh:
        measured = measure(fresh(), options.rate, options.seconds, options.repeats, options.on_file)
        repeats = asyncio.run(measured)
    title = f"Whole lives, {options.rate:g} a second for {options.seconds:g} s, {options.on_file:,} on file"
    console.print(table(f"{title} ({options.database})", repeats))
    for failure, times in sum((repeat.failures for repeat in repeats), Counter()).most_common(5):
        console.print(f"{times} times: {failure}")


def table(title: str, repeats: Sequence[Repeat]) -> Table:
    """A row for each figure and a column for each repeat."""
    report = result_table(title, "|".join(["", *(f"repeat {n}" for n in range(1, len(repeats) + 1))]))
    report.add_row("never started, late, not finished", *(repeat.shares() for repeat in repeats))
    for name in WAITS:
        report.add_row(f"{name}: p50, p95, p99 in ms", *(repeat.waits(name) for repeat in repeats))
    report.add_row(
        "processor: desk, its other processes, simulator; ms a life", *(repeat.cpu() for repeat in repeats)
    )
    return report


async def measure(url: str, rate: float, seconds: float, repeats: int, on_file: int) -> list[Repeat]:
    """Start the desk on this database with `on_file` complaints, and let complaints arrive."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-desk-") as folder:
        async with Simulator() as simulator:
            product = Product(Path(folder), {"AMENDS_DATABASE_URL": url, **environment(simulator)})
            (product.folder / "amends.toml").write_text(LIVES_SETTINGS, encoding="utf-8")
            if on_file:
                fill(url, on_file, Keyring(settings_of(product).secrets.keys()))
            async with unlimited_desk(product) as running:
                driver = Driver(simulator, running.pid)
                await driver.repeat(1.0, 1)
                return [await driver.repeat(rate, round(rate * seconds)) for _ in range(repeats)]


def environment(simulator: Simulator) -> dict[str, str]:
    """The environment variables that point the desk at the simulator."""
    return {
        "AMENDS_TELEGRAM_TOKEN": simulator.bot_token,
        "AMENDS_TELEGRAM_API_URL": simulator.telegram_url,
        "AMENDS_SLACK_BOT_TOKEN": simulator.slack_bot_token,
        "AMENDS_SLACK_APP_TOKEN": simulator.slack_app_token,
        "AMENDS_SLACK_API_URL": simulator.slack_url,
        "AMENDS_LOG": "error",
    }


class Driver:
    """Lets complaints arrive; each handler works on one complaint at a time."""

    def __init__(self, simulator: Simulator, pid: int) -> None:
        self.simulator, self.pid, self.screens = simulator, pid, Screens(simulator)
        self._handlers = [(simulator.staff(member, member), asyncio.Lock()) for member in HANDLERS]
        self._numbers = count(1)

    async def repeat(self, rate: float, number: int) -> Repeat:
        """Let this many complaints arrive, and wait until their lives have ended."""
        watching = asyncio.create_task(self.screens.watch())
        before = self._cpu()
        started, lives, tasks = time.monotonic(), [], []
        for n in range(number):
            due = started + n / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            life, story = self._life(due)
            lives.append(life)
            tasks.append(asyncio.create_task(life.run(story)))
        _, unfinished = await asyncio.wait(tasks, timeout=PATIENCE)
        for task in (*unfinished, watching):
            task.cancel()
        ended = await asyncio.gather(*tasks, watching, return_exceptions=True)
        failures = Counter(repr(error) for error in ended[:-1] if isinstance(error, BaseException))
        used = [after - earlier for earlier, after in zip(before, self._cpu(), strict=True)]
        return Repeat(lives, used, failures)

    def _cpu(self) -> tuple[float, float, float]:
        main = cpu_seconds(self.pid)
        return main, all_cpu_seconds(self.pid) - main, time.process_time()

    def _life(self, due: float) -> tuple[Life, str]:
        number = next(self._numbers)
        member, lock = self._handlers[number % len(self._handlers)]
        customer = self.simulator.customer(f"P{number}")
        return Life(self.screens, customer, member, lock, due), STORY.format(number=number)
