"""A desk in a process of its own, as stories see it: it may die, and is started again like any service."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator import Simulator
from tests.stories.killable import DIED

#: The process answers within this time or it hangs, which is a failure of its own.
PATIENCE = 60.0


class ProcessDesk:
    """Starts `tests.stories.killable`, passes orders on, and starts it anew, unarmed, when it died as told."""

    def __init__(self, config: Path, environment: Mapping[str, str], simulator: Simulator) -> None:
        self._config, self._environment, self._simulator = config, dict(environment), simulator
        self._process: asyncio.subprocess.Process | None = None
        self.deaths = 0

    async def start(self, point: str = "-", pass_: int = 1) -> None:
        """Start; `point` and `pass_` say where it will die."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.stories.killable",
            str(self._config),
            point,
            str(pass_),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            limit=16 * 1024 * 1024,
        )
        if await self._answer() is None:
            await self._again()

    async def stop(self) -> None:
        """End it for good."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def settled(self) -> None:
        """Return when nothing due is left to do and nothing moves on either platform."""
        while True:
            await self._order({"do": "idle"})
            await self._simulator.settled()
            if (await self._order({"do": "idle"}))["idle"]:
                return

    async def advance(self, by: timedelta) -> None:
        """Move the clock; after a death on the way, the rest of the way."""
        before = await self._now()
        while (left := before + by.total_seconds() - await self._now()) > 1:
            if await self._try({"do": "advance", "seconds": left}) is not None:
                return

    async def to_next_due(self) -> None:
        """Move the clock to the next due time."""
        await self._order({"do": "next_due"})

    async def record(self, ref: str) -> Mapping[str, Any]:
        """The record as `case show --json` gives it."""
        record: Mapping[str, Any] = (await self._order({"do": "record", "ref": ref}))["record"]
        return record

    async def trained(self) -> None:
        """Return when a model is in use."""
        await self._order({"do": "trained"})

    async def _now(self) -> float:
        return datetime.fromisoformat((await self._order({"do": "idle"}))["now"]).timestamp()

    async def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        while True:
            answer = await self._try(order)
            if answer is not None:
                return answer

    async def _try(self, order: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer, or None when the process died meanwhile; it has then been started again."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((json.dumps(order) + "\n").encode())
            await self._process.stdin.drain()
            answer = await self._answer()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is None:
            await self._again()
        return answer

    async def _answer(self) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        return json.loads(line) if line else None

    async def _again(self) -> None:
        assert self._process is not None
        code = await self._process.wait()
        assert code == DIED, f"the desk ended by itself with code {code}"
        self.deaths += 1
        await self.start()
