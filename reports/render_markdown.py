"""A table in Markdown.

A number with its noun, in the English of reports and of the command line.

The part of the monitoring page about people: satisfaction, equal treatment, who decided how, redress.

The monitoring report as a page to read: Markdown, the verdicts first, every formula named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from complaints.deadlines.local_time import wall
from reports.figures import DurationFigure, ShareFigure
from reports.kpis import (
    BACKLOG_OVERDUE,
    CHAIN,
    DURATIONS,
    EMPTY_FIELDS,
    HANDLERS_APART,
    NOT_YIELDED,
    PAST_LEGAL,
    REPEAT,
    SCORES,
    SHARES,
    Goal,
    TargetVerdict,
)
from reports.monitoring import Monitoring
from reports.statistics import FEWEST, Share


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Its lines, an empty one after it."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def many(number: int, one: str, more: str | None = None) -> str:
    """`1 row`, `2 rows`, `1,200 rows`; `more` where the plural is another word."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


_VERDICTS = {
    TargetVerdict.MET: "met",
    TargetVerdict.NOT_MET: "**not met**",
    TargetVerdict.TOO_FEW: "too few",
    TargetVerdict.REPORT: "–",
}


def people(report: Monitoring) -> Iterator[str]:
    """Its sections, one after the other."""
    yield from _satisfaction(report)
    yield from _alike(report)
    yield from _handlers(report)
    yield from _redress(report)


def _satisfaction(report: Monitoring) -> Iterator[str]:
    yield "## Satisfaction"
    yield ""
    yield from table(
        ("score", "mean", "4 or 5", "95 %", "answers", "target", ""),
        (
            (
                one.kpi.title if one.group is None else f"{one.kpi.title}, {one.group}",
                "too few" if one.mean is None else f"{one.mean:.2f}",
                _percent(one.share.value),
                "–"
                if one.share.interval is None
                else " – ".join(f"{at * 100:.1f}" for at in one.share.interval) + " %",
                str(one.share.of),
                f"≥ {one.kpi.goal.at_least:g}"
                if one.kpi.goal is not None and one.group is None
                else "report",
                _VERDICTS[one.verdict],
            )
            for one in report.scores
        ),
    )


def _alike(report: Monitoring) -> Iterator[str]:
    if not report.gaps:
        return
    yield "## Equal treatment"
    yield ""
    yield "Each group against all others of its kind; flagged where chance alone (95 %) would not do it."
    yield ""
    yield from table(
        ("group", "figure", "here", "others", "difference", ""),
        (
            (
                f"{one.of}: {one.group}",
                one.as_json()["title"],
                _count(one.here),
                _count(one.others),
                "too few" if one.difference is None else f"{one.difference * 100:+.1f} points",
                "**look**" if one.flagged else "–",
            )
            for one in report.gaps
        ),
    )


def _handlers(report: Monitoring) -> Iterator[str]:
    if not report.handlers:
        return
    yield "## By handler"
    yield ""
    yield "Upheld, wholly or partly, at level 1; flagged where two are more than 15 points apart."
    yield ""
    yield from table(
        ("handler", "upheld", "share", ""),
        (
            (one.id, _count(one.upheld), _percent(one.upheld.value), "**look**" if one.apart else "–")
            for one in report.handlers
        ),
    )
    busy = ", ".join(f"{who} {n}" for who, n in report.open_by_owner.items())
    if busy:
        yield f"Open now, by owner: {busy}."
        yield ""


def _redress(report: Monitoring) -> Iterator[str]:
    found = report.redress
    yield "## Redress and repetition"
    yield ""
    if not found.promised:
        yield f"Nothing of money was promised; upheld, wholly or partly: {many(found.upheld, 'complaint')}."
    for currency in sorted(found.promised):
        each = found.per_upheld(currency)
        yield (
            f"{currency}: promised {found.promised[currency]:.2f}, paid {found.paid[currency]:.2f}"
            + (f"; {each} for each of {found.upheld} upheld." if each is not None else ".")
        )
    if report.repeats is not None:
        yield f"Repeats (same person and category within 180 days): {_count(report.repeats)}."
    yield (
        f"Improvement actions opened: {report.improvements}, all of them open; "
        f"{report.improvements_overdue} past their day."
    )
    yield ""


def _count(share: Share) -> str:
    return f"{share.hits} of {share.of}"


def _percent(value: float | None) -> str:
    return "too few" if value is None else f"{value * 100:.1f} %"


_VOLUMES = {
    "category": "By category",
    "channel": "By channel",
    "language": "By language",
    "priority": "By priority",
    "state": "By state",
    "close_code": "Closed, by code",
}


def as_markdown(report: Monitoring, zone: str, pictures: Mapping[str, str] | None = None) -> str:
    """The whole report; dates and times as the organisation's clocks show them.

    `pictures` are files beside the page, by what they show.
    """
    return (
        "\n".join(
            [
                *_head(report, zone),
                *(f"![{title}]({file})\n" for title, file in (pictures or {}).items()),
                *_shares(report),
                *_durations(report),
                *_backlog(report, zone),
                *_volume(report),
                *people(report),
                *_without_incidents(report),
                *_integrity(report),
                *_misses(report),
                *_not_counted(),
                *_formulas(),
            ]
        )
        + "\n"
    )


def _head(report: Monitoring, zone: str) -> Iterator[str]:
    first = wall(report.period.start, zone)
    last = wall(report.period.end - timedelta(microseconds=1), zone)
    apart = [f"{n} {kind.replace('_', ' ')}" for kind, n in report.other_kinds.items()]
    if report.simulations:
        apart.append(f"{report.simulations} simulated")
    if report.imported:
        apart.append(f"{report.imported} imported from before")
    yield "# Monitoring (ISO 10002, 8.4)"
    yield ""
    yield (
        f"Complaints received from {first:%d %B %Y} to {last:%d %B %Y}, as of {_moment(report.as_of, zone)}: "
        f"**{report.received}**."
    )
    if apart:
        yield f"Counted apart: {', '.join(apart)}."
    yield f"Intervals are 95 % (Wilson). Shares of fewer than {FEWEST} are not shown."
    yield ""


def _shares(report: Monitoring) -> Iterator[str]:
    yield "## Figures"
    yield ""
    yield from table(
        ("figure", "share", "95 %", "count", "target", ""),
        (
            (
                _named(one),
                _percent(one.share.value),
                _between(one.share),
                _count(one.share),
                _goal(one.kpi.goal, percent=True),
                _VERDICTS[one.verdict],
            )
            for one in report.shares
        ),
    )


def _durations(report: Monitoring) -> Iterator[str]:
    yield "## Durations"
    yield ""
    yield "Kaplan-Meier, open complaints censored; – where so many have not ended yet."
    yield ""
    yield from table(
        ("duration", "median", "90 %", "elapsed, median", "90 %", "ended", "open", "target", ""),
        (
            (
                _named(one),
                _days(one.working_days.median, "bd"),
                _days(one.working_days.p90, "bd"),
                _days(one.days.median, "days"),
                _days(one.days.p90, "days"),
                str(one.working_days.ended),
                str(one.working_days.still_open),
                _goal(one.goal, percent=False),
                _VERDICTS[one.verdict],
            )
            for one in report.durations
        ),
    )


def _backlog(report: Monitoring, zone: str) -> Iterator[str]:
    backlog = report.backlog
    yield "## Backlog"
    yield ""
    yield (
        f"Open now, whenever received: **{backlog.overdue.of}**, of which {backlog.overdue.hits} overdue "
        f"({_percent(backlog.overdue.value)})."
    )
    yield f"Past the legal maximum: {backlog.past_legal} (target 0: {_VERDICTS[backlog.past_legal_verdict]})."
    if backlog.oldest is not None:
        oldest = backlog.oldest
        yield f"Oldest: {oldest.ref}, received {_moment(oldest.received_at, zone)}, {many(oldest.days, 'day')} ago."
    yield ""
    rows, since = [], 0
    for band in backlog.bands:
        age = f"over {since - 1} days" if band.days is None else f"{since} to {band.days} days"
        rows.append((age, str(band.overdue.of), str(band.overdue.hits), _percent(band.overdue.value)))
        since = since if band.days is None else band.days + 1
    yield from table(("age", "open", "overdue", "share"), rows)


def _volume(report: Monitoring) -> Iterator[str]:
    yield "## Volume"
    yield ""
    for name, title in _VOLUMES.items():
        counts = report.volume.get(name, {})
        if counts:
            yield (
                f"{title}: "
                + ", ".join(f"{value.replace('_', ' ')} {n}" for value, n in counts.items())
                + "."
            )
            yield ""


def _without_incidents(report: Monitoring) -> Iterator[str]:
    """Only what an incident moved: the rest says the same."""
    if not report.incidents:
        return
    yield "## Without incidents"
    yield ""
    yield (
        f"Incidents with complaints of the period: {report.incident_count}; complaints that belong to one: "
        f"{report.incidents}. Without these:"
    )
    yield ""
    outside = {(one.key, one.group): one for one in report.without_incidents}
    yield from table(
        ("figure", "with", "without", "count without"),
        (
            (_named(one), _percent(one.share.value), _percent(other.share.value), _count(other.share))
            for one in report.shares
            if (other := outside.get((one.key, one.group))) is not None and other.share != one.share
        ),
    )


def _integrity(report: Monitoring) -> Iterator[str]:
    found = report.integrity
    yield "## Integrity"
    yield ""
    yield f"Complaints with a mandatory field empty: {found.lacking} (target 0)."
    if found.proof is None:
        yield "The chain of events was not checked for this report: run `amends db verify`."
    elif found.proof.first_bad is None:
        yield f"The chain is whole: {found.proof.entries} entries checked."
    else:
        ref, seq, wrong = found.proof.first_bad
        yield f"**The chain is broken** at {ref}, event {seq}: {wrong}."
    yield ""


def _not_counted() -> Iterator[str]:
    yield "## Not counted"
    yield ""
    yield "The record does not yield these yet:"
    yield ""
    for name, why in NOT_YIELDED.items():
        yield f"- **{name}**: {why}."
    yield ""


def _misses(report: Monitoring) -> Iterator[str]:
    if report.safety_misses:
        yield "## Safety seen only by a person"
        yield ""
        yield "Neither model nor rules had raised these: " + ", ".join(report.safety_misses) + "."
        yield ""


def _formulas() -> Iterator[str]:
    yield "## How each figure is counted"
    yield ""
    alone = (REPEAT, HANDLERS_APART, BACKLOG_OVERDUE, PAST_LEGAL, EMPTY_FIELDS, CHAIN)
    for kpi in (*SHARES.values(), *DURATIONS.values(), *SCORES.values(), *alone):
        yield f"- **{kpi.title}**: {kpi.formula}."


def _named(one: ShareFigure | DurationFigure) -> str:
    return one.kpi.title if one.group is None else f"{one.kpi.title}, {one.group}"


def _between(share: Share) -> str:
    if share.interval is None:
        return "–"
    low, high = share.interval
    return f"{low * 100:.1f} – {high * 100:.1f} %"


def _days(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}" if unit == "days" else f"{value:.0f} {unit}"


def _goal(goal: Goal | None, *, percent: bool) -> str:
    if goal is None:
        return "report"
    sign, bound = ("≥", goal.at_least) if goal.at_least is not None else ("≤", goal.at_most)
    return f"{sign} {bound:.0%}".replace("%", " %") if percent else f"{sign} {bound:g} bd"


def _moment(at: datetime, zone: str) -> str:
    return f"{wall(at, zone):%a %d %b %Y %H:%M}"
