"""Read the measures of many complaints for reports (8.4), a page and a transaction at a time.

A complaint whose row is missing or outdated is computed from its events. One that lost events is left out and noted
as damage, as everywhere.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, or_, select

from complaints.history import CaseHistory
from complaints.measures.row import CaseMeasures, Coverage, measure_history
from complaints.rulebook import Calendar
from complaints.vocabulary import State
from store.cases import pages
from store.cases.pages import After
from store.database.damage import note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.record.load import load_many
from store.record.measures import IS_CURRENT
from store.rulebooks import load_rulebook
from store.tables import COMPLAINTS, EVENTS, MEASURES

#: Rows of one transaction: about a tenth of a second, so that a report of a million holds up no one.
PAGE = 5_000

#: Before and after every complaint.
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999))
#: The measures of a page with the calendars of their rules, and where the next page starts; None after the last one.
MeasuredPage = tuple[list[tuple[CaseMeasures, Calendar]], After | None]
_COLUMNS = COMPLAINTS.c
_OPEN = [state.value for state in State if state is not State.CLOSED]
_EVENTS = select(func.count()).where(EVENTS.c.ref == _COLUMNS.ref).correlate(COMPLAINTS).scalar_subquery()
_MEASURED = select(_COLUMNS.ref, _COLUMNS.received_at, _COLUMNS.version, _EVENTS, *MEASURES.c).outerjoin(
    MEASURES, IS_CURRENT
)


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
        for start in range(0, len(missing), pages.PAGE)
        for file in load_many(tx, missing[start : start + pages.PAGE])
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
