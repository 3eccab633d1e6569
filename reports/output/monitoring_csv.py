"""The monitoring figures as CSV for a spreadsheet: one row for each figure, with the same keys as in JSON."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from complaints.csv_cells import csv_cell
from reports.kpis import SHARES
from reports.monitoring import Monitoring

COLUMNS = (
    "section",
    "key",
    "group",
    "title",
    "numerator",
    "denominator",
    "value",
    "low",
    "high",
    "unit",
    "target",
    "verdict",
)


def monitoring_csv(report: Monitoring) -> str:
    """The figures with a header line; the lines end in CR LF, as spreadsheets expect."""
    output = StringIO()
    writer = csv.DictWriter(output, COLUMNS, restval="", extrasaction="raise")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: "" if value is None else csv_cell(value) for name, value in row.items()})
    return output.getvalue()


def _rows(report: Monitoring) -> Iterator[dict[str, Any]]:
    yield {
        "section": "cohort",
        "key": "received",
        "title": "Received",
        "value": report.received,
        "unit": "count",
    }
    yield {
        "section": "cohort",
        "key": "damaged",
        "title": "Cannot be read, in no figure",
        "value": len(report.damaged),
        "unit": "count",
    }
    for section, shares in (("figures", report.shares), ("without incidents", report.without_incidents)):
        for figure in shares:
            low, high = figure.share.interval or (None, None)
            yield _heading(section, figure) | {
                "numerator": figure.share.hits,
                "denominator": figure.share.of,
                "value": figure.share.value,
                "low": low,
                "high": high,
                "unit": "share",
                "target": _target(figure.as_json()["target"]),
                "verdict": figure.verdict.value,
            }
    for duration in report.durations:
        yield _heading("durations", duration) | {
            "numerator": duration.working_days.ended,
            "denominator": duration.working_days.n,
            "value": duration.working_days.median,
            "unit": "working days, median",
            "target": _target(duration.as_json()["target"]),
            "verdict": duration.verdict.value,
        }
    for score in report.scores:
        low, high = score.share.interval or (None, None)
        yield _heading("scores", score) | {
            "numerator": score.share.hits,
            "denominator": score.share.of,
            "value": score.mean,
            "unit": "mean, 1 to 5",
            "target": _target(score.as_json()["target"]),
            "verdict": score.verdict.value,
        }
        # The interval is that of the share, not of the mean.
        yield _heading("scores", score) | {
            "key": f"{score.key}_four_or_five",
            "numerator": score.share.hits,
            "denominator": score.share.of,
            "value": score.share.value,
            "low": low,
            "high": high,
            "unit": "share",
        }
    for week, number in report.weeks.items():
        yield {"section": "weeks", "key": "received", "group": week, "value": number, "unit": "count"}
    for month in report.trend:
        first = month.start.isoformat()
        for key, month_value, unit in (
            ("received", month.received, "count"),
            ("open_at_end", month.open_at_end, "count"),
            ("time_to_decision", month.to_decision.median, "working days, median"),
        ):
            yield {"section": "trend", "key": key, "group": first, "value": month_value, "unit": unit}
        for name, share in month.shares.items():
            low, high = share.interval or (None, None)
            counted = {"numerator": share.hits, "denominator": share.of, "value": share.value}
            heading = {
                "section": "trend",
                "key": name,
                "group": first,
                "title": SHARES[name].title,
                "unit": "share",
            }
            yield heading | counted | {"low": low, "high": high}
    for name, counts in report.volume.items():
        for value, number in counts.items():
            yield {"section": "volume", "key": name, "group": value, "value": number, "unit": "count"}


def _heading(section: str, figure: Any) -> dict[str, Any]:
    return {"section": section, "key": figure.key, "group": figure.group, "title": figure.kpi.title}


def _target(goal: dict[str, float] | None) -> str | None:
    return None if goal is None else " ".join(f"{name} {value:g}" for name, value in goal.items())
