"""The memory of a process of the product: one heap for all threads, and no garbage collection at its end."""

from __future__ import annotations

import ctypes
import gc
import os

#: `M_ARENA_MAX` of the GNU C library (malloc.h).
_ARENA_MAX = -8


def use_one_heap() -> None:
    """Make all threads allocate from one heap from now on.

    The GNU C library gives each thread its own heap. Rows and replies are allocated in one thread and freed in
    another, which leaves holes there that are neither reused nor returned: 5 MB in 100,000 messages, without limit.
    Other C libraries have no such heaps. If MALLOC_ARENA_MAX is set, the operator has decided, and nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_ARENA_MAX, 1)


def skip_garbage_collection_at_exit() -> None:
    """Let the process end without a last garbage collection.

    The interpreter would look at every object once more. With a model in memory that takes seconds on a busy machine,
    out of the ten that a stop may take.
    """
    gc.disable()
    gc.freeze()
