"""The tables and charts of the analysis (8.2)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from complaints.measures.report_counts import (
    ALL_COMPLAINTS,
    AnalysisCounts,
    CountedCode,
    Themes,
)
from complaints.measures.row import Coverage
from complaints.rulebook import Calendar
from complaints.times import local_time
from complaints.vocabulary import CauseClass
from reports.analysis.changes import CountChanges
from reports.analysis.rates import Rate
from reports.document import (
    Cell,
    Chart,
    ChartKind,
    Column,
    Estimate,
    Label,
    Mark,
    MeasureUnit,
    Ref,
    Section,
    Sentence,
    Table,
    Tone,
    Verbatim,
    text,
)
from reports.statistics import Share
from reports.tally import Period

#: Rows of the tables by category; complaints with the same cause and product that make a recurrent problem.
_MOST_ROWS, RECURRENT_FROM = 12, 3


@dataclass(frozen=True)
class AnalysisInput:
    """Everything that the report is computed from; `customers` has those of some products and branches."""

    counts: AnalysisCounts
    period: Period
    now: datetime
    calendar: Calendar
    coverage: Coverage
    customers: Mapping[CountedCode, int] = field(default_factory=dict)
    themes: Themes | None = None

    @property
    def first(self) -> date:
        return self.period.days(self.calendar.zone)[0]

    @property
    def last(self) -> date:
        """The last day of the period, or today if it has not ended."""
        return min(self.period.days(self.calendar.zone)[1], local_time(self.now, self.calendar.zone).date())

    def received(self, code: CountedCode, first: date, last: date) -> int:
        days = self.counts.days.get(code, {})
        return sum(number for day, number in days.items() if first <= day <= last)

    def by_code(self, family: str) -> Counter[str]:
        """Complaints of the period by code of this family."""
        numbers = {
            code: self.received((of, code), self.first, self.last)
            for of, code in self.counts.days
            if of == family
        }
        return Counter({code: number for code, number in numbers.items() if number})


def _table(id_: str, columns: str, rows: Iterable[tuple[Cell, ...]]) -> Table:
    heads = tuple(Column(name, text(f"analysis.column.{name}")) for name in columns.split())
    return Table(id_, text(f"analysis.table.{id_}"), heads, tuple(rows))


def _chart(table: str, kind: ChartKind, label: str, value: str) -> Chart:
    return Chart(table, text(f"analysis.table.{table}"), kind, table, label, (value,))


def code_cell(code: CountedCode) -> Sentence | Label:
    return text("analysis.all_complaints") if code == ALL_COMPLAINTS else Label(*code)


#: Days of record before the period, without which its usual number is not shown.
_FEWEST_DAYS = 84


def pareto_section(values: AnalysisInput) -> Section:
    codes = values.by_code("category")
    total, running, rows = codes.total(), 0, []
    began = min(values.counts.days.get(ALL_COMPLAINTS, {}), default=values.first)
    year = max(values.first - timedelta(days=365), began)
    recorded = (values.first - year).days
    for code, number in codes.most_common():
        running += number
        before = values.received(("category", code), year, values.first - timedelta(days=1))
        # Of a shorter record nothing is usual yet, and days before it are no days without complaints.
        length = (values.last - values.first).days + 1
        usual = Estimate(before * length / recorded) if recorded >= _FEWEST_DAYS else None
        rows.append(
            (
                Label("category", code),
                number,
                usual,
                Share(number, total),
                Estimate(running / total, MeasureUnit.SHARE),
            )
        )
    table = _table("pareto", "category received usual share cumulative", rows)
    chart = _chart("pareto", ChartKind.BAR, "category", "received")
    return Section("pareto", text("analysis.section.pareto"), tables=(table,), charts=(chart,))


def cause_section(values: AnalysisInput) -> Section:
    classes, year = Counter[str](), Counter[str]()
    by_category: dict[str, Counter[str]] = {}
    problems = Counter[tuple[str, str | None, str]]()
    for row in values.counts.causes:
        cause = str(row.cause_class)
        year[cause] += row.number
        if not row.in_period:
            continue
        classes[cause] += row.number
        if row.category:
            by_category.setdefault(row.category, Counter())[cause] += row.number
            if cause != CauseClass.SINGLE:
                problems[row.category, row.product, cause] += row.number
    largest = sorted(by_category.items(), key=lambda item: (-item[1].total(), item[0]))[:_MOST_ROWS]
    recurrent = [row for row in problems.most_common(_MOST_ROWS) if row[1] >= RECURRENT_FROM]
    tables = (
        _table(
            "causes",
            "cause in_period twelve_months",
            (
                (
                    Label("cause", cause),
                    Share(classes[cause], classes.total()),
                    Share(year[cause], year.total()),
                )
                for cause in map(str, CauseClass)
            ),
        ),
        _table(
            "cause_categories",
            "category decided single recurring systemic",
            (
                (
                    Label("category", code),
                    row.total(),
                    *(Share(row[cause], row.total()) for cause in map(str, CauseClass)),
                )
                for code, row in largest
            ),
        ),
        _table(
            "problems",
            "category product cause received",
            (
                (
                    Label("category", category),
                    Label("product", product) if product else None,
                    Label("cause", cause),
                    number,
                )
                for (category, product, cause), number in recurrent
            ),
        ),
    )
    return Section("causes", text("analysis.section.causes"), tables=tables)


def find_rates(values: AnalysisInput, family: str) -> list[Rate]:
    """Complaints of the period for each product or branch with a number of customers, the highest rate first."""
    codes = values.by_code(family)
    customers = {code: units for (of, code), units in values.customers.items() if of == family}
    number, total = sum(codes[code] for code in customers), sum(customers.values())
    rows = [
        Rate(code, codes[code], units, (number - codes[code], total - units), len(customers))
        for code, units in customers.items()
    ]
    return sorted(rows, key=lambda row: (-row.per_thousand, row.code))


def per_thousand(row: Rate) -> Estimate:
    return Estimate(row.per_thousand, MeasureUnit.PER_THOUSAND, 2, *row.interval)


def rate_section(values: AnalysisInput, family: str, rates: list[Rate]) -> Section:
    """Codes with a number of customers first; of the others only the complaints."""
    id_, look = f"{family}_rates", Mark(Tone.WATCH, text("analysis.look"))
    rows: list[tuple[Cell, ...]] = [
        (
            Label(family, rate.code),
            rate.number,
            rate.units,
            per_thousand(rate),
            look if rate.flagged else None,
        )
        for rate in rates
    ]
    others = values.by_code(family)
    for rate in rates:
        del others[rate.code]
    rows += [(Label(family, code), number, None, None, None) for code, number in others.most_common()]
    table = _table(id_, f"{family} received customers rate look", rows)
    charts = (_chart(id_, ChartKind.DOTS, family, "rate"),) if rates else ()
    return Section(id_, text(f"analysis.section.{id_}"), tables=(table,), charts=charts)


def change_section(changes: CountChanges) -> Section:
    spikes = (
        (
            code_cell(spike.code),
            spike.last_day,
            spike.number,
            Estimate(spike.expected),
            spike.limit,
            spike.since,
        )
        for spike in changes.spikes
    )
    drifts = (
        (
            code_cell(drift.code),
            text("analysis.rises" if drift.is_rise else "analysis.falls"),
            drift.since,
            Estimate(drift.weekly),
            Estimate(drift.expected),
            drift.signalled,
        )
        for drift in changes.drifts
    )
    tables = (
        _table("spikes", "code seven_days_to received expected limit signalled", spikes),
        _table("drifts", "code direction since weekly expected signalled", drifts),
    )
    return Section("changes", text("analysis.section.changes"), tables=tables)


def people_section(values: AnalysisInput) -> Section:
    """Who complains repeatedly, as numbers of people, without names."""
    people = values.counts.complainants
    bands = ((1, 1), (2, 2), (3, 4), (5, 9), (10, None))
    total = sum(people.values())

    def row(low: int, high: int | None) -> tuple[Cell, ...]:
        number = sum(
            count for complaints, count in people.items() if low <= complaints <= (high or complaints)
        )
        band = (
            text("analysis.band_open", low=low) if high is None else text("analysis.band", low=low, high=high)
        )
        return (low if low == high else band), Share(number, total)

    number = values.received(ALL_COMPLAINTS, values.first, values.last)
    repeats = text("analysis.repeats", share=Share(min(values.counts.repeats, number), number))
    table = _table("people", "complaints people", (row(*band) for band in bands))
    return Section("people", text("analysis.section.people"), notes=(repeats,), tables=(table,))


def theme_section(themes: Themes) -> Section:
    rows = (
        (Verbatim(" · ".join(theme.words)), theme.recent, theme.before, tuple(Ref(ref) for ref in theme.refs))
        for theme in themes.themes
    )
    note = text("analysis.themes_read", themes.recent, before=themes.before)
    table = _table("themes", "words recent before examples", rows)
    return Section("themes", text("analysis.section.themes"), notes=(note,), tables=(table,), private=True)
