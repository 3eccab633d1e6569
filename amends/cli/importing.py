"""`amends import`: complaints of the past, all of a file or none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out
from amends.cli.progress import bar
from amends.importing.mapping import read_mapping
from amends.importing.rows import lines_of, missing, past_complaints, unused
from amends.importing.table import read_table
from amends.settings import SettingsError, rulebooks
from amends.settings.problems import Problem
from reports.render_markdown import many
from store.cases.import_past import import_past, list_known_past
from store.rulebooks import use_rulebooks


def import_(
    file: Annotated[Path, typer.Argument(metavar="CSV", exists=True, dir_okay=False)],
    *,
    map_: Annotated[
        Path | None,
        typer.Option("--map", exists=True, dir_okay=False, help="Own columns and words to ours, in TOML."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Bring in closed complaints of before: nobody is written to, no clock runs. A repeat changes nothing."""
    columns = read_mapping(map_)
    with opened(config) as (settings, store):
        rules = rulebooks(settings)
        table = read_table(
            file, encoding=columns.encoding, delimiter=columns.delimiter, languages=rules.languages
        )
        lacking = missing(table, columns)
        if lacking:
            remedy = f"no column becomes it; the columns are {', '.join(table.columns)}. Write a --map file"
            raise SettingsError([Problem(one, str(file), remedy) for one in lacking])
        past, refused = past_complaints(table, columns, rules, now=store.now())
        known = store.read(list_known_past, past)
        made: dict[int, str] = {}
        if not refused and not dry_run:
            store.write(use_rulebooks, rules)
            with bar("Importing") as progress:
                made = store.write(import_past, past, progress)
    new = 0 if refused else len(past) - len(known)
    if json:
        as_json(
            {
                "encoding": table.encoding,
                "delimiter": table.delimiter,
                "dry_run": dry_run,
                "rows": len(table.rows),
                "imported": [{"line": line, "ref": ref} for line, ref in made.items()],
                "known": [{"line": line, "ref": ref} for line, ref in known.items()],
                "refused": [{"line": one.line, "why": one.why} for one in refused],
                "unused_columns": unused(table, columns),
            }
        )
    else:
        out.print(f"{file}: {table.encoding}, {table.delimiter!r}, {many(len(table.rows), 'row')}.")
        for line in lines_of(refused):
            out.print(line)
        left = unused(table, columns)
        if left:
            out.print(f"Columns that become nothing: {', '.join(left)}.")
        if known:
            out.print(f"Imported before: {len(known)}.")
        if refused:
            wrong = many(len(refused), "row is", "rows are")
            err.print(f"{wrong} refused: nothing was imported. Mend and import again.")
        else:
            out.print(f"{new} would be imported." if dry_run else f"{len(made)} imported.")
    if refused:
        raise typer.Exit(NOT_WELL)
