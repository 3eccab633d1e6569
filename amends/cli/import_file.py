"""`amends import`: past complaints from a CSV file, either all of them or none."""

from pathlib import Path
from typing import Annotated

import typer

from amends.cli.console import err, out, print_json, progress_bar
from amends.cli.options import NOT_WELL, Json, open_record
from reports.words import pluralise


def import_(
    file: Annotated[Path, typer.Argument(metavar="CSV", exists=True, dir_okay=False)],
    *,
    map_: Annotated[Path | None, typer.Option("--map", exists=True, dir_okay=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    json: Json = False,
) -> None:
    from amends.past_complaints import doubled, missing, past_complaints, read_mapping, unused
    from amends.settings import SettingsError, rulebooks
    from amends.settings.problems import Problem
    from store.cases.staff_intake import import_past, list_known_past
    from store.rulebooks import use_rulebooks
    from triage.csv.reader import read_csv

    mapping = read_mapping(map_)
    with open_record() as (settings, store):
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
        imported_before = store.read(list_known_past, past)
        imported: dict[int, str] = {}
        if not refused and not dry_run:
            store.write(use_rulebooks, rules)
            with progress_bar("Importing") as progress:
                imported = store.write(import_past, past, progress)
    rows = len(past) + len(refused)
    ignored_columns = unused(table.columns, mapping)
    if json:
        print_json(
            {
                "encoding": table.encoding,
                "delimiter": table.delimiter,
                "dry_run": dry_run,
                "rows": rows,
                "imported": [{"line": line, "ref": ref} for line, ref in imported.items()],
                "known": [{"line": line, "ref": ref} for line, ref in imported_before.items()],
                "refused": [{"line": row.line, "why": row.reason} for row in refused],
                "unused_columns": ignored_columns,
            }
        )
    else:
        out.print(f"{file}: {table.encoding}, {table.delimiter!r}, {pluralise(rows, 'row')}.")
        for row in refused:
            out.print(f"line {row.line}: {row.reason}")
        if ignored_columns:
            out.print(f"Columns that become nothing: {', '.join(ignored_columns)}.")
        if imported_before:
            out.print(f"Imported before: {len(imported_before)}.")
        if refused:
            count = pluralise(len(refused), "row is", "rows are")
            err.print(f"{count} refused: nothing was imported. Correct them and import again.")
        elif dry_run:
            out.print(f"{len(past) - len(imported_before)} would be imported.")
        else:
            out.print(f"{len(imported)} imported.")
    if refused:
        raise typer.Exit(NOT_WELL)
