"""Read the measures of many complaints for reports (8.4), a page and a transaction at a time.

A complaint whose row is missing or outdated is computed from its events. One that lost events is left out and noted
as damage, as everywhere.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from complaints.history import CaseHistory
from complaints.measures.report_counts import MeasureGroup, MonthCounts, OpenMeasures
from complaints.measures.row import CLOSED, MEASURE_VERSION, CaseMeasures, Coverage, measure_history, stage_at
from complaints.rulebook import Calendar
from complaints.vocabulary import ContactKind, State
from store.database.errors import note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.record.load import load_many
from store.record.measures import IS_CURRENT
from store.rulebooks import load_rulebook
from store.tables import COMPLAINTS, EVENTS, MEASURES

#: Rows of one transaction: about a tenth of a second, so that a report of a million holds up no one.
PAGE = 5_000

#: Complaints that are loaded together where their rows are missing.
COMPUTED = 200
#: Where a page ended: reception time and reference of its last complaint.
After = tuple[datetime, str]
#: Before and after every complaint.
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999))
#: The measures of a page with the calendars of their rules, and where the next page starts; None after the last one.
MeasuredPage = tuple[list[tuple[CaseMeasures, Calendar]], After | None]
_COLUMNS = COMPLAINTS.c
_OPEN = [state.value for state in State if state is not State.CLOSED]
_ROW = MEASURES.c
_MICROSECOND = timedelta(microseconds=1)
#: Complaints that count as received, and of these the ones that this desk handled: only they have times and targets.
RECEIVED = (
    _ROW.rule == MEASURE_VERSION,
    _ROW.kind == ContactKind.COMPLAINT.value,
    _ROW.is_simulation.is_(False),
)
COUNTED = (*RECEIVED, _ROW.is_history.is_(False))
_EVENTS = select(func.count()).where(EVENTS.c.ref == _COLUMNS.ref).correlate(COMPLAINTS).scalar_subquery()
_MEASURED = select(_COLUMNS.ref, _COLUMNS.received_at, _COLUMNS.version, _EVENTS, *MEASURES.c).outerjoin(
    MEASURES, IS_CURRENT
)


class Compared(NamedTuple):
    """What `monitor` takes in addition to the complaints of the period, under the names of its parameters."""

    repeats: int
    months: list[MonthCounts]
    coverage: Coverage


def load_received_measures(
    tx: Tx, start: datetime, end: datetime, after: After | None = None
) -> MeasuredPage:
    """A page of the complaints received from `start` (included) to `end` (excluded), the earliest first."""
    return _page(tx, [_COLUMNS.received_at >= start, _COLUMNS.received_at < end], after)


def load_open_measures(tx: Tx, start: datetime, end: datetime, after: After | None = None) -> MeasuredPage:
    """A page of those received outside of the period that are open now, or were closed last at or after its end.

    All that were open at its end are among them.
    """
    is_open = or_(_COLUMNS.state.in_(_OPEN), _COLUMNS.closed_at >= end)
    return _page(tx, [is_open, or_(_COLUMNS.received_at < start, _COLUMNS.received_at >= end)], after)


def count_coverage(tx: Tx, start: datetime = FIRST, end: datetime = LAST) -> Coverage:
    """The coverage of the complaints that were received in the period, or of all."""
    query = (
        select(func.count(), func.count(MEASURES.c.ref))
        .select_from(COMPLAINTS)
        .outerjoin(MEASURES, IS_CURRENT)
        .where(_COLUMNS.received_at >= start, _COLUMNS.received_at < end)
    )
    complaints, rows = tx.connection.execute(query).one()
    return Coverage(int(complaints), int(rows))


def first_received_at(tx: Tx) -> datetime | None:
    """When the earliest contact on record was received; simulated ones do not count."""
    query = select(_COLUMNS.received_at).where(_COLUMNS.is_simulation.is_(False))
    return tx.connection.execute(query.order_by(_COLUMNS.received_at).limit(1)).scalar()


def list_without_events(tx: Tx, start: datetime, end: datetime) -> list[str]:
    """The complaints received in the period whose events are not all there; their measures are from before that."""
    query = select(_COLUMNS.ref).where(
        _COLUMNS.received_at >= start, _COLUMNS.received_at < end, _COLUMNS.version != _EVENTS
    )
    return list(tx.connection.execute(query.order_by(_COLUMNS.ref)).scalars())


def count_received(tx: Tx, start: datetime, end: datetime) -> tuple[int, int]:
    """How many complaints of the period this desk received, and how many were imported from before it."""
    query = (
        select(func.count(), func.count(case((_ROW.is_history.is_(True), 1))))
        .select_from(COMPLAINTS)
        .outerjoin(MEASURES, IS_CURRENT)
        .where(_COLUMNS.kind == ContactKind.COMPLAINT.value, _COLUMNS.is_simulation.is_(False))
        .where(_COLUMNS.received_at >= start, _COLUMNS.received_at < end)
    )
    received, imported = tx.connection.execute(query).one()
    return int(received) - int(imported), int(imported)


def count_alarms(tx: Tx) -> dict[str, int]:
    """The `complaints` received in 30 days, reclassified ones too (they woke people), and their alarms by `kind`."""
    details = case((_ROW.details.contains('"alarms":'), _ROW.details)).label("with_alarms")
    counted = _ROW.rule == MEASURE_VERSION, _ROW.is_simulation.is_(False), _ROW.is_history.is_(False)
    query = select(details, func.count()).where(*counted, _ROW.received_at >= tx.now - timedelta(days=30))
    counts = {"complaints": 0, "page": 0, "look": 0}
    for with_alarms, number in tx.connection.execute(query.group_by(details)):
        for kind in ("complaints", *(json.loads(with_alarms)["alarms"] if with_alarms else ())):
            counts[kind] += number
    return counts


def count_months(tx: Tx, bounds: Sequence[datetime]) -> list[MonthCounts]:
    """The counts of the months between these moments, from stored rows alone."""
    starts, ends = bounds[:-1], bounds[1:]
    groups: list[tuple[MeasureGroup, ...]] = []
    for start, end in zip(starts, ends, strict=True):
        key = (
            _ROW.marks,
            _ROW.incident_id,
            _ROW.decision_working_days,
            _ROW.decided_at.is_not(None),
            _ROW.is_history,
        )
        query = select(*key, func.min(_ROW.received_at), func.count()).where(
            *RECEIVED, _ROW.received_at >= start, _ROW.received_at < end
        )
        groups.append(tuple(map(MeasureGroup._make, tx.connection.execute(query.group_by(*key)))))
    still_open: list[list[OpenMeasures]] = [[] for _ in starts]
    for row in tx.connection.execute(
        select(_ROW.received_at, _ROW.pending, _ROW.decision_working_days, _ROW.rulebook_id).where(
            *COUNTED,
            _ROW.received_at >= bounds[0],
            _ROW.received_at < bounds[-1],
            or_(_ROW.pending.is_not(None), _ROW.decision_working_days.is_(None)),
        )
    ):
        calendar = load_rulebook(tx, row.rulebook_id).calendar
        still_open[bisect_right(bounds, row.received_at) - 1].append(
            OpenMeasures(row.received_at, row.pending, row.decision_working_days is None, calendar)
        )
    months = zip(starts, ends, groups, map(tuple, still_open), _count_open(tx, ends), strict=True)
    return [MonthCounts(*month) for month in months]


def _count_open(tx: Tx, moments: Sequence[datetime]) -> list[int]:
    """How many complaints were open at each of these moments; at the present one, how many are."""
    limits = [moment + _MICROSECOND if moment >= tx.now else moment for moment in moments]
    is_reopened = _ROW.stages.like(f"%{CLOSED}_%")
    open_then = [
        func.sum(case((and_(_ROW.logged_at < limit, _is_open_at(limit)), 1), else_=0)) for limit in limits
    ]
    query = select(*open_then).where(*COUNTED, _is_open_at(limits[0]), ~is_reopened)
    counts = [int(count or 0) for count in tx.connection.execute(query).one()]
    again = select(_ROW.stages).where(*COUNTED, _is_open_at(limits[0]), is_reopened)
    for stages in tx.connection.execute(again).scalars():
        for number, limit in enumerate(limits):
            stage = stage_at(stages, limit)
            counts[number] += stage is not None and stage.is_open
    return counts


def _is_open_at(moment: datetime) -> ColumnElement[bool]:
    return or_(_ROW.closed_at.is_(None), _ROW.closed_at >= moment)


def _page(tx: Tx, conditions: Sequence[ColumnElement[bool]], after: After | None) -> MeasuredPage:
    query = _MEASURED.where(*conditions)
    if after is not None:
        at, ref = after
        # The first condition looks redundant, but lets the index start where the last page ended.
        query = query.where(_COLUMNS.received_at >= at, or_(_COLUMNS.received_at > at, _COLUMNS.ref > ref))
    rows = tx.connection.execute(query.order_by(_COLUMNS.received_at, _COLUMNS.ref).limit(PAGE)).all()
    missing = [row[0] for row in rows if row[4] is None and row[2] == row[3]]
    computed = {
        file.case.ref: measure_history(CaseHistory(file.case, file.events))
        for start in range(0, len(missing), COMPUTED)
        for file in load_many(tx, missing[start : start + COMPUTED])
    }
    read = []
    for row in rows:
        if row[2] != row[3]:
            note_damage(place("complaints", row[0], "events"))
            continue
        measures = CaseMeasures._make(row[4:]) if row[4] is not None else computed.get(row[0])
        if measures is not None:
            read.append((measures, load_rulebook(tx, measures.rulebook_id).calendar))
    return read, (rows[-1][1], rows[-1][0]) if len(rows) == PAGE else None
