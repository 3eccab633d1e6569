"""The demo opens with past complaints made by the same verbs through the same store, and with an incident.

Each person of the incident has an own complaint, and all got one update. Making the past takes seconds, so one test
checks everything at once.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from amends.clause_count import count_clauses
from amends.demo.outage import INCIDENT_PEOPLE
from amends.demo.run import PAST, DemoStage, staged
from amends.demo.settings import CHANNELS
from store.cases.batches import list_batch_deliveries
from store.cases.read import list_cases, load_case
from store.custody.verify import verify
from store.incidents import list_incident_cases, list_open_incidents
from store.outbox.failed import list_failed
from store.registers import count_entries

MORNING = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
EVENING = datetime(2026, 11, 27, 21, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opened", "past", "least"),
    [(MORNING, PAST // 2, 90), (EVENING, 66, 60)],
    ids=["on a working morning", "on a Friday evening"],
)
async def test_the_demo_opens_with_complaints_at_every_stage_their_cards_and_an_incident(
    opened: datetime, past: int, least: int
) -> None:
    async with staged(begins=opened, past=past) as stage:
        await stage.settled()
        sent_at = [
            message.sent_at for chat in stage.simulator.world.telegram.chats.values() for message in chat
        ]
        assert max(sent_at) <= stage.store.now()
        cases, _ = stage.store.read(list_cases, limit=1000)
        mona = stage.simulator.staff("U0000002")
        cards = [card for channel in CHANNELS[:2] for card in mona.channel(channel).cards]

        assert len(cases) >= least
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
        if opened is MORNING:
            clauses = count_clauses(stage.store, stage.desk.settings).clauses
            assert {row.clause.id: row.status.value for row in clauses if row.status != "met"} == {}
        assert stage.store.read(verify).first_bad is None
        assert stage.simulator.refusals == []
        _assert_incident_card_and_update(stage)
        counts = stage.store.read(count_entries, opened.date())
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
