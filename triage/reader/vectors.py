"""Sentence vectors for the reader of danger: in a process of their own at a desk that runs (decision 78)."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from threading import Lock

import structlog

from triage.model.embeddings import READER_ENCODER, Vectors, recorded_encoder
from triage.processes.child_process import ChildProcess, is_apart

#: In seconds. A message waits no longer for its vectors: 3 ms as a rule, 160 ms for the longest text.
LONGEST_WAIT = 0.5

#: Vectors of texts; None where there are none in time.
Encode = Callable[[Sequence[str]], Vectors | None]

log = structlog.get_logger(__name__)


def reader_encoder(fingerprint: str) -> Encode | None:
    """The encoder that the models learned with; None where it is not installed.

    Raises UnusableEncoder where this process loads it, and it was altered.
    """
    if not is_apart():
        encoder = recorded_encoder(READER_ENCODER.name, fingerprint, among=(READER_ENCODER,))
        return None if encoder is None else encoder.encode
    if fingerprint != READER_ENCODER.fingerprint or not READER_ENCODER.installed:
        return None
    return EncoderProcess(fingerprint)


class EncoderProcess:
    """The encoder in a process of its own, so that a danger waits for no proposal and no report."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._process = ChildProcess(idle_seconds=None)
        self._lock = Lock()
        #: Raises UnusableEncoder for an altered encoder; the desk then ends.
        self.loading: Future[None] = self._process.submit(_load, fingerprint)
        self._running: Future[None] | Future[Vectors | None] = self.loading

    def __call__(self, texts: Sequence[str]) -> Vectors | None:
        """The vectors; None while it loads, after a crash, or where it takes too long: words alone answer then."""
        if not self._lock.acquire(timeout=LONGEST_WAIT):
            return None
        try:
            if not self._running.done():
                return None
            self._running = encoding = self._process.submit(_encode, self._fingerprint, texts)
            return encoding.result(LONGEST_WAIT)
        except (TimeoutError, BrokenExecutor, CancelledError, RuntimeError) as error:
            log.warning("vectors_late", why=type(error).__name__)
            return None
        finally:
            self._lock.release()


def _load(fingerprint: str) -> None:
    _encode(fingerprint, ())


def _encode(fingerprint: str, texts: Sequence[str]) -> Vectors | None:
    encoder = recorded_encoder(READER_ENCODER.name, fingerprint, among=(READER_ENCODER,))
    return None if encoder is None or not texts else encoder.encode(texts)
