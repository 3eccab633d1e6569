"""The numbers by which lists name their rows, as arguments of commands."""

from __future__ import annotations

from typing import Annotated

import typer

#: No row has a larger one: neither database could hold it, and SQLite would break over the question.
LARGEST = 2**63 - 1


def of_a_row(number: int | None) -> int | None:
    """The number; raises BadParameter where none can be so large."""
    if number is not None and abs(number) > LARGEST:
        raise typer.BadParameter("no row has so large a number: take one from the list")
    return number


_IT = typer.Argument(metavar="ID", help="The number in the list.", callback=of_a_row)
Number = Annotated[int, _IT]
MaybeNumber = Annotated[int | None, _IT]
