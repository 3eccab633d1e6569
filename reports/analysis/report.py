"""The analysis as a report: what to act on first, then the tables and charts behind it (8.2)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from complaints.measures.counts import ALL_COMPLAINTS, AnalysisCounts, CountedCode, Theme, Themes
from complaints.measures.months import month_bounds
from complaints.measures.row import Coverage
from complaints.rulebook import Calendar
from complaints.times import local_time
from complaints.vocabulary import CauseClass
from reports.analysis.changes import Changes, find_changes
from reports.analysis.control_charts import Point, c_chart, p_chart, u_chart
from reports.analysis.rates import Rate
from reports.document import (
    CalendarMonth,
    Cell,
    Chart,
    ChartKind,
    Column,
    Estimate,
    Label,
    Mark,
    MeasureUnit,
    Ref,
    Report,
    Section,
    Sentence,
    Table,
    Tone,
    Verbatim,
    Week,
    text,
)
from reports.statistics import FEWEST, Share
from reports.tally import Period

#: Pareto: the codes that together have this share are to be looked at first.
MAJORITY = 0.8
#: Rows of the tables by category; complaints with the same cause and product that make a recurrent problem.
_MOST_ROWS, RECURRENT_FROM = 12, 3
#: Weeks of a control chart, with those of the period, and points that are shown of them.
_CHART_WEEKS, _SHOWN_POINTS = 53, 26
#: Sentences of one kind on the first page.
_MOST_NAMED = 3
_WEEKDAYS = range(1, 8)


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
        return local_time(self.period.start, self.calendar.zone).date()

    @property
    def last(self) -> date:
        """The last day of the period, or today if it has not ended."""
        end = min(self.period.end - timedelta(microseconds=1), self.now)
        return local_time(end, self.calendar.zone).date()

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


def build_analysis(values: AnalysisInput) -> Report:
    """The report of one period, compared with up to three years before it."""
    changes = find_changes(values.counts.days, values.first, values.last)
    charts = _control_charts(values)
    rates = {family: _rates(values, family) for family in ("product", "branch")}
    sections = (
        _pareto(values),
        _causes(values),
        *(_rate_section(family, rows) for family, rows in rates.items() if rows),
        _changes(changes),
        *(_chart_section(name, points) for name, points in charts.items() if points),
        _times(values),
        _people(values),
        *([_themes(values.themes)] if values.themes else []),
    )
    summary = (
        *_received(values),
        *_named(changes),
        *_systemic(values),
        *_high_rates(rates),
        *_broken_limits(charts, values.first.replace(day=1)),
        *_new_words(values.themes),
    )
    method = ("pareto", "causes", "rates", "spikes", "drifts", "control", "people", "themes")
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


def _table(id_: str, columns: str, rows: Iterable[tuple[Cell, ...]]) -> Table:
    heads = tuple(Column(name, text(f"analysis.column.{name}")) for name in columns.split())
    return Table(id_, text(f"analysis.table.{id_}"), heads, tuple(rows))


def _chart(table: str, kind: ChartKind, label: str, *values: str, **more: str) -> Chart:
    return Chart(table, text(f"analysis.table.{table}"), kind, table, label, values, **more)


def _named_code(code: CountedCode) -> Sentence | Label:
    return text("analysis.all_complaints") if code == ALL_COMPLAINTS else Label(*code)


# --- the first page ---


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


def _named(changes: Changes) -> Iterator[Mark | Sentence]:
    spikes = sorted(changes.spikes, key=lambda spike: spike.expected - spike.number)
    for spike in spikes[:_MOST_NAMED]:
        id_ = "analysis.summary.new_code" if spike.is_new else "analysis.summary.spike"
        yield Mark(
            Tone.BAD,
            text(
                id_,
                spike.number,
                code=_named_code(spike.code),
                day=spike.last_day,
                expected=Estimate(spike.expected, digits=0),
            ),
        )
    for drift in sorted(changes.drifts, key=lambda drift: drift.expected - drift.weekly)[:_MOST_NAMED]:
        yield Mark(
            Tone.BAD if drift.is_rise else Tone.GOOD,
            text(
                "analysis.summary.rise" if drift.is_rise else "analysis.summary.fall",
                code=_named_code(drift.code),
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
                    rate=_per_thousand(row),
                    others=Estimate(1000 * row.others[0] / row.others[1], MeasureUnit.PER_THOUSAND, 2),
                ),
            )


def _broken_limits(charts: Mapping[str, list[Point]], first: date) -> Iterator[Mark]:
    for name, points in charts.items():
        broken = [point for point in points if point.rules and point.start >= first]
        if broken:
            rule = text(f"analysis.rule.{broken[-1].rules[0]}")
            chart = text(f"analysis.table.{name}")
            yield Mark(
                Tone.WATCH, text("analysis.summary.control", chart=chart, day=broken[-1].start, rule=rule)
            )


def _new_words(themes: Themes | None) -> Iterator[Mark]:
    for theme in themes.themes[:_MOST_NAMED] if themes else ():
        yield Mark(
            Tone.WATCH, text("analysis.summary.theme", theme.recent, words=_words(theme), before=theme.before)
        )


def _words(theme: Theme) -> Verbatim:
    return Verbatim(" · ".join(theme.words))


def _limits(values: AnalysisInput, changes: Changes, rates: Mapping[str, list[Rate]]) -> Iterator[Sentence]:
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


# --- the sections ---


def _pareto(values: AnalysisInput) -> Section:
    codes = values.by_code("category")
    total, running, rows = codes.total(), 0, []
    year = values.first - timedelta(days=365)
    for code, number in codes.most_common():
        running += number
        before = values.received(("category", code), year, values.first - timedelta(days=1))
        usual = Estimate(before * ((values.last - values.first).days + 1) / 365)
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


def _causes(values: AnalysisInput) -> Section:
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
                    product and Label("product", product),
                    Label("cause", cause),
                    number,
                )
                for (category, product, cause), number in recurrent
            ),
        ),
    )
    return Section("causes", text("analysis.section.causes"), tables=tables)


def _rates(values: AnalysisInput, family: str) -> list[Rate]:
    """Complaints of the period for each product or branch with a number of customers, the highest rate first."""
    codes = values.by_code(family)
    known = {code: units for (of, code), units in values.customers.items() if of == family}
    number, units = sum(codes[code] for code in known), sum(known.values())
    rows = [
        Rate(code, codes[code], of, (number - codes[code], units - of), max(1, len(known)))
        for code, of in known.items()
    ]
    return sorted(rows, key=lambda row: (-row.per_thousand, row.code))


def _per_thousand(row: Rate) -> Estimate:
    return Estimate(row.per_thousand, MeasureUnit.PER_THOUSAND, 2, *row.interval)


def _rate_section(family: str, rows: list[Rate]) -> Section:
    id_ = f"{family}_rates"
    look = Mark(Tone.WATCH, text("analysis.look"))
    table = _table(
        id_,
        f"{family} received customers rate look",
        (
            (
                Label(family, row.code),
                row.number,
                row.units,
                _per_thousand(row),
                look if row.flagged else None,
            )
            for row in rows
        ),
    )
    chart = _chart(id_, ChartKind.DOTS, family, "rate", flag="look")
    return Section(id_, text(f"analysis.section.{id_}"), tables=(table,), charts=(chart,))


def _changes(changes: Changes) -> Section:
    spikes = (
        (
            _named_code(spike.code),
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
            _named_code(drift.code),
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


def _control_charts(values: AnalysisInput) -> dict[str, list[Point]]:
    """Whole weeks and months up to the end of the period; the centre line is that of those before it."""
    days = values.counts.days.get(ALL_COMPLAINTS, {})
    after, first = values.last + timedelta(days=1), min(days, default=values.last)
    weeks = [_monday(after) - timedelta(weeks=number) for number in range(_CHART_WEEKS, 0, -1)]
    weeks = [week for week in weeks if week >= first]
    months = sorted({day.replace(day=1) for day in days if first <= day.replace(day=1)})
    # A month ends where the next begins; the last one of the record only with the period.
    ends = [*months[1:], after]
    lengths = [(month, (end - month).days) for month, end in zip(months, ends, strict=True) if end <= after]
    by_week, by_month, decided, upheld = (Counter[date]() for _ in range(4))
    for day, number in days.items():
        by_week[_monday(day)] += number
        by_month[day.replace(day=1)] += number
    for (hour, is_upheld), number in values.counts.decided_hours.items():
        week = _monday(local_time(hour, values.calendar.zone).date())
        decided[week] += number
        upheld[week] += number if is_upheld else 0
    before, before_month = _monday(values.first), values.first.replace(day=1)
    return {
        "c_chart": c_chart([(week, by_week[week]) for week in weeks], before),
        "u_chart": u_chart([(month, by_month[month], length) for month, length in lengths], before_month),
        "p_chart": p_chart([(week, upheld[week], decided[week]) for week in weeks], before),
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _chart_section(name: str, points: list[Point]) -> Section:
    unit = MeasureUnit.SHARE if name == "p_chart" else MeasureUnit.PLAIN
    rows = (
        (
            CalendarMonth(point.start) if name == "u_chart" else Week(point.start),
            point.number if name == "c_chart" else Estimate(point.value, unit),
            *(Estimate(value, unit) for value in (point.centre, point.low, point.high)),
            tuple(text(f"analysis.rule.{rule}") for rule in point.rules) or None,
        )
        for point in points[-_SHOWN_POINTS:]
    )
    label = "month" if name == "u_chart" else "week"
    table = _table(name, f"{label} value centre low high rules", rows)
    chart = _chart(
        name, ChartKind.LINE, label, "value", low="low", high="high", centre="centre", flag="rules"
    )
    return Section(name, text(f"analysis.table.{name}"), tables=(table,), charts=(chart,))


def _times(values: AnalysisInput) -> Section:
    zone, every_day = values.calendar.zone, values.counts.days.get(ALL_COMPLAINTS, {})
    in_period, in_year = ([Counter[int](), Counter[int]()] for _ in range(2))
    year = local_time(month_bounds(min(values.period.end, values.now), zone)[0], zone).date()
    for day, number in every_day.items():
        if values.first <= day <= values.last:
            in_period[0][day.isoweekday()] += number
        if year <= day <= values.last:
            in_year[0][day.isoweekday()] += number
    for moment, number in values.counts.received_hours.items():
        local = local_time(moment, zone)
        in_year[1][local.hour] += number
        if values.first <= local.date() <= values.last:
            in_period[1][local.hour] += number

    def rows(keys: Iterable[int], place: int, name: Callable[[int], Cell]) -> Iterator[tuple[Cell, ...]]:
        counts, usual = in_period[place], in_year[place]
        for key in keys:
            yield name(key), counts[key], Share(counts[key], counts.total()), Share(usual[key], usual.total())

    columns = "received share twelve_months"
    tables = (
        _table(
            "weekdays", f"weekday {columns}", rows(_WEEKDAYS, 0, lambda day: text(f"analysis.weekday.{day}"))
        ),
        _table("hours", f"hour {columns}", rows(range(24), 1, lambda hour: Verbatim(f"{hour:02}:00"))),
    )
    charts = (
        _chart("weekdays", ChartKind.BAR, "weekday", "received"),
        _chart("hours", ChartKind.BAR, "hour", "received"),
    )
    return Section("times", text("analysis.section.times"), tables=tables, charts=charts)


def _people(values: AnalysisInput) -> Section:
    """Who complains repeatedly, as numbers of people: nobody is named."""
    people = values.counts.complainants
    bands = ((1, 1), (2, 2), (3, 4), (5, 9), (10, None))
    total = sum(people.values())

    def row(low: int, high: int | None) -> tuple[Cell, ...]:
        number = sum(count for made, count in people.items() if low <= made <= (high or made))
        band = (
            text("analysis.band_open", low=low) if high is None else text("analysis.band", low=low, high=high)
        )
        return (low if low == high else band), Share(number, total)

    number = values.received(ALL_COMPLAINTS, values.first, values.last)
    repeats = text("analysis.repeats", share=Share(min(values.counts.repeats, number), number))
    table = _table("people", "complaints people", (row(*band) for band in bands))
    return Section("people", text("analysis.section.people"), notes=(repeats,), tables=(table,))


def _themes(themes: Themes) -> Section:
    rows = (
        (_words(theme), theme.recent, theme.before, tuple(Ref(ref) for ref in theme.refs))
        for theme in themes.themes
    )
    note = text("analysis.themes_read", themes.recent, before=themes.before)
    table = _table("themes", "words recent before examples", rows)
    return Section("themes", text("analysis.section.themes"), notes=(note,), tables=(table,))
