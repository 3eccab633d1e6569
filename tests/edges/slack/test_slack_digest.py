"""The morning digest: one message a working day with what the member must know. Only urgent things get a ping.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bots.slack.job_handlers import job_handlers
from bots.slack.jobs.digest import end_of_day
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
from store.proof.log import add_checkpoint, latest_checkpoint
from store.store import Store
from store.values import Obligation
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, AUDREY, BURAK, MONA, TUGBA, Office, open_office
from tests.rules.builders import CRITERIA
from tests.rules.slack_cases import RULES

MORNING = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def digests(office: Office, member: str) -> list[str]:
    return [
        message.text for message in office.staff(member).direct_messages if "Good morning" in message.text
    ]


async def morning(office: Office, at: datetime = MORNING) -> None:
    schedule_next_morning(office.store)
    await office.until(at)


@clause("7.3")
async def test_every_member_gets_one_digest_a_working_day(office: Office) -> None:
    mine, unowned = office.owned(ALICE), office.proposed("Another matter entirely")
    await morning(office)
    first = {member: digests(office, member) for member in (ALICE, BURAK, MONA, TUGBA, AUDREY)}
    await morning(office, MORNING + timedelta(hours=7))
    same_day = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=1))

    (digest,) = first[ALICE]
    assert digest.index("Yours, due today (1)") < digest.index(mine) < digest.index("Without an owner (1)")
    assert unowned in digest
    assert mine not in first[BURAK][0]
    assert [len(texts) for texts in first.values()] == [1, 1, 1, 1, 1]
    assert len(same_day) == 1
    assert len(digests(office, ALICE)) == 2
    assert "Yours, overdue" in digests(office, ALICE)[1]


async def test_managers_get_the_head_of_the_log_to_compare_the_record_with(office: Office) -> None:
    office.owned(ALICE)
    office.proposed("Another matter entirely")
    office.store.write(add_checkpoint, None)
    newest = office.store.read(latest_checkpoint)
    assert newest is not None
    await morning(office)
    head = f"amends db verify --head {newest.size}:{newest.root.hex()[:16]}"
    assert [head in digests(office, member)[0] for member in (MONA, ALICE)] == [True, False]


@clause("8.4")
async def test_a_due_date_is_in_the_owners_digest_the_working_day_before_and_on_the_day(
    office: Office,
) -> None:
    refs = [office.owned(ALICE) for _ in range(10)]
    for ref in refs:
        office.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        office.store.write(act, ref, Verb.ASSESS, office.store.read(load_actor, ALICE), CRITERIA)
    # The first action on a P3 received on Tuesday is due on Friday.
    due = {
        str(target.internal_due)
        for ref in refs
        if (target := next_due(office.store.read(load_case, ref))) is not None
    }
    assert due == {"2026-11-06 17:30:00+00:00"}
    await morning(office)
    early = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=1))
    (before,) = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=2))
    on_the_day = digests(office, ALICE)[-1]

    assert early == []
    assert "Yours, due on the next working day (10)" in before
    assert "Yours, due today" not in before
    assert "2 more in the app’s home" in before
    assert sum(ref in before for ref in refs) == 8
    assert "Yours, due today (10)" in on_the_day
    assert "next working day" not in on_the_day
    assert digests(office, BURAK) == []


@pytest.mark.parametrize(
    ("calendar", "day", "end"),
    [
        (RULES.calendar, date(2026, 11, 4), datetime(2026, 11, 5, tzinfo=UTC)),
        (RULES.calendar, date(2026, 10, 25), datetime(2026, 10, 26, tzinfo=UTC)),
        (replace(RULES.calendar, always=True), date(2026, 11, 4), datetime(2026, 11, 5, tzinfo=UTC)),
    ],
)
def test_a_date_due_at_midnight_belongs_to_the_day_that_ends(
    calendar: Calendar, day: date, end: datetime
) -> None:
    assert end < end_of_day(day, calendar) < end + timedelta(minutes=1)


async def test_no_digest_is_sent_without_content(office: Office) -> None:
    office.owned(ALICE)
    await morning(office)

    assert len(digests(office, ALICE)) == 1
    assert digests(office, BURAK) == []


async def test_managers_read_of_a_rejected_model_until_a_later_one_passes(office: Office) -> None:
    def record_run(key: str, *, passes: bool) -> None:
        run = TrainingRun(key, office.store.now(), 60, passes, {"passes": passes, "reasons": ["worse"]})
        office.store.write(keep_run, run, b"", "0" * 64, {}, activate=False)

    record_run("1", passes=False)
    await morning(office)
    record_run("2", passes=True)
    await morning(office, MORNING + timedelta(days=1))

    (digest,) = digests(office, MONA)
    assert "A newly trained model was rejected" in digest
    assert digests(office, ALICE) == []


async def test_an_absent_member_gets_no_digest(office: Office) -> None:
    office.proposed()
    office.store.write(record_absence, BURAK, MORNING + timedelta(days=5))
    await morning(office)

    assert digests(office, BURAK) == []
    assert len(digests(office, ALICE)) == 1


@clause("6.4")
async def test_a_deputys_digest_lists_what_is_due_for_the_absent_member(office: Office) -> None:
    ref = office.owned(ALICE)
    office.store.write(record_absence, ALICE, MORNING + timedelta(days=5), BURAK)
    await morning(office)
    (digest,) = digests(office, BURAK)

    assert digest.index("who is away: due today or overdue (1)") < digest.index(ref)
    assert digests(office, MONA) == []


@pytest.mark.on_both
async def test_a_digest_whose_obligation_runs_twice_is_posted_once(office: Office) -> None:
    office.proposed()
    await morning(office)
    facts = {"member": ALICE, "day": "2026-11-04"}
    obligation = Obligation(
        1, f"digest:2026-11-04:{ALICE}", "digest", MORNING, None, None, facts, {}, 3, attempts=0, uncertain=False
    )  # fmt: skip
    await job_handlers(office.desk, office.client, interval=0)["digest"](obligation)

    assert len(digests(office, ALICE)) == 1


async def test_a_digest_of_a_past_day_is_not_sent(office: Office) -> None:
    office.proposed()
    facts = {"member": ALICE, "day": "2026-11-04"}
    obligation = Obligation(
        1, f"digest:2026-11-04:{ALICE}", "digest", MORNING, None, None, facts, {}, 3, attempts=0, uncertain=False
    )  # fmt: skip
    office.clock.go_on(days=2)
    await job_handlers(office.desk, office.client, interval=0)["digest"](obligation)

    assert digests(office, ALICE) == []


async def test_after_missing_two_mornings_only_todays_digest_is_sent(office: Office) -> None:
    office.proposed()
    await morning(office, MORNING + timedelta(days=1, hours=1))
    thursday = digests(office, ALICE)
    await morning(office, MORNING + timedelta(days=2))

    assert [len(thursday), len(digests(office, ALICE))] == [1, 2]


async def test_a_digest_delayed_into_a_day_off_is_not_sent(office: Office) -> None:
    office.proposed()
    await morning(office, MORNING + timedelta(days=3))

    assert digests(office, ALICE) == []


@pytest.mark.on_both
@clause("4.9")
async def test_complaints_without_owner_are_proposed_to_the_members_with_the_fewest(office: Office) -> None:
    office.owned(ALICE)
    refs = [office.proposed(f"Another matter, number {n}") for n in range(3)]
    await morning(office)
    first, second = digests(office, ALICE)[0], digests(office, MONA)[0]
    lines = {ref: next(line for line in first.splitlines() if ref in line) for ref in refs}

    assert [
        sum(f"proposed to <@{member}>" in line for line in lines.values()) for member in (ALICE, BURAK)
    ] == [1, 2]
    assert all(line in second for line in lines.values())


@clause("5.3")
async def test_top_management_reads_of_p3_and_p4_only_after_days_overdue(office: Office) -> None:
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


async def test_without_a_present_manager_top_management_reads_of_everything_overdue(office: Office) -> None:
    slow = office.owned(ALICE)
    office.store.write(record_absence, MONA, MORNING + timedelta(days=20))
    await morning(office, MORNING + timedelta(days=2))

    assert slow in digests(office, TUGBA)[-1]


@clause("6.4")
async def test_on_the_first_morning_back_the_digest_lists_what_happened_during_the_absence(
    office: Office,
) -> None:
    mine, untouched = office.owned(ALICE), office.owned(ALICE)
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
    section = back[back.index("While you were away (1)") :]
    assert mine in section
    assert untouched not in section
    assert "While you were away" not in later


async def test_a_member_back_early_reads_what_happened_the_next_morning(office: Office) -> None:
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


async def test_managers_read_of_a_failed_obligation_until_it_is_settled(office: Office) -> None:
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


async def test_a_missed_p2_date_gets_a_ping_in_working_hours_and_p3_only_the_digest(office: Office) -> None:
    slow, pressing = office.owned(ALICE), office.owned(ALICE, severity=4)
    await office.idle()
    office.clock.go_on(hours=10)
    await office.idle()
    evening = [text for text in office.texts(ALICE) if text.startswith("⚠️")]
    office.clock.go_on(seconds=(MORNING - office.clock.at).total_seconds())
    await office.idle()
    office.clock.go_on(days=3)
    await office.idle()
    pings = [text for text in office.texts(ALICE) if text.startswith("⚠️")]

    assert evening == []
    assert any(pressing in text for text in pings)
    assert not any(slow in text for text in pings)


async def test_a_missed_p1_date_gets_a_ping_at_any_hour(office: Office) -> None:
    office.clock.go_on(hours=10)
    ref = office.owned(ALICE, severity=5, safety=2)
    office.clock.go_on(hours=1)
    await office.idle()

    assert any(ref in text and "missed" in text for text in office.texts(ALICE))


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
