"""`amends import`: past complaints from a CSV file. A row that is refused refuses the file.

The file is read twice, once to check it. Its rows are imported in chunks, each in one transaction. An interrupted
import continues when it is started again, because it leaves out what is in the record.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

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
    from amends.past_complaints import chunks, doubled, missing, past_complaints, read_mapping, unused
    from amends.settings import SettingsError, rulebooks
    from amends.settings.problems import Problem
    from store.cases.staff_intake import import_past, list_known_past
    from store.rulebooks import use_rulebooks
    from triage.csv.reader import RefusedRow, read_csv
    from triage.errors import UnreadableTable

    mapping = read_mapping(map_)
    with open_record() as (settings, store):
        rules = rulebooks(settings)
        # A quotation mark that is not closed could hide half of the file in one description.
        read = partial(read_csv, file, languages=rules.languages, strict=True)
        table = read(encoding=mapping.encoding, delimiter=mapping.delimiter)
        read = partial(read, encoding=table.encoding, delimiter=table.delimiter)
        checked = partial(past_complaints, mapping=mapping, rulebooks=rules, now=store.now())
        remedy = f"no column becomes it; the columns are {', '.join(table.columns)}. Write a --map file"
        problems = [Problem(field, str(file), remedy) for field in missing(table.columns, mapping)]
        remedy = "the file has this column twice: rename the one that is not meant"
        problems += [Problem(column, str(file), remedy) for column in doubled(table.columns, mapping)]
        if problems:
            raise SettingsError(problems)
        rows, refused = 0, list[RefusedRow]()
        imported_before, imported = _References(keep=json), _References(keep=json)
        with progress_bar("Checking") as progress:
            for past, refused_rows in chunks(checked(read(progress=progress))):
                rows += len(past) + len(refused_rows)
                refused += refused_rows
                imported_before.add(store.read(list_known_past, past))
        if not refused and not dry_run:
            store.write(use_rulebooks, rules)
            with progress_bar("Importing") as progress:
                done = 0
                for past, refused_rows in chunks(checked(read())):
                    if refused_rows:
                        raise UnreadableTable("The file was changed while it was imported: import it again.")
                    imported.add(store.write(import_past, past))
                    done += len(past)
                    progress(done, rows)
    ignored_columns = unused(table.columns, mapping)
    if json:
        print_json(
            {
                "encoding": table.encoding,
                "delimiter": table.delimiter,
                "dry_run": dry_run,
                "rows": rows,
                "imported": imported.listed,
                "known": imported_before.listed,
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
        if imported_before.count:
            out.print(f"Imported before: {imported_before.count}.")
        if refused:
            count = pluralise(len(refused), "row is", "rows are")
            err.print(f"{count} refused: nothing was imported. Correct them and import again.")
        elif dry_run:
            out.print(f"{rows - imported_before.count} would be imported.")
        else:
            out.print(f"{imported.count} imported.")
    if refused:
        raise typer.Exit(NOT_WELL)


class _References:
    """Counts imported complaints, and keeps their lines and references where they are printed."""

    def __init__(self, *, keep: bool) -> None:
        self.count, self._keep = 0, keep
        self.listed: list[dict[str, Any]] = []

    def add(self, refs: Mapping[int, str]) -> None:
        self.count += len(refs)
        if self._keep:
            self.listed += [{"line": line, "ref": ref} for line, ref in refs.items()]
