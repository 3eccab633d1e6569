"""A desk in a process of its own, as stories see it: it may die, and is started again like any service."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from amends.story.desk import incident_figures
from simulator import Simulator
from store.cases.export import export_record
from store.store import Store
from tests.forked import processes
from tests.stories.killable import DIED, Kill, Orders, serve

#: The process answers within this time or it hangs, which is a failure of its own.
PATIENCE = 60.0


class Hangs(Exception):
    """The desk's process neither answered nor died."""


class _Life:
    """One process, from its start to its end."""

    def __init__(self, process: ForkServerProcess, pipe: Connection) -> None:
        self.process, self._pipe = process, pipe

    async def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer; EOFError or OSError where it dies first."""
        self._pipe.send(dict(order))
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """What it says next."""
        try:
            said: dict[str, Any] = await asyncio.wait_for(asyncio.to_thread(self._pipe.recv), PATIENCE)
        except TimeoutError as hangs:
            self.process.kill()
            raise Hangs(f"no answer within {PATIENCE} s") from hangs
        return said


class ProcessDesk:
    """Passes orders on to the process, and starts it anew, unarmed, when it died as told.

    `folder` holds amends.toml; `store` is a second view of the same database, for reading only.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], simulator: Simulator, store: Store
    ) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._simulator, self.store = simulator, store
        self._life: _Life | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.deaths = 0
        self.passed: Counter[str] = Counter()

    async def start(self, kill: Kill | None) -> None:
        """Start it, to die at `kill`, and keep it alive from then on."""
        life = self._new(kill)
        self._keeping = asyncio.create_task(self._keep_alive(life))
        await self._order({"do": "idle"})

    async def stop(self) -> None:
        """End it for good; raises what kept it from being started again."""
        keeping = self._keeping
        if keeping is None:
            return
        if not keeping.done():
            keeping.cancel()
        if self._life is not None:
            self._life.process.kill()
            await asyncio.to_thread(self._life.process.join)
        await asyncio.gather(keeping, return_exceptions=True)
        if not keeping.cancelled():
            keeping.result()

    async def settled(self) -> None:
        """Return when nothing due is left to do and nothing moves on either platform."""
        while True:
            await self._order({"do": "idle"})
            # With Telegram down, updates wait there: that is settled too.
            if not self._simulator.trouble.telegram_down:
                await self._simulator.settled()
            if (await self._order({"do": "state"}))["idle"]:
                return

    async def advance(self, by: timedelta) -> None:
        """Move the clock; after a death on the way, the rest of the way."""
        await self.settled()
        target = (await self._order({"do": "state"}))["now"] + by
        while (left := target - (await self._order({"do": "state"}))["now"]) > timedelta(0):
            await self._try({"do": "advance", "seconds": left.total_seconds()})
        await self._order({"do": "idle"})

    async def to_next_due(self) -> None:
        """Move the clock to the next due time."""
        await self.settled()
        await self._try({"do": "next_due"})
        await self._order({"do": "idle"})

    async def record(self, ref: str) -> Mapping[str, Any]:
        """The record as `case show --json` gives it."""
        found: Mapping[str, Any] = await self.store.aread(export_record, ref)
        return found

    async def figures(self) -> Mapping[str, Any]:
        """What the monitoring report counts of incidents."""
        return await self.store.in_thread(incident_figures, self.store)

    def log(self) -> str:
        """What the process had to say, for messages of failing tests."""
        file = self._folder / "desk.log"
        return file.read_text(encoding="utf-8", errors="replace")[-4000:] if file.exists() else ""

    def _new(self, kill: Kill | None) -> _Life:
        ours, its = processes.Pipe()
        trouble = self._simulator.trouble
        down = {"telegram": trouble.telegram_down, "slack": trouble.slack_down}
        orders = Orders(
            config=self._folder / "amends.toml",
            environment=self._environment,
            kill=kill,
            reachable=frozenset(part for part, is_down in down.items() if not is_down),
            pipe=its,
            log=self._folder / "desk.log",
        )
        process = processes.Process(target=serve, args=(orders,), daemon=True)
        process.start()
        # Else the pipe would never end: its other end must be open in the process alone.
        its.close()
        return _Life(process, ours)

    async def _keep_alive(self, life: _Life) -> None:
        while True:
            await self._begun(life)
            await asyncio.to_thread(life.process.join)
            code = life.process.exitcode
            if code != DIED:
                raise AssertionError(f"the desk ended by itself with code {code}:\n{self.log()}")
            self.deaths += 1
            life = self._new(None)

    async def _begun(self, life: _Life) -> None:
        """It may take orders once it listens; it may also die before."""
        try:
            self._note(await life.answer())
        except (EOFError, OSError):
            return
        self._life = life

    async def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of this process, or of the next where it dies before it answers."""
        while True:
            answer = await self._try(order)
            if answer is not None:
                return answer

    async def _try(self, order: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer, or None when the process died meanwhile; the next one takes orders then."""
        life = await self._other_than(None)
        try:
            answer = await life.ask(order)
        except (EOFError, OSError):
            await self._other_than(life)
            return None
        self._note(answer)
        return answer

    async def _other_than(self, gone: _Life | None) -> _Life:
        while self._life is None or self._life is gone:
            if self._keeping is not None and self._keeping.done():
                self._keeping.result()
            await asyncio.sleep(0.005)
        return self._life

    def _note(self, answer: Mapping[str, Any]) -> None:
        if self.deaths == 0:
            self.passed = Counter(answer["passed"])
