"""The monitoring figures as CSV for a spreadsheet: one row for each figure, with the same keys as in JSON."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from complaints.csv_cells import csv_cell
from reports.breakdowns import Score
from reports.kpis import SHARES, DurationFigure, ShareFigure
from reports.monitoring import Monitoring
from reports.statistics import Share

COLUMNS = (
    "section", "key", "group", "title", "numerator", "denominator", "value", "low", "high", "unit", "target",
    "verdict",
)  # fmt: skip
_DAYS = "working days, median"


def monitoring_csv(report: Monitoring) -> str:
    """The figures with a header line; the lines end in CR LF, as spreadsheets expect."""
    output = StringIO()
    writer = csv.DictWriter(output, COLUMNS, restval="", extrasaction="raise")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: "" if value is None else csv_cell(value) for name, value in row.items()})
    return output.getvalue()


def _rows(report: Monitoring) -> Iterator[dict[str, Any]]:
    yield _value("cohort", "received", None, report.received, title="Received")
    yield _value("cohort", "damaged", None, len(report.damaged), title="Cannot be read, in no figure")
    for section, shares in (("figures", report.shares), ("without incidents", report.without_incidents)):
        for figure in shares:
            row = _share(section, figure.key, figure.group, figure.kpi.title, figure.share)
            yield row | _judged(figure)
    for duration in report.durations:
        days = duration.working_days
        row = _value("durations", duration.key, duration.group, days.median, _DAYS, title=duration.kpi.title)
        yield row | {"numerator": days.ended, "denominator": days.n} | _judged(duration)
    for score in report.scores:
        row = _value("scores", score.key, score.group, score.mean, "mean, 1 to 5", title=score.kpi.title)
        yield row | {"numerator": score.share.hits, "denominator": score.share.of} | _judged(score)
        # The interval is that of the share, not of the mean.
        yield _share("scores", f"{score.key}_four_or_five", score.group, score.kpi.title, score.share)
    for week, number in report.weeks.items():
        yield _value("weeks", "received", week, number)
    for month in report.trend:
        first = month.start.isoformat()
        yield _value("trend", "received", first, month.received)
        yield _value("trend", "open_at_end", first, month.open_at_end)
        yield _value("trend", "time_to_decision", first, month.to_decision.median, _DAYS)
        for name, share in month.shares.items():
            yield _share("trend", name, first, SHARES[name].title, share)
    for name, counts in report.volume.items():
        for code, number in counts.items():
            yield _value("volume", name, code, number)


def _value(
    section: str,
    key: str,
    group: str | None,
    value: float | None,
    unit: str = "count",
    *,
    title: str | None = None,
) -> dict[str, Any]:
    return {"section": section, "key": key, "group": group, "title": title, "value": value, "unit": unit}


def _share(section: str, key: str, group: str | None, title: str, share: Share) -> dict[str, Any]:
    low, high = share.interval or (None, None)
    row = _value(section, key, group, share.value, "share", title=title)
    return row | {"numerator": share.hits, "denominator": share.of, "low": low, "high": high}


def _judged(figure: ShareFigure | DurationFigure | Score) -> dict[str, Any]:
    goal = figure.as_json()["target"] or {}
    target = " ".join(f"{name} {value:g}" for name, value in goal.items()) or None
    return {"target": target, "verdict": figure.verdict.value}
