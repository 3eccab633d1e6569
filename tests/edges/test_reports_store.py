"""Cases for reports are loaded from the store page by page, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from complaints.actors import SYSTEM
from complaints.case import Case
from complaints.vocabulary import Role, State, Verb
from reports.monitoring import Period, monitor
from store.cases import pages
from store.cases.act import act
from store.cases.pages import (
    count_repeats,
    list_role_periods,
    load_case_history,
    load_open_page,
    load_received_page,
)
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, Desk

START = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    """A desk with rules and staff and no complaint."""
    return Desk(store)


@pytest.fixture
def two_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows, so that a few complaints need several."""
    monkeypatch.setattr(pages, "PAGE", 2)


def cases_received(store: Store, start: datetime, end: datetime) -> Iterator[Case]:
    """The cases of the period, page by page, without their events."""
    return (
        loaded.case for loaded in pages.pages(lambda after: store.read(load_received_page, start, end, after))
    )


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
    cases = cases_received(desk.store, START, START + timedelta(days=1))
    assert [case.ref for case in cases] == refs


@pytest.mark.usefixtures("two_a_page")
def test_complaints_of_the_same_moment_are_not_lost_between_pages(desk: Desk) -> None:
    refs = {desk.receive(chat=desk.chat(str(80000 + n))) for n in range(5)}
    loaded = [case.ref for case in cases_received(desk.store, START, START + timedelta(seconds=1))]
    assert sorted(loaded) == sorted(refs)


def test_a_period_includes_its_first_moment_and_not_its_last(desk: Desk, clock: FakeClock) -> None:
    refs = receive_hourly(desk, clock, 3)
    cases = cases_received(desk.store, START, START + timedelta(hours=2))
    assert [case.ref for case in cases] == refs[:2]


@pytest.mark.usefixtures("two_a_page")
def test_open_cases_do_not_include_closed_ones(desk: Desk, clock: FakeClock) -> None:
    closed = desk.closed(chat=desk.chat())
    refs = receive_hourly(desk, clock, 3)
    assert desk.case(closed).state is State.CLOSED
    cases = (loaded.case for loaded in pages.pages(partial(desk.store.read, load_open_page, clock.at)))
    assert [case.ref for case in cases] == refs


def test_a_period_without_complaints_is_empty(desk: Desk) -> None:
    assert list(cases_received(desk.store, START - timedelta(days=9), START)) == []


def test_figures_from_the_store_equal_those_of_the_cases(desk: Desk, clock: FakeClock) -> None:
    refs = receive_hourly(desk, clock, 12)
    for ref in refs[:11]:
        desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    clock.go_on(days=3)
    period = Period(START, START + timedelta(days=1))
    cases = cases_received(desk.store, period.start, period.end)
    share = monitor(cases, period=period, now=clock.at).share("acknowledged_in_time").as_json()
    assert (share["numerator"], share["denominator"], share["verdict"]) == (11, 12, "not_met")


@pytest.mark.usefixtures("two_a_page")
def test_for_monitoring_every_complaint_is_loaded_once_with_its_events(desk: Desk, clock: FakeClock) -> None:
    before = desk.receive(chat=desk.chat("79999"))
    closed = desk.closed(chat=desk.chat())
    clock.go_on(days=2)
    refs = receive_hourly(desk, clock, 3)
    loaded = list(desk.store.for_monitoring(START + timedelta(days=1), START + timedelta(days=9)))
    assert sorted(record.case.ref for record in loaded) == sorted([before, *refs])
    assert closed not in {record.case.ref for record in loaded}
    earlier = desk.store.for_monitoring(START - timedelta(days=2), START - timedelta(days=1))
    assert closed in {record.case.ref for record in earlier}
    assert all(record.events[0].verb is Verb.RECEIVE for record in loaded)


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
