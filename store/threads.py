"""Which thread touches the database: on SQLite one writes and four read, else one per connection."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from store.engines import POOL, READERS


class Threads:
    """Made with the store, ended with it. Never the default executor: its size is not ours to choose."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self._readers = ThreadPoolExecutor(READERS if is_sqlite else POOL, thread_name_prefix="store-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write") if is_sqlite else self._readers
        # Synchronous callers (command line, tests) may come from any thread: they queue here, not in SQLite,
        # where waiting writers are not queued and may starve. Re-entrant: the writer thread holds it itself.
        self._gate: AbstractContextManager[Any] = threading.RLock() if is_sqlite else nullcontext()

    @property
    def gate(self) -> AbstractContextManager[Any]:
        """Held by whoever writes on SQLite; nothing on PostgreSQL."""
        return self._gate

    def submit(self, call: Any, *, writes: bool) -> Future[Any]:
        """Run a call without arguments on a thread of the right kind."""
        return (self._writer if writes else self._readers).submit(call)

    def close(self) -> None:
        """Finish what runs; what did not begin yet never does."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)
