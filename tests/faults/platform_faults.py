"""Faults of the platforms, of the connections and of the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from tests.faults.desk_process import wait_for_desk
from tests.faults.outages import Fault, Rig
from tests.faults.proxy import GOOD, Line, Proxy
from tests.faults.slack import ratelimited
from tests.faults.telegram import BLOCKED, POLLING, SENDING, Answer

ProxyOf = Callable[[Rig], Proxy]


def send_fault(name: str, *, duration: float = 2.0) -> Fault:
    """Telegram answers every sent message with this fault."""
    return _replace_answer("sendMessage", f"Telegram: {name}", SENDING[name], duration)


def blocked(*, duration: float = 2.0) -> Fault:
    """Everyone who writes during the fault blocks the bot: messages are recorded but not answered."""
    fault = _replace_answer("sendMessage", "Telegram: 403, blocked", BLOCKED, duration)
    return replace(fault, answers=False)


def poll_fault(name: str, *, duration: float = 2.0) -> Fault:
    """Telegram answers every poll with this fault."""
    return _replace_answer("getUpdates", f"Telegram: {name}", POLLING[name], duration)


def _replace_answer(method: str, name: str, answer: Answer, duration: float) -> Fault:
    async def begins(rig: Rig) -> None:
        rig.fakes.telegram.instead[method] = answer

    async def ends(rig: Rig) -> None:
        del rig.fakes.telegram.instead[method]

    return Fault(name, begins, ends, duration)


def slack_fault(
    name: str, answer: Callable[[str], web.StreamResponse | None], *, duration: float = 2.0
) -> Fault:
    """Slack gives this answer to every call."""

    async def begins(rig: Rig) -> None:
        rig.fakes.slack.instead = answer

    async def ends(rig: Rig) -> None:
        rig.fakes.slack.instead = lambda method: None

    return Fault(f"Slack: {name}", begins, ends, duration)


def line_fault(
    name: str, line: Line, proxy_of: ProxyOf, *, duration: float = 2.0, cut: bool = False
) -> Fault:
    """The connection becomes bad; `cut` also breaks open connections at the start."""

    async def begins(rig: Rig) -> None:
        proxy_of(rig).change_line(line)
        if cut:
            proxy_of(rig).cut()

    async def ends(rig: Rig) -> None:
        proxy_of(rig).change_line(GOOD)

    return Fault(name, begins, ends, duration)


def momentary_fault(name: str, action: Callable[[Rig], Awaitable[None]], *, duration: float = 0.0) -> Fault:
    """A fault that happens at one moment, such as a broken connection."""

    async def nothing(_: Rig) -> None:
        return None

    return Fault(name, action, nothing, duration)


def to_telegram(rig: Rig) -> Proxy:
    """Return the proxy to Telegram."""
    return rig.telegram


def to_slack(rig: Rig) -> Proxy:
    """Return the proxy to Slack."""
    return rig.slack


async def wait_for_slack(rig: Rig) -> None:
    """Wait until the desk has a Socket Mode connection."""
    await wait_for_desk(lambda: bool(rig.fakes.slack.lines), rig.desk)


def to_database(rig: Rig) -> Proxy:
    """Return the proxy to PostgreSQL. Raises LookupError for SQLite."""
    if rig.database is None:
        raise LookupError("this desk has its database in a file")
    return rig.database


def stale_connections(proxy_of: ProxyOf, name: str) -> Fault:
    """Open connections silently stop working, as after a router lost its table."""

    async def forget(rig: Rig) -> None:
        proxy_of(rig).forget()

    return momentary_fault(f"{name}: forgotten by the far end", forget)


def line_faults(proxy_of: ProxyOf, name: str, *, duration: float, forgets: bool = True) -> list[Fault]:
    """Return every fault of a connection; with `forgets` also the stale one.

    Leave that out for a database: the operating system's keepalives detect it, and the proxy answers them.
    """
    return [
        line_fault(f"{name}: every connection cut", GOOD, proxy_of, duration=0.5, cut=True),
        line_fault(f"{name}: refused", Line(refuses=True), proxy_of, duration=duration, cut=True),
        line_fault(f"{name}: half open", Line(silent=True), proxy_of, duration=duration),
        line_fault(f"{name}: a byte a second", Line(drips=True), proxy_of, duration=duration),
        line_fault(f"{name}: 300 ms later", Line(delay=0.3), proxy_of, duration=duration),
        *([stale_connections(proxy_of, name)] if forgets else []),
    ]


def all_platform_faults(duration: float) -> list[Fault]:
    """Return every fault of both platforms."""
    return [
        *(send_fault(name, duration=duration) for name in SENDING),
        blocked(duration=duration),
        *(poll_fault(name, duration=duration) for name in POLLING),
        slack_fault("429, Retry-After 2", lambda method: ratelimited(2), duration=duration),
        slack_fault("503", lambda method: web.Response(status=503, text="no"), duration=duration),
        momentary_fault("Slack: every line closed", lambda rig: rig.fakes.slack.closes_lines(), duration=0.5),
    ]


async def disk_full(rig: Rig) -> None:
    """Stop the files of the desk from growing."""
    rig.desk.limit_file_size(4096)


async def disk_has_room(rig: Rig) -> None:
    """Let the files of the desk grow again."""
    rig.desk.limit_file_size(-1)


def full_disk(duration: float) -> Fault:
    """SQLite's disk is full for a while."""
    return Fault("SQLite: disk full", disk_full, disk_has_room, duration)
