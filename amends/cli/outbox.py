"""`amends outbox`: what we owe and could not do."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.case import reference
from amends.cli.numbered import MaybeNumber, Number
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, table
from store.outbox.failed import FailureReason, give_up_failed, list_failed, retry_all, retry_failed

app = typer.Typer(help="Duties that are stuck.", no_args_is_help=True)

Kind = Annotated[str | None, typer.Option("--kind", help="Only duties of this kind, such as acknowledge.")]
Ref = Annotated[str | None, typer.Option("--ref", help="Only duties of this complaint.")]
Why = Annotated[FailureReason, typer.Option("--reason", help="Why; it stays on the record.")]


@app.command("list")
def list_(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Also what is open and not stuck.")] = False,
    kind: Kind = None,
    ref: Ref = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """What was given up or is being tried again."""
    with opened(config) as (_, store):
        rows = store.read(list_failed, everything=all_, kind=kind, ref=ref and reference(ref))
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
def retry(
    number: MaybeNumber = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Everything that was given up.")] = False,
    kind: Kind = None,
    ref: Ref = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Try a given-up duty again, now; with --all every one (of a kind, of a complaint)."""
    if (number is None) is not all_ or (number is not None and (kind or ref)):
        raise typer.BadParameter("give a number, or --all with or without --kind and --ref")
    with opened(config) as (_, store):
        if number is None:
            numbers = store.write(retry_all, kind=kind, ref=ref and reference(ref))
        else:
            store.write(retry_failed, number)
            numbers = [number]
    if json:
        as_json({"retried": numbers})
    else:
        err.print(f"{', '.join(map(str, numbers)) or 'nothing'} is due again.")


@app.command("give-up")
def give_up(
    number: Number, *, reason: Why = FailureReason.NOT_NEEDED, json: Json = False, config: Config = None
) -> None:
    """Stop trying a duty for good; that and why stays on the record."""
    with opened(config) as (_, store):
        store.write(give_up_failed, number, reason)
    if json:
        as_json({"given_up": number, "reason": reason.value})
    else:
        err.print(f"{number} is given up.")
