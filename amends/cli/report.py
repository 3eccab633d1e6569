"""`amends report`: clause 8, from the record as it stands."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.opened import Config, Json, opened
from amends.cli.printing import err
from complaints.localtime import at_minute, wall
from complaints.record import Case
from reports.markdown import as_markdown
from reports.monitoring import Monitoring, Period, monitor
from store.open import Store

app = typer.Typer(help="Figures from the record (clause 8).", no_args_is_help=True)

#: Without dates: the last 91 days, today included: a quarter, as the management review takes it.
QUARTER = 91


class Format(StrEnum):
    """How a report is written."""

    MD = "md"
    JSON = "json"


@app.callback()
def report() -> None:
    """Figures from the record (clause 8)."""


@app.command()
def monitoring(
    *,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else 91 days up to the last day."),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else today.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Else by the file's ending, else md.")
    ] = None,
    json: Json = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="Write to this file.")
    ] = None,
    config: Config = None,
) -> None:
    """How the handling went (8.4): in time, how long, with which result, what is open. Days are local."""
    written = _format(format_, output, json=json)
    with opened(config) as (settings, store):
        zone = settings.organisation.timezone
        now = store.now()
        period = _period(start, end, wall(now, zone).date(), zone)
        found = monitor(_cases(store, period), period=period, now=now)
    _write(found, written, zone, output)


def _format(asked: Format | None, output: Path | None, *, json: bool) -> Format:
    if json and asked is Format.MD:
        raise typer.BadParameter("--json and --format md exclude each other", param_hint="--format")
    if json or asked is not None:
        return Format.JSON if json else asked or Format.MD
    return Format.JSON if output is not None and output.suffix == ".json" else Format.MD


def _period(start: datetime | None, end: datetime | None, today: date, zone: str) -> Period:
    last = end.date() if end else today
    first = start.date() if start else last - timedelta(days=QUARTER - 1)
    if first > last:
        raise typer.BadParameter(f"{first} lies after {last}", param_hint="--from")
    return Period(at_minute(first, 0, zone), at_minute(last + timedelta(days=1), 0, zone))


def _cases(store: Store, period: Period) -> Iterator[Case]:
    """Each case once: those of the period, then what is still open from before or after it."""
    yield from store.cases_received(period.start, period.end)
    yield from (case for case in store.cases_open() if not period.holds(case.received_at))


def _write(found: Monitoring, written: Format, zone: str, output: Path | None) -> None:
    if written is Format.JSON:
        text = json_module.dumps(found.as_json(), ensure_ascii=False, indent=2) + "\n"
    else:
        text = as_markdown(found, zone)
    if output is None:
        typer.echo(text, nl=False)
        return
    if not output.parent.is_dir():
        raise typer.BadParameter(f"{output.parent} is no folder: make it first", param_hint="-o")
    output.write_text(text, encoding="utf-8")
    err.print(f"wrote {output}", markup=False)
