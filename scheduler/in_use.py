"""The model in use as this process holds it: loaded once, and never lost to a damaged file (design.md, 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

import structlog

from store.open import Store
from triage.artefact import load
from triage.errors import UnreadableModel
from triage.pipeline import Model

log = structlog.get_logger(__name__)


class InUse:
    """Loads another model only when the store says that another is active.

    One that cannot be read is told once in the log, and the last good one goes on: the one loaded before, else
    the newest used before it that can be read; with none of them the rules alone propose.
    """

    def __init__(self, store: Store, thread: Executor) -> None:
        self._store, self._thread = store, thread
        self._loaded: tuple[str, Model] | None = None
        self._refused: set[str] = set()

    async def model(self) -> Model | None:
        """The model to propose with; None where there is none that can be read."""
        active = await self._store.in_thread(self._store.active_model)
        if active is None:
            return None
        sha256, _, number = active
        if sha256 not in self._refused and (self._loaded is None or self._loaded[0] != sha256):
            await self._try(number, sha256)
        if self._loaded is None:
            await self._fall_back()
        return None if self._loaded is None else self._loaded[1]

    async def _fall_back(self) -> None:
        for number, sha256 in await self._store.in_thread(self._store.used_before):
            if sha256 not in self._refused and await self._try(number, sha256):
                log.warning("model_before_used", sha256=sha256)
                return

    async def _try(self, number: int, sha256: str) -> bool:
        blob = await self._store.in_thread(self._store.model_blob, number)
        try:
            model = await _in(self._thread, lambda: load(blob, sha256=sha256))
        except UnreadableModel as wrong:
            self._refused.add(sha256)
            log.error("model_refused", sha256=sha256, why=str(wrong))
            return False
        self._loaded = (sha256, model)
        return True


def _in(thread: Executor, call: Callable[[], Model]) -> Awaitable[Model]:
    return asyncio.get_running_loop().run_in_executor(thread, call)
