"""`amends report`: clause 8, from the record as it stands."""

from __future__ import annotations

import json as json_module
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.leaving import writable, write
from amends.cli.opened import Config, Json, opened
from amends.settings import Settings
from complaints.deadlines.local_time import at_minute, wall
from reports.integrity import Proof
from reports.monitoring import Monitoring, Period, monitor
from reports.render_charts import in_time, volume
from reports.render_csv import as_csv
from reports.render_markdown import as_markdown
from store.cases.pages import count_repeats
from store.custody.verify import verify

app = typer.Typer(help="Figures from the record (clause 8).", no_args_is_help=True)

#: What is drawn, by title: the name of its file, and how.
PICTURES = {"Received by week": ("volume", volume), "Shares and their targets": ("shares", in_time)}
#: Without dates: the last 91 days, today included: a quarter, as the management review takes it.
QUARTER = 91


class Format(StrEnum):
    """How a report is written."""

    MD = "md"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


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
    chain: Annotated[
        bool, typer.Option("--chain/--no-chain", help="Check the chain of the whole record too.")
    ] = True,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", dir_okay=False, help="Write to this file, pictures beside a page."),
    ] = None,
    config: Config = None,
) -> None:
    """How the handling went (8.4): in time, how long, with which result, what is open. Days are local."""
    written = _format(format_, output, json=json)
    if written is Format.PDF and output is None:
        raise typer.BadParameter("a PDF goes into a file: add -o FILE", param_hint="-o")
    with opened(config) as (settings, store):
        zone = settings.organisation.timezone
        now = store.now()
        period = _period(start, end, wall(now, zone).date(), zone)
        checked = store.read(verify) if chain else None
        found = monitor(
            store.for_monitoring(period.start, period.end),
            period=period,
            now=now,
            repeats=store.read(count_repeats, period.start, period.end),
            proof=None if checked is None else Proof(checked.entries, checked.first_bad),
        )
    if written is Format.PDF and output is not None:
        _set(found, settings, now, output)
        return
    _write(found, written, zone, output)


def _set(found: Monitoring, settings: Settings, now: datetime, output: Path) -> None:
    """The report as PDF/A, its pictures at the end."""
    # Loaded late: other commands need no typesetter.
    from amends.documents.labels import load_labels
    from amends.documents.report import report_document
    from amends.documents.typst import as_pdf

    writable(output)
    own = settings.organisation
    labels = load_labels((own.staff_language,), own.timezone, settings.texts_folder, own=settings.own_names)
    drawn = {title: draw(found) for title, (_, draw) in PICTURES.items()}
    text = as_markdown(found, own.timezone)
    made = report_document(text, labels, organisation=own.name, made_at=now, drawn=drawn)
    write(output, as_pdf(made, at=now))


def _format(asked: Format | None, output: Path | None, *, json: bool) -> Format:
    if json and asked not in (None, Format.JSON):
        raise typer.BadParameter(f"--json and --format {asked} exclude each other", param_hint="--format")
    if json or asked is not None:
        return Format.JSON if json else asked or Format.MD
    ending = "" if output is None else output.suffix.removeprefix(".")
    return Format(ending) if ending in set(Format) else Format.MD


def _period(start: datetime | None, end: datetime | None, today: date, zone: str) -> Period:
    last = end.date() if end else today
    first = start.date() if start else last - timedelta(days=QUARTER - 1)
    if first > last:
        raise typer.BadParameter(f"{first} lies after {last}", param_hint="--from")
    return Period(at_minute(first, 0, zone), at_minute(last + timedelta(days=1), 0, zone))


def _write(found: Monitoring, written: Format, zone: str, output: Path | None) -> None:
    if output is not None:
        writable(output)
    if written is Format.JSON:
        text = json_module.dumps(found.as_json(), ensure_ascii=False, indent=2) + "\n"
    elif written is Format.CSV:
        text = as_csv(found)
    else:
        text = as_markdown(found, zone, {} if output is None else _pictures(found, output))
    if output is None:
        typer.echo(text, nl=False)
        return
    write(output, text.encode())


def _pictures(found: Monitoring, page: Path) -> dict[str, str]:
    """The pictures, written beside the page and named for it."""
    files = {}
    for title, (name, draw) in PICTURES.items():
        file = page.with_name(f"{page.stem}-{name}.svg")
        file.write_text(draw(found), encoding="utf-8")
        files[title] = file.name
    return files
