"""The worker of one replica: `python -m benchmarks.replica URL FILE` completes what is due and logs what and when.

The loop is the product's (`scheduler.worker`); the handler does nothing. The figures are therefore the cost of
claiming, of checking that an obligation is still required, and of completing it.
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
from store.outbox.complete import Completed, Outcome
from store.store import open_store
from store.values import Obligation

KIND = "bench"


async def replica(url: str, file: Path) -> None:
    """Work until SIGTERM."""
    with closing(open_store(url, KEYS)) as store, file.open("a", buffering=1) as log:

        async def perform(obligation: Obligation) -> Outcome:
            print(obligation.id, time.monotonic(), file=log)
            return Completed()

        worker = Worker(store, {KIND: perform})
        store.on_commit(worker.nudge)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        print("ready", flush=True)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(replica(sys.argv[1], Path(sys.argv[2])))
