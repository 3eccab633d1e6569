"""`amends db`: migrations and the proof that the record is whole."""

from __future__ import annotations

import typer

from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out
from amends.settings import load
from store.migrating import upgrade as upgrade_database

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def upgrade(*, config: Config = None) -> None:
    """Bring the tables to this release; repeating it changes nothing."""
    settings = load(config)
    upgrade_database(settings.secrets.database_url)
    err.print("The database is at this release.")


@app.command()
def verify(*, json: Json = False, config: Config = None) -> None:
    """Check every event's place in its chain, commitment and projection; name the first bad event."""
    with opened(config) as (_, store):
        found = store.verify()
        first = found.first_bad
        if json:
            as_json(
                {
                    "well": first is None,
                    "cases": found.cases,
                    "entries": found.entries,
                    "first_bad": None
                    if first is None
                    else {"ref": first[0], "seq": first[1], "why": first[2]},
                    "unsealed_tail": found.unsealed_tail,
                    "erased": found.erased,
                }
            )
        else:
            out.print(f"{found.cases} complaints, {found.entries} events, {found.erased} erased.")
            out.print(f"{found.unsealed_tail} events are newer than the last checkpoint.")
            if first is None:
                out.print("The record is whole.")
            else:
                out.print(f"Not whole: {first[0]}, event {first[1]}: {first[2]}", markup=False)
        if first is not None:
            raise typer.Exit(NOT_WELL)
