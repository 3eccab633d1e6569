"""Satisfaction with the handling (8.3): what people answered, who answered, and whether they are like the others.

One unit is what one person answered after one closing; a reopened complaint has a round for each closing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from complaints.measures.report_counts import MonthScores
from complaints.measures.row import read_details, read_marks
from complaints.times import local_time
from reports.breakdowns import Gap, Score, ScoreCount
from reports.document import (
    CalendarMonth,
    Cell,
    Chart,
    ChartKind,
    Estimate,
    KeyFigure,
    Label,
    Mark,
    MeasureUnit,
    Report,
    Section,
    Table,
    text,
)
from reports.fairness.equal_treatment import (
    AnyGap,
    DurationGap,
    Durations,
    gap_cells,
    is_counted,
    simultaneous,
)
from reports.kpis import ShareFigure
from reports.monitoring import Month
from reports.shared_tables import columns, target_cell, verdict_mark
from reports.statistics import FEWEST, Share
from reports.tally import Measured, Period

#: What responders are compared by in addition to the time to the decision, and the labels of its values.
_TRAITS = {"category": "category", "outcome": "finding"}


@dataclass
class SurveyCount:
    """Counts of one pass; a trait is counted once for each survey that was sent."""

    simulations: int = 0
    scores: ScoreCount = field(default_factory=ScoreCount)
    by_language: dict[str, ScoreCount] = field(default_factory=lambda: defaultdict(ScoreCount))
    #: By trait and value: surveys answered, and surveys sent.
    sent: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    times: Mapping[bool, Durations] = field(default_factory=lambda: {True: Durations(), False: Durations()})

    def add(self, row: Measured) -> None:
        measures = row[0]
        language = measures.written_in or measures.language
        rounds = read_details(measures).get("surveys", ())
        self.scores.add(rounds)
        if rounds:
            self.by_language[language].add((process, outcome, None) for process, outcome, _ in rounds)
        traits = {"all": "", "language": language, "category": measures.category, "outcome": measures.outcome}
        # Marks are read for complaints that were surveyed.
        for key, _, is_answered in read_marks(measures.marks) if rounds else ():
            if key == "survey_response":
                for trait, value in traits.items():
                    if value is not None:
                        self.sent[trait, value][0] += is_answered
                        self.sent[trait, value][1] += 1
                if measures.decision_working_days is not None:
                    self.times[is_answered].ended[measures.decision_working_days] += 1

    def response(self, trait: str) -> dict[str, Share]:
        return {value: Share(*counts) for (name, value), counts in sorted(self.sent.items()) if name == trait}

    def differences(self) -> list[AnyGap]:
        """Responders against all others who were asked; values of fewer than ten surveys are left out."""
        gaps: list[AnyGap] = []
        for trait in _TRAITS:
            shares = self.response(trait)
            answered, total = (
                sum(share.hits for share in shares.values()),
                sum(share.of for share in shares.values()),
            )
            for value, share in shares.items():
                if share.enough:
                    silent = Share(share.of - share.hits, total - answered)
                    gaps.append(Gap(trait, value, trait, Share(share.hits, answered), silent))
        return simultaneous([*gaps, DurationGap("time", "", self.times[True], self.times[False])])


def satisfaction(
    rows: Iterable[Measured],
    period: Period,
    now: datetime,
    zone: str,
    months: Sequence[Month] = (),
    scores: Sequence[MonthScores] = (),
) -> Report:
    """The report of complaints received in the period; `scores` belong to the `months`, which are of this zone."""
    count = SurveyCount()
    for row in rows:
        if is_counted(row, period):
            count.add(row)
        else:
            count.simulations += row[0].is_simulation and period.holds(row[0].received_at)
    whole = count.response("all").get("", Share(0, 0))
    response = ShareFigure.of("survey_response", None, whole.hits, whole.of)
    results = count.scores.result()
    figures: list[tuple[str, Cell, Cell, Mark | None]] = [
        ("response", whole, target_cell(response.kpi.goal), verdict_mark(response.verdict))
    ]
    for score in results:
        if score.group is None:
            target = target_cell(score.kpi.goal, MeasureUnit.PLAIN)
            figures.append((score.key, _mean(score), target, verdict_mark(score.verdict)))
    figures.append(("simulations", count.simulations, None, None))
    method = ("unit", "questions", "share", "responders", "simulated", "months")
    return Report(
        "satisfaction",
        "8.3",
        text("satisfaction.title"),
        now,
        period,
        summary=(text("satisfaction.summary", whole.hits, sent=whole.of),),
        figures=tuple(
            KeyFigure(name, text(f"satisfaction.{name}"), value, target, mark)
            for name, value, target, mark in figures
        ),
        sections=(_scores(count, results), _responders(count), _months(months, scores, zone)),
        method=(
            Section(
                "method",
                text("satisfaction.method"),
                items=tuple(text(f"satisfaction.method.{name}") for name in method),
            ),
        ),
    )


def _mean(score: Score) -> Estimate:
    low, high = score.interval or (None, None)
    return Estimate(score.mean, digits=2, low=low, high=high)


def _scores(count: SurveyCount, results: Iterable[Score]) -> Section:
    names = {None: "all", "upheld": "upheld", "not upheld": "not_upheld"}
    by_outcome = [_score_row(score, text(f"satisfaction.group.{names[score.group]}")) for score in results]
    by_language = [
        _score_row(score, Label("language", language))
        for language, scores in sorted(count.by_language.items())
        for score in scores.result()
        if score.share.of
    ]
    heads = columns("satisfaction.column", "score", "group", "answers", "mean", "high")
    tables = (
        Table("by_outcome", text("satisfaction.by_outcome"), heads, tuple(by_outcome)),
        Table("by_language", text("satisfaction.by_language"), heads, tuple(by_language)),
    )
    return Section("scores", text("satisfaction.scores"), tables=tables)


def _score_row(score: Score, group: Cell) -> tuple[Cell, ...]:
    return text(f"satisfaction.{score.key}"), group, score.share.of, _mean(score), score.share


def _responders(count: SurveyCount) -> Section:
    rates = tuple((Label("language", value), share) for value, share in count.response("language").items())
    rows = tuple(
        (Label(_TRAITS[gap.of], gap.group) if gap.of in _TRAITS else None, *gap_cells(gap))
        for gap in count.differences()
    )
    heads = columns("satisfaction.column", "value", "trait", "answered", "silent", "difference", "verdict")
    tables = (
        Table(
            "rates", text("satisfaction.rates"), columns("satisfaction.column", "language", "response"), rates
        ),
        Table("responders", text("satisfaction.compared"), heads, rows),
    )
    note = text("satisfaction.responders_note", fewest=FEWEST)
    return Section("responders", text("satisfaction.responders"), (note,), tables)


def _months(months: Sequence[Month], scores: Sequence[MonthScores], zone: str) -> Section:
    rows = []
    for month, sums in zip(months, scores, strict=True):
        cells: list[Cell] = [CalendarMonth(local_time(month.start, zone).date())]
        cells.append(month.shares.get("survey_response", Share(0, 0)))
        for total, high, number in sums:
            mean = total / number if number >= FEWEST else None
            cells += [Estimate(mean, digits=2), Share(high, number)]
        rows.append(tuple(cells))
    names = ("month", "response", "process_mean", "process_high", "outcome_mean", "outcome_high")
    title, means = text("satisfaction.months"), ("process_mean", "outcome_mean")
    table = Table("months", title, columns("satisfaction.column", *names), tuple(rows))
    return Section(
        "months",
        title,
        tables=(table,),
        charts=(Chart("months", title, ChartKind.LINE, "months", "month", means),),
    )
