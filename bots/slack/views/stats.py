"""`/complaints stats`: the figures of the last quarter with their targets (8.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bots.slack.client.block_kit import Block, SlackMessage, context, fields, header, section
from bots.slack.texts import StaffTexts
from complaints.times import local_time
from reports.kpis import ShareFigure, TargetVerdict
from reports.monitoring import Monitoring

if TYPE_CHECKING:
    from triage.learning.drift import DriftWarning

#: The shares that help in daily work; the report has all of them.
SHARES_SHOWN: tuple[str, ...] = (
    "acknowledged_in_time",
    "assessed_in_time",
    "decided_in_time",
    "updates_on_time",
    "promise_kept",
    "escalated",
    "external",
    "reopened",
)
_MARKS = {TargetVerdict.MET: "✅", TargetVerdict.NOT_MET: "❌"}
_DRIFTS = {
    "agreement": "stats.drift_agreement",
    "mix": "stats.drift_mix",
    "calibration": "stats.drift_calibration",
}


def stats_message(
    report: Monitoring, texts: StaffTexts, zone: str, drifts: Sequence[DriftWarning] = ()
) -> SlackMessage:
    """How many complaints came, what is open, each share next to its target, and where the model drifts."""
    title, backlog = texts.text("stats.title"), report.backlog
    counts = texts.text(
        "stats.counts",
        since=texts.day(local_time(report.period.start, zone).date()),
        received=report.received,
        open=backlog.overdue.of,
        overdue=backlog.overdue.hits,
        legal=backlog.past_legal,
    )
    blocks: list[Block] = [header(title), section(counts)]
    shares = [
        _share(figure, texts) for figure in report.shares if figure.key in SHARES_SHOWN and figure.share.of
    ]
    blocks += [fields(shares[start : start + 10]) for start in range(0, len(shares), 10)]
    medians = [
        texts.count("stats.median", round(duration.working_days.median), priority=duration.group)
        for duration in report.durations
        if duration.key == "time_to_decision" and duration.working_days.median is not None
    ]
    if medians:
        blocks.append(section("\n".join([texts.text("stats.medians"), *medians])))
    if drifts:
        blocks.append(section("\n".join(drift_line(drift, texts) for drift in drifts)))
    blocks.append(context(texts.text("stats.more")))
    return SlackMessage(f"{title}: {counts}", blocks)


def drift_line(drift: DriftWarning, texts: StaffTexts) -> str:
    """One drift next to its usual value."""
    value, bound = f"{drift.value * 100:.0f}", f"{drift.bound * 100:.0f}"
    return f"⚠️ {texts.text(_DRIFTS[drift.code], value=value, bound=bound, rows=drift.rows)}"


def _share(figure: ShareFigure, texts: StaffTexts) -> str:
    name, share = texts.text(f"stats.{figure.key}"), figure.share
    level = f" ({texts.text('stats.level', level=figure.group)})" if figure.group is not None else ""
    if share.value is None:
        value = texts.text("stats.too_few", hits=share.hits, of=share.of)
    else:
        value = f"{share.value * 100:.0f} % ({share.hits}/{share.of})"
    goal, target = figure.kpi.goal, ""
    if goal is not None:
        sign, bound = ("≥", goal.at_least) if goal.at_least is not None else ("≤", goal.at_most or 0.0)
        target = f" · {sign} {bound * 100:.0f} %"
    return f"{_MARKS.get(figure.verdict, '▫️')} *{name}{level}*\n{value}{target}"
