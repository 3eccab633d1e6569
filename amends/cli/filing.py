"""`amends case file`: one complaint as a PDF, with everything said and done (Annexes B and D)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from amends.cli.case import reference
from amends.cli.leaving import Output, writable, write
from amends.cli.opened import Config, Reference, opened
from amends.documents.labels import load_labels
from store.cases.export import OPERATOR, WholeCase, export_case, read_stored_file, record_read
from store.store import Store

#: Larger pictures stay enclosures only: a file that opens in a second is read.
_LARGEST_PICTURE = 6_000_000
_MOST_PICTURES = 20


class Edition(StrEnum):
    """For whom the file is made."""

    HOUSE = "house"
    SUBJECT = "subject"


def file_(
    ref: Reference,
    *,
    output: Output,
    language: Annotated[
        str | None, typer.Option(help="In which language it is labelled; else that of staff.")
    ] = None,
    for_: Annotated[
        Edition, typer.Option("--for", help="subject: for a member of staff complained about, to be heard.")
    ] = Edition.HOUSE,
    config: Config = None,
) -> None:
    """Annex B's and D's forms with everything said and done, as PDF/A; that it was made stays on the record."""
    # Loaded late: other commands need no typesetter.
    from amends.documents.case_file import RECORD, StoredPicture, case_file, exact_record
    from amends.documents.typst import as_pdf

    writable(output)
    with opened(config) as (settings, store):
        found = reference(ref)
        own = settings.organisation
        labels = load_labels(
            (language or own.staff_language,),
            own.timezone,
            settings.texts_folder,
            staff=True,
            own=settings.own_names,
        )
        subject = for_ is Edition.SUBJECT
        store.write(record_read, [found], OPERATOR, "file:subject" if subject else "file")
        whole, now = store.read(export_case, found), store.now()
        shown = [] if subject else [StoredPicture(n, data) for n, data in _pictures(store, whole)]
        made = case_file(whole, labels, made_at=now, shown=shown, subject=subject)
        attached = {} if subject else {RECORD: exact_record(whole)}
        write(output, as_pdf(made, at=now, attached=attached))


def _pictures(store: Store, whole: WholeCase) -> Iterator[tuple[int, bytes]]:
    """The pictures among the files that were fetched, by number."""
    wanted = [
        one
        for one in whole.record["files"]
        if one["state"] == "fetched"
        and not whole.record["erased_at"]
        and (one["mime"] in ("image/jpeg", "image/png") or one["kind"] == "photo")
        and (one["size"] or 0) <= _LARGEST_PICTURE
    ]
    for one in wanted[:_MOST_PICTURES]:
        yield one["seq"], store.read(read_stored_file, whole.record["ref"], one["seq"])
