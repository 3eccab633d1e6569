"""`amends outbox`: obligations that failed, such as a letter that could not be sent."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.options import Json, OptionalRowId, RowId, open_record, parse_ref
from amends.cli.output import err, local_time, print_json, print_table
from reports.words import in_words
from store.values import FailureReason

Kind = Annotated[
    str | None, typer.Option("--kind", help="Only obligations of this kind, such as acknowledge.")
]
Ref = Annotated[str | None, typer.Option("--ref", help="Only obligations of this complaint.")]


def list_(
    *,
    all_: Annotated[bool, typer.Option("--all")] = False,
    kind: Kind = None,
    ref: Ref = None,
    json: Json = False,
) -> None:
    from store.outbox.failed import list_failed

    with open_record() as (settings, store):
        rows = store.read(list_failed, everything=all_, kind=kind, ref=ref and parse_ref(ref))
    if json:
        print_json({"outbox": rows})
        return
    fields, zone = (
        ("id", "kind", "ref", "due", "state", "attempts", "why"),
        ZoneInfo(settings.organisation.timezone),
    )
    print_table(
        "Outbox",
        ("id", "kind", "case", "due", "state", "tries", "why"),
        [
            [
                local_time(row[field], zone) if field == "due" else row[field] and in_words(str(row[field]))
                for field in fields
            ]
            for row in rows
        ],
    )


def retry(
    number: OptionalRowId = None,
    *,
    all_: Annotated[bool, typer.Option("--all")] = False,
    kind: Kind = None,
    ref: Ref = None,
    json: Json = False,
) -> None:
    if (number is None) is not all_ or (number is not None and (kind or ref)):
        raise typer.BadParameter("give a number, or --all with or without --kind and --ref")
    from store.outbox.failed import retry_all, retry_failed

    with open_record() as (_, store):
        if number is None:
            numbers = store.write(retry_all, kind=kind, ref=ref and parse_ref(ref))
        else:
            store.write(retry_failed, number)
            numbers = [number]
    if json:
        print_json({"retried": numbers})
    else:
        err.print(f"{', '.join(map(str, numbers)) or 'nothing'} is due again.")


def give_up(
    number: RowId,
    *,
    reason: Annotated[FailureReason, typer.Option("--reason")] = FailureReason.NOT_NEEDED,
    json: Json = False,
) -> None:
    from store.outbox.failed import give_up_obligation

    with open_record() as (_, store):
        store.write(give_up_obligation, number, reason)
    if json:
        print_json({"given_up": number, "reason": reason.value})
    else:
        err.print(f"{number} is given up.")
