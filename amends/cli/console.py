"""What commands print and write: one JSON document, tables for people, progress bars and private files.

Results go to standard output, messages and progress to standard error.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.text import Text

#: Columns of a file or pipe, where nothing is wrapped: one finding stays on one line.
_FILE_WIDTH = 400
out = Console(markup=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
err = Console(stderr=True, markup=False, width=None if sys.stderr.isatty() else _FILE_WIDTH)


def program(*arguments: str) -> str:
    """This command line with other arguments, as it can be pasted into any shell."""
    started = Path(sys.argv[0]).absolute()
    words = [str(started)] if started.name == "amends" else [sys.executable, "-m", "amends"]
    return shlex.join([*words, *arguments])


def print_json(document: Any) -> None:
    """Write one document to standard output, which gets no other text."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table for people; None is a dash."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_plain("–" if value is None else str(value)) for value in row))
    out.print(table)


def print_line(text: str, *, style: str = "") -> None:
    """Print a line that may contain people's words; a file or pipe gets it unwrapped."""
    line = _plain(text)
    line.stylize(style)
    out.print(line, soft_wrap=True)


def _plain(text: str) -> Text:
    """People's words without markup and without control characters, which a terminal would obey."""
    from rich.text import Text

    return Text(
        "".join(
            char if char in "\n\t" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
        )
    )


def local_time(instant: str | None, zone: tzinfo) -> str | None:
    """An instant of the record in this zone, for people."""
    if instant is None:
        return None
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%a %d %b %Y %H:%M")


def local_due_time(instant: str, zone: tzinfo) -> str:
    """A due time in this zone; the end of a day is 24:00 of that day, not 00:00 of the next."""
    from complaints.times import day_ended

    due_at = datetime.fromisoformat(instant).astimezone(zone)
    ended = day_ended(due_at)
    return f"{due_at:%a %d %b %Y %H:%M}" if ended is None else f"{ended:%a %d %b %Y} 24:00"


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on a terminal; yields a function of the number done and the total."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def stage(title: str) -> Iterator[Callable[[float], None]]:
    """Show one stage of long work; yields a function of the share done, 0 to 1.

    A file or pipe gets the title as one line instead.
    """
    if not err.is_terminal:
        err.print(title)
        yield lambda share: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda share: progress.update(task, completed=share, total=1.0)


@contextmanager
def stages() -> Iterator[tuple[Callable[[str], None], Callable[[float], None]]]:
    """Show consecutive stages; yields a function that starts the next, and one of the share done of this one."""
    with ExitStack() as running:
        current: list[Callable[[float], None]] = []

        def start(title: str) -> None:
            running.close()
            current[:] = [running.enter_context(stage(title))]

        yield start, lambda share: current[0](share)


def print_damage(damaged: Sequence[str]) -> None:
    """Name on standard error each place of the record that cannot be read, and what to do about it."""
    from store.database.errors import DAMAGE_REMEDY, describe_damage

    for where in damaged:
        err.print(f"damaged: {describe_damage(where)}", soft_wrap=True)
    if damaged:
        err.print(f"Everything else is here. {DAMAGE_REMEDY}", soft_wrap=True)


def check_output(file: Path) -> None:
    """Raise BadParameter for a file that cannot be written, before the record is opened and the reading logged."""
    if not file.parent.is_dir():
        raise typer.BadParameter(f"{file.parent} is no folder: make it first", param_hint="-o")
    if file.exists() and not os.access(file, os.W_OK):
        raise typer.BadParameter(f"{file} may not be written: choose another name", param_hint="-o")


def write_file(file: Path, data: bytes) -> None:
    """Write a file that only its owner can read, and name it on standard error."""
    write_private(file, data)
    err.print(f"wrote {file}")


def write_private(file: Path, data: bytes) -> None:
    """Write a file that only its owner can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        # The mode above applies to a new file only.
        os.fchmod(opened.fileno(), 0o600)
        opened.write(data)
