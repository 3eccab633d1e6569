"""Processes of their own for what takes memory and time: proposals, statistics of reports, and sentence vectors.

A desk takes messages in one process, whose interpreter lock and memory they would take (decision 78). What pages in
danger never waits for one of them.
"""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from threading import Lock, Thread, Timer
from typing import Any, ParamSpec, TypeVar

#: In seconds. The triage process keeps 280 MB, and its start with the first proposal takes two seconds.
IDLE_SECONDS = 120.0

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ChildProcess(Executor):
    """One process that does one thing after the other; started when it is needed, ended when idle for so long.

    After a crash the next call starts it again; the calls that waited for it raise BrokenProcessPool.
    """

    def __init__(self, idle_seconds: float | None = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._timer: Timer | None = None
        self._waiting = 0

    def submit(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            try:
                future = self._started().submit(function, *args, **kwargs)
            except BrokenProcessPool:
                self._pool = None
                future = self._started().submit(function, *args, **kwargs)
            self._waiting += 1
        future.add_done_callback(self._rest)
        return future

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned: a fork would copy the threads' locks, and the memory of the desk.
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_end_with_parent)
        return self._pool

    def _rest(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1
            if self._idle_seconds is not None and not self._waiting:
                self._timer = Timer(self._idle_seconds, self._end_if_idle)
                self._timer.daemon = True
                self._timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            if self._pool is not None and not self._waiting:
                self._pool.shutdown(wait=False)
                self._pool = None


def _end_with_parent() -> None:
    """In the child: end when the desk ends in any way, and not before it, as on Ctrl-C in a terminal."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)


def computes_here() -> bool:
    """Whether this process has loaded what a child would load again (the demo, which trains)."""
    return "sklearn" in sys.modules


_triage: list[Executor] = []


def start_triage() -> Executor:
    """The executor of proposals and statistics from now on; `compute` uses it until it is shut down."""
    executor = ThreadPoolExecutor(1, "triage") if computes_here() else ChildProcess()
    _triage[:] = [executor]
    return executor


def compute(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call it in the triage process of a desk that runs, and here in a command; blocks the thread."""
    if not is_apart():
        return function(*args, **kwargs)
    return _triage[0].submit(function, *args, **kwargs).result()


def is_apart() -> bool:
    """Whether this is a desk that runs, which leaves to other processes what takes memory and time."""
    return bool(_triage) and not computes_here()


def end_children() -> None:
    """Kill them: the interpreter would wait for what they compute, and a stop takes less than ten seconds."""
    for child in active_children():
        if isinstance(child, SpawnProcess):
            child.kill()
