"""What `/complaints policy` and `/complaints stats` show: the policy in force (5.2, 4.6, 7.1), the figures (8.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bots.slack.client.block_kit import (
    Block,
    SlackMessage,
    context,
    escaped,
    fields,
    header,
    section,
    sections,
)
from bots.slack.client.refused_blocks import bar_chart
from bots.slack.staff_texts import StaffTexts
from complaints.rulebook import Rulebook
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
_MARKS = {TargetVerdict.MET: ("✅", "stats.met"), TargetVerdict.NOT_MET: ("❌", "stats.not_met")}
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
    days = {
        str(duration.group): round(duration.working_days.median)
        for duration in report.durations
        if duration.key == "time_to_decision" and duration.working_days.median is not None
    }
    medians = [texts.count("stats.median", number, priority=name) for name, number in days.items()]
    if medians:
        blocks.append(section("\n".join([texts.text("stats.medians"), *medians])))
        blocks += bar_chart(texts.text("chart.medians"), texts.text("chart.days"), days)
    if drifts:
        blocks.append(section("\n".join(drift_line(drift, texts) for drift in drifts)))
    blocks.append(context(texts.text("stats.more")))
    return SlackMessage(f"{title}: {counts}", blocks)


def drift_line(drift: DriftWarning, texts: StaffTexts) -> str:
    value, bound = f"{drift.value * 100:.0f}", f"{drift.bound * 100:.0f}"
    return f"⚠️ {texts.text(_DRIFTS[drift.code], value=value, bound=bound, rows=drift.rows)}"


def _share(figure: ShareFigure, texts: StaffTexts) -> str:
    name, share = texts.text(f"stats.{figure.key}"), figure.share
    level = f" ({texts.text('stats.level', level=figure.group)})" if figure.group is not None else ""
    if share.value is None:
        value = texts.text("stats.too_few", hits=share.hits, of=share.of)
    else:
        value = texts.text("stats.share", percent=texts.percent(share.value), hits=share.hits, of=share.of)
    goal, target = figure.kpi.goal, ""
    mark, verdict = _MARKS.get(figure.verdict, ("▫️", None))
    if goal is not None:
        is_least, bound = (
            goal.at_least is not None,
            goal.at_least if goal.at_least is not None else goal.at_most,
        )
        target = texts.text(
            "stats.at_least" if is_least else "stats.at_most", percent=texts.percent(bound or 0.0)
        )
        target = f"\n{texts.text(verdict, target=target)}" if verdict else f"\n{target}"
    return f"{mark} *{name}{level}*\n{value}{target}"


def policy_blocks(rules: Rulebook, texts: StaffTexts) -> list[Block]:
    """The promises, the times, who decides at each level, and the bodies outside; complaining is free."""
    return [
        header(texts.text("policy.title")),
        *sections(_promises(rules, texts)),
        *sections([f"*{texts.text('policy.times')}*", *_times(rules, texts)]),
        *sections([f"*{texts.text('policy.levels')}*", *_levels(rules, texts)]),
        *sections([f"*{texts.text('policy.outside')}*", *_outside(rules, texts)]),
        context(texts.text("policy.version", version=rules.edition[:12], preset=escaped(rules.preset, 60))),
    ]


def _promises(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    yield texts.text("policy.free", organisation=escaped(rules.organisation, 200))
    for text_id in ("policy.people", "policy.fair", "policy.private", "policy.learn"):
        yield texts.text(text_id)


def _times(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    yield texts.text("policy.ack", span=texts.duration(rules.targets.ack))
    for priority, targets in sorted(rules.targets.by_priority.items()):
        yield texts.text(
            "policy.priority",
            priority=str(priority),
            look=texts.duration(targets.look),
            first=texts.duration(targets.first_action),
            update=texts.duration(targets.update_every),
            decide=texts.duration(targets.decide),
        )
    if rules.targets.legal is not None:
        yield texts.text("policy.legal", span=texts.duration(rules.targets.legal))
    for level, own in sorted(rules.targets.by_level.items()):
        if own.decide is not None:
            ack = texts.duration(own.ack or rules.targets.escalated_ack)
            yield texts.text("policy.level_times", level=level, ack=ack, decide=texts.duration(own.decide))
    if rules.targets.extension_cap is not None:
        yield texts.text("policy.extension", span=texts.duration(rules.targets.extension_cap))
    if rules.targets.delay_notice is not None:
        yield texts.text("policy.delay", span=texts.duration(rules.targets.delay_notice))


def _levels(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    for level, roles in sorted(rules.levels.items()):
        names = ", ".join(texts.text(f"role.{role}") for role in roles)
        yield texts.text("policy.level", level=level, roles=names)
    for role, limit in sorted(rules.authority.items()):
        yield texts.text("policy.limit", role=texts.text(f"role.{role}"), amount=limit)


def _outside(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    if not rules.recourse:
        yield texts.text("policy.no_outside")
    for body in rules.recourse:
        cost = texts.text("policy.outside_free") if body.free else texts.text("policy.outside_costs")
        parts = (escaped(body.body, 200), escaped(body.contact, 200), escaped(body.limit, 100), cost)
        yield "• " + " · ".join(part for part in parts if part)
