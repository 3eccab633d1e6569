"""`/complaints stats`: the figures of the last quarter in a few lines, with their targets (8.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bots.slack.blocks import Block, context, fields, header, section
from bots.slack.card import Drawn
from bots.slack.model_news import drift_line
from bots.slack.voice import Voice
from complaints.deadlines.local_time import wall
from reports.figures import ShareFigure
from reports.kpis import TargetVerdict
from reports.monitoring import Monitoring

if TYPE_CHECKING:
    from triage.learning.drift import Warned

#: The shares that a person at work asks for; the report has all of them.
SHOWN: tuple[str, ...] = (
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


def figures(report: Monitoring, voice: Voice, zone: str, drifts: Sequence[Warned] = ()) -> Drawn:
    """A short message: how many, what is open, each share beside what is asked of it, and what drifts."""
    first = voice.day(wall(report.period.start, zone).date())
    title = voice.say("stats.title")
    backlog = report.backlog
    counts = voice.say(
        "stats.counts",
        since=first,
        received=report.received,
        open=backlog.overdue.of,
        overdue=backlog.overdue.hits,
        legal=backlog.past_legal,
    )
    blocks: list[Block] = [header(title), section(counts)]
    lines = [_share(one, voice) for one in report.shares if one.key in SHOWN and one.share.of]
    blocks += [fields(lines[at : at + 10]) for at in range(0, len(lines), 10)]
    medians = [
        voice.count("stats.median", round(one.working_days.median), priority=one.group)
        for one in report.durations
        if one.key == "time_to_decision" and one.working_days.median is not None
    ]
    if medians:
        blocks.append(section("\n".join([voice.say("stats.medians"), *medians])))
    if drifts:
        blocks.append(section("\n".join(drift_line(one, voice) for one in drifts)))
    blocks.append(context(voice.say("stats.more")))
    return Drawn(f"{title}: {counts}", blocks)


def _share(one: ShareFigure, voice: Voice) -> str:
    name = voice.say(f"stats.{one.key}")
    level = f" ({voice.say('stats.level', level=one.group)})" if one.group is not None else ""
    if one.share.value is None:
        value = voice.say("stats.too_few", hits=one.share.hits, of=one.share.of)
    else:
        value = f"{one.share.value * 100:.0f} % ({one.share.hits}/{one.share.of})"
    goal = one.kpi.goal
    asked = ""
    if goal is not None:
        sign, bound = ("≥", goal.at_least) if goal.at_least is not None else ("≤", goal.at_most or 0.0)
        asked = f" · {sign} {bound * 100:.0f} %"
    return f"{_MARKS.get(one.verdict, '▫️')} *{name}{level}*\n{value}{asked}"
