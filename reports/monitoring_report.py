"""The monitoring report (8.4): the figures of `reports.monitoring` in the order in which a board reads them."""

from collections.abc import Iterator

from reports.document import (
    Cell,
    Estimate,
    KeyFigure,
    Label,
    Mark,
    MeasureUnit,
    Report,
    Section,
    Sentence,
    Table,
    Tone,
    text,
)
from reports.kpis import DURATIONS, NOT_REPORTED, OTHERS, SCORES, SHARES, TargetVerdict
from reports.monitoring import Monitoring
from reports.monitoring_sections import SECTIONS, chain_notes, figure_title
from reports.shared_tables import columns, target_cell, verdict_mark
from reports.statistics import FEWEST

#: The first page shows the median time to a decision of this group, which has a target.
_MAIN_GROUP = ("time_to_decision", "P3")


def monitoring_report(figures: Monitoring, zone: str) -> Report:
    """The report on these figures; its months and weeks are those of the zone."""
    sections = (section for build in SECTIONS for section in build(figures, zone))
    return Report(
        kind="monitoring",
        clause="8.4",
        title=text("monitoring.title"),
        as_of=figures.as_of,
        period=figures.period,
        summary=tuple(_summary(figures)),
        figures=tuple(_key_figures(figures)),
        sections=tuple(sections),
        method=tuple(_method()),
        limits=tuple(_limits(figures)),
        damaged=figures.damaged,
        data=figures,
    )


def _summary(figures: Monitoring) -> Iterator[Sentence | Mark]:
    yield text("monitoring.received", figures.received)
    if figures.imported:
        yield text("monitoring.imported", figures.imported)
    backlog = figures.backlog
    yield text("monitoring.open", backlog.overdue.of, moment=backlog.as_of, overdue=backlog.overdue.hits)
    if backlog.past_legal:
        yield Mark(Tone.BAD, text("monitoring.past_legal", backlog.past_legal))
    verdicts = [figure.mark.tone for figure in _key_figures(figures) if figure.mark is not None]
    judged = [tone for tone in verdicts if tone is not Tone.NEUTRAL]
    if judged:
        met = judged.count(Tone.GOOD)
        tone = Tone.GOOD if met == len(judged) else Tone.BAD
        yield Mark(tone, text("monitoring.targets", len(judged), met=met))
    if looks := sum(gap.flagged for gap in figures.gaps):
        yield Mark(Tone.WATCH, text("monitoring.gaps_flagged", looks))
    apart: list[Cell] = [
        text("monitoring.other_kind", kind=Label("kind", kind), count=count)
        for kind, count in figures.other_kinds.items()
    ]
    if figures.simulations:
        apart.append(text("monitoring.simulated", figures.simulations))
    if apart:
        yield text("monitoring.apart", parts=tuple(apart))


def _key_figures(figures: Monitoring) -> Iterator[KeyFigure]:
    """Every figure with a target."""
    for share in figures.shares:
        if share.kpi.goal is not None and share.group in (None, "level 1"):
            goal, mark = target_cell(share.kpi.goal), verdict_mark(share.verdict)
            yield KeyFigure(share.key, text(f"kpi.{share.key}"), share.share, goal, mark)
    for duration in figures.durations:
        if (duration.key, duration.group) == _MAIN_GROUP:
            median = Estimate(duration.working_days.median, MeasureUnit.WORKING_DAYS, 0)
            value = median if median.value is not None else text("monitoring.not_reached")
            goal = target_cell(duration.goal, MeasureUnit.WORKING_DAYS)
            title = text("monitoring.median", figure=figure_title(duration.key, duration.group))
            yield KeyFigure(duration.key, title, value, goal, verdict_mark(duration.verdict))
    for score in figures.scores:
        if score.kpi.goal is not None and score.group is None:
            goal = target_cell(score.kpi.goal, MeasureUnit.PLAIN)
            mark = verdict_mark(score.verdict)
            yield KeyFigure(score.key, text(f"kpi.{score.key}"), Estimate(score.mean, digits=2), goal, mark)
    none = text("report.at_most", value=0)
    legal, empty = figures.backlog.past_legal, figures.integrity.incomplete
    legal_mark = verdict_mark(figures.backlog.past_legal_verdict)
    empty_mark = verdict_mark(TargetVerdict.NOT_MET if empty else TargetVerdict.MET)
    yield KeyFigure("past_legal", text("kpi.past_legal"), legal, none, legal_mark)
    yield KeyFigure("empty_fields", text("kpi.empty_fields"), empty, none, empty_mark)


def _limits(figures: Monitoring) -> Iterator[Sentence]:
    coverage = figures.coverage
    if coverage is not None and coverage.measured < coverage.complaints:
        yield text("monitoring.coverage", measured=coverage.measured, total=coverage.complaints)
    proof = figures.integrity.proof
    if proof is None or proof.first_bad is not None:
        yield from chain_notes(figures.integrity)


def _method() -> Iterator[Section]:
    yield Section(
        "method",
        text("monitoring.method"),
        (
            text("monitoring.method_intervals", fewest=FEWEST),
            text("monitoring.method_durations"),
            text("monitoring.method_gaps"),
        ),
    )
    kpis = {**SHARES, **DURATIONS, **SCORES, **OTHERS}
    rows = tuple((text(f"kpi.{key}"), text(f"kpi.{key}.how")) for key in kpis)
    table = Table(
        "formulas", text("monitoring.formulas"), columns("report.column", "figure", "counted"), rows
    )
    yield Section("formulas", text("monitoring.formulas"), tables=(table,))
    missing = tuple(
        text("monitoring.missing", figure=text(f"missing.{key}"), reason=text(f"missing.{key}.why"))
        for key in NOT_REPORTED
    )
    yield Section("not_counted", text("monitoring.not_counted"), items=missing)
