"""Reminders to staff: step by step up the ladder, to who is here, one message however much was missed (8.4).

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bots.slack.client.rate_limit import RateLimitWait
from bots.slack.jobs.registry import job_handlers
from bots.slack.staff_sync import StaffEntry, sync_staff
from complaints.obligations.kinds import NewObligation
from complaints.vocabulary import Role, Verb
from scheduler.ticks import schedule_next_morning
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.outbox.claim import claim
from store.outbox.complete import complete, fail
from store.outbox.failed import list_failed
from store.outbox.outcomes import Completed, RateLimited, Rescheduled
from store.outbox.rows import insert_obligation
from store.people.staff import end_absence, load_actor, record_absence
from store.record.worklists import list_reminders_waiting
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED
from tests.edges.slack_office import ALICE, BURAK, MONA, ROLES, TRIAGE, TUGBA, Office, office_of

MORNING = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
EVERYBODY = (ALICE, BURAK, MONA, TUGBA)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


def pings(office: Office, member: str, ref: str) -> list[str]:
    """Single reminders about this complaint, not the digest nor the word that it was given to somebody."""
    said = [one.text for one in office.staff(member).direct_messages]
    return [one for one in said if ref in one and "yours now" not in one and "Good morning" not in one]


def heard(office: Office, ref: str) -> dict[str, int]:
    return {one: len(found) for one in EVERYBODY if (found := pings(office, one, ref))}


@clause("8.4")
async def test_the_owner_hears_first_then_the_manager_then_the_top(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.until(office.clock.at + timedelta(hours=2))
    halfway = heard(office, ref)
    await office.until(office.clock.at + timedelta(hours=2))
    due = heard(office, ref)
    await office.until(datetime(2026, 11, 5, 9, 0, tzinfo=UTC))

    assert halfway == {ALICE: 1}
    assert due == {ALICE: 2, MONA: 1}
    assert TUGBA in heard(office, ref)
    assert "top management hears of it too" in pings(office, TUGBA, ref)[0]


@pytest.mark.on_both
@clause("8.4")
async def test_after_a_long_stop_one_message_says_what_is_overdue(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    office.performing.stop()
    office.clock.go_on(days=6)
    waiting = office.store.read(list_reminders_waiting, ref)
    perform = job_handlers(office.desk, office.client, interval=0)["remind"]
    # One after the other, as a single process takes them: in the order in which they fell due.
    while claimed := office.store.write(claim, ("remind",), 1, 60):
        assert await perform(claimed[0]) == Completed()
        office.store.write(complete, claimed[0].id)

    assert len(waiting) > 3
    assert heard(office, ref) == {ALICE: 1, MONA: 1, TUGBA: 1}
    assert "Also:" in pings(office, ALICE, ref)[0]


@clause("4.9")
async def test_what_nobody_has_is_offered_to_one_after_the_other_then_to_those_who_lead(
    office: Office,
) -> None:
    office.owned(ALICE)
    ref = office.proposed("Another matter entirely", severity=4)
    await office.until(office.clock.at + timedelta(hours=2))
    first = heard(office, ref)
    card = next(one for one in office.staff(BURAK).direct_messages if ref in one.text)
    await office.until(office.clock.at + timedelta(hours=2))
    second = heard(office, ref)
    await office.staff(BURAK).presses(card, "Take")
    await office.idle()

    # Burak has none, Alice one; the same person is not asked twice.
    assert first == {BURAK: 1}
    assert second == {BURAK: 1, ALICE: 1, MONA: 1}
    assert "can you take it?" in pings(office, ALICE, ref)[0]
    assert "can you take it?" not in pings(office, MONA, ref)[0]
    assert office.store.read(load_case, ref).owner == BURAK


async def test_nobody_is_asked_to_take_what_they_may_not_read(office: Office) -> None:
    ref = office.proposed(severity=4, restricted=True, category="staff_conduct")
    await office.until(office.clock.at + timedelta(hours=2))

    assert heard(office, ref) == {MONA: 1}


@clause("6.4")
async def test_for_who_is_away_the_deputy_hears_it_but_not_of_what_is_kept_from_them(office: Office) -> None:
    open_one = office.owned(ALICE, severity=4)
    kept = office.owned(ALICE, severity=4, restricted=True, category="staff_conduct")
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    await office.until(office.clock.at + timedelta(hours=2))

    assert heard(office, open_one) == {BURAK: 1}
    assert heard(office, kept) == {MONA: 1}


@clause("6.4")
async def test_a_deputy_acts_while_the_owner_is_away_and_not_a_day_longer(office: Office) -> None:
    store = office.store
    store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    meanwhile = store.read(load_actor, BURAK)
    store.write(end_absence, ALICE)

    assert meanwhile.stands_in_for == {ALICE}
    assert store.read(load_actor, BURAK).stands_in_for == frozenset()


async def test_the_unit_manager_hears_of_a_missed_date_where_one_is_named(office: Office) -> None:
    roles = {**ROLES, Role.MANAGER: (MONA, BURAK)}
    await sync_staff(office.client, office.desk, roles, entries={ALICE: StaffEntry(line=BURAK)})
    ref = office.owned(ALICE, severity=4)
    await office.until(office.clock.at + timedelta(hours=5))

    assert set(heard(office, ref)) == {ALICE, BURAK}


async def test_p1_that_nobody_does_is_said_again_each_working_morning_until_it_is(office: Office) -> None:
    ref = office.owned(ALICE, severity=5)
    await office.until(office.clock.at + timedelta(hours=1))
    today = len(pings(office, TUGBA, ref))
    await office.until(MORNING)
    office.clock.go_on(hours=3)
    await office.idle()
    tomorrow = len(pings(office, TUGBA, ref))
    office.store.write(open_case, ref, office.store.read(load_actor, ALICE), "open")
    office.store.write(
        act,
        ref,
        Verb.ASSESS,
        office.store.read(load_actor, ALICE),
        {**ASSESSED, "severity": 5, "recurrence": 1},
        {},
    )
    office.store.write(
        act, ref, Verb.INFORM, office.store.read(load_actor, ALICE), {"next_date": "2026-11-09"}, SAID
    )
    await office.until(MORNING + timedelta(days=1))

    assert today == 1
    assert tomorrow > today
    assert len(pings(office, TUGBA, ref)) == tomorrow


SAID = {"done": "Looked at.", "left": "To mend it.", "letter": "Dear Anna."}


@clause("8.4")
async def test_no_reminder_leaves_outside_working_hours_but_of_p1(office: Office) -> None:
    office.clock.go_on(hours=7, minutes=20)
    pressing, urgent = office.owned(ALICE, severity=4), office.owned(ALICE, severity=5)
    slow = office.owned(ALICE)
    said: dict[str, list[datetime]] = {pressing: [], urgent: [], slow: []}
    for _ in range(6 * 24):
        office.clock.go_on(hours=1)
        office.performing.nudge()
        await office.idle()
        for ref, moments in said.items():
            now = len(pings(office, ALICE, ref))
            moments += [office.clock.at] * (now - len(moments))

    assert said[slow] == []
    assert said[pressing]
    assert all(one.weekday() < 5 and 9 <= one.hour <= 17 for one in said[pressing])
    assert any(not 9 <= one.hour <= 17 for one in said[urgent])


async def test_what_was_given_up_at_night_is_told_in_the_morning_but_of_p1_at_once(office: Office) -> None:
    office.clock.go_on(hours=12)
    slow, urgent = office.owned(ALICE), office.owned(ALICE, severity=5)
    await office.idle()
    for n, ref in enumerate((slow, urgent)):
        office.store.write(insert_obligation, NewObligation(f"fetch:{n}", "fetch", office.store.now()), ref)
    for row in office.store.read(list_failed, everything=True, kind="fetch"):
        office.store.write(fail, row["id"], "gone")
    await office.idle()
    at_night = {ref: told_failed(office, ref) for ref in (slow, urgent)}
    await office.until(MORNING)

    assert at_night == {slow: 0, urgent: 1}
    assert told_failed(office, slow) == 1


def told_failed(office: Office, ref: str) -> int:
    return sum("could not be done" in one for one in pings(office, MONA, ref))


async def test_a_digest_that_comes_late_in_the_evening_is_left_to_the_next_morning(office: Office) -> None:
    office.owned(ALICE)
    await office.idle()
    schedule_next_morning(office.store)
    await office.until(MORNING + timedelta(hours=12))

    assert not [one for one in office.texts(ALICE) if "Good morning" in one]


@pytest.mark.on_both
@clause("8.4")
async def test_who_was_told_is_not_told_again_because_another_could_not_be(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    office.performing.stop()
    office.clock.go_on(hours=4)
    perform, post = (
        job_handlers(office.desk, office.client, interval=0)["remind"],
        office.client.chat_postMessage,
    )
    opened = (await office.client.conversations_open(users=MONA))["channel"]["id"]

    async def no_place(**said: object) -> object:
        if said["channel"] == opened:
            raise RateLimitWait(7.0)
        return await post(**said)

    office.client.chat_postMessage = no_place  # type: ignore[method-assign,assignment]
    claimed = next(one for one in office.store.write(claim, ("remind",), 9, 60) if one.key.endswith(":due"))
    outcomes = [await perform(claimed) for _ in range(3)]
    office.client.chat_postMessage = post  # type: ignore[method-assign]
    outcomes.append(await perform(claimed))

    assert outcomes == [*[RateLimited(7.0)] * 3, Completed()]
    assert heard(office, ref) == {ALICE: 1, MONA: 1}


@clause("8.4")
async def test_a_reminder_is_said_once_though_its_card_cannot_be_drawn_now(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    office.performing.stop()
    office.clock.go_on(hours=4, minutes=1)
    kinds, draw = job_handlers(office.desk, office.client, interval=0), office.client.chat_update
    claimed = next(one for one in office.store.write(claim, ("remind",), 9, 60) if one.key.endswith(":due"))

    async def no_place(**_: object) -> object:
        raise RateLimitWait(7.0)

    office.client.chat_update = no_place  # type: ignore[method-assign,assignment]
    said = await kinds["remind"](claimed)
    (owed,) = office.store.write(claim, ("redraw",), 9, 60)
    held_up = await kinds["redraw"](owed)
    office.client.chat_update = draw  # type: ignore[method-assign]
    drawn = await kinds["redraw"](owed)

    assert (said, held_up, drawn) == (Completed(), RateLimited(7.0), Completed())
    assert heard(office, ref) == {ALICE: 1, MONA: 1}
    assert "missed" in office.staff(ALICE).channel(TRIAGE).card(ref).text


@clause("7.5")
async def test_danger_that_found_no_place_is_not_taken_for_told(office: Office) -> None:
    ref = office.receive("I smell gas")
    sign = {"rule": "gas", "severity": 4, "safety": 3, "danger": True}
    told_so = {
        "field": "addition",
        "has_words": True,
        "media": 0,
        "audible": 0,
        "signs": [sign],
        "subjects": [],
    }
    office.hear(Verb.ADD, ref, told_so, {"addition": "gas"})
    await office.idle()
    office.performing.stop()
    office.clock.go_on(minutes=5)
    (page,) = office.store.write(claim, ("page",), 9, 60)
    post = office.client.chat_postMessage

    async def no_place(**_: object) -> object:
        raise RateLimitWait(7.0)

    office.client.chat_postMessage = no_place  # type: ignore[method-assign,assignment]
    perform = job_handlers(office.desk, office.client, interval=0)["page"]
    held_up = await perform(page)
    office.client.chat_postMessage = post  # type: ignore[method-assign]
    told = await perform(page)

    assert held_up == RateLimited(7.0)
    assert isinstance(told, Rescheduled)
