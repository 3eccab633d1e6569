"""`amends outbox` and `inbox`: obligations that failed, such as a letter that could not be sent, and incoming updates
that failed and were set aside.
"""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.console import err, local_time, print_json, print_table
from amends.cli.options import Json, OptionalRowId, RowId, open_record, parse_ref
from reports.words import in_words
from store.values import FailureReason

All = Annotated[bool, typer.Option("--all")]
Kind = Annotated[
    str | None, typer.Option("--kind", help="Only obligations of this kind, such as acknowledge.")
]
Ref = Annotated[str | None, typer.Option("--ref", help="Only obligations of this complaint.")]
#: Errors of SQLAlchemy and of the drivers beneath it, by name: the record keeps nothing more of them.
_DATABASE_ERRORS = {
    "DatabaseError", "DataError", "IntegrityError", "OperationalError", "ProgrammingError",
    "StatementError",
}  # fmt: skip


def list_outbox(*, all_: All = False, kind: Kind = None, ref: Ref = None, json: Json = False) -> None:
    from store.outbox.failed import list_failed

    with open_record() as (settings, store):
        rows = store.read(list_failed, everything=all_, kind=kind, ref=ref and parse_ref(ref))
    if json:
        print_json({"outbox": rows})
        return
    fields = ("id", "kind", "ref", "due", "state", "attempts", "why")
    zone = ZoneInfo(settings.organisation.timezone)
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


def list_inbox(*, json: Json = False) -> None:
    from store.outbox.failed import list_dead_letters

    with open_record() as (settings, store):
        zone = ZoneInfo(settings.organisation.timezone)
        updates = store.read(list_dead_letters)
    if json:
        print_json({"inbox": updates})
        return
    print_table(
        "Inbox",
        ("id", "key", "at", "why"),
        [
            (update["id"], update["key"], local_time(update["at"], zone), explain(update["why"]))
            for update in updates
        ],
    )


def explain(why: str) -> str:
    """Why an update was set aside, for people.

    The record has only the class of an error, because its message may contain people's words.
    """
    from complaints.errors import ComplaintError
    from store.database.errors import StoreError

    code, _, cause = why.partition(": ")
    if code == "unparsed":
        return f"not an update as Telegram describes them ({cause})"
    if code == "not_heard":
        return "it ended without an error, and nothing was recorded"
    if code in _class_names(ComplaintError):
        return f"the rules of the record refuse it ({code})"
    if code in _class_names(StoreError) | _DATABASE_ERRORS:
        return f"the store refuses it ({code})"
    return f"a fault of the program: report it ({code})"


def _class_names(family: type[Exception]) -> set[str]:
    return {error.__name__ for error in (family, *family.__subclasses__())}


def retry_outbox(
    number: OptionalRowId = None,
    *,
    all_: All = False,
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
    _print_retried(numbers, "is due again", json=json)


def retry_inbox(number: OptionalRowId = None, *, all_: All = False, json: Json = False) -> None:
    if (number is None) is not all_:
        raise typer.BadParameter("give a number, or --all")
    from store.outbox.failed import schedule_all_dead_letters, schedule_dead_letter

    with open_record() as (_, store):
        if number is None:
            numbers = store.write(schedule_all_dead_letters)
        else:
            store.write(schedule_dead_letter, number)
            numbers = [number]
    _print_retried(numbers, "will be handled again by the running desk", json=json)


def _print_retried(numbers: list[int], what: str, *, json: bool) -> None:
    if json:
        print_json({"retried": numbers})
    else:
        err.print(f"{', '.join(map(str, numbers)) or 'nothing'} {what}.")


def give_up_outbox(
    number: RowId,
    *,
    reason: Annotated[FailureReason, typer.Option("--reason")] = FailureReason.NOT_NEEDED,
    json: Json = False,
) -> None:
    from store.outbox.failed import give_up_obligation

    with open_record() as (_, store):
        store.write(give_up_obligation, number, reason)
    _print_given_up(number, reason, "is given up", json=json)


def give_up_inbox(
    number: RowId, *, reason: Annotated[FailureReason, typer.Option("--reason")], json: Json = False
) -> None:
    from store.outbox.failed import discard_dead_letter

    with open_record() as (_, store):
        store.write(discard_dead_letter, number, reason)
    _print_given_up(number, reason, "is given up and destroyed", json=json)


def _print_given_up(number: int, reason: FailureReason, what: str, *, json: bool) -> None:
    if json:
        print_json({"given_up": number, "reason": reason.value})
    else:
        err.print(f"{number} {what}.")
