"""Printing: one JSON document to standard output, or tables for people; messages go to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from complaints.deadlines.local_time import day_ended

#: Into a file or a pipe nothing is broken into lines: one finding, one line.
_WIDE = 400
out = Console(markup=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, markup=False, width=None if sys.stderr.isatty() else _WIDE)


def as_json(document: Any) -> None:
    """One document and nothing else on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table for a person; None is a dash."""
    drawn = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(_plain("–" if value is None else str(value)) for value in row))
    out.print(drawn)


def said(text: str, *, style: str = "") -> None:
    """A line for a person, with whatever words stand in it; into a file or a pipe in one piece."""
    line = _plain(text)
    line.stylize(style)
    out.print(line, soft_wrap=True)


def _plain(text: str) -> Text:
    """Somebody's words are neither markup of ours nor orders to the terminal."""
    return Text("".join(one if one in "\n\t" or one.isprintable() else "\ufffd" for one in text))


def local(instant: str | None, zone: Any) -> str | None:
    """An instant of the record in the organisation's time, for people."""
    if instant is None:
        return None
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%a %d %b %Y %H:%M")


def local_by(instant: str, zone: Any) -> str:
    """A due time likewise, but the end of a day is its own 24:00, not the next day's 00:00."""
    at = datetime.fromisoformat(instant).astimezone(zone)
    ended = day_ended(at)
    return f"{at:%a %d %b %Y %H:%M}" if ended is None else f"{ended:%a %d %b %Y} 24:00"
