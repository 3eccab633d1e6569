"""Sentence vectors for messages and proposals: in a process of their own at a desk that runs (decision 78)."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from functools import cache
from threading import Lock

import structlog

from triage.encoder import Vectors, installed_encoder, is_installed
from triage.processes.child_process import ChildProcess, is_apart

#: In seconds. A message waits no longer for its vectors: 3 ms as a rule, 160 ms for the longest text.
LONGEST_WAIT = 0.5

#: Vectors of texts; None where there are none in time.
Encode = Callable[[Sequence[str]], Vectors | None]

log = structlog.get_logger(__name__)


@cache
def shared_encoder() -> Encode | None:
    """The encoder for all that this process reads; None where it is not installed.

    Raises UnusableEncoder where this process loads it, and it was altered.
    """
    if is_apart():
        return EncoderProcess() if is_installed() else None
    encoder = installed_encoder()
    return None if encoder is None else encoder.encode


class EncoderProcess:
    """The encoder in a process of its own, so that a danger waits for no model and no report."""

    def __init__(self) -> None:
        self._process = ChildProcess(idle_seconds=None)
        self._lock = Lock()
        #: Raises UnusableEncoder for an altered encoder; the desk then ends.
        self.loading = self._process.submit(_encode, ())
        self._running: Future[Vectors | None] = self.loading

    def __call__(self, texts: Sequence[str]) -> Vectors | None:
        """The vectors; None while it loads, after a crash, or where it takes too long: words alone answer then."""
        if not self._lock.acquire(timeout=LONGEST_WAIT):
            return None
        try:
            if not self._running.done():
                return None
            self._running = encoding = self._process.submit(_encode, texts)
            return encoding.result(LONGEST_WAIT)
        except (TimeoutError, BrokenExecutor, CancelledError, RuntimeError) as error:
            log.warning("vectors_late", why=type(error).__name__)
            return None
        finally:
            self._lock.release()


def _encode(texts: Sequence[str]) -> Vectors | None:
    encoder = installed_encoder()
    return None if encoder is None or not texts else encoder.encode(texts)
