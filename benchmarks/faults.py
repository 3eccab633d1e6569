"""Faults: killed at random, accidents that lost others their work, bad weather of platforms, lines, databases, disks.

`python -m benchmarks faults` runs the medium size; `--updates 10000 --due 10000 --kills 200` the whole. The product
is the real one as a process of its own; the far ends are stand-ins that count (tests/faults). The ceiling of every
column of losses is 0; seconds stand beside the machine's noise. `releases` (only where it is named) runs an older
release beside this one: the last before the newest migration, `--before REV` (AMENDS_BEFORE), or `--every` schema's.
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
from benchmarks.noise import noise
from tests.faults import accidents, database, troubles
from tests.faults.database import cluster
from tests.faults.killing import Survived, survived
from tests.faults.load import Load
from tests.faults.weather import Trouble, Weathered, staged, weathered

STORES = ("sqlite", "postgres")
out = Console()


def main(arguments: Sequence[str]) -> None:
    """As the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help="kills, accidents, weather (all without an argument), releases"
    )
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--due", type=int, default=400)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--lasts", type=float, default=5.0, help="seconds that each trouble lasts")
    parser.add_argument(
        "--before", default=os.environ.get("AMENDS_BEFORE"), help="a commit of the older release"
    )
    parser.add_argument("--every", action="store_true", help="the last commit of every schema there was")
    parser.add_argument("--store", choices=STORES, action="append")
    given = parser.parse_args(arguments)
    stores = tuple(given.store or STORES)
    only = set(given.only) or {"kills", "accidents", "weather"}
    out.print(noise())
    if "kills" in only:
        out.print(kills(Load(given.updates, given.due, given.kills), stores))
    if "accidents" in only:
        out.print(costs(stores))
    if "weather" in only:
        out.print(weather(given.lasts, stores))
    if "releases" in only:
        out.print(releases.table(given.before, every=given.every, report=partial(out.print, style="dim")))


def kills(load: Load, stores: tuple[str, ...]) -> Table:
    """Killed so often over so much: one row a count, one column a store."""
    came = {one: asyncio.run(_survived(load, one)) for one in stores}
    title = f"{load.kills} SIGKILLs over {load.updates:,} updates and {load.due:,} due messages"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    drawn.add_column("")
    for one in stores:
        drawn.add_column(one, justify="right")
    rows = {one: asdict(each.reckoning) for one, each in came.items()}
    for name in next(iter(rows.values())):
        drawn.add_row(name.replace("_", " "), *(f"{rows[one][name]:,}" for one in stores))
    drawn.add_row("first word after a kill, median / worst", *(_seconds(came[one]) for one in stores))
    drawn.add_row("seconds in all", *(f"{came[one].seconds:,.0f}" for one in stores))
    return drawn


def _seconds(came: Survived) -> str:
    median, worst = came.recovery
    return f"{median:.1f} / {worst:.1f} s"


async def _survived(load: Load, store: str) -> Survived:
    async with _database(store) as (url, _, folder):
        return await survived(load, url, folder, waits_out_leases=True, report=_progress(store))


def _progress(store: str) -> Callable[[str], None]:
    last = [0.0]

    def report(line: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - last[0] > 30:
            last[0] = now
            out.print(f"  {store}: {line}", style="dim")

    return report


def costs(stores: tuple[str, ...], many: int = 100) -> Table:
    """The accidents of docs/performance.md, "Faults", each with a hundred things told or owed."""
    drawn = Table(title="Accidents that lost others their work", title_justify="left", show_edge=False)
    for column in ("accident", "store", "of", "lost", "twice", "kept for a person"):
        drawn.add_column(column)
    for accident in (*accidents.SCHEDULERS, *accidents.POLLING):
        for store in stores:
            if accident is accidents.two_at_one_store and store == "sqlite":
                drawn.add_row("two processes at one store", store, "-", "-", "-", "the second is refused")
                continue
            cost = asyncio.run(_cost(accident, store, many))
            drawn.add_row(cost.name, store, *(str(n) for n in (cost.of, cost.lost, cost.twice, cost.aside)))
    return drawn


async def _cost(accident: accidents.Accident, store: str, many: int) -> accidents.Cost:
    async with _database(store) as (url, _, folder):
        return await accident(folder, url, many)


def weather(lasts: float, stores: tuple[str, ...]) -> Table:
    """Troubles, each with people who write meanwhile and after; seconds from its end to the first and last answer and
    until a card that changed in it shows the record."""
    title = f"Bad weather of {lasts:g} s, 4 people writing in it and 4 at its end"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    drawn.add_column("trouble", no_wrap=True)
    for column in ("lost", "cases doubled", "said twice (marked)", "first", "all answered", "card right"):
        drawn.add_column(column)
    for store in stores:
        for came in asyncio.run(_weathered(lasts, store)):
            twice = f"{came.doubled} ({came.doubled - came.unmarked})"
            first = "in it" if came.first < 0 else f"{came.first:.1f} s"
            cards = f"{came.cards:.1f} s" if came.cards is not None else "-"
            drawn.add_row(
                came.name, str(came.lost), str(came.cases_doubled), twice, first, f"{came.last:.1f} s", cards
            )
    return drawn


async def _weathered(lasts: float, store: str) -> list[Weathered]:
    async with _database(store) as (url, made, folder):
        socket = None if made is None else made.socket
        async with staged(folder, url, socket=socket) as stage:
            found: list[Trouble]
            if made is None:
                found = [
                    *troubles.of_platforms(lasts),
                    *troubles.lines(troubles.to_telegram, "line to Telegram", lasts=lasts),
                    *troubles.lines(troubles.to_slack, "line to Slack", lasts=lasts),
                    troubles.full_disk(lasts),
                ]
            else:
                found = [
                    *database.troubles(made, lasts=lasts),
                    *troubles.lines(troubles.to_database, "line to PostgreSQL", lasts=lasts, forgets=False),
                ]
            return [await weathered(stage, one, cards=True) for one in found]


@asynccontextmanager
async def _database(store: str) -> AsyncIterator[tuple[str, database.Cluster | None, Path]]:
    with tempfile.TemporaryDirectory(prefix="amends-faults-") as name:
        folder = Path(name)
        if store == "sqlite":
            yield f"sqlite:///{folder / 'amends.db'}", None, folder
            return
        with cluster() as made:
            yield made.url, made, folder
