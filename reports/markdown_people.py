"""The part of the monitoring page about people: satisfaction, equal treatment, who decided how, redress."""

from __future__ import annotations

from collections.abc import Iterator

from reports.kpis import Verdict
from reports.many import many
from reports.markdown_table import table
from reports.monitoring import Monitoring
from reports.proportions import Share

_VERDICTS = {
    Verdict.MET: "met",
    Verdict.NOT_MET: "**not met**",
    Verdict.TOO_FEW: "too few",
    Verdict.REPORT: "–",
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
