"""`amends outbox`: what we owe and could not do."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, table

app = typer.Typer(help="Duties that are stuck.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Also what is open and not stuck.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """What was given up or is being tried again."""
    with opened(config) as (_, store):
        rows = store.outbox(everything=all_)
        if json:
            as_json({"outbox": rows})
            return
        table(
            "Outbox",
            ("id", "kind", "case", "due", "state", "tries", "why"),
            [
                (one["id"], one["kind"], one["ref"], one["due"], one["state"], one["attempts"], one["why"])
                for one in rows
            ],
        )


@app.command()
def retry(number: Annotated[int, typer.Argument(metavar="ID")], *, config: Config = None) -> None:
    """Try a given-up duty again, now."""
    with opened(config) as (_, store):
        store.retry_failed(number)
    err.print(f"{number} is due again.")


@app.command("give-up")
def give_up(number: Annotated[int, typer.Argument(metavar="ID")], *, config: Config = None) -> None:
    """Stop trying a duty; it stays on the record as given up."""
    with opened(config) as (_, store):
        store.give_up(number, "given up by hand")
    err.print(f"{number} is given up.")
