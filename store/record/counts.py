"""Counts of many complaints for reports (8), from stored rows alone: the database counts, not we."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from complaints.measures.report_counts import (
    ALL_COMPLAINTS,
    FAMILIES,
    AnalysisCounts,
    CauseCount,
    CountedCode,
    MonthScores,
)
from complaints.measures.row import MEASURE_VERSION, CaseMeasures, read_details
from complaints.vocabulary import ContactKind, State
from store.database.errors import note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.record.measured import COUNTED, list_without_events
from store.tables import COMPLAINTS, MEASURES, TARGETS

_ROW = MEASURES.c
#: Imported complaints are among them: their days, codes and causes are as good as ours.
_COUNTED = (
    _ROW.rule == MEASURE_VERSION,
    _ROW.kind == ContactKind.COMPLAINT.value,
    _ROW.is_simulation.is_(False),
)


def count_for_analysis(
    tx: Tx, *, start: datetime, end: datetime, year_start: datetime, first_day: date, repeats: int
) -> AnalysisCounts:
    """The counts of a period, of the twelve months up to its end (`year_start`), and of days from `first_day`."""
    damaged = list_without_events(tx, start, end)
    for ref in damaged:
        note_damage(place("complaints", ref, "events"))
    counted = (*_COUNTED, _ROW.ref.not_in(damaged)) if damaged else _COUNTED
    in_year = (*counted, _ROW.received_at >= year_start, _ROW.received_at < end)
    return AnalysisCounts(
        days=_count_days(tx, first_day, end, counted),
        causes=_count_causes(tx, start, in_year),
        complainants=_count_complainants(tx, year_start, end),
        repeats=repeats,
    )


def _count_days(
    tx: Tx, first_day: date, end: datetime, counted: Sequence[ColumnElement[bool]]
) -> dict[CountedCode, dict[date, int]]:
    """Complaints by day and code. Those without a category yet are among all, and in no category."""
    days: dict[CountedCode, dict[date, int]] = defaultdict(dict)
    every_day: dict[date, int] = defaultdict(int)
    for family in FAMILIES:
        column = _ROW[family]
        # Every complaint has one row in the first family, with a category or without.
        present = () if family == FAMILIES[0] else (column.is_not(None),)
        query = (
            select(column, _ROW.received_on, func.count())
            .where(*counted, *present, _ROW.received_on >= first_day, _ROW.received_at < end)
            .group_by(column, _ROW.received_on)
        )
        for code, day, number in tx.connection.execute(query):
            if family == FAMILIES[0]:
                every_day[day] += number
            if code is not None:
                days[family, code][day] = number
    return {ALL_COMPLAINTS: dict(every_day), **days}


def _count_causes(
    tx: Tx, start: datetime, conditions: Sequence[ColumnElement[bool]]
) -> tuple[CauseCount, ...]:
    in_period = (_ROW.received_at >= start).label("in_period")
    key = (in_period, _ROW.category, _ROW.product, _ROW.cause_class)
    query = select(*key, func.count()).where(*conditions, _ROW.cause_class.is_not(None)).group_by(*key)
    return tuple(CauseCount(bool(row[0]), *row[1:]) for row in tx.connection.execute(query))


def _count_complainants(tx: Tx, start: datetime, end: datetime) -> dict[int, int]:
    """How many people made how many complaints."""
    columns = COMPLAINTS.c
    people = (
        select(func.count().label("complaints"))
        .where(
            columns.received_at >= start,
            columns.received_at < end,
            columns.kind == ContactKind.COMPLAINT.value,
            columns.is_simulation.is_(False),
        )
        .group_by(columns.complainant_id)
        .subquery()
    )
    query = select(people.c.complaints, func.count()).group_by(people.c.complaints)
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def count_legal_times(
    tx: Tx, start: datetime, end: datetime, rulebooks: Collection[str]
) -> dict[str, tuple[int, int]]:
    """For each rule of a due time: those met in time, and those met or overdue, of complaints received in the period.

    A version that a later one replaced is not counted, nor is what ended unanswered before it was due.
    """
    row, later = TARGETS.c, TARGETS.alias()
    replaced = exists().where(
        later.c.ref == row.ref,
        later.c.target == row.target,
        later.c.of == row.of,
        later.c.version > row.version,
    )
    is_late = and_(row.met_at.is_(None), row.internal_due < tx.now, COMPLAINTS.c.state != State.CLOSED.value)
    in_time = func.sum(case((row.met_at <= row.internal_due, 1), else_=0))
    query = (
        select(row.basis, in_time, func.count())
        .join(MEASURES, MEASURES.c.ref == row.ref)
        .join(COMPLAINTS, COMPLAINTS.c.ref == row.ref)
        .where(*COUNTED, MEASURES.c.received_at >= start, MEASURES.c.received_at < end)
        .where(MEASURES.c.rulebook_id.in_(rulebooks), ~replaced, or_(row.met_at.is_not(None), is_late))
        .group_by(row.basis)
    )
    counts: dict[str, tuple[int, int]] = {}
    for basis, hits, total in tx.connection.execute(query):
        rule = str(basis).partition(";")[0].partition(",")[0]
        before = counts.get(rule, (0, 0))
        counts[rule] = before[0] + int(hits), before[1] + int(total)
    return counts


_SCORES = (_ROW.process_score, _ROW.outcome_score)
_SUMS = [
    part
    for score in _SCORES
    for part in (func.sum(score), func.sum(case((score >= 4, 1), else_=0)), func.count(score))
]


def sum_month_scores(tx: Tx, bounds: Sequence[datetime]) -> list[MonthScores]:
    """The sums of the months between these moments. The columns have the last round; earlier ones are read too."""
    months = []
    for start, end in pairwise(bounds):
        received = (*COUNTED, _ROW.received_at >= start, _ROW.received_at < end)
        values = [value or 0 for value in tx.connection.execute(select(*_SUMS).where(*received)).one()]
        sums = [values[:3], values[3:]]
        # Finds every complaint with a second round, and some others with a list of two in their details.
        several = select(MEASURES).where(*received, _ROW.details.like('%"surveys":[[%],[%'))
        for row in map(CaseMeasures._make, tx.connection.execute(several)):
            for *scores, _ in read_details(row).get("surveys", ())[:-1]:
                for total, score in zip(sums, scores, strict=True):
                    if score is not None:
                        total[:] = total[0] + score, total[1] + (score >= 4), total[2] + 1
        process, outcome = sums
        months.append(MonthScores((process[0], process[1], process[2]), (outcome[0], outcome[1], outcome[2])))
    return months
