"""All threads share one heap, so that a process does not grow by fragmentation."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from tests.edges.product import ROOT

HEAPS = """
import ctypes, sys, threading
from amends.process import use_one_heap
{first}
going = threading.Barrier(5)
def works():
    memory = [bytes(2_000) for _ in range(100)]
    going.wait(); going.wait()
threads = [threading.Thread(target=works) for _ in range(4)]
for thread in threads: thread.start()
going.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out); libc.fflush(out)
going.wait()
"""


def heaps(first: str, **environment: str) -> int:
    """The number of heaps of a process with four busy threads."""
    process = subprocess.run(
        [sys.executable, "-c", HEAPS.format(first=first)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="needs the GNU C library")
def test_all_threads_share_one_heap_unless_the_operator_sets_another_number() -> None:
    assert heaps("use_one_heap()") == 1
    assert heaps("") > 1
    assert heaps("use_one_heap()", MALLOC_ARENA_MAX="3") == 3


def test_garbage_collection_is_skipped_at_exit() -> None:
    script = "import gc; from amends.process import skip_garbage_collection_at_exit as skip"
    script += "; lists = [[] for _ in range(1_000_000)]; skip()"
    process = subprocess.run(
        [sys.executable, "-c", f"{script}; print(len(gc.get_objects()), gc.isenabled())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tracked_objects, is_enabled = process.stdout.split()
    assert int(tracked_objects) < 1_000
    assert is_enabled == "False"
