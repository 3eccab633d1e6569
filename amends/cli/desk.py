"""`amends run`, `demo` and `witness`: the programs that keep running."""

import asyncio
import gc
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.console import err, out, program, stage
from amends.cli.main import USUAL_COLLECTION
from amends.cli.options import NOT_WELL, load_settings
from amends.demo import past_file
from amends.runtime import PARTS


def run(*, only: str | None = None) -> None:
    parts = tuple(part.strip() for part in only.split(",")) if only is not None else PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: the parts are {', '.join(PARTS)}", param_hint="--only"
        )
    from amends.logs import set_up_logging
    from amends.process import run_application

    gc.set_threshold(*USUAL_COLLECTION)
    settings = load_settings()
    set_up_logging(settings.secrets.log, settings.secrets.hidden())
    asyncio.run(run_application(settings, parts))


def demo(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8420,
    empty: bool = False,
    speed: Annotated[float, typer.Option(min=1, max=3600)] = 1.0,
    script: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
) -> None:
    from amends.logs import set_up_logging

    gc.set_threshold(*USUAL_COLLECTION)
    set_up_logging("warning")
    if script is not None:
        _play(script)
    else:
        _serve_demo(port=port, empty=empty, speed=speed)


def _play(script: Path) -> None:
    """Play a story; settings of the same name apply to it (`x.toml` to `x.story`)."""
    from amends.demo.run import play

    settings = script.with_suffix(".toml")
    failure = asyncio.run(
        play(
            script.read_text(encoding="utf-8"),
            report=out.print,
            settings=settings.read_text(encoding="utf-8") if settings.is_file() else "",
        )
    )
    if failure:
        err.print(failure)
        raise typer.Exit(NOT_WELL)


def _serve_demo(*, port: int, empty: bool, speed: float) -> None:
    # Before the imports, which take seconds: who reads a pipe must see that it works.
    out.print("Starting the demo.")
    if not empty and not past_file.is_current():
        _make_past()
    from amends.demo.run import demo as run_demo

    def opened(url: str, settings: Path) -> None:
        out.print(f"Open {url} (Ctrl-C ends it; nothing is kept)")
        out.print("What the bot says in a danger is signed for this demo only: see amends danger print.")
        record = program("case", "list", "--config", str(settings))
        out.print(f"Its record, from another terminal: {record}", soft_wrap=True)

    asyncio.run(run_demo(port=port, empty=empty, speed=speed, opened=opened))
    out.print("The demo has ended; nothing was kept.")


def _make_past() -> None:
    # In a process of its own, which gives back half a gigabyte of memory. Ctrl-C waits until it has started, and
    # reaches only this process, which ends the other: none is left behind.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with (
        stage("Making its past, once for these sources; this takes about a minute"),
        subprocess.Popen([sys.executable, "-m", past_file.__name__]) as making,  # noqa: S603  # our own code
    ):
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            failed = making.wait()
        except KeyboardInterrupt:
            making.kill()
            raise
    if failed:
        raise typer.Exit(NOT_WELL)


def witness(
    *,
    log: Annotated[list[str], typer.Option()],
    key: Path = Path("witness.key"),
    state: Path = Path("witness"),
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "127.0.0.1:8430",
    name: str | None = None,
) -> None:
    from amends.logs import set_up_logging
    from amends.runtime.web import create_server
    from amends.witness import Witness, load_signer, witness_app
    from store.proof.notes import BadNote, parse_verifier

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter('write an address such as "127.0.0.1:8430"', param_hint="--listen")
    try:
        logs = [parse_verifier(text) for text in log]
    except BadNote as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--log") from wrong
    host = host.strip("[]")
    # Bound here, because uvicorn only logs that an address is taken.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, int(port)), family=family) as listener:
        signer, is_new = load_signer(key, name)
        running = Witness(signer, state, logs, is_new=is_new)
        set_up_logging("info")
        out.print(str(signer.verifier), soft_wrap=True)
        err.print(
            f"Listening at {host}:{listener.getsockname()[1]}. Give the desk the key above ([[proof.witnesses]])."
        )
        asyncio.run(create_server(witness_app(running), host, int(port)).serve(sockets=[listener]))
