"""Troubles by name: of the platforms, of the line to them, of the database, of the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from tests.faults.desk import waited
from tests.faults.proxy import GOOD, Line, Proxy
from tests.faults.slack import ratelimited
from tests.faults.telegram import ASKING, BLOCKED, SENDING, Answer
from tests.faults.weather import Stage, Trouble

Which = Callable[[Stage], Proxy]


def of_sending(name: str, *, lasts: float = 2.0) -> Trouble:
    """Telegram answers so to whatever we send."""
    return _instead("sendMessage", f"Telegram: {name}", SENDING[name], lasts)


def blocked(*, lasts: float = 2.0) -> Trouble:
    """Everybody who writes meanwhile blocks us at once: recorded, and not told."""
    trouble = _instead("sendMessage", "Telegram: 403, blocked", BLOCKED, lasts)
    return replace(trouble, answers=False)


def of_asking(name: str, *, lasts: float = 2.0) -> Trouble:
    """Telegram answers so when we ask for updates."""
    return _instead("getUpdates", f"Telegram: {name}", ASKING[name], lasts)


def _instead(method: str, name: str, answer: Answer, lasts: float) -> Trouble:
    async def begins(stage: Stage) -> None:
        stage.far.telegram.instead[method] = answer

    async def ends(stage: Stage) -> None:
        del stage.far.telegram.instead[method]

    return Trouble(name, begins, ends, lasts)


def of_slack(name: str, answer: Callable[[str], web.StreamResponse | None], *, lasts: float = 2.0) -> Trouble:
    """Slack answers so to every call."""

    async def begins(stage: Stage) -> None:
        stage.far.slack.instead = answer

    async def ends(stage: Stage) -> None:
        stage.far.slack.instead = lambda method: None

    return Trouble(f"Slack: {name}", begins, ends, lasts)


def of_line(name: str, line: Line, which: Which, *, lasts: float = 2.0, cut: bool = False) -> Trouble:
    """The line becomes bad; `cut` also breaks what stands, at both ends of the trouble."""

    async def begins(stage: Stage) -> None:
        which(stage).becomes(line)
        if cut:
            which(stage).cut()

    async def ends(stage: Stage) -> None:
        which(stage).becomes(GOOD)

    return Trouble(name, begins, ends, lasts)


def repeatedly(name: str, do: Callable[[Stage], Awaitable[None]], *, lasts: float = 0.0) -> Trouble:
    """Something that happens at one moment and is over."""

    async def nothing(_: Stage) -> None:
        return None

    return Trouble(name, do, nothing, lasts)


def to_telegram(stage: Stage) -> Proxy:
    """The line to Telegram."""
    return stage.telegram


def to_slack(stage: Stage) -> Proxy:
    """The line to Slack."""
    return stage.slack


async def line_again(stage: Stage) -> None:
    """Wait until Slack has a line to the desk."""
    await waited(lambda: bool(stage.far.slack.lines), stage.desk)


def to_database(stage: Stage) -> Proxy:
    """The line to PostgreSQL."""
    if stage.database is None:
        raise LookupError("this desk has its database in a file")
    return stage.database


def forgotten(which: Which, name: str) -> Trouble:
    """The far end knows nothing of the lines that stand, and nobody says so (a router that lost its table)."""

    async def forget(stage: Stage) -> None:
        which(stage).forget()

    return repeatedly(f"{name}: forgotten by the far end", forget)


def lines(which: Which, name: str, *, lasts: float, forgets: bool = True) -> list[Trouble]:
    """Every bad line there is; a forgotten one only where an answer is waited for by the clock.

    Towards a database it is the system that notices (keepalives), and a proxy on the same machine cannot play dead
    to it.
    """
    return [
        of_line(f"{name}: every connection cut", GOOD, which, lasts=0.5, cut=True),
        of_line(f"{name}: refused", Line(refuses=True), which, lasts=lasts, cut=True),
        of_line(f"{name}: half open", Line(silent=True), which, lasts=lasts),
        of_line(f"{name}: a byte a second", Line(drips=True), which, lasts=lasts),
        of_line(f"{name}: 300 ms later", Line(delay=0.3), which, lasts=lasts),
        *([forgotten(which, name)] if forgets else []),
    ]


def of_platforms(lasts: float) -> list[Trouble]:
    """Of both platforms."""
    return [
        *(of_sending(name, lasts=lasts) for name in SENDING),
        blocked(lasts=lasts),
        *(of_asking(name, lasts=lasts) for name in ASKING),
        of_slack("429, Retry-After 2", lambda method: ratelimited(2), lasts=lasts),
        of_slack("503", lambda method: web.Response(status=503, text="no"), lasts=lasts),
        repeatedly("Slack: every line closed", lambda stage: stage.far.slack.closes_lines(), lasts=0.5),
    ]


async def disk_full(stage: Stage) -> None:
    """Nothing can be added to the database's files: it is as long as it may be."""
    stage.desk.may_write(4096)


async def disk_has_room(stage: Stage) -> None:
    """Somebody made room."""
    stage.desk.may_write(-1)


def full_disk(lasts: float) -> Trouble:
    """SQLite's disk is full, then is not."""
    return Trouble("SQLite: disk full", disk_full, disk_has_room, lasts)
