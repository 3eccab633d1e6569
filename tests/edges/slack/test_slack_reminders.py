"""Reminders to staff: they rise from owner to top management, reach those present, and arrive as one message (8.4).

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bots.slack.client.slack_limits import RateLimitWait
from bots.slack.job_handlers import job_handlers
from bots.slack.staff_sync import StaffEntry, sync_staff
from complaints.case_values import RecordedSign
from complaints.obligations.kinds import NewObligation
from complaints.vocabulary import Role, Target, Verb
from scheduler.ticks import schedule_next_morning
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.outbox.claim import claim
from store.outbox.complete import Completed, RateLimited, Rescheduled, complete, fail
from store.outbox.failed import list_failed
from store.outbox.rows import insert_obligation
from store.people.staff import end_absence, load_actor, record_absence
from store.record.worklists import WorklistSection, list_reminders_waiting, load_worklist
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED
from tests.edges.obligation_rows import add_what_is_due
from tests.edges.slack_office import ALICE, BURAK, MONA, ROLES, TRIAGE, TUGBA, Office, open_office

MORNING = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
EVERYBODY = (ALICE, BURAK, MONA, TUGBA)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def pings(office: Office, member: str, ref: str) -> list[str]:
    """Single reminders about this complaint, without digests and notices of a new owner."""
    texts = [text.text for text in office.staff(member).direct_messages]
    return [text for text in texts if ref in text and "yours now" not in text and "Good morning" not in text]


def reminder_counts(office: Office, ref: str) -> dict[str, int]:
    return {member: len(texts) for member in EVERYBODY if (texts := pings(office, member, ref))}


@clause("8.4")
async def test_reminders_go_to_the_owner_then_to_the_manager_then_to_top_management(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.until(office.clock.at + timedelta(hours=2))
    halfway = reminder_counts(office, ref)
    await office.until(office.clock.at + timedelta(hours=2))
    due = reminder_counts(office, ref)
    await office.until(datetime(2026, 11, 5, 9, 0, tzinfo=UTC))

    assert halfway == {ALICE: 1}
    assert due == {ALICE: 2, MONA: 1}
    assert TUGBA in reminder_counts(office, ref)
    assert "top management gets this message too" in pings(office, TUGBA, ref)[0]


@pytest.mark.on_both
@clause("8.4")
async def test_after_a_long_outage_one_message_lists_everything_overdue(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    await office.stop_worker()
    office.clock.go_on(days=6)
    add_what_is_due(office.store)
    waiting = office.store.read(list_reminders_waiting, ref)
    perform = job_handlers(office.desk, office.client, interval=0)["remind"]
    # Claimed one by one, as a single process does: in the order of their due times.
    while claimed := office.store.write(claim, ("remind",), 1, 60):
        assert await perform(claimed[0]) == Completed()
        office.store.write(complete, claimed[0].id)

    assert len(waiting) > 3
    assert reminder_counts(office, ref) == {ALICE: 1, MONA: 1, TUGBA: 1}
    assert "Also:" in pings(office, ALICE, ref)[0]


@clause("4.9")
async def test_a_complaint_without_owner_is_offered_to_handlers_in_turn_and_then_to_managers(
    office: Office,
) -> None:
    office.owned(ALICE)
    ref = office.proposed("Another matter entirely", severity=4)
    await office.until(office.clock.at + timedelta(hours=2))
    first = reminder_counts(office, ref)
    card = next(message for message in office.staff(BURAK).direct_messages if ref in message.text)
    await office.until(office.clock.at + timedelta(hours=2))
    second = reminder_counts(office, ref)
    await office.staff(BURAK).presses(card, "Take")
    await office.idle()

    # Burak owns no complaint, Alice one. The same member is not asked twice.
    assert first == {BURAK: 1}
    assert second == {BURAK: 1, ALICE: 1, MONA: 1}
    assert "can you take it?" in pings(office, ALICE, ref)[0]
    assert "can you take it?" not in pings(office, MONA, ref)[0]
    assert office.store.read(load_case, ref).owner == BURAK


async def test_a_member_is_not_asked_to_take_a_complaint_they_may_not_read(office: Office) -> None:
    ref = office.proposed(severity=4, restricted=True, category="staff_conduct")
    await office.until(office.clock.at + timedelta(hours=2))

    assert reminder_counts(office, ref) == {MONA: 1}


@clause("6.4")
async def test_a_deputy_gets_the_reminders_of_an_absent_owner_except_for_complaints_they_may_not_read(
    office: Office,
) -> None:
    readable = office.owned(ALICE, severity=4)
    restricted = office.owned(ALICE, severity=4, restricted=True, category="staff_conduct")
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    await office.until(office.clock.at + timedelta(hours=2))

    assert reminder_counts(office, readable) == {BURAK: 1}
    assert reminder_counts(office, restricted) == {MONA: 1}


@clause("6.4")
async def test_a_deputy_may_act_for_the_owner_only_during_the_absence(office: Office) -> None:
    store = office.store
    store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    deputy = store.read(load_actor, BURAK)
    store.write(end_absence, ALICE)

    assert deputy.stands_in_for == {ALICE}
    assert store.read(load_actor, BURAK).stands_in_for == frozenset()


async def test_a_missed_date_is_reported_to_the_named_line_manager(office: Office) -> None:
    roles = {**ROLES, Role.MANAGER: (MONA, BURAK)}
    await sync_staff(office.client, office.desk, roles, entries={ALICE: StaffEntry(line=BURAK)})
    ref = office.owned(ALICE, severity=4)
    await office.until(office.clock.at + timedelta(hours=5))

    assert set(reminder_counts(office, ref)) == {ALICE, BURAK}


async def test_a_missed_p1_date_is_repeated_every_working_morning_until_the_work_is_done(
    office: Office,
) -> None:
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
        act, ref, Verb.INFORM, office.store.read(load_actor, ALICE), {"next_date": "2026-11-09"}, UPDATE_WORDS
    )
    await office.until(MORNING + timedelta(days=1))

    assert today == 1
    assert tomorrow > today
    assert len(pings(office, TUGBA, ref)) == tomorrow


UPDATE_WORDS = {"done": "Looked at.", "left": "To mend it.", "letter": "Dear Anna."}


@clause("8.4")
async def test_outside_working_hours_only_p1_reminders_are_sent(office: Office) -> None:
    office.clock.go_on(hours=7, minutes=20)
    pressing, urgent = office.owned(ALICE, severity=4), office.owned(ALICE, severity=5)
    slow = office.owned(ALICE)
    sent_at: dict[str, list[datetime]] = {pressing: [], urgent: [], slow: []}
    for _ in range(6 * 24):
        office.clock.go_on(hours=1)
        office.worker.nudge()
        await office.idle()
        for ref, moments in sent_at.items():
            now = len(pings(office, ALICE, ref))
            moments += [office.clock.at] * (now - len(moments))

    assert sent_at[slow] == []
    assert sent_at[pressing]
    assert all(moment.weekday() < 5 and 9 <= moment.hour <= 17 for moment in sent_at[pressing])
    assert any(not 9 <= moment.hour <= 17 for moment in sent_at[urgent])


@clause("4.5")
async def test_an_appeal_against_a_limit_reaches_only_managers_without_a_part_in_it(office: Office) -> None:
    ref = office.owned(ALICE)
    store, today = office.store, office.clock.at.date()
    alice, mona = store.read(load_actor, ALICE), store.read(load_actor, MONA)
    store.write(act, ref, Verb.WARN_CONDUCT, alice, {}, dict.fromkeys(("text", "letter"), "No names."))
    await office.idle()
    limit = {"limits": ["one_channel"], "until": (today + timedelta(days=60)).isoformat()}
    store.write(act, ref, Verb.LIMIT_CONTACT, alice, limit, {"reason": "The names went on."})
    store.write(open_case, ref, mona, "open", "check")
    store.write(act, ref, Verb.APPROVE, mona, {"agreed": "yes"})
    await office.idle()
    store.write(act, ref, Verb.APPEAL_LIMIT, alice, {}, {"reason": "By phone: no names were used."})
    await office.idle()

    def named(member: str) -> list[str]:
        texts = [text.text for text in office.staff(member).direct_messages]
        return [text for text in texts if ref in text and ("disagrees" in text or "appeal" in text)]

    assert {member: len(named(member)) for member in EVERYBODY} == {ALICE: 0, BURAK: 0, MONA: 0, TUGBA: 1}
    waiting = {
        member: [case.ref for case in store.read(load_worklist, WorklistSection.WAITING, actor).cases]
        for member in EVERYBODY
        if (actor := store.read(load_actor, member))
    }
    assert waiting == {ALICE: [], BURAK: [], MONA: [], TUGBA: [ref]}
    tugba = office.staff(TUGBA)
    await tugba.presses(tugba.direct_messages[-1], "Review the limit")
    await tugba.opened("Review the limit")
    await tugba.closes()

    due = store.read(load_case, ref).target(Target.CONDUCT, 1)
    assert due is not None
    await office.until(due.internal_due - timedelta(hours=2))
    counts = {member: len(named(member)) for member in EVERYBODY}
    assert counts == {ALICE: 0, BURAK: 0, MONA: 0, TUGBA: 2}


async def test_a_failure_at_night_is_reported_in_the_morning_and_for_p1_at_once(office: Office) -> None:
    office.clock.go_on(hours=12)
    slow, urgent = office.owned(ALICE), office.owned(ALICE, severity=5)
    await office.idle()
    for n, ref in enumerate((slow, urgent)):
        office.store.write(insert_obligation, NewObligation(f"fetch:{n}", "fetch", office.store.now()), ref)
    for row in office.store.read(list_failed, everything=True, kind="fetch"):
        office.store.write(fail, row["id"], "gone")
    await office.idle()
    at_night = {ref: failure_notices(office, ref) for ref in (slow, urgent)}
    await office.until(MORNING)

    assert at_night == {slow: 0, urgent: 1}
    assert failure_notices(office, slow) == 1


def failure_notices(office: Office, ref: str) -> int:
    return sum("could not be done" in text for text in pings(office, MONA, ref))


async def test_a_digest_delayed_into_the_evening_is_not_sent(office: Office) -> None:
    office.owned(ALICE)
    await office.idle()
    schedule_next_morning(office.store)
    await office.until(MORNING + timedelta(hours=12))

    assert not [text for text in office.texts(ALICE) if "Good morning" in text]


@pytest.mark.on_both
@clause("8.4")
async def test_a_reminder_that_failed_for_one_recipient_is_not_repeated_to_the_others(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    await office.stop_worker()
    office.clock.go_on(hours=4)
    perform, post = (
        job_handlers(office.desk, office.client, interval=0)["remind"],
        office.client.chat_postMessage,
    )
    mona_channel = (await office.client.conversations_open(users=MONA))["channel"]["id"]

    async def post_except_to_mona(**arguments: object) -> object:
        if arguments["channel"] == mona_channel:
            raise RateLimitWait(7.0)
        return await post(**arguments)

    office.client.chat_postMessage = post_except_to_mona  # type: ignore[method-assign,assignment]
    add_what_is_due(office.store)
    reminder = next(
        obligation
        for obligation in office.store.write(claim, ("remind",), 9, 60)
        if obligation.key.endswith(":due")
    )
    outcomes = [await perform(reminder) for _ in range(3)]
    office.client.chat_postMessage = post  # type: ignore[method-assign]
    outcomes.append(await perform(reminder))

    assert outcomes == [*[RateLimited(7.0)] * 3, Completed()]
    assert reminder_counts(office, ref) == {ALICE: 1, MONA: 1}


@clause("8.4")
async def test_a_reminder_is_sent_once_even_if_its_card_cannot_be_redrawn_yet(office: Office) -> None:
    ref = office.owned(ALICE, severity=4)
    await office.idle()
    await office.stop_worker()
    office.clock.go_on(hours=4, minutes=1)
    jobs, draw = job_handlers(office.desk, office.client, interval=0), office.client.chat_update
    add_what_is_due(office.store)
    reminder = next(
        obligation
        for obligation in office.store.write(claim, ("remind",), 9, 60)
        if obligation.key.endswith(":due")
    )

    async def refuse_update(**_: object) -> object:
        raise RateLimitWait(7.0)

    office.client.chat_update = refuse_update  # type: ignore[method-assign,assignment]
    reminded = await jobs["remind"](reminder)
    (redraw,) = office.store.write(claim, ("redraw",), 9, 60)
    held_up = await jobs["redraw"](redraw)
    office.client.chat_update = draw  # type: ignore[method-assign]
    drawn = await jobs["redraw"](redraw)

    assert (reminded, held_up, drawn) == (Completed(), RateLimited(7.0), Completed())
    assert reminder_counts(office, ref) == {ALICE: 1, MONA: 1}
    assert "missed" in office.staff(ALICE).channel(TRIAGE).card(ref).text


@clause("7.5")
async def test_a_rate_limited_page_does_not_count_as_sent(office: Office) -> None:
    ref = office.receive("I smell gas")
    sign = {"rule": "gas", "severity": 4, "safety": 3, "danger": True}
    facts = {
        "field": "addition",
        "has_words": True,
        "media": 0,
        "audible": 0,
        "signs": [sign],
        "subjects": [],
    }
    office.complainant_acts(Verb.ADD, ref, facts, {"addition": "gas"})
    await office.idle()
    await office.stop_worker()
    office.clock.go_on(minutes=5)
    (page,) = office.store.write(claim, ("page",), 9, 60)
    post = office.client.chat_postMessage

    async def refuse_post(**_: object) -> object:
        raise RateLimitWait(7.0)

    office.client.chat_postMessage = refuse_post  # type: ignore[method-assign,assignment]
    perform = job_handlers(office.desk, office.client, interval=0)["page"]
    held_up = await perform(page)
    office.client.chat_postMessage = post  # type: ignore[method-assign]
    outcome = await perform(page)

    assert held_up == RateLimited(7.0)
    assert isinstance(outcome, Rescheduled)


@clause("7.5")
async def test_a_possible_danger_asks_for_a_look_at_once_and_pages_after_two_minutes_without_an_answer(
    office: Office,
) -> None:
    ref = office.receive("The lift has stopped and my mother is in it.")
    sign = RecordedSign("danger.danger_likely", 4, 2, False, office.clock.at, look=True)
    office.add(ref, "She is in it.", signs=(sign,))
    await office.idle()
    first = [text for text in pings(office, MONA, ref) if "🟠" in text]
    await office.until(office.clock.at + timedelta(minutes=3))
    paged = [text for text in pings(office, MONA, ref) if "🔴" in text]

    assert len(first) == 1
    assert "Possible danger" in first[0]
    assert len(paged) == 1
