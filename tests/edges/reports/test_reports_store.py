"""Cases for reports are loaded from the store page by page, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, update

from complaints.actors import SYSTEM
from complaints.history import CaseHistory
from complaints.measures.clocks import ALL
from complaints.measures.report_counts import month_bounds
from complaints.measures.row import MARK_KEYS, CaseMeasures, measure_history
from complaints.vocabulary import Role, Verb
from reports.kpis import SHARES
from reports.monitoring import monitor, month_figures
from reports.tally import Period
from scheduler.ticks import _housekeeping, housekeeping_handlers
from store.cases import pages
from store.cases.act import act
from store.cases.pages import count_repeats, list_role_periods, load_case_history
from store.custody.verify import verify
from store.outbox.claim import claim
from store.outbox.complete import Completed
from store.record import measured
from store.record.measured import count_coverage, count_months
from store.record.measures import read_measures
from store.store import Store
from store.tables import MEASURES
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, Desk

START = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    """A desk with rules and staff and no complaint."""
    return Desk(store)


@pytest.fixture
def two_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows, so that a few complaints need several."""
    for module in (pages, measured):
        monkeypatch.setattr(module, "PAGE", 2)


def received(store: Store, start: datetime, end: datetime) -> Iterator[CaseMeasures]:
    """The measures of the period, page by page."""
    rows = pages.pages(partial(store.read, measured.load_received_measures, start, end))
    return (row for row, _ in rows)


def report(store: Store, record: Iterable[CaseHistory] | None = None, *, days: float = 9) -> dict[str, Any]:
    """The monitoring of the first days from the stored rows, or from these histories."""
    period = Period(START, START + timedelta(days=days))
    rows = store.for_monitoring(period.start, period.end) if record is None else record
    return monitor(rows, period=period, now=store.now()).as_json()


def receive_hourly(desk: Desk, clock: FakeClock, count: int) -> list[str]:
    """Receive this many complaints, an hour apart, each of another person."""
    refs = []
    for n in range(count):
        refs.append(desk.receive(chat=desk.chat(str(80000 + n))))
        clock.go_on(hours=1)
    return refs


@pytest.mark.usefixtures("two_a_page")
def test_every_complaint_of_the_period_is_loaded_once_in_order_of_receipt(
    desk: Desk, clock: FakeClock
) -> None:
    refs = receive_hourly(desk, clock, 5)
    rows = received(desk.store, START, START + timedelta(days=1))
    assert [row.ref for row in rows] == refs


@pytest.mark.usefixtures("two_a_page")
def test_complaints_of_the_same_moment_are_not_lost_between_pages(desk: Desk) -> None:
    refs = {desk.receive(chat=desk.chat(str(80000 + n))) for n in range(5)}
    loaded = [row.ref for row in received(desk.store, START, START + timedelta(seconds=1))]
    assert sorted(loaded) == sorted(refs)


def test_a_period_includes_its_first_moment_and_not_its_last(desk: Desk, clock: FakeClock) -> None:
    refs = receive_hourly(desk, clock, 3)
    rows = received(desk.store, START, START + timedelta(hours=2))
    assert [row.ref for row in rows] == refs[:2]


def test_a_period_without_complaints_is_empty(desk: Desk) -> None:
    assert list(received(desk.store, START - timedelta(days=9), START)) == []


def test_figures_from_the_store_equal_those_of_the_cases(desk: Desk, clock: FakeClock) -> None:
    refs = receive_hourly(desk, clock, 12)
    for ref in refs[:11]:
        desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    clock.go_on(days=3)
    period = Period(START, START + timedelta(days=1))
    rows = desk.store.for_monitoring(period.start, period.end)
    share = monitor(rows, period=period, now=clock.at).share("acknowledged_in_time").as_json()
    assert (share["numerator"], share["denominator"], share["verdict"]) == (11, 12, "not_met")


@pytest.mark.usefixtures("two_a_page")
def test_every_complaint_that_was_open_at_the_end_is_loaded_once(desk: Desk, clock: FakeClock) -> None:
    before = desk.receive(chat=desk.chat("79999"))
    closed = desk.closed(chat=desk.chat())
    clock.go_on(days=2)
    refs = receive_hourly(desk, clock, 3)
    loaded = [
        row.ref for row, _ in desk.store.for_monitoring(START + timedelta(days=1), START + timedelta(days=9))
    ]
    assert sorted(loaded) == sorted([before, *refs])
    earlier = desk.store.for_monitoring(START - timedelta(days=2), START - timedelta(days=1))
    assert closed in {row.ref for row, _ in earlier}


def measure_record(store: Store) -> int:
    """Compute missing rows as the command does, and return how many there were."""
    return sum(store.measure_missing())


def play(desk: Desk, clock: FakeClock) -> list[str]:
    """Four complaints: new, assessed, closed, and opened again."""
    new = desk.receive(chat=desk.chat("70005"))
    assessed = desk.assessed(chat=desk.chat("70006"))
    clock.go_on(days=1)
    closed, again = desk.closed(), desk.closed()
    clock.go_on(days=2)
    desk.act(again, Verb.REOPEN, MANAGER, words={"reason": "It leaks again."})
    clock.go_on(days=5)
    return [new, assessed, closed, again]


@pytest.mark.parametrize("days", [0.5, 2, 9])
def test_the_report_from_rows_equals_that_from_events(desk: Desk, clock: FakeClock, days: float) -> None:
    refs = play(desk, clock)
    store = desk.store
    histories = list(store.whole_record())
    for history in histories:
        assert store.read(read_measures, history.case.ref) == measure_history(history)
    expected = report(store, histories, days=days)
    assert report(store, days=days) == expected
    # A row that is missing, or that an older release left behind, is computed again.
    columns = MEASURES.c
    store.write(lambda tx: tx.connection.execute(delete(MEASURES).where(columns.ref == refs[0])))
    behind = update(MEASURES).where(columns.ref != refs[0]).values(version=1, category="other", stages="0!;")
    store.write(lambda tx: tx.connection.execute(behind))
    assert report(store, days=days) == expected
    assert store.read(count_coverage, START, clock.at).measured == 0
    desk.add(refs[1], "More.", chat=desk.chat("70006"))
    assert measure_record(store) == 3
    assert measure_record(store) == 0
    assert store.read(verify).first_bad is None
    for history in store.whole_record():
        assert store.read(read_measures, history.case.ref) == measure_history(history)


def test_a_month_of_the_trend_has_the_figures_of_its_report(desk: Desk, clock: FakeClock) -> None:
    play(desk, clock)
    clock.go_on(days=30)
    store, now = desk.store, clock.at
    play(desk, clock)
    bounds = month_bounds(store.now(), "Europe/London")
    months = store.read(count_months, bounds)
    assert len(months) == 12
    assert months[-2].start == datetime(2026, 11, 1, tzinfo=UTC) < now
    for counts in months:
        month = month_figures(counts, store.now())
        period = Period(counts.start, counts.end)
        whole = monitor(store.for_monitoring(period.start, period.end), period=period, now=store.now())
        assert (month.received, month.open_at_end) == (whole.received, whole.backlog.overdue.of)
        assert month.shares == {
            figure.key: figure.share
            for figure in whole.shares
            if figure.group in (None, "level 1") and figure.share.of
        }
        to_decision = [
            figure for figure in whole.durations if (figure.key, figure.group) == ("time_to_decision", ALL)
        ]
        assert [figure.working_days for figure in to_decision] == [month.to_decision] * bool(month.received)


@pytest.mark.parametrize(
    ("end", "first", "last"),
    [
        (
            datetime(2027, 1, 15, tzinfo=UTC),
            datetime(2026, 2, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
        (
            datetime(2027, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
        ),
    ],
)
def test_a_trend_has_twelve_local_months_up_to_its_end(
    end: datetime, first: datetime, last: datetime
) -> None:
    bounds = month_bounds(end, "Europe/London")
    assert (len(bounds), bounds[0], bounds[-2], bounds[-1]) == (13, first, last, end)


async def test_missing_rows_are_computed_by_a_daily_obligation(desk: Desk) -> None:
    desk.assessed()
    store = desk.store
    store.write(lambda tx: tx.connection.execute(delete(MEASURES)))
    _housekeeping(store, purges=False)
    (obligation,) = store.write(claim, ("measure",), 10, 60)
    assert await housekeeping_handlers(store)["measure"](obligation) == Completed()
    assert store.read(count_coverage) == (1, 1)


def test_verify_names_the_complaint_whose_measures_were_changed(desk: Desk) -> None:
    ref = desk.assessed()
    better = update(MEASURES).values(marks="a+;")
    desk.store.write(lambda tx: tx.connection.execute(better))
    damages = [(damage.ref, damage.why) for damage in desk.store.read(verify).problems]
    assert damages == [(ref, "the row of measures is not what the events add up to")]


def test_the_rows_columns_are_those_of_the_rule() -> None:
    assert tuple(column.name for column in MEASURES.columns) == CaseMeasures._fields
    assert set(MARK_KEYS) == set(SHARES)


@pytest.mark.parametrize(("days", "expected"), [(180, 1), (181, 0)])
def test_a_repeat_is_the_same_person_with_the_same_category_within_180_days(
    desk: Desk, clock: FakeClock, days: int, expected: int
) -> None:
    desk.assessed(chat=desk.chat("70001"))
    desk.assessed(chat=desk.chat("70002"))
    clock.go_on(days=days)
    desk.assessed(chat=desk.chat("70001"))
    desk.receive(chat=desk.chat("70002"))
    assert (
        desk.store.read(count_repeats, clock.at - timedelta(days=1), clock.at + timedelta(days=1)) == expected
    )
    assert desk.store.read(count_repeats, START - timedelta(days=1), START + timedelta(days=1)) == 0


@pytest.mark.usefixtures("two_a_page")
def test_the_whole_record_is_loaded_with_reads_and_messages(desk: Desk) -> None:
    refs = {desk.assessed(chat=desk.chat(str(90000 + n))) for n in range(5)}
    records = list(desk.store.whole_record())
    assert sorted(record.case.ref for record in records) == sorted(refs)
    for record in records:
        assert record.fields[1] == {"description"}
        assert [(read.by, read.role) for read in record.reads] == [(HANDLER, "handler")]
        assert [message.direction for message in record.messages] == ["in"]
        assert record == desk.store.read(load_case_history, record.case.ref)


def test_periods_of_roles_are_listed(desk: Desk) -> None:
    roles = {member: (role, until) for member, role, _, until in desk.store.read(list_role_periods)}
    assert roles[HANDLER] == (Role.HANDLER, None)
