"""What takes memory and time runs in processes of its own, which start when needed and end when idle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import process
from tests.edges.bare_platforms import bare
from tests.edges.product import ROOT, Product, until
from triage.processes import sentence_vectors
from triage.processes.child_process import ChildProcess, end_children
from triage.reader.danger import danger_reader
from triage.reader.features import read_windows

#: Modules that the main process of a ready desk has imported; who lowers the number lowers its bound.
MOST_MODULES = 2_400
#: `amends run` that writes the names of its modules when a file appears.
RUN = """
import json, pathlib, sys, threading, time
from amends.cli.main import main
def write_modules():
    while not pathlib.Path("is_ready").exists():
        time.sleep(0.05)
    pathlib.Path("part").write_text(json.dumps(sorted(sys.modules)))
    pathlib.Path("part").rename("modules")
threading.Thread(target=write_modules, daemon=True).start()
sys.argv = ["amends", "run"]
main()
"""


def children(pid: int) -> set[int]:
    """The processes that a process started and that live."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return set(map(int, file.read_text().split())) if file.exists() else set()


def test_a_child_that_was_killed_is_started_again_by_the_next_call() -> None:
    child = ChildProcess()
    first = child.submit(os.getpid).result()
    with pytest.raises(BrokenProcessPool):
        child.submit(os.kill, first, signal.SIGKILL).result()
    assert first != child.submit(os.getpid).result() != os.getpid()
    end_children()


def test_an_idle_child_ends_and_the_next_call_has_another() -> None:
    child = ChildProcess(idle_seconds=0.1)
    first = child.submit(os.getpid).result()
    end = time.monotonic() + 10
    while any(process.pid == first for process in active_children()) and time.monotonic() < end:
        time.sleep(0.05)
    assert child.submit(os.getpid).result() != first
    end_children()


class SlowProcess(ChildProcess):
    """It loads at once, and then never ends with a text."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if args == ((),):
            future.set_result(None)
        return future


def test_a_danger_is_read_by_words_while_the_encoder_gives_no_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sentence_vectors, "ChildProcess", SlowProcess)
    monkeypatch.setattr(sentence_vectors, "LONGEST_WAIT", 0.2)
    own = danger_reader()
    reader = replace(own, encode=sentence_vectors.EncoderProcess())
    windows = read_windows(
        "He lies in the hall, grey in the face, and does not answer when we shout at him.", ()
    )
    by_words = replace(own, encode=None).weigh(windows)
    assert [(weights.tolist(), model) for weights, model in reader.weigh(windows)] == [
        (weights.tolist(), model) for weights, model in by_words
    ]
    began = time.monotonic()
    reader.weigh(windows)
    # It does not wait again for what is still computed.
    assert time.monotonic() - began < 0.1


async def test_a_killed_desk_leaves_no_child(product: Product) -> None:
    product.env |= {"AMENDS_TELEGRAM_TOKEN": "1:t", "AMENDS_SLACK_BOT_TOKEN": "b"}
    async with product.running("--only", "scheduler,web", from_shell=True) as desk:
        await until(lambda: len(children(desk.pid)) >= 1, lambda: product.log)
        started = children(desk.pid)
        desk.kill()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


@pytest.mark.parametrize(
    ("command", "most"),
    [
        (("--help",), 360),
        (("triage", "propose", "--help"), 460),
    ],
)
def test_a_command_imports_no_more_than_it_needs(command: tuple[str, ...], most: int) -> None:
    code = f"import sys; sys.argv[1:] = {command!r}; from amends.cli.main import app; app()"
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")},
    )
    lines = (line for line in ended.stderr.splitlines() if line.startswith("import time:"))
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert {"scipy", "sklearn", "pandas"} & {name.partition(".")[0] for name in imported} == set()
    assert len(imported) <= most


async def test_the_main_process_of_a_ready_desk_has_imported_no_more_than_it_needs(product: Product) -> None:
    async with bare() as platforms:
        product.env |= platforms.env
        with process([sys.executable, "-c", RUN], product.folder, product.environment()):
            await product.ready()
            (product.folder / "is_ready").touch()
            modules = product.folder / "modules"
            await until(modules.exists)
    imported = set(json.loads(modules.read_text()))
    assert {"scipy", "sklearn", "pandas"} & {name.partition(".")[0] for name in imported} == set()
    # With the models that read danger, which stay in the main process.
    assert {"slack_bolt", "telegram", "triage.reader.danger"} <= imported
    assert len(imported) <= MOST_MODULES
