"""`amends report`: every kind of report, computed from the record (clause 8)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.console import (
    check_output,
    err,
    print_damage,
    print_json,
    print_table,
    progress_bar,
    write_file,
)
from amends.cli.options import Json, open_record
from amends.reports.report_kinds import KINDS, Format

if TYPE_CHECKING:
    from amends.documents.labels import Labels
    from amends.settings import Settings
    from reports.document import Report
    from reports.tally import Period


#: With more complaints the chain is checked only on request: it takes 5 ms a complaint, the figures 10 s a million.
MOST_CHECKED = 1_000

From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else 91 days up to the last day."),
]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else today.")]


def report_command(kind: str) -> Callable[..., None]:

    def command(
        *,
        start: From = None,
        end: To = None,
        format_: Annotated[Format | None, typer.Option("--format")] = None,
        json: Json = False,
        language: Annotated[str | None, typer.Option("--language", metavar="CODE")] = None,
        chain: Annotated[bool | None, typer.Option("--chain/--no-chain", show_default=False)] = None,
        output: Annotated[Path | None, typer.Option("-o", "--output", dir_okay=False)] = None,
    ) -> None:
        from amends.reports.build import build_report
        from amends.reports.formats import as_text, report_labels, report_pdf
        from store.proof.hash_chain import record_instance_event
        from store.record.measured import count_coverage

        format_ = _format(format_, output, json=json)
        if format_ is Format.PDF and output is None:
            raise typer.BadParameter("a PDF goes into a file: add -o FILE", param_hint="-o")
        if output is not None:
            check_output(output)
        with open_record() as (settings, store):
            labels = report_labels(settings, store, _language(language, settings))
            now = store.now()
            period = _period(settings, now, start, end)
            if not KINDS[kind].has_chain:
                chain = False
            elif chain is None:
                chain = store.read(count_coverage).complaints <= MOST_CHECKED
            with progress_bar("Checking the chain") if chain else nullcontext() as progress:
                report = build_report(kind, store, settings, period, now, check_chain=progress)
            if format_ is Format.PDF and output is not None:
                pdf = report_pdf(report, labels, organisation=settings.organisation.name, made_at=now)
                write_file(output, pdf)
            elif output is None:
                typer.echo(as_text(report, format_, labels), nl=False)
            else:
                pictures = _write_charts(report, labels, output) if format_ is Format.MD else {}
                write_file(output, as_text(report, format_, labels, pictures).encode())
            # After the output: the record shows a report that reached its reader (8.4).
            store.write(record_instance_event, "report", {"report": kind, "format": format_.value})

    return command


def __getattr__(name: str) -> Callable[..., None]:
    """The command of each kind of report under its name."""
    if name not in KINDS:
        raise AttributeError(name)
    return report_command(name)


def access(*, start: From = None, end: To = None, json: Json = False) -> None:
    from complaints.times import format_time
    from reports.unusual_reading import find_unusual_access
    from store.cases.pages import load_read_page, pages
    from store.database.errors import collecting_damage

    with open_record() as (settings, store), collecting_damage() as damaged:
        zone = settings.organisation.timezone
        period = _period(settings, store.now(), start, end)
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
) -> None:
    from reports.output.measures_csv import measures_csv
    from store.database.errors import collecting_damage

    if output is not None:
        check_output(output)
    with open_record() as (_, store), collecting_damage() as damaged:
        lines = measures_csv(store.measures())
        if output is None:
            for line in lines:
                typer.echo(line, nl=False)
        else:
            write_file(output, "".join(lines).encode())
    print_damage(damaged)


def publish(
    *,
    start: From = None,
    end: To = None,
    yes: Annotated[bool, typer.Option("--yes")] = False,
) -> None:
    from amends.figures import count_figures
    from amends.reports.formats import as_text, report_labels
    from reports.disclosure.public_figures import public_report
    from store.proof.hash_chain import record_instance_event

    with open_record() as (settings, store):
        now = store.now()
        period = _period(settings, now, start, end)
        figures = count_figures(store, settings, period, now)
        labels = report_labels(settings, store, settings.organisation.staff_language)
        typer.echo(as_text(public_report(figures, period, now), Format.MD, labels))
        if not yes:
            typer.confirm("Publish these figures on the public page?", abort=True, err=True)
        store.write(record_instance_event, "publication", figures)
    err.print("Published: the public page shows them from now on.")


def _format(wanted: Format | None, output: Path | None, *, json: bool) -> Format:
    if json and wanted not in (None, Format.JSON):
        raise typer.BadParameter(f"--json and --format {wanted} exclude each other", param_hint="--format")
    if json or wanted is not None:
        return Format.JSON if json else wanted or Format.MD
    ending = "" if output is None else output.suffix.removeprefix(".")
    if ending == "csv":
        # A spreadsheet would open a page of Markdown under this name without a word.
        raise typer.BadParameter("no report is a CSV file; see `amends export measures`", param_hint="-o")
    return Format(ending) if ending in set(Format) else Format.MD


def _period(settings: Settings, now: datetime, start: datetime | None, end: datetime | None) -> Period:
    from amends.reports.build import QUARTER
    from complaints.times import local_time
    from reports.tally import Period

    zone = settings.organisation.timezone
    today = local_time(now, zone).date()
    last = end.date() if end else today
    first = start.date() if start else last - timedelta(days=QUARTER - 1)
    if first > min(last, today):
        why = "has not come yet" if first > today else f"is after {last}"
        raise typer.BadParameter(f"{first} {why}", param_hint="--from")
    return Period.of_days(first, last, zone)


def _language(wanted: str | None, settings: Settings) -> str | None:
    languages = {*settings.organisation.languages, settings.organisation.staff_language}
    if wanted is not None and wanted not in languages:
        raise typer.BadParameter(f"write one of {', '.join(sorted(languages))}", param_hint="--language")
    return wanted


def _write_charts(report: Report, labels: Labels, page: Path) -> dict[str, str]:
    """Write the charts next to the page and named after it; the file names by the ids of the charts."""
    from amends.reports.formats import chart_files

    files = {}
    for name, drawn in chart_files(report, labels).items():
        file = page.with_name(f"{page.stem}-{name}.svg")
        file.write_text(drawn, encoding="utf-8")
        files[name] = file.name
    return files
