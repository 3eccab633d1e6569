"""`amends inbox`: updates that could not be handled and were set aside."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, table

app = typer.Typer(help="Updates set aside.", no_args_is_help=True)


@app.command("list")
def list_(*, json: Json = False, config: Config = None) -> None:
    """What was set aside, when and why; the words stay sealed."""
    with opened(config) as (_, store):
        rows = store.set_aside_list()
        if json:
            as_json({"inbox": rows})
            return
        table(
            "Inbox",
            ("id", "key", "at", "why"),
            [(one["id"], one["key"], one["at"], one["why"]) for one in rows],
        )


@app.command()
def retry(number: Annotated[int, typer.Argument(metavar="ID")], *, config: Config = None) -> None:
    """Owe the handling of a set-aside update again: the running desk takes it."""
    with opened(config) as (_, store):
        store.owe_set_aside(number)
    err.print(f"{number} will be handled again by the running desk.")
