"""`amends run` and `amends demo`: the desk at work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config
from amends.cli.printing import err, out
from amends.logs import set_up_logging
from amends.runtime.names import PARTS
from amends.settings import load


def run(
    *,
    only: Annotated[
        str | None, typer.Option(help="Some of telegram,slack,scheduler,web, to scale out; else everything.")
    ] = None,
    config: Config = None,
) -> None:
    """Work until SIGTERM; then finish what was begun and stop within 10 seconds."""
    parts = tuple(one.strip() for one in only.split(",")) if only is not None else PARTS
    unknown = [one for one in parts if one not in PARTS]
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: the parts are {', '.join(PARTS)}", param_hint="--only"
        )
    # Loaded late: every other command would wait seconds for what only these two need.
    from amends.process import run_desk

    settings = load(config)
    set_up_logging(settings.secrets.log, settings.secrets.hidden())
    asyncio.run(run_desk(settings, parts))


def demo(
    *,
    port: Annotated[int, typer.Option(help="Where the page listens; 0 for any free port.")] = 8420,
    empty: Annotated[bool, typer.Option(help="Without a past.")] = False,
    speed: Annotated[float, typer.Option(min=1, max=3600, help="How fast the clock runs.")] = 1.0,
    script: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Play a written story and print it.")
    ] = None,
) -> None:
    """The whole desk against a simulator of both platforms, on a throw-away database; prints one address."""
    from amends.demo.run import demo as run_demo
    from amends.demo.run import play

    set_up_logging("warning")
    if script is not None:
        beside = script.with_suffix(".toml")
        failed = asyncio.run(
            play(
                script.read_text(encoding="utf-8"),
                report=out.print,
                settings=beside.read_text(encoding="utf-8") if beside.is_file() else "",
            )
        )
        if failed:
            err.print(failed)
            raise typer.Exit(NOT_WELL)
        return
    with Progress(
        TextColumn("Writing the past of the demo"),
        BarColumn(),
        TaskProgressColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task("past", total=1.0, visible=not empty)

        def say(line: str) -> None:
            bar.stop()
            out.print(line)

        asyncio.run(
            run_demo(
                port=port,
                empty=empty,
                speed=speed,
                say=say,
                progress=lambda share: bar.update(task, completed=share),
            )
        )
