"""The demo opens with past complaints that were made by the same verbs through the same store, and with an incident.

Each person of the incident has an own complaint, and all got one update. Making the past takes a minute, so that its
file is made once for all tests, and one test checks everything at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from amends.clause_count import count_clauses
from amends.demo.outage import INCIDENT_PEOPLE
from amends.demo.past_values import read_tables, write_tables
from amends.demo.recording import record_past
from amends.demo.run import DemoStage, staged
from amends.demo.settings import CHANNELS, demo_settings
from amends.demo.snapshot import (
    RECORDED_AT,
    DateMover,
    opening_time,
    read_snapshot,
    snapshot_text,
    store_rules,
)
from amends.settings import rulebook
from simulator import Simulator
from store.cases.batches import list_batch_deliveries
from store.cases.read import list_cases, load_case
from store.custody.verify import verify
from store.incidents import list_incident_cases, list_open_incidents
from store.outbox.failed import list_failed
from store.registers import count_entries
from store.store import Store
from tests.shared_models import ensure_demo_past

MORNING = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
#: In another year, in summer time, and not on a Tuesday.
EVENING = datetime(2027, 4, 16, 21, 40, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize("opened", [MORNING, EVENING], ids=["in the recorded week", "on a Friday in summer"])
async def test_the_demo_opens_with_complaints_at_every_stage_their_cards_and_an_incident(
    opened: datetime,
) -> None:
    ensure_demo_past()
    async with staged(begins=opened, past=True) as stage:
        await stage.settled()
        now = stage.store.now()
        sent_at = [
            message.sent_at for chat in stage.simulator.world.telegram.chats.values() for message in chat
        ]
        assert max(sent_at) <= now
        cases, _ = stage.store.read(list_cases, limit=1000)
        mona = stage.simulator.staff("U0000002")
        cards = [card for channel in CHANNELS[:2] for card in mona.channel(channel).cards]

        assert len(cases) >= 190
        assert {case["state"] for case in cases} >= {
            "received",
            "assessed",
            "investigating",
            "decided",
            "remedying",
            "escalated",
            "recourse_offered",
            "closed",
        }
        assert len(cards) >= len(cases)
        drafts = [stage.store.read(load_case, str(case["ref"])).drafted for case in cases]
        assert {draft.checked for draft in drafts if draft} == {True, False}
        assert stage.store.read(list_failed) == []
        clauses = count_clauses(stage.store, stage.desk.settings).clauses
        assert [row.clause.id for row in clauses if row.status != "met"] == []
        assert stage.store.read(verify).first_bad is None
        assert stage.simulator.refusals == []
        _assert_incident_card_and_update(stage)
        counts = stage.store.read(count_entries, now.date())
        assert [name for name, states in counts.items() if not states] == []
        assert counts["audit"] == {"done": 1}


def _assert_incident_card_and_update(stage: DemoStage) -> None:
    store = stage.store
    (incident,) = store.read(list_open_incidents)
    cases = store.read(list_incident_cases, incident.id)
    deliveries = store.read(list_batch_deliveries, str(incident.batch))
    alice = stage.simulator.staff("U0000001")
    cards = [card.text for card in alice.channel("C0000001").cards if "Burst main" in card.text]

    assert INCIDENT_PEOPLE // 2 <= len(cases) <= INCIDENT_PEOPLE
    assert {delivery.state for delivery in deliveries} == {"sent", "left_out"}
    assert "second_issue" in {delivery.reason for delivery in deliveries}
    assert len(cards) == 1
    assert "A water main burst in Mill Lane" in cards[0]


def test_the_demo_writes_the_same_values_as_lives_that_went_through_the_verbs(
    usual_store: Store, tmp_path: Path
) -> None:
    made = record_past(24)
    rules = rulebook(demo_settings(tmp_path, Simulator(), listen_port=1))
    snapshot = read_snapshot(StringIO(made), RECORDED_AT, rules)
    usual_store.write(store_rules, rules)
    usual_store.write(write_tables, snapshot.tables)
    assert snapshot_text(usual_store.read(read_tables), snapshot.lines, rules) == made
    assert usual_store.read(verify).first_bad is None


def test_the_dates_of_the_past_move_by_whole_weeks_and_keep_their_hour() -> None:
    mover = DateMover(timedelta(weeks=20), LONDON)
    # Winter time becomes summer time: an hour later by UTC would be two by the clock on the wall.
    assert mover.move('"2026-11-24T10:30:00Z"') == '"2027-04-13T09:30:00Z"'
    assert mover.move('"2026-10-20T08:00:00Z"') == '"2027-03-09T09:00:00Z"'
    assert mover.move("look:2026-11-24T10:30:00+00:00") == "look:2027-04-13T09:30:00+00:00"
    assert mover.move("policy-1:2026-12-15:-30") == "policy-1:2027-05-04:-30"
    assert mover.move("by Monday, 2 November 2026 at the latest") == "by Monday, 22 March 2027 at the latest"
    assert mover.move("en geç 2 Kasım 2026 Pazartesi") == "en geç 22 Mart 2027 Pazartesi"


def test_the_demo_opens_on_tuesday_morning_of_the_present_week() -> None:
    for day in range(19, 26):
        assert opening_time(datetime(2027, 4, day, 21, tzinfo=UTC), "Europe/London") == datetime(
            2027, 4, 20, 9, 30, tzinfo=UTC
        )
