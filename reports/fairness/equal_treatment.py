"""Equal treatment (4.5): is anybody treated otherwise for the language, the channel, or a support need?

Each group is compared with all others of its kind. Members of staff are not compared here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from complaints.measures.row import UPHELD, observations_of, read_details, read_marks, read_pending
from complaints.vocabulary import ContactKind
from reports.breakdowns import EqualTreatmentCount, Gap
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
from reports.fairness.duration_gap import HORIZON, DurationGap, Durations, duration_gaps
from reports.shared_tables import LOOK, columns
from reports.statistics import FEWEST, Share
from reports.tally import Measured, Period

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
