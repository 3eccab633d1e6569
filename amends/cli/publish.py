"""`amends publish`: put the figures of a period on the public page, and on the record (8.1)."""

from __future__ import annotations

import typer

from amends.cli.options import Config, open_record
from amends.cli.output import err
from amends.cli.report import From, To, whole_period
from complaints.times import local_time


def publish(*, start: From = None, end: To = None, yes: bool = False, config: Config = None) -> None:
    from amends.reports.kinds import Format
    from amends.reports.output import as_text, report_labels
    from amends.reports.public import count_figures
    from reports.disclosure.public import public_report
    from store.proof.hash_chain import record_instance_event

    with open_record(config) as (settings, store):
        now, zone = store.now(), settings.organisation.timezone
        period = whole_period(start, end, local_time(now, zone).date(), zone)
        figures = count_figures(store, settings, period, now)
        labels = report_labels(settings, store, settings.organisation.staff_language)
        typer.echo(as_text(public_report(figures, period, now), Format.MD, labels))
        if not yes:
            typer.confirm("Publish these figures on the public page?", abort=True, err=True)
        store.write(record_instance_event, "publication", figures)
    err.print("Published: the public page shows them from now on.")
