"""The product in a process of its own that dies at a named point, as `kill -9` would end it.

Run by tests/stories/test_killed.py: reads orders as JSON lines on standard input, answers on standard output. The
points are put in from outside, so the product holds no hook for them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from amends.clockwork import Clockwork
from amends.keys import keyring
from amends.settings import load
from amends.wiring import Desk, Pace
from store.faces import Bound
from store.open import Store, open_store

DIED = 137

#: The named points, each with the store's method at whose edge it lies and on which side of it.
POINTS: dict[str, tuple[str, str]] = {
    "before_the_commit": ("hear", "commit"),
    "committed_but_not_acknowledged": ("hear", "after"),
    "claimed": ("claim", "after"),
    "sent_but_not_settled": ("sent", "before"),
    "posted_but_ts_not_stored": ("posted", "before"),
}


def arm(store: Store, point: str, pass_: int) -> None:
    """Die when this point is passed for the `pass_`th time."""
    method, side = POINTS[point]
    bound: Bound[Any, Any] = getattr(store, method)
    passed = 0

    def die_if_due(result: object = True) -> None:
        nonlocal passed
        if not result:
            return
        passed += 1
        if passed == pass_:
            os._exit(DIED)

    if side == "commit":
        hearing = False

        def armed(*args: Any, **kwargs: Any) -> Any:
            nonlocal hearing
            hearing = True
            try:
                return bound(*args, **kwargs)
            finally:
                hearing = False

        @event.listens_for(store._engines.writing, "commit")
        def committing(_: Any) -> None:
            if hearing:
                die_if_due()

    elif side == "after":

        def armed(*args: Any, **kwargs: Any) -> Any:
            result = bound(*args, **kwargs)
            die_if_due(result)
            return result

    else:

        def armed(*args: Any, **kwargs: Any) -> Any:
            die_if_due()
            return bound(*args, **kwargs)

    armed.writes = bound.writes  # type: ignore[attr-defined]
    setattr(store, method, armed)


async def _serve(config: Path, point: str | None, pass_: int) -> None:
    settings = load(config)
    store = open_store(settings.secrets.database_url, keyring(settings))
    if point is not None:
        arm(store, point, pass_)
    desk = Desk(settings, store, parts=("telegram", "slack", "scheduler"), pace=Pace(0.0, telegram=False))
    await desk.start()
    clock = Clockwork(store, desk.idle)
    loop = asyncio.get_running_loop()

    async def move(order: dict[str, Any]) -> None:
        if order["do"] == "advance":
            await clock.advance(timedelta(seconds=order["seconds"]))
        elif order["do"] == "next_due":
            await clock.to_next_due()
        elif order["do"] == "idle":
            await desk.idle()
        elif order["do"] == "trained":
            await desk.trained()

    answer({"ok": True, "now": store.now().isoformat()})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        await move(order)
        record = await store.in_thread(store.record, order["ref"]) if order["do"] == "record" else None
        answer({"ok": True, "now": store.now().isoformat(), "record": record, "idle": await desk.is_idle()})
    await desk.stop()
    store.close()


def answer(said: Any) -> None:
    sys.stdout.write(json.dumps(said, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, config_, point_, pass__ = sys.argv
    asyncio.run(_serve(Path(config_), None if point_ == "-" else point_, int(pass__)))
