"""`amends db`: migrations and the proof that the record is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from json import loads
from pathlib import Path
from typing import Annotated, Any

import typer

from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out
from amends.keys import keyring
from amends.settings import load
from reports.render_markdown import many
from store.backup.restore import verify_file
from store.custody.verify import verify as store_verify
from store.database.errors import StoreError
from store.database.migrate import upgrade as upgrade_database
from store.values import Verification

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def upgrade(*, config: Config = None) -> None:
    """Bring the tables to this release; repeating it changes nothing."""
    settings = load(config)
    upgrade_database(settings.secrets.database_url)
    err.print("The database is at this release.")


@app.command()
def verify(
    *,
    backup: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Check this backup instead.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Check against this list kept outside too."),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check every event's place in its chain, commitment and projection; name the first bad event."""
    outside = None if checkpoint is None else checkpoint_document(checkpoint)
    found = _verified(config, backup, outside)
    _tell(found, json=json)


def _verified(config: Path | None, backup: Path | None, outside: dict[str, Any] | None) -> Verification:
    if backup is not None:
        return verify_file(backup, keyring(load(config)), datetime.now(UTC), outside)
    with opened(config) as (_, store):
        return store.read(store_verify, outside)


def checkpoint_document(file: Path) -> dict[str, Any]:
    """A list of heads as `amends db checkpoint` wrote it; StoreError for anything else."""
    try:
        read = loads(file.read_text(encoding="utf-8"))
        if {"version", "at", "root", "heads", "public_key", "signature"} <= set(read):
            return dict(read)
    except (ValueError, TypeError, OSError) as wrong:
        raise StoreError(f"{file} is no checkpoint ({type(wrong).__name__}): look at its name.") from wrong
    raise StoreError(f"{file} is no checkpoint: give a file that `amends db checkpoint` wrote.")


def _tell(found: Verification, *, json: bool) -> None:
    first = found.first_bad
    if json:
        as_json(
            {
                "well": first is None,
                "cases": found.cases,
                "entries": found.entries,
                "first_bad": None if first is None else {"ref": first[0], "seq": first[1], "why": first[2]},
                "unsealed_tail": found.unsealed_tail,
                "erased": found.erased,
            }
        )
    else:
        out.print(f"{many(found.cases, 'complaint')}, {many(found.entries, 'event')}, {found.erased} erased.")
        out.print(f"Newer than the last checkpoint: {many(found.unsealed_tail, 'event')}.")
        if first is None:
            out.print("The record is whole.")
        else:
            out.print(f"Not whole: {first[0]}, event {first[1]}: {first[2]}")
    if first is not None:
        raise typer.Exit(NOT_WELL)
