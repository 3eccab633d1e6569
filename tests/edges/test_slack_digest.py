"""The morning digest: one message a working day, of what one person must know, and pings only for what presses.

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bots.slack.jobs.digest import end_of_day
from bots.slack.jobs.registry import job_handlers
from complaints.actors import SYSTEM
from complaints.deadlines.opening_hours import next_morning
from complaints.deadlines.targets import next_due
from complaints.obligations.kinds import NewObligation
from complaints.rulebook import Calendar
from complaints.vocabulary import Verb
from scheduler.ticks import schedule_next_morning
from store.cases.act import act
from store.cases.read import load_case
from store.models.models import TrainingRun, keep_run
from store.outbox.complete import fail
from store.outbox.failed import FailureReason, give_up_obligation, list_failed
from store.outbox.rows import insert_obligation
from store.people.staff import end_absence, load_actor, load_member, record_absence
from store.store import Store
from store.values import Obligation
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, AUDREY, BURAK, MONA, TUGBA, Office, office_of
from tests.rules.builders import CRITERIA
from tests.rules.slack_cases import RULES

MORNING = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


def digests(office: Office, member: str) -> list[str]:
    return [one.text for one in office.staff(member).direct_messages if "Good morning" in one.text]


async def morning(office: Office, at: datetime = MORNING) -> None:
    schedule_next_morning(office.store)
    await office.until(at)


@clause("7.3")
async def test_everybody_who_handles_hears_once_a_working_day(office: Office) -> None:
    mine, nobodys = office.owned(ALICE), office.proposed("Another matter entirely")
    await morning(office)
    first = {one: digests(office, one) for one in (ALICE, BURAK, MONA, TUGBA, AUDREY)}
    await morning(office, MORNING + timedelta(hours=7))
    same_day = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=1))

    (told,) = first[ALICE]
    assert told.index("Yours, due today (1)") < told.index(mine) < told.index("Without an owner (1)")
    assert nobodys in told
    assert mine not in first[BURAK][0]
    assert [len(one) for one in first.values()] == [1, 1, 1, 1, 1]
    assert len(same_day) == 1
    assert len(digests(office, ALICE)) == 2
    assert "Yours, overdue" in digests(office, ALICE)[1]


@clause("8.4")
async def test_the_owner_hears_the_working_day_before_what_falls_due_and_again_on_the_day(
    office: Office,
) -> None:
    refs = [office.owned(ALICE) for _ in range(10)]
    for ref in refs:
        office.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        office.store.write(act, ref, Verb.ASSESS, office.store.read(load_actor, ALICE), CRITERIA)
    # Of a P3 that came on Tuesday the first action is due on Friday.
    due = {
        str(one.internal_due)
        for ref in refs
        if (one := next_due(office.store.read(load_case, ref))) is not None
    }
    assert due == {"2026-11-06 17:30:00+00:00"}
    await morning(office)
    early = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=1))
    (before,) = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=2))
    day = digests(office, ALICE)[-1]

    assert early == []
    assert "Yours, due on the next working day (10)" in before
    assert "Yours, due today" not in before
    assert "2 more in the app’s home" in before
    assert sum(ref in before for ref in refs) == 8
    assert "Yours, due today (10)" in day
    assert "next working day" not in day
    assert digests(office, BURAK) == []


@pytest.mark.parametrize(
    ("calendar", "day", "end"),
    [
        (RULES.calendar, date(2026, 11, 4), datetime(2026, 11, 5, tzinfo=UTC)),
        (RULES.calendar, date(2026, 10, 25), datetime(2026, 10, 26, tzinfo=UTC)),
        (replace(RULES.calendar, always=True), date(2026, 11, 4), datetime(2026, 11, 5, tzinfo=UTC)),
    ],
)
def test_what_is_due_when_a_day_closes_at_midnight_is_due_on_that_day(
    calendar: Calendar, day: date, end: datetime
) -> None:
    assert end < end_of_day(day, calendar) < end + timedelta(minutes=1)


async def test_nothing_to_say_is_no_digest(office: Office) -> None:
    office.owned(ALICE)
    await morning(office)

    assert len(digests(office, ALICE)) == 1
    assert digests(office, BURAK) == []


async def test_managers_hear_that_a_new_model_was_turned_away_until_one_is_let_in(office: Office) -> None:
    def trained(key: str, *, passes: bool) -> None:
        run = TrainingRun(key, office.store.now(), 60, passes, {"passes": passes, "reasons": ["worse"]})
        office.store.write(keep_run, run, b"", "0" * 64, {}, activate=False)

    trained("1", passes=False)
    await morning(office)
    trained("2", passes=True)
    await morning(office, MORNING + timedelta(days=1))

    (told,) = digests(office, MONA)
    assert "A newly trained model was turned away" in told
    assert digests(office, ALICE) == []


async def test_who_is_away_hears_none(office: Office) -> None:
    office.proposed()
    office.store.write(record_absence, BURAK, MORNING + timedelta(days=5))
    await morning(office)

    assert digests(office, BURAK) == []
    assert len(digests(office, ALICE)) == 1


@clause("6.4")
async def test_a_deputy_hears_what_is_due_of_who_is_away(office: Office) -> None:
    ref = office.owned(ALICE)
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    await morning(office)
    (told,) = digests(office, BURAK)

    assert told.index("who is away: due today or overdue (1)") < told.index(ref)
    assert digests(office, MONA) == []


@pytest.mark.on_both
async def test_a_digest_done_twice_is_said_once(office: Office) -> None:
    office.proposed()
    await morning(office)
    facts = {"member": ALICE, "day": "2026-11-04"}
    owed = Obligation(
        1, f"digest:2026-11-04:{ALICE}", "digest", MORNING, None, None, facts, {}, 3, attempts=0, uncertain=False
    )  # fmt: skip
    await job_handlers(office.desk, office.client, interval=0)["digest"](owed)

    assert len(digests(office, ALICE)) == 1


async def test_a_digest_of_a_day_that_is_over_is_not_said(office: Office) -> None:
    office.proposed()
    facts = {"member": ALICE, "day": "2026-11-04"}
    owed = Obligation(
        1, f"digest:2026-11-04:{ALICE}", "digest", MORNING, None, None, facts, {}, 3, attempts=0, uncertain=False
    )  # fmt: skip
    office.clock.go_on(days=2)
    await job_handlers(office.desk, office.client, interval=0)["digest"](owed)

    assert digests(office, ALICE) == []


async def test_a_desk_that_slept_over_two_mornings_says_todays_digest_once(office: Office) -> None:
    office.proposed()
    await morning(office, MORNING + timedelta(days=1, hours=1))
    thursday = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=2))

    assert [len(thursday), len(digests(office, ALICE))] == [1, 2]


async def test_a_morning_that_comes_late_on_a_day_off_is_not_said(office: Office) -> None:
    office.proposed()
    await morning(office, MORNING + timedelta(days=3))

    assert digests(office, ALICE) == []


@pytest.mark.on_both
@clause("4.9")
async def test_what_nobody_has_is_proposed_to_one_after_the_other_by_load(office: Office) -> None:
    office.owned(ALICE)
    refs = [office.proposed(f"Another matter, number {n}") for n in range(3)]
    await morning(office)
    first, second = digests(office, ALICE)[0], digests(office, MONA)[0]
    to = {ref: next(line for line in first.splitlines() if ref in line) for ref in refs}

    assert [sum(f"proposed to <@{one}>" in line for line in to.values()) for one in (ALICE, BURAK)] == [1, 2]
    assert all(line in second for line in to.values())


@clause("5.3")
async def test_top_management_reads_of_p3_and_p4_only_once_they_are_overdue_for_days(office: Office) -> None:
    slow, pressing = office.owned(ALICE), office.owned(ALICE, severity=4)
    await morning(office, MORNING + timedelta(days=2))
    soon = digests(office, TUGBA)[-1]
    mona = digests(office, MONA)[-1]
    await morning(office, MORNING + timedelta(days=15))
    late = digests(office, TUGBA)[-1]

    assert slow in mona
    assert slow not in soon
    assert pressing in soon
    assert slow in late


async def test_where_nobody_manages_the_top_reads_of_everything_overdue(office: Office) -> None:
    slow = office.owned(ALICE)
    office.store.write(record_absence, MONA, MORNING + timedelta(days=20))
    await morning(office, MORNING + timedelta(days=2))

    assert slow in digests(office, TUGBA)[-1]


@clause("6.4")
async def test_who_was_away_hears_on_the_first_morning_what_happened_meanwhile(office: Office) -> None:
    mine, still = office.owned(ALICE), office.owned(ALICE)
    office.clock.go_on(hours=1)
    await office.idle()
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=1), BURAK)
    office.clock.go_on(hours=1)
    office.store.write(
        act, mine, Verb.REPLY, office.store.read(load_actor, BURAK), {}, {"text": "x", "letter": "Dear Anna."}
    )
    await morning(office)
    away = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=1))
    back = digests(office, ALICE)[-1]
    await morning(office, MORNING + timedelta(days=2))
    later = digests(office, ALICE)[-1]

    assert away == []
    told = back[back.index("While you were away (1)") :]
    assert mine in told
    assert still not in told
    assert "While you were away" not in later


async def test_who_came_back_early_hears_it_the_next_morning(office: Office) -> None:
    mine = office.owned(ALICE)
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=9), BURAK)
    office.clock.go_on(hours=1)
    office.store.write(act, mine, Verb.NOTE, office.store.read(load_actor, BURAK), {}, {"text": "x"})
    office.store.write(end_absence, ALICE)
    await morning(office)

    assert "While you were away (1)" in digests(office, ALICE)[0]
    alice = office.store.read(load_member, ALICE)
    assert alice is not None
    assert alice.deputy is None


async def test_managers_read_what_was_given_up_until_somebody_takes_it_up(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.idle()
    office.store.write(insert_obligation, NewObligation("fetch:1", "fetch", office.store.now()), ref)
    (row,) = office.store.read(list_failed, everything=True, kind="fetch")
    office.store.write(fail, row["id"], "gone")
    await morning(office)
    mona, alice = digests(office, MONA)[-1], digests(office, ALICE)[-1]
    office.store.write(give_up_obligation, row["id"], FailureReason.NOT_NEEDED)
    await morning(office, MORNING + timedelta(days=1))

    assert f"{ref} · fetch" in mona
    assert "Given up" not in alice
    assert "Given up" not in digests(office, MONA)[-1]


async def test_p3_is_told_in_the_digest_and_p2_by_itself_in_working_hours(office: Office) -> None:
    slow, pressing = office.owned(ALICE), office.owned(ALICE, severity=4)
    await office.idle()
    office.clock.go_on(hours=10)
    await office.idle()
    evening = [one for one in office.texts(ALICE) if one.startswith("⚠️")]
    office.clock.go_on(seconds=(MORNING - office.clock.at).total_seconds())
    await office.idle()
    office.clock.go_on(days=3)
    await office.idle()
    pings = [one for one in office.texts(ALICE) if one.startswith("⚠️")]

    assert evening == []
    assert any(pressing in one for one in pings)
    assert not any(slow in one for one in pings)


async def test_p1_is_told_at_any_hour(office: Office) -> None:
    office.clock.go_on(hours=10)
    ref = office.owned(ALICE, severity=5, safety=2)
    office.clock.go_on(hours=1)
    await office.idle()

    assert any(ref in one and "missed" in one for one in office.texts(ALICE))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 11, 3, 8, 59, tzinfo=UTC), datetime(2026, 11, 3, 9, 0, tzinfo=UTC)),
        (datetime(2026, 11, 3, 9, 0, tzinfo=UTC), datetime(2026, 11, 4, 9, 0, tzinfo=UTC)),
        (datetime(2026, 11, 6, 12, 0, tzinfo=UTC), datetime(2026, 11, 9, 9, 0, tzinfo=UTC)),
        (datetime(2026, 3, 27, 12, 0, tzinfo=UTC), datetime(2026, 3, 30, 8, 0, tzinfo=UTC)),
    ],
)
def test_the_next_morning_is_the_next_opening_time(now: datetime, opens: datetime) -> None:
    assert next_morning(now, RULES.calendar) == opens
