"""`amends witness`: cosign the checkpoints of other desks; a program of its own, best on another machine."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.output import err, out


def witness(
    *,
    log: Annotated[list[str], typer.Option()],
    key: Path = Path("witness.key"),
    state: Path = Path("witness"),
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "127.0.0.1:8430",
    name: str | None = None,
) -> None:
    """Cosign checkpoints of the logs of other desks that only grew; needs no database and no amends.toml."""
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
