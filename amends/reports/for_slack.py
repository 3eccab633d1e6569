"""What Slack needs to make reports, which import rooms that it does not know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from amends.documents.labels import load_labels
from amends.reports.build import build_report, last_days
from amends.reports.kinds import KINDS
from amends.reports.output import report_labels, report_pdf
from bots.slack.context import StaffReports
from reports.document import Report
from reports.tally import Period

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.store import Store


def staff_reports(store: Store, settings: Settings) -> StaffReports:
    """The reports in the language of staff."""
    organisation = settings.organisation
    labels = load_labels(
        (organisation.staff_language,), organisation.timezone, settings.texts_folder, staff=True,
        own=settings.own_names,
    )  # fmt: skip

    def pdf(report: Report) -> bytes:
        with_names = report_labels(settings, store)
        return report_pdf(report, with_names, organisation=organisation.name, made_at=report.as_of)

    return StaffReports(kinds=tuple(KINDS), texts=labels, build=partial(_build, store, settings), pdf=pdf)


def _build(store: Store, settings: Settings, kind: str, period: Period | None) -> Report:
    now = store.now()
    return build_report(kind, store, settings, period or last_days(now, settings.organisation.timezone), now)
