"""A report in the formats that people and programs read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from amends.documents.labels import Labels, load_labels
from amends.reports.kinds import Format
from reports.document import Report
from reports.monitoring import Monitoring
from reports.output.monitoring_csv import monitoring_csv
from reports.output.outline import charts_of
from reports.output.render_charts import draw_chart
from reports.output.render_csv import as_csv
from reports.output.render_json import as_json
from reports.output.render_markdown import as_markdown
from store.people.staff import list_members

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.store import Store


def report_labels(settings: Settings, store: Store, language: str | None = None) -> Labels:
    """The texts of reports in this language, by default that of staff, with the names of staff as of now.

    Raises TextsError for a language without texts.
    """
    organisation = settings.organisation
    languages = (language or organisation.staff_language,)
    labels = load_labels(
        languages, organisation.timezone, settings.texts_folder, staff=True, own=settings.own_names
    )
    names = {member.id: member.name for member in store.read(list_members) if member.name}
    return replace(labels, names=names)


def as_text(report: Report, format_: Format, labels: Labels, pictures: dict[str, str] | None = None) -> str:
    """The report as JSON, CSV or Markdown; the monitoring report keeps the keys of its JSON and CSV."""
    own = report.data if isinstance(report.data, Monitoring) else None
    if format_ is Format.JSON:
        values = as_json(report, labels) | ({} if own is None else own.as_json())
        values["damaged"] = list(report.damaged)
        return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    if format_ is Format.CSV:
        return as_csv(report, labels) if own is None else monitoring_csv(own)
    return as_markdown(report, labels, pictures)


def report_pdf(report: Report, labels: Labels, *, organisation: str, made_at: datetime) -> bytes:
    """The report as PDF. Raises TypesettingFailed."""
    from amends.documents.report import report_document
    from amends.documents.typst import as_pdf

    document = report_document(report, labels, organisation=organisation, made_at=made_at)
    return as_pdf(document, created_at=made_at)


def chart_files(report: Report, labels: Labels) -> dict[str, str]:
    """The charts as SVG by their ids."""
    return {chart.id: draw_chart(chart, table, labels) for chart, table in charts_of(report)}
