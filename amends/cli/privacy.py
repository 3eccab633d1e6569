"""`amends privacy`: what a person may ask of us about their own data (8.1)."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.leaving import Output, writable, write
from amends.cli.opened import Config, opened
from amends.documents.labels import load_labels
from amends.privacy.data_export import archive
from amends.retention import retention
from store.cases.export import OPERATOR
from store.custody.retention import find_person

app = typer.Typer(help="A person's own data: to see, to erase, to purge.", no_args_is_help=True)


@app.callback()
def privacy() -> None:
    """A person's own data: to see, to erase, to purge."""


@app.command()
def export(
    *,
    complainant: Annotated[str, typer.Option(help="A reference of theirs, or the person's id.")],
    output: Output,
    language: Annotated[str | None, typer.Option(help="Of the index; else the person's own.")] = None,
    notes: Annotated[
        bool,
        typer.Option(help="With what staff wrote for themselves: look it through for other people's data."),
    ] = True,
    config: Config = None,
) -> None:
    """Everything on file about a person, as a ZIP to hand over; that it was made stays on the record."""
    writable(output)
    with opened(config) as (settings, store):
        own = settings.organisation
        labels = load_labels(settings.languages, own.timezone, settings.texts_folder, own=settings.own_names)
        person = store.read(find_person, complainant)
        data = archive(
            store,
            person,
            labels,
            by=OPERATOR,
            language=language,
            notes=notes,
            retention=retention(settings),
        )
    write(output, data)
