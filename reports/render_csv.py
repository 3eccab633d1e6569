"""The monitoring figures as a table for a spreadsheet: one row a figure, the same keys as in JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

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


def as_csv(report: Monitoring) -> str:
    """Comma-separated, a head line first, lines ending as spreadsheets want them."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", extrasaction="raise")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
    return out.getvalue()


def _rows(report: Monitoring) -> Iterator[dict[str, Any]]:
    yield {
        "section": "cohort",
        "key": "received",
        "title": "Received",
        "value": report.received,
        "unit": "count",
    }
    for section, shares in (("figures", report.shares), ("without incidents", report.without_incidents)):
        for share in shares:
            low, high = share.share.interval or (None, None)
            yield _said(section, share) | {
                "numerator": share.share.hits,
                "denominator": share.share.of,
                "value": share.share.value,
                "low": low,
                "high": high,
                "unit": "share",
                "target": _target(share.as_json()["target"]),
                "verdict": share.verdict.value,
            }
    for one in report.durations:
        yield _said("durations", one) | {
            "numerator": one.working_days.ended,
            "denominator": one.working_days.n,
            "value": one.working_days.median,
            "unit": "working days, median",
            "target": _target(one.as_json()["target"]),
            "verdict": one.verdict.value,
        }
    for score in report.scores:
        low, high = score.share.interval or (None, None)
        yield _said("scores", score) | {
            "numerator": score.share.hits,
            "denominator": score.share.of,
            "value": score.mean,
            "unit": "mean, 1 to 5",
            "low": low,
            "high": high,
            "target": _target(score.as_json()["target"]),
            "verdict": score.verdict.value,
        }
    for week, number in report.weeks.items():
        yield {"section": "weeks", "key": "received", "group": week, "value": number, "unit": "count"}
    for name, counts in report.volume.items():
        for value, number in counts.items():
            yield {"section": "volume", "key": name, "group": value, "value": number, "unit": "count"}


def _said(section: str, one: Any) -> dict[str, Any]:
    return {"section": section, "key": one.key, "group": one.group, "title": one.kpi.title}


def _target(goal: dict[str, float] | None) -> str | None:
    return None if goal is None else " ".join(f"{name} {value:g}" for name, value in goal.items())
