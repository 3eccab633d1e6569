"""`amends inbox`: updates that could not be handled and were set aside."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.numbered import MaybeNumber, Number
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, table
from complaints.errors import ComplaintError
from store.database.errors import StoreError
from store.outbox.dead_letters import (
    discard_dead_letter,
    list_dead_letters,
    schedule_all_dead_letters,
    schedule_dead_letter,
)
from store.outbox.failed import FailureReason


def _named(family: type[Exception]) -> frozenset[str]:
    return frozenset(one.__name__ for one in (family, *family.__subclasses__()))


_RULES = _named(ComplaintError)
#: Ours, and those of a database whose driver we do not know here.
_STORE = _named(StoreError) | {
    "DatabaseError",
    "DataError",
    "IntegrityError",
    "OperationalError",
    "ProgrammingError",
    "StatementError",
}

app = typer.Typer(help="Updates set aside.", no_args_is_help=True)


@app.command("list")
def list_(*, json: Json = False, config: Config = None) -> None:
    """What was set aside, when and why; the words stay sealed."""
    with opened(config) as (_, store):
        rows = store.read(list_dead_letters)
        if json:
            as_json({"inbox": rows})
            return
        table(
            "Inbox",
            ("id", "key", "at", "why"),
            [(one["id"], one["key"], one["at"], in_words(one["why"])) for one in rows],
        )


def in_words(why: str) -> str:
    """Why an update was set aside. On file is the class of an error alone: its message may hold people's words."""
    code, _, cause = why.partition(": ")
    if code == "unparsed":
        return f"not an update as Telegram describes them ({cause})"
    if code == "not_heard":
        return "it ended without an error, and nothing was recorded"
    families = ((_RULES, "the rules of the record refuse it"), (_STORE, "the store refuses it"))
    told = next((words for names, words in families if code in names), "a fault of the program: report it")
    return f"{told} ({code})"


@app.command()
def retry(
    number: MaybeNumber = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Everything that waits.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Owe the handling of a set-aside update again: the running desk takes it."""
    if (number is None) is not all_:
        raise typer.BadParameter("give a number, or --all")
    with opened(config) as (_, store):
        if number is None:
            numbers = store.write(schedule_all_dead_letters)
        else:
            store.write(schedule_dead_letter, number)
            numbers = [number]
    if json:
        as_json({"retried": numbers})
    else:
        err.print(f"{', '.join(map(str, numbers)) or 'nothing'} will be handled again by the running desk.")


@app.command("give-up")
def give_up(
    number: Number,
    *,
    reason: Annotated[FailureReason, typer.Option("--reason", help="Why; it stays on the record.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Destroy a set-aside update unread; that and why stays on the record."""
    with opened(config) as (_, store):
        store.write(discard_dead_letter, number, reason)
    if json:
        as_json({"given_up": number, "reason": reason.value})
    else:
        err.print(f"{number} is given up and destroyed.")
