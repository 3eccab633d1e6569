"""The monitoring report as a Markdown page (8.4): verdicts first, and every formula named."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from complaints.times import local_time
from reports.breakdowns import Score
from reports.kpis import (
    BACKLOG_OVERDUE,
    CHAIN,
    DURATIONS,
    EMPTY_FIELDS,
    HANDLERS_APART,
    NOT_REPORTED,
    PAST_LEGAL,
    REPEAT,
    SCORES,
    SHARES,
    DurationFigure,
    Goal,
    ShareFigure,
    TargetVerdict,
)
from reports.monitoring import Monitoring
from reports.statistics import FEWEST, Share
from reports.words import in_words

_VERDICTS = {
    TargetVerdict.MET: "met",
    TargetVerdict.NOT_MET: "**not met**",
    TargetVerdict.TOO_FEW: "too few",
    TargetVerdict.REPORT: "–",
}
_VOLUMES = {
    "category": "By category",
    "channel": "By channel",
    "language": "By language of our letters",
    "written_in": "By language in which people write",
    "priority": "By priority",
    "state": "By state",
    "close_code": "Closed, by code",
    "warnings_overruled": "Letters sent although warned, by warning",
    "templates_unchanged": "Letters sent from a template as it is, by template and version",
    "templates_edited": "Letters sent from a template and changed before, by template and version",
    "drawn_but_not_read": "Decisions drawn but not read before sending, by reason",
}


def as_markdown(report: Monitoring, zone: str, pictures: Mapping[str, str] | None = None) -> str:
    """The whole report with dates and times in the zone; `pictures` has the image files by their titles."""
    lines = [
        *_shares(report),
        *_durations(report),
        *_backlog(report, zone),
        *_volume(report),
        *_trend(report, zone),
        *_people(report),
        *_without_incidents(report),
        *_integrity(report),
        *_misses(report),
        *_not_counted(),
        *_formulas(),
    ]
    images = (f"![{title}]({file})\n" for title, file in (pictures or {}).items())
    return "\n".join([*_head(report, zone), *images, *map(in_words, lines)]) + "\n"


def pluralise(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: `1 row`, `2 rows`, `1,200 rows`. Give an irregular `plural`."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def _head(report: Monitoring, zone: str) -> Iterator[str]:
    first = local_time(report.period.start, zone)
    last = local_time(report.period.end - timedelta(microseconds=1), zone)
    not_included = [f"{count} {kind.replace('_', ' ')}" for kind, count in report.other_kinds.items()]
    if report.simulations:
        not_included.append(f"{report.simulations} simulated")
    if report.imported:
        not_included.append(f"{report.imported} imported from before")
    yield "# Monitoring (ISO 10002, 8.4)\n"
    yield (
        f"Complaints received from {first:%d %B %Y} to {last:%d %B %Y}, as of {_moment(report.as_of, zone)}: "
        f"**{report.received}**."
    )
    if not_included:
        yield f"Counted apart: {', '.join(not_included)}."
    coverage = report.coverage
    if coverage is not None and coverage.measured < coverage.complaints:
        yield (
            f"Measured: {coverage.measured:,} of {coverage.complaints:,} complaints of the months below. The others "
            "are in the figures of the period, but not yet month by month: `amends db measure`."
        )
    yield f"Intervals are 95 % (Wilson). Shares of fewer than {FEWEST} are not shown.\n"


def _shares(report: Monitoring) -> Iterator[str]:
    yield "## Figures\n"
    yield from table(
        ("figure", "share", "95 %", "count", "target", ""),
        (
            (
                _title(figure),
                _percent(figure.share.value),
                _interval(figure.share),
                _count(figure.share),
                _goal(figure.kpi.goal, percent=True),
                _VERDICTS[figure.verdict],
            )
            for figure in report.shares
        ),
    )


def _durations(report: Monitoring) -> Iterator[str]:
    yield "## Durations\n"
    yield "Kaplan-Meier, open complaints censored; – where so many have not ended yet.\n"
    yield from table(
        ("duration", "median", "90 %", "elapsed, median", "90 %", "ended", "open", "target", ""),
        (
            (
                _title(figure),
                _days(figure.working_days.median, "bd"),
                _days(figure.working_days.p90, "bd"),
                _days(figure.days.median, "days"),
                _days(figure.days.p90, "days"),
                str(figure.working_days.ended),
                str(figure.working_days.still_open),
                _goal(figure.goal, percent=False),
                _VERDICTS[figure.verdict],
            )
            for figure in report.durations
        ),
    )
    waits = report.person_requests
    if waits.requests:
        mean = waits.mean_wait
        wait = "" if mean is None else f"; mean wait {mean.total_seconds() / 60:.1f} min"
        yield f"Requests for a person: {waits.requests}, answered {waits.met}{wait}."
        yield ""


def _backlog(report: Monitoring, zone: str) -> Iterator[str]:
    backlog = report.backlog
    yield "## Backlog\n"
    yield (
        f"Open {_moment(backlog.as_of, zone)}, whenever received: **{backlog.overdue.of}**, "
        f"of which {backlog.overdue.hits} overdue ({_percent(backlog.overdue.value)})."
    )
    yield f"Past the legal maximum: {backlog.past_legal} (target 0: {_VERDICTS[backlog.past_legal_verdict]})."
    if backlog.oldest is not None:
        oldest = backlog.oldest
        age = pluralise(oldest.days, "day")
        yield f"Oldest: {oldest.ref}, received {_moment(oldest.received_at, zone)}, open for {age}."
    yield ""
    rows, youngest = [], 0
    for band in backlog.bands:
        age = f"over {youngest - 1} days" if band.days is None else f"{youngest} to {band.days} days"
        rows.append((age, str(band.overdue.of), str(band.overdue.hits), _percent(band.overdue.value)))
        youngest = youngest if band.days is None else band.days + 1
    yield from table(("age", "open", "overdue", "share"), rows)


def _volume(report: Monitoring) -> Iterator[str]:
    yield "## Volume\n"
    for name, title in _VOLUMES.items():
        counts = report.volume.get(name, {})
        if counts:
            yield (
                f"{title}: "
                + ", ".join(f"{value.replace('_', ' ')} {count}" for value, count in counts.items())
                + "."
            )
            yield ""


def _trend(report: Monitoring, zone: str) -> Iterator[str]:
    if not report.trend:
        return
    yield "## Month by month\n"
    keys = [
        key for key, kpi in SHARES.items() if kpi.goal and any(key in month.shares for month in report.trend)
    ]
    yield from table(
        (
            "received in",
            "complaints",
            "open at the end",
            "days to decision, median",
            *(SHARES[key].title for key in keys),
        ),
        (
            (
                f"{local_time(month.start, zone):%B %Y}",
                f"{month.received:,}",
                f"{month.open_at_end:,}",
                _days(month.to_decision.median, "bd"),
                *(_percent(month.shares[key].value) if key in month.shares else "–" for key in keys),
            )
            for month in report.trend
        ),
    )


def _people(report: Monitoring) -> Iterator[str]:
    yield from _satisfaction(report)
    yield from _equal_treatment(report)
    yield from _handlers(report)
    yield from _redress(report)


def _satisfaction(report: Monitoring) -> Iterator[str]:
    yield "## Satisfaction\n"
    yield from table(
        ("score", "mean", "4 or more", "95 %", "surveys", "target", ""),
        (
            (
                _title(score),
                "too few" if score.mean is None else f"{score.mean:.2f}",
                _percent(score.share.value),
                _interval(score.share),
                str(score.share.of),
                f"≥ {score.kpi.goal.at_least:g}"
                if score.kpi.goal is not None and score.group is None
                else "report",
                _VERDICTS[score.verdict],
            )
            for score in report.scores
        ),
    )


def _equal_treatment(report: Monitoring) -> Iterator[str]:
    if not report.gaps:
        return
    yield "## Equal treatment\n"
    yield (
        "Each group against all others of its kind. Flagged where chance does not explain the difference; if all "
        "groups are alike, at most 5 % of reports flag one.\n"
    )
    yield from table(
        ("group", "figure", "here", "others", "difference", ""),
        (
            (
                f"{gap.of}: {gap.group}",
                gap.as_json()["title"],
                _count(gap.here),
                _count(gap.others),
                "too few" if gap.difference is None else f"{gap.difference * 100:+.1f} points",
                "**look**" if gap.flagged else "–",
            )
            for gap in report.gaps
        ),
    )


def _handlers(report: Monitoring) -> Iterator[str]:
    if not report.handlers:
        return
    yield "## By handler\n"
    yield (
        "Upheld, wholly or partly, at level 1. Flagged where the share is more than 15 points from that of all "
        "others and chance does not explain it; if all are alike, at most 5 % of reports flag one.\n"
    )
    yield from table(
        ("handler", "upheld", "share", ""),
        (
            (
                handler.id,
                _count(handler.upheld),
                _percent(handler.upheld.value),
                "**look**" if handler.apart else "–",
            )
            for handler in report.handlers
        ),
    )
    owners = ", ".join(f"{owner} {count}" for owner, count in report.open_by_owner.items())
    if owners:
        yield f"Open in the backlog, by owner: {owners}.\n"


def _redress(report: Monitoring) -> Iterator[str]:
    redress = report.redress
    yield "## Redress and repetition\n"
    if not redress.promised:
        yield f"No money was promised; upheld, wholly or partly: {pluralise(redress.upheld, 'complaint')}."
    for currency in sorted(redress.promised):
        average = redress.per_upheld(currency)
        yield (
            f"{currency}: promised {redress.promised[currency]:.2f}, paid {redress.paid[currency]:.2f}"
            + (f"; {average} for each of {redress.upheld} upheld." if average is not None else ".")
        )
    if report.repeats is not None:
        yield f"Repeats (same person and category within 180 days): {_count(report.repeats)}."
    yield (
        f"Improvement actions opened: {report.improvements}, all of them open; "
        f"{report.improvements_overdue} past their day."
    )
    yield ""


def _without_incidents(report: Monitoring) -> Iterator[str]:
    """Only the figures that change without the complaints of incidents."""
    if not report.incidents:
        return
    yield "## Without incidents\n"
    yield (
        f"Incidents with complaints of the period: {report.incident_count}; complaints that belong to one: "
        f"{report.incidents}. Without these:"
    )
    yield ""
    without = {(figure.key, figure.group): figure for figure in report.without_incidents}
    yield from table(
        ("figure", "with", "without", "count without"),
        (
            (_title(figure), _percent(figure.share.value), _percent(other.share.value), _count(other.share))
            for figure in report.shares
            if (other := without.get((figure.key, figure.group))) is not None and other.share != figure.share
        ),
    )


def _integrity(report: Monitoring) -> Iterator[str]:
    integrity = report.integrity
    yield "## Integrity\n"
    yield f"Complaints with a mandatory field empty: {integrity.incomplete} (target 0)."
    if integrity.proof is None:
        yield "The chain of events was not checked for this report: run `amends db verify`."
    elif integrity.proof.first_bad is None:
        yield f"The chain is whole: {integrity.proof.entries} entries checked."
    else:
        ref, seq, problem = integrity.proof.first_bad
        yield f"**The chain is broken** at {ref}, event {seq}: {problem}."
    if report.damaged:
        names = f": {', '.join(named)}" if (named := [ref for ref in report.damaged if ref]) else ""
        verb = "cannot be read and is" if len(report.damaged) == 1 else "cannot be read and are"
        yield f"**{pluralise(len(report.damaged), 'complaint')} {verb} in no figure**{names}. See `amends db verify`."
    yield ""


def _not_counted() -> Iterator[str]:
    yield "## Not counted\n"
    yield "The record does not yield these yet:\n"
    for title, reason in NOT_REPORTED.items():
        yield f"- **{title}**: {reason}."
    yield ""


def _misses(report: Monitoring) -> Iterator[str]:
    if report.safety_misses:
        yield "## Safety seen only by a person\n"
        yield "Neither model nor rules had raised these: " + ", ".join(report.safety_misses) + "."
        yield ""


def _formulas() -> Iterator[str]:
    yield "## How each figure is counted\n"
    other_kpis = (REPEAT, HANDLERS_APART, BACKLOG_OVERDUE, PAST_LEGAL, EMPTY_FIELDS, CHAIN)
    for kpi in (*SHARES.values(), *DURATIONS.values(), *SCORES.values(), *other_kpis):
        yield f"- **{kpi.title}**: {kpi.formula}."


def _title(figure: ShareFigure | DurationFigure | Score) -> str:
    return figure.kpi.title if figure.group is None else f"{figure.kpi.title}, {figure.group}"


def _interval(share: Share) -> str:
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


def _moment(moment: datetime, zone: str) -> str:
    return f"{local_time(moment, zone):%a %d %b %Y %H:%M}"


def _count(share: Share) -> str:
    return f"{share.hits} of {share.of}"


def _percent(value: float | None) -> str:
    return "too few" if value is None else f"{value * 100:.1f} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
