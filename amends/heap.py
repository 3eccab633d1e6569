"""The memory of a process that runs for months."""

from __future__ import annotations

import ctypes
import gc
import os

#: `M_ARENA_MAX` of the GNU C library (malloc.h).
_HEAPS = -8


def one_heap() -> None:
    """All threads from now on take their memory from one heap.

    The GNU C library gives each thread one of its own. What one thread takes and another gives back, as rows and
    answers are, leaves holes there that are neither used nor returned: 5 MB in 100,000 messages, without end.
    Another C library has no such heaps, and whoever set MALLOC_ARENA_MAX has decided.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None and "MALLOC_ARENA_MAX" not in os.environ:
        tune(_HEAPS, 1)


def leave_heap() -> None:
    """What this process still holds goes with it.

    On its way out the interpreter would look through every object once more, which with a model in memory takes
    seconds on a busy machine: of the ten that a stop may last.
    """
    gc.disable()
    gc.freeze()
