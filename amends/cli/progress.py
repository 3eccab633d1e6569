"""A bar for long work, on standard error; into a file or a pipe a stage is one plain line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

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
def stage(what: str) -> Iterator[Callable[[float], None]]:
    """One of several works: a bar that runs to and fro until it is told the share done, 0 to 1."""
    if not err.is_terminal:
        err.print(what)
        yield lambda share: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda share: drawn.update(task, completed=share, total=1.0)


@contextmanager
def stages() -> Iterator[tuple[Callable[[str], None], Callable[[float], None]]]:
    """Works that follow one another: what begins the next one, and what tells the share done of this one."""
    with ExitStack() as running:
        shown: list[Callable[[float], None]] = []

        def begin(what: str) -> None:
            running.close()
            shown[:] = [running.enter_context(stage(what))]

        yield begin, lambda share: shown[0](share)
