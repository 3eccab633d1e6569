"""`amends report`: monitoring of complaints handling, computed from the record (clause 8)."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Config, Json, open_record
from amends.cli.output import check_output, print_damage, print_json, print_table, write_file

if TYPE_CHECKING:
    from amends.settings import Settings
    from reports.monitoring import Monitoring
    from reports.tally import Period

#: Without dates: the last 91 days with today, a quarter, which a management review covers.
QUARTER = 91


From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else 91 days up to the last day."),
]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else today.")]


class Format(StrEnum):
    MD = "md"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


def monitoring(
    *,
    start: From = None,
    end: To = None,
    format_: Annotated[Format | None, typer.Option("--format")] = None,
    json: Json = False,
    chain: Annotated[bool, typer.Option("--chain/--no-chain")] = True,
    output: Annotated[Path | None, typer.Option("-o", "--output", dir_okay=False)] = None,
    config: Config = None,
) -> None:
    from complaints.times import local_time
    from reports.integrity import Proof
    from reports.monitoring import monitor
    from store.custody.verify import verify
    from store.database.damage import collecting_damage, damaged_ref
    from store.proof.hash_chain import record_instance_event

    format_ = _format(format_, output, json=json)
    if format_ is Format.PDF and output is None:
        raise typer.BadParameter("a PDF goes into a file: add -o FILE", param_hint="-o")
    with open_record(config) as (settings, store):
        zone = settings.organisation.timezone
        now = store.now()
        period = _period(start, end, local_time(now, zone).date(), zone)
        verification = store.read(verify, opens=False) if chain else None
        with collecting_damage() as damaged:
            report = monitor(
                store.for_monitoring(period.start, period.end),
                period=period,
                now=now,
                **store.compared(period.start, period.end, now, zone)._asdict(),
                proof=None if verification is None else Proof(verification.entries, verification.first_bad),
            )
        report = replace(report, damaged=tuple(dict.fromkeys(map(damaged_ref, damaged))))
        if format_ is Format.PDF and output is not None:
            _write_pdf(report, settings, now, output)
        else:
            _write_text(report, format_, zone, output)
        # After the output: the record shows a report that reached its reader (8.4).
        store.write(record_instance_event, "report", {"report": "monitoring", "format": format_.value})


def access(*, start: From = None, end: To = None, json: Json = False, config: Config = None) -> None:
    from complaints.times import format_time, local_time
    from reports.access import find_unusual_access
    from store.cases.pages import load_read_page, pages
    from store.database.damage import collecting_damage

    with open_record(config) as (settings, store), collecting_damage() as damaged:
        zone = settings.organisation.timezone
        period = _period(start, end, local_time(store.now(), zone).date(), zone)
        histories = pages(partial(store.read, load_read_page, period.start, period.end))
        findings = find_unusual_access(histories, period.start, period.end, zone)
        rows = [{**asdict(finding), "at": format_time(finding.at)} for finding in findings]
    if json:
        print_json({"findings": rows})
    else:
        heads = ("at", "by", "sign", "ref", "count", "reason")
        print_table("Unusual reading", heads, [[row[name] for name in heads] for row in rows])
    print_damage(damaged)


def measures(
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", dir_okay=False)] = None,
    config: Config = None,
) -> None:
    from reports.render_csv import measures_csv
    from store.database.damage import collecting_damage

    if output is not None:
        check_output(output)
    with open_record(config) as (_, store), collecting_damage() as damaged:
        lines = measures_csv(store.measures())
        if output is None:
            for line in lines:
                typer.echo(line, nl=False)
        else:
            write_file(output, "".join(lines).encode())
    print_damage(damaged)


def _format(wanted: Format | None, output: Path | None, *, json: bool) -> Format:
    if json and wanted not in (None, Format.JSON):
        raise typer.BadParameter(f"--json and --format {wanted} exclude each other", param_hint="--format")
    if json or wanted is not None:
        return Format.JSON if json else wanted or Format.MD
    ending = "" if output is None else output.suffix.removeprefix(".")
    return Format(ending) if ending in set(Format) else Format.MD


def _period(start: datetime | None, end: datetime | None, today: date, zone: str) -> Period:
    from complaints.times import at_minute
    from reports.tally import Period

    last = end.date() if end else today
    first = start.date() if start else last - timedelta(days=QUARTER - 1)
    if first > last:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="--from")
    return Period(at_minute(first, 0, zone), at_minute(last + timedelta(days=1), 0, zone))


def _charts() -> Mapping[str, tuple[str, Callable[[Monitoring], str]]]:
    """The charts by title: the name of the file, and what draws it as SVG."""
    from reports.render_charts import draw_targets, draw_volume

    return {"Received by week": ("volume", draw_volume), "Shares and their targets": ("shares", draw_targets)}


def _write_pdf(report: Monitoring, settings: Settings, now: datetime, output: Path) -> None:
    from amends.documents.labels import load_labels
    from amends.documents.report import report_document
    from amends.documents.typst import as_pdf
    from reports.render_markdown import as_markdown

    check_output(output)
    organisation = settings.organisation
    labels = load_labels(
        (organisation.staff_language,), organisation.timezone, settings.texts_folder, own=settings.own_names
    )
    drawn = {title: draw(report) for title, (_, draw) in _charts().items()}
    text = as_markdown(report, organisation.timezone)
    document = report_document(text, labels, organisation=organisation.name, made_at=now, drawn=drawn)
    write_file(output, as_pdf(document, created_at=now))


def _write_text(report: Monitoring, format_: Format, zone: str, output: Path | None) -> None:
    from reports.render_csv import as_csv
    from reports.render_markdown import as_markdown

    if output is not None:
        check_output(output)
    if format_ is Format.JSON:
        text = json_module.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n"
    elif format_ is Format.CSV:
        text = as_csv(report)
    else:
        text = as_markdown(report, zone, {} if output is None else _write_charts(report, output))
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_file(output, text.encode())


def _write_charts(report: Monitoring, page: Path) -> dict[str, str]:
    """Write the charts next to the page and named after it; the file names by title."""
    files = {}
    for title, (name, draw) in _charts().items():
        file = page.with_name(f"{page.stem}-{name}.svg")
        file.write_text(draw(report), encoding="utf-8")
        files[title] = file.name
    return files
