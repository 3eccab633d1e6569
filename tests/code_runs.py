"""What only a run shows: which files take part in a story, and how long short commands take."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from tests.source import ROOT, modules, value_of

FIRST_MESSAGE = "Anna [en]: My water bill shows the same payment taken twice, please look at it.\n"
STORY = ROOT / "tests" / "stories" / "resolved_the_same_day.story"
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

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            running.add(frame.f_code.co_filename)

    _play_with_profile(story, profile)
    return sorted(product[file] for file in running if file in product)


def calls_in_story(story: str, functions: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Calls of these functions, each as path and qualified name, in the order in which the story makes them."""
    wanted = {(str(ROOT / path), name): (path, name) for path, name in functions}
    calls: list[tuple[str, str]] = []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            code = frame.f_code
            if (function := wanted.get((code.co_filename, code.co_qualname))) is not None:
                calls.append(function)

    _play_with_profile(story, profile)
    return calls


def _play_with_profile(story: str, profile: Callable[[FrameType, str, object], None]) -> None:
    """Play a story; `profile` sees what every thread does during its steps."""
    player = value_of("Player", below="amends/story")
    play = value_of("play", below="amends/demo")
    play_step = player.play
    in_step = False

    def profile_steps(frame: FrameType, event: str, argument: object) -> None:
        if in_step:
            profile(frame, event, argument)

    async def watched(self: Any, step: Any) -> None:
        nonlocal in_step
        in_step = True
        try:
            await play_step(self, step)
        finally:
            in_step = False

    player.play = watched
    threading.setprofile(profile_steps)
    sys.setprofile(profile_steps)
    try:
        failure = asyncio.run(play(story, report=lambda line: None))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        player.play = play_step
    assert failure is None, failure


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
