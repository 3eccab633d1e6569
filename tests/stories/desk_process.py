"""The desk in its own process for stories; after a kill it is started again, as by a service manager."""

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
from tests.stories.kill_points import DIED, Kill, Orders, serve

#: A process that does not answer within this many seconds hangs.
PATIENCE = 60.0


class Hangs(Exception):
    """The desk's process neither answered nor died."""


class _RunningProcess:
    """One process, from its start to its end."""

    def __init__(self, process: ForkServerProcess, pipe: Connection) -> None:
        self.process, self._pipe = process, pipe

    async def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Send an order and return the answer. Raises EOFError or OSError if the process dies first."""
        self._pipe.send(dict(order))
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Return the next answer."""
        try:
            answer: dict[str, Any] = await asyncio.wait_for(asyncio.to_thread(self._pipe.recv), PATIENCE)
        except TimeoutError as timeout:
            self.process.kill()
            raise Hangs(f"no answer within {PATIENCE} s") from timeout
        return answer


class ProcessDesk:
    """Passes orders to the process, and starts a new one without a kill after the planned death.

    `folder` holds amends.toml; `store` opens the same database for reading.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], simulator: Simulator, store: Store
    ) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._simulator, self.store = simulator, store
        self._running: _RunningProcess | None = None
        self._keep_alive_task: asyncio.Task[None] | None = None
        self.deaths = 0
        self.passes: Counter[str] = Counter()

    async def start(self, kill: Kill | None) -> None:
        """Start the process, to die at `kill`, and restart it after that."""
        running = self._start_process(kill)
        self._keep_alive_task = asyncio.create_task(self._keep_alive(running))
        await self._order({"do": "idle"})

    async def stop(self) -> None:
        """End the process; raises the error of a failed restart."""
        task = self._keep_alive_task
        if task is None:
            return
        if not task.done():
            task.cancel()
        if self._running is not None:
            self._running.process.kill()
            await asyncio.to_thread(self._running.process.join)
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()

    async def settled(self) -> None:
        """Wait until nothing is due and nothing moves on either platform."""
        while True:
            await self._order({"do": "idle"})
            # With Telegram down, updates wait there; that counts as settled.
            if not self._simulator.trouble.telegram_down:
                await self._simulator.settled()
            if (await self._order({"do": "state"}))["idle"]:
                return

    async def advance(self, by: timedelta) -> None:
        """Move the clock; after a death on the way, move it the rest of the way."""
        await self.settled()
        target = (await self._order({"do": "state"}))["now"] + by
        while (left := target - (await self._order({"do": "state"}))["now"]) > timedelta(0):
            await self._try({"do": "advance", "seconds": left.total_seconds()})
        await self._order({"do": "idle"})

    async def to_next_due(self) -> None:
        await self.settled()
        await self._try({"do": "next_due"})
        await self._order({"do": "idle"})

    async def record(self, ref: str) -> Mapping[str, Any]:
        """Return the record as `case show --json` prints it."""
        record: Mapping[str, Any] = await self.store.aread(export_record, ref)
        return record

    async def figures(self) -> Mapping[str, Any]:
        """Return the monitoring report's figures of incidents."""
        return await self.store.in_thread(incident_figures, self.store)

    def log(self) -> str:
        """The end of the process's log, for messages of failing tests."""
        file = self._folder / "desk.log"
        return file.read_text(encoding="utf-8", errors="replace")[-4000:] if file.exists() else ""

    def _start_process(self, kill: Kill | None) -> _RunningProcess:
        own_end, process_end = processes.Pipe()
        trouble = self._simulator.trouble
        down = {"telegram": trouble.telegram_down, "slack": trouble.slack_down}
        orders = Orders(
            config=self._folder / "amends.toml",
            environment=self._environment,
            kill=kill,
            reachable=frozenset(part for part, is_down in down.items() if not is_down),
            pipe=process_end,
            log=self._folder / "desk.log",
        )
        process = processes.Process(target=serve, args=(orders,), daemon=True)
        process.start()
        # Close our copy of the process's end, or a read would not notice the process's death.
        process_end.close()
        return _RunningProcess(process, own_end)

    async def _keep_alive(self, running: _RunningProcess) -> None:
        while True:
            await self._wait_until_ready(running)
            await asyncio.to_thread(running.process.join)
            code = running.process.exitcode
            if code != DIED:
                raise AssertionError(f"the desk ended unexpectedly with code {code}:\n{self.log()}")
            self.deaths += 1
            running = self._start_process(None)

    async def _wait_until_ready(self, running: _RunningProcess) -> None:
        """Wait for the first answer; the process may also die before it."""
        try:
            self._store_passes(await running.answer())
        except (EOFError, OSError):
            return
        self._running = running

    async def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of this process, or of the next one if it dies first."""
        while True:
            answer = await self._try(order)
            if answer is not None:
                return answer

    async def _try(self, order: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the answer, or None if the process died; then the next one is ready."""
        running = await self._process_after(None)
        try:
            answer = await running.ask(order)
        except (EOFError, OSError):
            await self._process_after(running)
            return None
        self._store_passes(answer)
        return answer

    async def _process_after(self, dead: _RunningProcess | None) -> _RunningProcess:
        while self._running is None or self._running is dead:
            if self._keep_alive_task is not None and self._keep_alive_task.done():
                self._keep_alive_task.result()
            await asyncio.sleep(0.005)
        return self._running

    def _store_passes(self, answer: Mapping[str, Any]) -> None:
        if self.deaths == 0:
            self.passes = Counter(answer["passes"])
