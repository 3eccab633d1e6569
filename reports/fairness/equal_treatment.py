"""Equal treatment (4.5): is anybody treated otherwise for the language, the channel, or a support need?

Each group is compared with all others of its kind. Members of staff are not compared here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from math import sqrt
from statistics import NormalDist

from complaints.measures.row import UPHELD, observations_of, read_details, read_marks, read_pending
from complaints.vocabulary import ContactKind
from reports.breakdowns import CONFIDENCE, EqualTreatmentCount, Gap
from reports.document import (
    Cell,
    Chart,
    ChartKind,
    Estimate,
    KeyFigure,
    Label,
    MeasureUnit,
    Report,
    Section,
    Table,
    text,
)
from reports.shared_tables import LOOK, columns
from reports.statistics import FEWEST, Share, student_quantile, survival
from reports.tally import Measured, Period

#: Working days that are compared. Up to 20 the interval covers 93 to 97 % in simulations; up to 40 only 89 to 96 %.
HORIZON = 20


@dataclass
class Durations:
    """Durations in whole working days that ended, and those that only stopped or still run."""

    ended: Counter[int] = field(default_factory=Counter)
    censored: Counter[int] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return self.ended.total() + self.censored.total()

    @property
    def median(self) -> float | None:
        if self.ended.total() < FEWEST:
            return None
        return survival(self.ended.elements(), self.censored.elements()).median

    @property
    def watched(self) -> int:
        """Up to which day the curve is known: the last open complaint ends it, unless all had ended before."""
        last = max(self.censored, default=0)
        return HORIZON if last <= max(self.ended, default=0) else last

    def restricted_mean(self, horizon: int) -> tuple[float, float]:
        """The mean of the days up to the horizon, and the variance of that mean (Greenwood)."""
        at_risk, curve, steps = self.number, [1.0], list[tuple[int, float]]()
        for day in range(horizon):
            ended = self.ended[day]
            if at_risk > ended > 0:
                steps.append((day, ended / (at_risk * (at_risk - ended))))
            curve.append(curve[-1] * (1 - ended / at_risk) if at_risk else curve[-1])
            at_risk -= ended + self.censored[day]
        total = self.ended.total()
        variance = sum(sum(curve[day + 1 :]) ** 2 * part for day, part in steps)
        return sum(curve[1:]), variance * total / max(1, total - 1)


@dataclass(frozen=True)
class DurationGap:
    """One group against the others; None for too few. `comparisons` are made together, as in `Gap`."""

    of: str
    group: str
    here: Durations
    others: Durations
    comparisons: int = 1
    measure: str = "time"

    @cached_property
    def _means(self) -> tuple[float, float, float] | None:
        """The difference, its standard error, and its degrees of freedom."""
        groups = (self.here, self.others)
        if min(group.ended.total() for group in groups) < FEWEST:
            return None
        horizon = min(HORIZON, *(group.watched for group in groups))
        (here, own), (others, other) = (group.restricted_mean(horizon) for group in groups)
        parts = own**2 / (self.here.number - 1) + other**2 / (self.others.number - 1)
        return here - others, sqrt(own + other), (own + other) ** 2 / parts if parts else 1.0

    @property
    def difference(self) -> float | None:
        """How many working days longer the group waited on average."""
        return None if self._means is None else self._means[0]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The simultaneous 95 % interval of the difference."""
        if self._means is None:
            return None
        value, error, freedom = self._means
        half = student_quantile(1 - (1 - CONFIDENCE) / (2 * self.comparisons), freedom) * error
        return value - half, value + half

    @property
    def flagged(self) -> bool:
        """True if chance does not explain it: neither the interval nor the log-rank test (Mantel, 1966) does."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return False
        here, total = self.here.number, self.here.number + self.others.number
        excess = variance = 0.0
        for day in range(max(self.here.ended | self.others.ended) + 1):
            ended = self.here.ended[day] + self.others.ended[day]
            if total > 1:
                excess += self.here.ended[day] - ended * here / total
                variance += ended * here * (total - here) * (total - ended) / (total**2 * (total - 1))
            here -= self.here.ended[day] + self.here.censored[day]
            total -= ended + self.here.censored[day] + self.others.censored[day]
        p_value = 2 * NormalDist().cdf(-abs(excess) / sqrt(variance)) if variance else 1.0
        return p_value * self.comparisons <= 1 - CONFIDENCE


def duration_gaps(of: str, groups: Mapping[str, Durations]) -> list[DurationGap]:
    """Each group against all others of its kind; none where there is one group."""
    gaps = []
    for name, group in sorted(groups.items()) if len(groups) > 1 else ():
        rest = [other for key, other in groups.items() if key != name]
        ended = sum((other.ended for other in rest), Counter[int]())
        censored = sum((other.censored for other in rest), Counter[int]())
        gaps.append(DurationGap(of, name, group, Durations(ended, censored)))
    return gaps


AnyGap = Gap | DurationGap
#: The kinds of groups.
_KINDS = ("language", "channel", "support_need")
_DECIDED = "decided_in_time"


@dataclass
class TreatmentCount:
    """Counts of one pass, by kind and group."""

    received: int = 0
    shares: EqualTreatmentCount = field(default_factory=EqualTreatmentCount)
    times: Mapping[str, dict[str, Durations]] = field(
        default_factory=lambda: {kind: defaultdict(Durations) for kind in _KINDS}
    )

    def add(self, row: Measured, now: datetime) -> None:
        measures, calendar = row
        need = "told" if measures.support_need else "none_told"
        groups = zip(_KINDS, (measures.written_in or measures.language, measures.channel, need), strict=True)
        rounds = read_details(measures).get("surveys", ())
        hits = [("satisfied", process >= 4) for process, _, _ in rounds if process is not None]
        hits += [(_DECIDED, False) for key, _, _ in read_pending(measures.pending, now) if key == _DECIDED]
        hits += [(_DECIDED, hit) for hit in _decided(measures.marks)]
        hits += [("upheld", measures.outcome in UPHELD)] if measures.outcome is not None else []
        _, _, wait = next(observations_of(measures, {}, calendar, now))
        for kind, group in groups:
            durations = self.times[kind][group]
            (durations.ended if wait.ended else durations.censored)[wait.working_days] += 1
            for measure, hit in hits:
                counts = self.shares.groups[kind, group, measure]
                counts[0] += hit
                counts[1] += 1

    def gaps(self) -> list[AnyGap]:
        """Every comparison; together their intervals hold in 95 % of reports (Bonferroni)."""
        gaps: list[AnyGap] = [*self.shares.gaps()]
        gaps += (gap for kind, groups in self.times.items() for gap in duration_gaps(kind, groups))
        groups = Counter((gap.of, gap.measure) for gap in gaps)
        # Of two groups the second comparison is the mirror of the first.
        first = {(gap.of, gap.measure): gap.group for gap in reversed(gaps)}
        return simultaneous(
            [
                gap
                for gap in gaps
                if groups[gap.of, gap.measure] > 2 or gap.group == first[gap.of, gap.measure]
            ]
        )


@lru_cache(maxsize=4096)
def _decided(marks: str) -> tuple[bool, ...]:
    return tuple(hit for key, _, hit in read_marks(marks) if key == _DECIDED)


def simultaneous(gaps: Sequence[AnyGap]) -> list[AnyGap]:
    """The comparisons with as wide intervals as all of them together need."""
    number = max(1, sum(gap.difference is not None for gap in gaps))
    return [replace(gap, comparisons=number) for gap in gaps]


def equal_treatment(rows: Iterable[Measured], period: Period, now: datetime) -> Report:
    """The report of the complaints received in the period; simulated and imported ones are left out."""
    count = TreatmentCount()
    for row in rows:
        if not is_received(row, period):
            continue
        count.received += 1
        if not row[0].is_history:
            count.add(row, now)
    gaps = count.gaps()
    compared = sum(gap.difference is not None for gap in gaps)
    flagged = sum(gap.flagged for gap in gaps)
    method = ("groups", "shares", "times", "correction", "look", "staff")
    return Report(
        "equal_treatment",
        "4.5",
        text("equal.title"),
        now,
        period,
        summary=(text("equal.flagged", flagged) if compared else text("equal.too_few", fewest=FEWEST),),
        figures=(
            KeyFigure("received", text("equal.received"), count.received),
            KeyFigure("compared", text("equal.compared"), compared),
        ),
        sections=tuple(_section(kind, [gap for gap in gaps if gap.of == kind]) for kind in _KINDS),
        method=(
            Section(
                "method",
                text("equal.method"),
                items=tuple(text(f"equal.method.{name}", days=HORIZON) for name in method),
            ),
        ),
    )


def is_counted(row: Measured, period: Period) -> bool:
    """Whether reports compare it: received in the period, a complaint, and neither simulated nor imported."""
    return is_received(row, period) and not row[0].is_history


def is_received(row: Measured, period: Period) -> bool:
    """Whether it is a complaint that was received in the period, and not simulated."""
    measures = row[0]
    is_complaint = measures.kind == ContactKind.COMPLAINT and not measures.is_simulation
    return is_complaint and period.holds(measures.received_at)


def _section(kind: str, gaps: Sequence[AnyGap]) -> Section:
    heads = columns("equal.column", "group", "figure", "here", "others", "difference", "verdict")
    tables, charts = [], []
    for name, of_type in (("shares", Gap), ("times", DurationGap)):
        rows = tuple((_group(gap), *gap_cells(gap)) for gap in gaps if isinstance(gap, of_type))
        tables.append(Table(f"{kind}_{name}", text(f"equal.{name}"), heads, rows))
        if of_type is DurationGap and len(rows) > 1:
            title, table = text("equal.times"), tables[-1].id
            charts.append(Chart(table, title, ChartKind.DOTS, table, "group", ("difference",), target=0))
    return Section(kind, text(f"equal.{kind}"), tables=tuple(tables), charts=tuple(charts))


def _group(gap: AnyGap) -> Cell:
    return text(f"equal.group.{gap.group}") if gap.of == "support_need" else Label(gap.of, gap.group)


def gap_cells(gap: AnyGap) -> tuple[Cell, ...]:
    """What is compared, both sides, their difference with its interval, and whether to look."""
    low, high = gap.interval or (None, None)
    unit = MeasureUnit.POINTS if isinstance(gap, Gap) else MeasureUnit.WORKING_DAYS
    difference = Estimate(gap.difference, unit, low=low, high=high)
    mark = LOOK if gap.flagged else None
    return text(f"equal.figure.{gap.measure}"), _side(gap.here), _side(gap.others), difference, mark


def _side(side: Share | Durations) -> Cell:
    return side if isinstance(side, Share) else Estimate(side.median, MeasureUnit.WORKING_DAYS, 0)
