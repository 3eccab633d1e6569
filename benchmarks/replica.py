"""One replica's performer: `python -m benchmarks.replica URL FILE` does what is due and writes down what, when.

The loop is the product's (`scheduler.worker`); the duties only settle, so that what is measured is claiming,
asking whether it is still owed, and settling.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.intake import KEYS
from scheduler.worker import Worker
from store.outbox.outcomes import Completed, Outcome
from store.store import open_store
from store.values import Obligation

KIND = "bench"


async def replica(url: str, file: Path) -> None:
    """Work until SIGTERM."""
    with closing(open_store(url, KEYS)) as store, file.open("a", buffering=1) as book:

        async def perform(owed: Obligation) -> Outcome:
            print(owed.id, time.monotonic(), file=book)
            return Completed()

        performing = Worker(store, {KIND: perform})
        store.on_commit(performing.nudge)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, performing.stop)
        print("ready", flush=True)
        await performing.run()


if __name__ == "__main__":
    asyncio.run(replica(sys.argv[1], Path(sys.argv[2])))
