"""Faults: random kills, accidents known from other products, failures of platforms, connections, databases and disks.

`python -m benchmarks faults` runs a medium size, `--updates 10000 --due 10000 --kills 200` the full one. The product
runs as a process of its own; the platforms are fakes that count (tests/faults). Every column of losses must be 0.
`releases` runs only if it is named: it runs this release together with an invented next one, or with `--before REV`
(AMENDS_BEFORE) an older commit together with this one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import releases
from benchmarks.measuring import result_table
from benchmarks.noise import noise
from tests.faults import accidents, database_faults, platform_faults
from tests.faults.database_faults import cluster
from tests.faults.load import Load
from tests.faults.outages import Fault, OutageResult, run_outage, running_rig
from tests.faults.random_kills import KillRun, run_with_kills

STORES = ("sqlite", "postgres")
out = Console()


def main(arguments: Sequence[str]) -> None:
    """Run the parts that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help="kills, accidents, weather (all without an argument), releases"
    )
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--due", type=int, default=400)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--lasts", type=float, default=5.0, help="seconds that each failure lasts")
    parser.add_argument(
        "--before", default=os.environ.get("AMENDS_BEFORE"), help="a commit of the older release"
    )
    parser.add_argument("--store", choices=STORES, action="append")
    options = parser.parse_args(arguments)
    stores = tuple(options.store or STORES)
    only = set(options.only) or {"kills", "accidents", "weather"}
    out.print(noise())
    if "kills" in only:
        out.print(kills(Load(options.updates, options.due, options.kills), stores))
    if "accidents" in only:
        out.print(costs(stores))
    if "weather" in only:
        out.print(weather(options.lasts, stores))
    if "releases" in only:
        out.print(releases.table(options.before, report=partial(out.print, style="dim")))


def kills(load: Load, stores: tuple[str, ...]) -> Table:
    """The counts of lost and doubled work after random kills: a row per count, a column per store."""
    results = {store: asyncio.run(_survived(load, store)) for store in stores}
    title = f"{load.kills} SIGKILLs over {load.updates:,} updates and {load.due:,} due messages"
    report = result_table(title, "")
    for store in stores:
        report.add_column(store, justify="right")
    rows = {store: asdict(result.losses) for store, result in results.items()}
    for name in next(iter(rows.values())):
        report.add_row(name.replace("_", " "), *(f"{rows[store][name]:,}" for store in stores))
    report.add_row(
        "first answer after a kill, median / worst", *(_seconds(results[store]) for store in stores)
    )
    report.add_row("seconds in all", *(f"{results[store].seconds:,.0f}" for store in stores))
    return report


def _seconds(result: KillRun) -> str:
    median, worst = result.recovery
    return f"{median:.1f} / {worst:.1f} s"


async def _survived(load: Load, store: str) -> KillRun:
    async with _database(store) as (url, _, folder):
        return await run_with_kills(load, url, folder, waits_out_leases=True, report=_progress(store))


def _progress(store: str) -> Callable[[str], None]:
    last = [0.0]

    def report(line: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - last[0] > 30:
            last[0] = now
            out.print(f"  {store}: {line}", style="dim")

    return report


def costs(stores: tuple[str, ...], count: int = 100) -> Table:
    """The accidents of docs/performance.md, "Faults", each with `count` messages or obligations."""
    report = result_table(
        "Accidents known from other products", "accident | store | of | lost | twice | dead letters"
    )
    for accident in (*accidents.SCHEDULERS, *accidents.POLLING):
        for store in stores:
            if accident is accidents.two_processes_one_database and store == "sqlite":
                report.add_row("two processes on one database", store, "-", "-", "-", "the second is refused")
                continue
            cost = asyncio.run(_cost(accident, store, count))
            report.add_row(
                cost.name, store, *(str(n) for n in (cost.total, cost.lost, cost.twice, cost.dead_letters))
            )
    return report


async def _cost(accident: accidents.Accident, store: str, count: int) -> accidents.Cost:
    async with _database(store) as (url, _, folder):
        return await accident(folder, url, count)


def weather(duration: float, stores: tuple[str, ...]) -> Table:
    """Failures, each with people who write during it and after it.

    Shows the seconds from its end to the first and the last answer, and until a changed card shows the record.
    """
    title = f"Failures of {duration:g} s, 4 people write during each and 4 at its end"
    report = Table(title=title, title_justify="left", show_edge=False)
    report.add_column("failure", no_wrap=True)
    for column in ("lost", "cases doubled", "sent twice (marked)", "first", "all answered", "card correct"):
        report.add_column(column)
    for store in stores:
        for result in asyncio.run(_weathered(duration, store)):
            twice = f"{result.doubled} ({result.doubled - result.unmarked})"
            first = "during it" if result.first < 0 else f"{result.first:.1f} s"
            cards = f"{result.cards:.1f} s" if result.cards is not None else "-"
            report.add_row(
                result.name,
                str(result.lost),
                str(result.cases_doubled),
                twice,
                first,
                f"{result.last:.1f} s",
                cards,
            )
    return report


async def _weathered(duration: float, store: str) -> list[OutageResult]:
    async with _database(store) as (url, cluster_, folder):
        socket = None if cluster_ is None else cluster_.socket
        async with running_rig(folder, url, socket=socket) as rig:
            faults: list[Fault]
            if cluster_ is None:
                faults = [
                    *platform_faults.all_platform_faults(duration),
                    *platform_faults.line_faults(
                        platform_faults.to_telegram, "line to Telegram", duration=duration
                    ),
                    *platform_faults.line_faults(
                        platform_faults.to_slack, "line to Slack", duration=duration
                    ),
                    platform_faults.full_disk(duration),
                ]
            else:
                faults = [
                    *database_faults.database_faults(cluster_, duration=duration),
                    *platform_faults.line_faults(
                        platform_faults.to_database, "line to PostgreSQL", duration=duration, forgets=False
                    ),
                ]
            return [await run_outage(rig, fault, cards=True) for fault in faults]


@asynccontextmanager
async def _database(store: str) -> AsyncIterator[tuple[str, database_faults.Cluster | None, Path]]:
    with tempfile.TemporaryDirectory(prefix="amends-faults-") as name:
        folder = Path(name)
        if store == "sqlite":
            yield f"sqlite:///{folder / 'amends.db'}", None, folder
            return
        with cluster() as cluster_:
            yield cluster_.url, cluster_, folder
