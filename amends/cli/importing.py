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
from amends.importing.rows import doubled, missing, past_complaints, unused
from amends.settings import SettingsError, rulebooks
from amends.settings.problems import Problem
from reports.render_markdown import many
from store.cases.import_past import import_past, list_known_past
from store.rulebooks import use_rulebooks
from triage.csv.reader import read_csv


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
    mapping = read_mapping(map_)
    with opened(config) as (settings, store):
        rules = rulebooks(settings)
        # A quotation mark that is not closed could hide half of the file in one description.
        table = read_csv(
            file,
            encoding=mapping.encoding,
            delimiter=mapping.delimiter,
            languages=rules.languages,
            strict=True,
        )
        remedy = f"no column becomes it; the columns are {', '.join(table.columns)}. Write a --map file"
        problems = [Problem(field, str(file), remedy) for field in missing(table.columns, mapping)]
        remedy = "the file has this column twice: rename the one that is not meant"
        problems += [Problem(column, str(file), remedy) for column in doubled(table.columns, mapping)]
        if problems:
            raise SettingsError(problems)
        past, refused = past_complaints(table, mapping, rules, now=store.now())
        known = store.read(list_known_past, past)
        made: dict[int, str] = {}
        if not refused and not dry_run:
            store.write(use_rulebooks, rules)
            with bar("Importing") as progress:
                made = store.write(import_past, past, progress)
    rows = len(past) + len(refused)
    new = 0 if refused else len(past) - len(known)
    if json:
        as_json(
            {
                "encoding": table.encoding,
                "delimiter": table.delimiter,
                "dry_run": dry_run,
                "rows": rows,
                "imported": [{"line": line, "ref": ref} for line, ref in made.items()],
                "known": [{"line": line, "ref": ref} for line, ref in known.items()],
                "refused": [{"line": row.line, "why": row.reason} for row in refused],
                "unused_columns": unused(table.columns, mapping),
            }
        )
    else:
        out.print(f"{file}: {table.encoding}, {table.delimiter!r}, {many(rows, 'row')}.")
        for row in refused:
            out.print(f"line {row.line}: {row.reason}")
        left = unused(table.columns, mapping)
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
