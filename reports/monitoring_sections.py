"""The sections of the monitoring report: timeliness, volume, trend, backlog, people, redress, integrity."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from complaints.measures.clocks import ALL
from complaints.times import local_time
from reports.breakdowns import Gap
from reports.document import (
    CalendarMonth,
    Cell,
    Chart,
    ChartKind,
    Colleague,
    Column,
    Estimate,
    Label,
    MeasureUnit,
    Money,
    Ref,
    Section,
    Sentence,
    Table,
    Verbatim,
    Week,
    text,
)
from reports.integrity import Integrity
from reports.kpis import SHARES, DurationFigure, ShareFigure
from reports.monitoring import Monitoring
from reports.shared_tables import LOOK, columns, count_table, target_cell, verdict_mark
from reports.statistics import Share
from reports.tally import GROUPED_BY, GROUPED_FIGURES, NOBODY, NOT_ASSESSED, NOT_DETECTED

#: Columns of one table of the trend after the month: more are not readable on a page.
_TREND_COLUMNS = 4
#: Where the labels of each count are; a priority is its own label.
_FAMILIES: Mapping[str, str] = {
    "category": "category", "channel": "channel", "language": "language", "written_in": "language",
    "state": "state", "close_code": "close_code", "warnings_overruled": "warned",
    "drawn_but_not_read": "monitoring.unread", "severity": "severity", "product": "product", "branch": "branch",
}  # fmt: skip
_NONE = {NOT_ASSESSED: "not_assessed", NOT_DETECTED: "not_detected", NOBODY: "nobody"}
#: Names of groups in the record, and the ends of their texts' ids.
_GROUPS = {
    ALL: "all", "answered": "answered", "not answered": "not_answered", "upheld": "upheld",
    "not upheld": "not_upheld", "told": "support_need", "none told": "no_support_need",
}  # fmt: skip
#: The figures whose groups are questions of a form, and how the names of its fields begin.
_QUESTIONS = {"decision_questions": "field.check_", "objectivity": "field.review_"}


def figure_title(key: str, group: str | None) -> Sentence:
    """The title of a figure, with its group."""
    title = text(f"kpi.{key}")
    if group is None:
        return title
    if key in _QUESTIONS:
        words: Cell = text(f"{_QUESTIONS[key]}{group}")
    elif group.startswith("level "):
        words = text("monitoring.level", level=int(group.removeprefix("level ")))
    else:
        words = text(f"monitoring.group.{_GROUPS[group]}") if group in _GROUPS else Verbatim(group)
    return text("monitoring.of_group", figure=title, group=words)


def _timeliness(figures: Monitoring, zone: str) -> Iterator[Section]:
    heads = columns("report.column", "figure", "share", "target", "verdict")
    counted = [figure for figure in figures.shares if figure.share.of]
    with_goal = [figure for figure in counted if figure.kpi.goal is not None]
    others = [figure for figure in counted if figure.kpi.goal is None]
    empty: tuple[Cell, ...] = tuple(
        figure_title(figure.key, figure.group) for figure in figures.shares if not figure.share.of
    )
    dots = Chart(
        "shares",
        text("monitoring.chart.shares"),
        ChartKind.DOTS,
        "shares",
        "figure",
        ("share",),
        target="target",
    )
    yield Section(
        "figures",
        text("monitoring.figures"),
        notes=(text("monitoring.nothing_to_count", figures=empty),) if empty else (),
        tables=(
            Table("shares", text("monitoring.shares_with_target"), heads, tuple(map(_share_row, with_goal))),
            Table(
                "other_shares",
                text("monitoring.other_shares"),
                heads[:2],
                tuple(_share_row(figure)[:2] for figure in others),
            ),
        ),
        charts=(dots,),
        new_page=True,
    )
    yield _durations(figures)


def _share_row(figure: ShareFigure) -> tuple[Cell, ...]:
    goal = target_cell(figure.kpi.goal)
    return figure_title(figure.key, figure.group), figure.share, goal, verdict_mark(figure.verdict)


def _durations(figures: Monitoring) -> Section:
    heads = columns("monitoring.column", "duration", "median", "most", "median_days", "ended", "still_open")
    heads += columns("report.column", "target", "verdict")
    waits = figures.person_requests
    notes = []
    if waits.requests:
        notes.append(text("monitoring.persons", waits.requests, met=waits.met))
    if waits.mean_wait is not None:
        minutes = Estimate(waits.mean_wait.total_seconds() / 60, MeasureUnit.MINUTES)
        notes.append(text("monitoring.persons_wait", wait=minutes))
    rows = tuple(map(_duration_row, figures.durations))
    table = Table(
        "durations", text("monitoring.durations"), heads, rows, (text("monitoring.durations_note"),)
    )
    return Section("durations", text("monitoring.durations"), tuple(notes), (table,))


def _duration_row(figure: DurationFigure) -> tuple[Cell, ...]:
    days = figure.working_days
    low, high = days.median_interval or (None, None)
    return (
        figure_title(figure.key, figure.group),
        None if days.median is None else Estimate(days.median, MeasureUnit.PLAIN, 0, low, high),
        None if days.p90 is None else Estimate(days.p90, digits=0),
        None if figure.days.median is None else Estimate(figure.days.median),
        days.ended,
        days.still_open,
        target_cell(figure.goal, MeasureUnit.WORKING_DAYS),
        verdict_mark(figure.verdict),
    )


def _volume(figures: Monitoring, zone: str) -> Iterator[Section]:
    weeks = count_table(
        "weeks",
        text("monitoring.by_week"),
        [(Week(date.fromisoformat(monday)), number) for monday, number in figures.weeks.items()],
        "monitoring.column.week",
    )
    tables, charts = (
        [weeks],
        [Chart("volume", text("monitoring.by_week"), ChartKind.BAR, "weeks", "label", ("count",))],
    )
    for name, counts in figures.volume.items():
        # The figures by code have the numbers of the others.
        if counts and (name == "category" or name not in GROUPED_BY):
            rows = [(_code(name, value), number) for value, number in counts.items()]
            tables.append(count_table(name, text(f"monitoring.by.{name}"), rows, "monitoring.column.value"))
    if figures.volume.get("category"):
        title = text("monitoring.by.category")
        charts.append(Chart("categories", title, ChartKind.BAR, "category", "label", ("count",)))
    notes = []
    if figures.incidents:
        notes.append(text("monitoring.incidents", figures.incident_count, complaints=figures.incidents))
    yield Section(
        "volume",
        text("monitoring.volume"),
        notes=tuple(notes),
        tables=tuple(tables),
        charts=tuple(charts),
        new_page=True,
    )


def _by_code(figures: Monitoring, zone: str) -> Iterator[Section]:
    """The main figures by each family of codes that the complaints of the period have (8.4)."""
    heads = (
        *columns("monitoring.column", "value", "received"),
        *(Column(key, text(f"kpi.{key}")) for key in GROUPED_FIGURES),
    )
    tables = tuple(
        Table(
            f"by_{family}",
            text(f"monitoring.by.{family}"),
            heads,
            tuple((_code(family, row.code), row.received, *row.shares.values()) for row in rows),
        )
        for family, rows in figures.groups.items()
        if rows
    )
    if tables:
        yield Section("by_code", text("monitoring.by_code"), tables=tables)


def _code(name: str, value: str) -> Cell:
    if value in _NONE:
        return text(f"monitoring.{_NONE[value]}")
    if name == "level":
        return text("monitoring.level", level=int(value))
    return Label(_FAMILIES[name], value) if name in _FAMILIES else Verbatim(value)


def _trend(figures: Monitoring, zone: str) -> Iterator[Section]:
    if not figures.trend:
        return
    months = [CalendarMonth(local_time(month.start, zone).date()) for month in figures.trend]
    counts = Table(
        "trend",
        text("monitoring.trend_counts"),
        columns("monitoring.column", "month", "received", "open_at_end", "days_to_decision"),
        tuple(
            (name, month.received, month.open_at_end, _days(month.to_decision.median))
            for name, month in zip(months, figures.trend, strict=True)
        ),
    )
    lines = Chart(
        "trend",
        text("monitoring.trend_counts"),
        ChartKind.LINE,
        "trend",
        "month",
        ("received", "open_at_end"),
    )
    tables, charts = [counts], [lines]
    keys = [
        key for key, kpi in SHARES.items() if kpi.goal and any(key in month.shares for month in figures.trend)
    ]
    for number, start in enumerate(range(0, len(keys), _TREND_COLUMNS), 1):
        some = keys[start : start + _TREND_COLUMNS]
        heads = (*columns("monitoring.column", "month"), *(Column(key, text(f"kpi.{key}")) for key in some))
        rows = tuple(
            (name, *(_percent(month.shares.get(key)) for key in some))
            for name, month in zip(months, figures.trend, strict=True)
        )
        table = Table(f"trend_{number}", text("monitoring.trend_shares", part=number), heads, rows)
        tables.append(table)
        if "decided_in_time" in some:
            charts.append(_decided_line(table.id))
    yield Section(
        "trend", text("monitoring.trend"), tables=tuple(tables), charts=tuple(charts), new_page=True
    )


def _decided_line(table: str) -> Chart:
    key, goal = "decided_in_time", SHARES["decided_in_time"].goal
    target = None if goal is None else goal.at_least
    return Chart("decided", text(f"kpi.{key}"), ChartKind.LINE, table, "month", (key,), target=target)


def _percent(share: Share | None) -> Estimate | None:
    return None if share is None or not share.of else Estimate(share.value, MeasureUnit.SHARE)


def _days(value: float | None) -> Estimate | None:
    return None if value is None else Estimate(value, digits=0)


def _backlog(figures: Monitoring, zone: str) -> Iterator[Section]:
    backlog = figures.backlog
    notes = [text("monitoring.open", backlog.overdue.of, moment=backlog.as_of, overdue=backlog.overdue.hits)]
    if (oldest := backlog.oldest) is not None:
        notes.append(text("monitoring.oldest", oldest.days, ref=Ref(oldest.ref), received=oldest.received_at))
    rows, youngest = list[tuple[Cell, ...]](), 0
    for band in backlog.bands:
        age = (
            text("monitoring.older", days=youngest - 1)
            if band.days is None
            else text("monitoring.age", first=youngest, last=band.days)
        )
        rows.append((age, band.overdue.of, band.overdue.hits, band.overdue if band.overdue.of else None))
        youngest = youngest if band.days is None else band.days + 1
    table = Table(
        "backlog",
        text("monitoring.by_age"),
        columns("monitoring.column", "age", "open", "overdue", "share_overdue"),
        tuple(rows),
    )
    chart = Chart("backlog", text("monitoring.by_age"), ChartKind.BAR, "backlog", "age", ("open", "overdue"))
    yield Section("backlog", text("monitoring.backlog"), tuple(notes), (table,), (chart,))


def _satisfaction(figures: Monitoring, zone: str) -> Iterator[Section]:
    heads = columns("monitoring.column", "score", "mean", "four_or_five")
    rows = tuple(
        (
            figure_title(score.key, score.group),
            Estimate(score.mean, MeasureUnit.PLAIN, 2, *(score.interval or (None, None))),
            score.share,
            target_cell(score.kpi.goal if score.group is None else None, MeasureUnit.PLAIN),
            verdict_mark(score.verdict),
        )
        for score in figures.scores
        if score.share.of
    )
    heads += columns("report.column", "target", "verdict")
    table = Table("satisfaction", text("monitoring.scores"), heads, rows)
    yield Section("satisfaction", text("monitoring.satisfaction"), tables=(table,))


def _equal_treatment(figures: Monitoring, zone: str) -> Iterator[Section]:
    if not figures.gaps:
        return
    heads = columns("monitoring.column", "group", "compared", "here", "others", "difference")
    heads += columns("report.column", "verdict")
    table = Table("equal_treatment", text("monitoring.gaps"), heads, tuple(map(_gap_row, figures.gaps)))
    yield Section(
        "equal_treatment", text("monitoring.equal_treatment"), (text("monitoring.gaps_note"),), (table,)
    )


def _gap_row(gap: Gap) -> tuple[Cell, ...]:
    group = (
        Label("language", gap.group)
        if gap.of == "language"
        else text(f"monitoring.group.{_GROUPS[gap.group]}")
    )
    low, high = gap.interval or (None, None)
    return (
        group,
        text(f"monitoring.compared.{gap.measure}"),
        gap.here,
        gap.others,
        Estimate(gap.difference, MeasureUnit.POINTS, low=low, high=high),
        LOOK if gap.flagged else None,
    )


def _owners(figures: Monitoring, zone: str) -> Iterator[Section]:
    if not figures.open_by_owner:
        return
    rows = [
        (text("monitoring.nobody") if owner == NOBODY else Colleague(owner), number)
        for owner, number in figures.open_by_owner.items()
    ]
    title = text("monitoring.by_owner")
    table = count_table("owners", title, rows, "monitoring.column.owner")
    yield Section("owners", title, tables=(table,), private=True)


def _redress(figures: Monitoring, zone: str) -> Iterator[Section]:
    redress = figures.redress
    heads = columns("monitoring.column", "promised", "paid", "per_upheld")
    rows = []
    for currency in sorted(redress.promised):
        promised, paid = redress.promised[currency], redress.paid[currency]
        average = promised / redress.upheld if redress.upheld else None
        rows.append(
            (
                Money(promised, currency),
                Money(paid, currency),
                None if average is None else Money(average, currency),
            )
        )
    notes = [text("monitoring.upheld", redress.upheld)]
    if not rows:
        notes.append(text("monitoring.no_money"))
    if figures.repeats is not None:
        notes.append(text("monitoring.repeats", share=figures.repeats))
    notes.append(text("monitoring.improvements", figures.improvements, overdue=figures.improvements_overdue))
    tables = (Table("redress", text("monitoring.money"), heads, tuple(rows)),) if rows else ()
    yield Section("redress", text("monitoring.redress"), tuple(notes), tables)


def chain_notes(integrity: Integrity) -> Iterator[Sentence]:
    """What the check of the chain found, or that it was not checked now and when it was last."""
    if integrity.proof is None:
        yield text("monitoring.chain_not_checked")
        if integrity.verified_before is not None:
            moment, size = integrity.verified_before
            yield text("audit.verified", moment=moment, size=size)
    elif integrity.proof.first_bad is None:
        yield text("monitoring.chain_whole", integrity.proof.entries)
    else:
        ref, number, problem = integrity.proof.first_bad
        yield text("monitoring.chain_broken", ref=Ref(ref), event=number, problem=Verbatim(problem))


def _integrity(figures: Monitoring, zone: str) -> Iterator[Section]:
    integrity = figures.integrity
    notes = [text("monitoring.empty_fields", integrity.incomplete), *chain_notes(integrity)]
    if figures.safety_misses:
        refs: Sequence[Cell] = tuple(Ref(ref) for ref in figures.safety_misses)
        notes.append(text("monitoring.safety_misses", len(refs), refs=tuple(refs)))
    yield Section("integrity", text("monitoring.integrity"), tuple(notes))


#: In the order of the report.
SECTIONS: tuple[Callable[[Monitoring, str], Iterator[Section]], ...] = (
    _timeliness, _volume, _by_code, _trend, _backlog, _satisfaction, _equal_treatment, _owners, _redress,
    _integrity,
)  # fmt: skip
