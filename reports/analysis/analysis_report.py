"""The analysis as a report: what to act on first, then the tables and charts behind it (8.2)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from complaints.measures.report_counts import ALL_COMPLAINTS, Themes
from complaints.vocabulary import CauseClass
from reports.analysis.analysis_sections import (
    AnalysisInput,
    cause_section,
    change_section,
    code_cell,
    find_rates,
    pareto_section,
    people_section,
    per_thousand,
    rate_section,
    theme_section,
)
from reports.analysis.changes import CountChanges, find_changes
from reports.analysis.rates import Rate
from reports.document import Estimate, Label, Mark, MeasureUnit, Report, Section, Sentence, Tone, text
from reports.statistics import FEWEST, Share

#: Pareto: the codes that together have this share are to be looked at first.
MAJORITY = 0.8
#: Sentences of one kind on the first page.
_MOST_NAMED = 3


def build_analysis(values: AnalysisInput) -> Report:
    """The report of one period, compared with up to three years before it."""
    changes = find_changes(values.counts.days, values.first, values.last)
    rates = {family: find_rates(values, family) for family in ("product", "branch")}
    sections = (
        pareto_section(values),
        cause_section(values),
        *(
            rate_section(values, family, rows)
            for family, rows in rates.items()
            if rows or values.by_code(family)
        ),
        change_section(changes),
        people_section(values),
        *([theme_section(values.themes)] if values.themes else []),
    )
    summary = (
        *_received(values),
        *_named(changes),
        *_systemic(values),
        *_high_rates(rates),
        *_new_words(values.themes),
    )
    method = ("pareto", "causes", "rates", "spikes", "drifts", "people", "themes")
    return Report(
        kind="analysis",
        clause="8.2",
        title=text("analysis.title"),
        as_of=values.now,
        period=values.period,
        summary=summary,
        sections=sections,
        method=(
            Section(
                "method",
                text("analysis.title"),
                items=tuple(text(f"analysis.method.{id_}") for id_ in method),
            ),
        ),
        limits=tuple(_limits(values, changes, rates)),
    )


def _received(values: AnalysisInput) -> Iterator[Mark | Sentence]:
    number = values.received(ALL_COMPLAINTS, values.first, values.last)
    year = timedelta(days=364)  # the same weekdays
    before = values.received(ALL_COMPLAINTS, values.first - year, values.last - year)
    began = min(values.counts.days.get(ALL_COMPLAINTS, {}), default=values.last)
    if began <= values.first - year:
        yield text("analysis.summary.received_before", number, before=before)
    else:
        yield text("analysis.summary.received", number)
    codes = values.by_code("category")
    if number >= FEWEST and codes:
        first, total = 0, 0
        for _, count in codes.most_common():
            first, total = first + 1, total + count
            if total >= MAJORITY * codes.total():
                break
        share = Estimate(total / codes.total(), MeasureUnit.SHARE, 0)
        top = Label("category", codes.most_common(1)[0][0])
        yield text("analysis.summary.pareto", first, of=len(codes), share=share, top=top)


def _named(changes: CountChanges) -> Iterator[Mark | Sentence]:
    spikes = sorted(changes.spikes, key=lambda spike: spike.expected - spike.number)
    for spike in spikes[:_MOST_NAMED]:
        id_ = "analysis.summary.new_code" if spike.is_new else "analysis.summary.spike"
        yield Mark(
            Tone.BAD,
            text(
                id_,
                spike.number,
                code=code_cell(spike.code),
                day=spike.last_day,
                expected=Estimate(spike.expected, digits=0),
            ),
        )
    for drift in sorted(changes.drifts, key=lambda drift: drift.expected - drift.weekly)[:_MOST_NAMED]:
        yield Mark(
            Tone.BAD if drift.is_rise else Tone.GOOD,
            text(
                "analysis.summary.rise" if drift.is_rise else "analysis.summary.fall",
                code=code_cell(drift.code),
                weekly=Estimate(drift.weekly, digits=0),
                since=drift.since,
                expected=Estimate(drift.expected, digits=0),
            ),
        )
    if changes.tested and not spikes and not changes.drifts:
        yield Mark(Tone.GOOD, text("analysis.summary.no_change", changes.tested))


def _systemic(values: AnalysisInput) -> Iterator[Mark]:
    in_period = [row for row in values.counts.causes if row.in_period]
    total = sum(row.number for row in in_period)
    further = Counter[str]()
    for row in in_period:
        if row.cause_class != CauseClass.SINGLE and row.category:
            further[row.category] += row.number
    if total >= FEWEST and further:
        top, number = further.most_common(1)[0]
        share = Share(further.total(), total)
        yield Mark(
            Tone.WATCH, text("analysis.summary.systemic", number, share=share, top=Label("category", top))
        )


def _high_rates(rates: Mapping[str, list[Rate]]) -> Iterator[Mark]:
    for family, rows in rates.items():
        high = [row for row in rows if row.flagged and row.number * row.others[1] > row.others[0] * row.units]
        for row in high[:_MOST_NAMED]:
            yield Mark(
                Tone.WATCH,
                text(
                    "analysis.summary.rate",
                    code=Label(family, row.code),
                    rate=per_thousand(row),
                    others=Estimate(1000 * row.others[0] / row.others[1], MeasureUnit.PER_THOUSAND, 2),
                ),
            )


def _new_words(themes: Themes | None) -> Iterator[Mark]:
    # Without the words: a channel reads the first page, and not the section with them.
    if themes is not None and themes.themes:
        most = max(theme.recent for theme in themes.themes)
        yield Mark(Tone.WATCH, text("analysis.summary.theme", len(themes.themes), most=most))


def _limits(
    values: AnalysisInput, changes: CountChanges, rates: Mapping[str, list[Rate]]
) -> Iterator[Sentence]:
    complaints, measured = values.coverage
    if measured < complaints:
        yield text("analysis.limit.coverage", complaints - measured)
    if not changes.tested:
        yield text("analysis.limit.too_short")
    elif changes.seasonal < changes.tested:
        yield text("analysis.limit.no_season", changes.tested - changes.seasonal)
    if not any(rates.values()):
        yield text("analysis.limit.no_customers")
    if values.themes is None:
        yield text("analysis.limit.no_themes")
    elif not values.themes.is_complete:
        yield text("analysis.limit.themes", values.themes.recent, before=values.themes.before)
