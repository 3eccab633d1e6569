"""A bar for long work, on standard error; into a file or a pipe a stage is one plain line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from amends.cli.printing import err


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Call what it yields with what is done and what there is to do."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Work whose end nobody can tell: a bar that runs to and fro, with the time it takes."""
    if not err.is_terminal:
        err.print(what, markup=False)
        yield
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as drawn:
        drawn.add_task(what, total=None)
        yield
