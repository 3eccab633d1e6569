"""One heap for all threads: what a process holds does not grow by holes."""

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
    held = [bytes(2_000) for _ in range(100)]
    going.wait(); going.wait()
threads = [threading.Thread(target=works) for _ in range(4)]
for one in threads: one.start()
going.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out); libc.fflush(out)
going.wait()
"""


def heaps(first: str, **environment: str) -> int:
    """How many heaps a process with four busy threads has."""
    said = subprocess.run(
        [sys.executable, "-c", HEAPS.format(first=first)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="needs the GNU C library")
def test_all_threads_share_one_heap_unless_the_operator_decided_otherwise() -> None:
    assert heaps("use_one_heap()") == 1
    assert heaps("") > 1
    assert heaps("use_one_heap()", MALLOC_ARENA_MAX="3") == 3


def test_on_the_way_out_nothing_that_is_held_is_looked_through_again() -> None:
    held = "import gc; from amends.process import skip_garbage_collection_at_exit as skip"
    held += "; held = [[] for _ in range(1_000_000)]; skip()"
    said = subprocess.run(
        [sys.executable, "-c", f"{held}; print(len(gc.get_objects()), gc.isenabled())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    looked_through, on = said.stdout.split()
    assert int(looked_through) < 1_000
    assert on == "False"
