"""The product in its own process, which ends at a named point as `kill -9` would end it.

Started by tests/stories/desk_process.py; takes orders from a pipe and answers on it. The points are patched in, so
the product has no code for them.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event

import triage.proposal  # noqa: F401  # slow to load; otherwise loaded only with the first model
from amends.demo.settings import SETTINGS
from amends.logs import set_up_logging
from amends.settings import load
from amends.settings.settings_file import parse_settings
from amends.story.desk import DemoClock
from amends.wiring import Application, SendIntervals
from store.database.keyring import Keyring
from store.people.staff import list_members
from store.slack_posts import list_posts
from store.store import Store, open_store

# Reading settings loads the holidays of every country: load them once, before processes are forked from this one.
parse_settings(SETTINGS, Path("amends.toml"), {})

DIED = 137

#: The named points in the order in which a message meets them.
POINTS = (
    "before_the_commit",
    "committed_but_not_acknowledged",
    "claimed",
    "sent_but_not_settled",
    "posted_but_ts_not_stored",
)


class Kill(NamedTuple):
    """Where to die: the point, and at which passing of it."""

    point: str
    pass_: int


@dataclass(frozen=True)
class Orders:
    """The settings file, where to die, and the pipe to the test.

    `reachable`: the parts whose platform is up. The process waits only for these before it takes orders.
    """

    config: Path
    environment: Mapping[str, str]
    kill: Kill | None
    reachable: frozenset[str]
    pipe: Connection
    log: Path


class KillSwitch:
    """Counts how often each point was passed, and kills the process at the chosen passing."""

    def __init__(self, kill: Kill | None) -> None:
        self._kill = kill
        self.passes: Counter[str] = Counter()

    def patch(self, store: Store) -> None:
        """Put the points around what this store writes; the points of a message lie before and after its commit."""
        write = store.write
        receives = False

        @event.listens_for(store._engines.writing, "commit")
        def committing(_: Any) -> None:
            if receives:
                self._pass("before_the_commit")

        def write_with_points(command: Any, /, *args: Any, **kwargs: Any) -> Any:
            nonlocal receives
            match command.__name__:
                case "receive_message":
                    receives = True
                    try:
                        result = write(command, *args, **kwargs)
                    finally:
                        receives = False
                    self._pass("committed_but_not_acknowledged")
                    return result
                case "claim":
                    claimed = write(command, *args, **kwargs)
                    self._pass("claimed" if claimed else None)
                    return claimed
                case "record_sent":
                    self._pass("sent_but_not_settled")
                case "record_posted":
                    self._pass(_new_post_point(store, *args[:2]))
            return write(command, *args, **kwargs)

        store.write = write_with_points  # type: ignore[method-assign]

    def _pass(self, point: str | None) -> None:
        if point is None:
            return
        self.passes[point] += 1
        if self._kill == (point, self.passes[point]):
            os._exit(DIED)


def _new_post_point(store: Store, ref: str, purpose: str) -> str | None:
    """Name the point if a post is new: a card that is drawn again already has its ts."""
    new = any(post.ts is None for post in store.read(list_posts, ref) if post.purpose == purpose)
    return "posted_but_ts_not_stored" if new else None


def serve(orders: Orders) -> None:
    """Run the desk until an order stops it, or until it dies."""
    log = os.open(orders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    set_up_logging("warning")
    logging.captureWarnings(capture=True)
    asyncio.run(_serve(orders))


async def _serve(orders: Orders) -> None:
    settings = load(orders.config, orders.environment)
    store = open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))
    kill_switch = KillSwitch(orders.kill)
    kill_switch.patch(store)
    desk = Application(
        settings,
        store,
        parts=("telegram", "slack", "scheduler"),
        send_intervals=SendIntervals(0.0, telegram=False),
    )
    clock = DemoClock(store, desk.wait_until_idle)
    await desk.start()
    await _wait_until_ready(desk, store, orders.reachable)
    order: dict[str, Any] = {"do": "begin"}
    while order["do"] != "stop":
        match order["do"]:
            case "advance":
                await clock.advance(timedelta(seconds=order["seconds"]))
            case "next_due":
                await clock.advance_to_next_due()
            case "idle":
                await desk.wait_until_idle()
        orders.pipe.send(
            {"now": store.now(), "idle": await desk.is_idle(), "passes": dict(kill_switch.passes)},
        )
        order = await asyncio.to_thread(orders.pipe.recv)
    await desk.stop()
    store.close()


async def _wait_until_ready(desk: Application, store: Store, reachable: frozenset[str]) -> None:
    """Wait until the connections are open and staff are known, because no button works before that."""
    while True:
        ready = await desk.ready()
        if all(ready[part] for part in reachable) and ("slack" not in reachable or store.read(list_members)):
            return
        await asyncio.sleep(0.01)
