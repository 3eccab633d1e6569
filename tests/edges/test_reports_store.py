"""Cases for reports come out of the store page by page, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from complaints.people import SYSTEM
from complaints.vocabulary import State, Verb
from reports.monitoring import Period, monitor
from store import periods
from store.open import Store
from tests.databases import FakeClock
from tests.edges.desk import Desk

START = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    """Rules and staff, nothing received yet."""
    return Desk(store)


@pytest.fixture
def two_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages so small that a few complaints need several."""
    monkeypatch.setattr(periods, "PAGE", 2)


def received(desk: Desk, clock: FakeClock, count: int) -> list[str]:
    """So many complaints, an hour apart, each of another person."""
    refs = []
    for n in range(count):
        refs.append(desk.receive(chat=desk.chat(str(80000 + n))))
        clock.go_on(hours=1)
    return refs


@pytest.mark.usefixtures("two_a_page")
def test_every_complaint_of_the_period_comes_once_in_the_order_of_receipt(
    desk: Desk, clock: FakeClock
) -> None:
    refs = received(desk, clock, 5)
    found = desk.store.cases_received(START, START + timedelta(days=1))
    assert [case.ref for case in found] == refs


@pytest.mark.usefixtures("two_a_page")
def test_complaints_of_one_moment_are_not_lost_between_pages(desk: Desk) -> None:
    refs = {desk.receive(chat=desk.chat(str(80000 + n))) for n in range(5)}
    found = [case.ref for case in desk.store.cases_received(START, START + timedelta(seconds=1))]
    assert sorted(found) == sorted(refs)


def test_a_period_holds_its_first_moment_and_not_its_last(desk: Desk, clock: FakeClock) -> None:
    refs = received(desk, clock, 3)
    found = desk.store.cases_received(START, START + timedelta(hours=2))
    assert [case.ref for case in found] == refs[:2]


@pytest.mark.usefixtures("two_a_page")
def test_what_is_open_leaves_out_what_is_closed(desk: Desk, clock: FakeClock) -> None:
    closed = desk.closed(chat=desk.chat())
    refs = received(desk, clock, 3)
    assert desk.case(closed).state is State.CLOSED
    assert [case.ref for case in desk.store.cases_open()] == refs


def test_a_period_without_complaints_is_empty(desk: Desk) -> None:
    assert list(desk.store.cases_received(START - timedelta(days=9), START)) == []


def test_the_record_answers_as_the_case_does(desk: Desk, clock: FakeClock) -> None:
    refs = received(desk, clock, 12)
    for ref in refs[:11]:
        desk.store.act(ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    clock.go_on(days=3)
    period = Period(START, START + timedelta(days=1))
    cases = desk.store.cases_received(period.start, period.end)
    found = monitor(cases, period=period, now=clock.at).share("acknowledged_in_time").as_json()
    assert (found["numerator"], found["denominator"], found["verdict"]) == (11, 12, "not_met")
