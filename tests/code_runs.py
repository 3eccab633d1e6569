"""What only a run shows: which files take part in a story, and how long short commands take."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.source import ROOT, modules, value_of

FIRST_MESSAGE = "Anna [en]: My water bill shows the same payment taken twice, please look at it.\n"
STORY = ROOT / "tests" / "stories" / "decided" / "resolved_the_same_day.story"
#: The other end of the wire, the story's player and the demo's clock are not the product's own way.
_OUTSIDE = ("simulator/", "amends/story/", "amends/demo")
_RUNS = 5


def files_of_first_message() -> list[str]:
    """Product files with a function that runs between a first Telegram message and its answer."""
    return files_that_take_part(FIRST_MESSAGE)


def files_of_story() -> list[str]:
    """Product files with a function that runs in the whole story `resolved_the_same_day`."""
    return files_that_take_part(STORY.read_text(encoding="utf-8"))


def files_that_take_part(story: str) -> list[str]:
    """Product files with a function that runs during the steps of a story; AssertionError where it fails.

    The start and the end of the desk are left out, and so is what only runs when a module is imported.
    """
    product = {
        str(ROOT / module.path): module.path for module in modules() if not module.path.startswith(_OUTSIDE)
    }
    running: set[str] = set()

    def watch(code: CodeType) -> bool:
        if code.co_name != "<module>":
            running.add(code.co_filename)
        return False

    _play_watched(story, watch)
    return sorted(product[file] for file in running if file in product)


def calls_in_story(story: str, functions: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Calls of these functions, each as path and qualified name, in the order in which the story makes them."""
    wanted = {(str(ROOT / path), name): (path, name) for path, name in functions}
    calls: list[tuple[str, str]] = []

    def watch(code: CodeType) -> bool:
        function = wanted.get((code.co_filename, code.co_qualname))
        if function is not None:
            calls.append(function)
        return function is not None

    _play_watched(story, watch)
    return calls


def _play_watched(story: str, watch: Callable[[CodeType], bool]) -> None:
    """Play a story; `watch` gets each function that begins in any thread during its steps.

    It says whether it wants to see that function again: watching every call takes five times as long as the story.
    """
    player = value_of("Player", below="amends/story")
    play = value_of("play", below="amends/demo")
    play_step = player.play
    in_step = False

    async def watched(self: Any, step: Any) -> None:
        nonlocal in_step
        in_step = True
        try:
            await play_step(self, step)
        finally:
            in_step = False

    player.play = watched
    try:
        with _watching(lambda code: not in_step or watch(code)):
            failure = asyncio.run(play(story, report=lambda line: None))
    finally:
        player.play = play_step
    assert failure is None, failure


@contextmanager
def _watching(begin: Callable[[CodeType], bool]) -> Iterator[None]:
    """`begin` gets each function that begins in any thread, and says whether it wants to see that function again."""
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        tool, start = monitoring.PROFILER_ID, monitoring.events.PY_START
        monitoring.use_tool_id(tool, "amends story")
        monitoring.register_callback(tool, start, lambda code, _: None if begin(code) else monitoring.DISABLE)
        monitoring.restart_events()
        monitoring.set_events(tool, start)
        try:
            yield
        finally:
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, start, None)
            monitoring.free_tool_id(tool)
    else:

        def profile(frame: FrameType, event: str, argument: object) -> None:
            if event == "call":
                begin(frame.f_code)

        threading.setprofile(profile)
        sys.setprofile(profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def command_seconds() -> Mapping[str, float]:
    """Processor time of short commands on a small record and of the imports they are compared with, best of five."""
    with tempfile.TemporaryDirectory(prefix="amends-timing-") as name:
        folder = Path(name)
        environment = _installation(folder)
        amends = str(Path(sys.executable).parent / "amends")

        def seconds(*command: str) -> float:
            return min(_run(command, folder, environment) for _ in range(_RUNS))

        _run((amends, "db", "upgrade"), folder, environment)
        _run((amends, "import", "past.csv"), folder, environment)
        _run((amends, "case", "list", "--json"), folder, environment)
        ref = json.loads((folder / "output").read_text(encoding="utf-8"))["cases"][0]["ref"]
        return {
            "typer, rich": seconds(sys.executable, "-c", "import typer, rich"),
            "sqlmodel": seconds(sys.executable, "-c", "import sqlmodel"),
            "amends --help": seconds(amends, "--help"),
            "amends case list": seconds(amends, "case", "list"),
            "amends case show": seconds(amends, "case", "show", ref),
        }


def _installation(folder: Path) -> dict[str, str]:
    """A folder with settings and a file of twenty past complaints; the environment of its commands."""
    from tests.edges.product import SETTINGS

    (folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")
    rows = [
        f"2025-03-{day:02} 09:30,The bill was wrong.,2025-03-28,resolved,phone,money,3,upheld"
        for day in range(1, 21)
    ]
    header = "received_at,description,closed_at,close_code,channel,category,severity,finding"
    (folder / "past.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return {
        **os.environ,
        "AMENDS_DATABASE_URL": f"sqlite:///{folder / 'amends.db'}",
        "AMENDS_SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
    }


def _run(command: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> float:
    """Processor seconds of one command, run to its end; AssertionError where it fails."""
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        streams = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        shell = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *command)
        process = os.posix_spawn(shell[0], shell, environment, file_actions=streams)
        _, status, usage = os.wait4(process, 0)
    assert status == 0, f"{' '.join(command)}: {(folder / 'errors').read_text(encoding='utf-8')}"
    return usage.ru_utime + usage.ru_stime
