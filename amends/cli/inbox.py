"""`amends inbox`: incoming updates that failed and were set aside."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.options import Config, Json, OptionalRowId, RowId, open_record
from amends.cli.output import err, local_time, print_json, print_table
from store.values import FailureReason

#: Errors of SQLAlchemy and of the drivers beneath it, by name: the record keeps nothing more of them.
_DATABASE_ERRORS = {
    "DatabaseError", "DataError", "IntegrityError", "OperationalError", "ProgrammingError",
    "StatementError",
}  # fmt: skip


def list_(*, json: Json = False, config: Config = None) -> None:
    from store.outbox.failed import list_dead_letters

    with open_record(config) as (settings, store):
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


def retry(
    number: OptionalRowId = None,
    *,
    all_: Annotated[bool, typer.Option("--all")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    if (number is None) is not all_:
        raise typer.BadParameter("give a number, or --all")
    from store.outbox.failed import schedule_all_dead_letters, schedule_dead_letter

    with open_record(config) as (_, store):
        if number is None:
            numbers = store.write(schedule_all_dead_letters)
        else:
            store.write(schedule_dead_letter, number)
            numbers = [number]
    if json:
        print_json({"retried": numbers})
    else:
        err.print(f"{', '.join(map(str, numbers)) or 'nothing'} will be handled again by the running desk.")


def give_up(
    number: RowId,
    *,
    reason: Annotated[FailureReason, typer.Option("--reason")],
    json: Json = False,
    config: Config = None,
) -> None:
    from store.outbox.failed import discard_dead_letter

    with open_record(config) as (_, store):
        store.write(discard_dead_letter, number, reason)
    if json:
        print_json({"given_up": number, "reason": reason.value})
    else:
        err.print(f"{number} is given up and destroyed.")
