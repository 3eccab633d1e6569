"""The demo's past holds one outage: its people in one incident, told together, each with an own complaint."""

from __future__ import annotations

from datetime import UTC, datetime

from amends.demo.incident import PEOPLE
from amends.demo.running import staged

MORNING = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


async def test_an_incident_of_the_past_stands_on_the_page_with_its_update() -> None:
    async with staged(begins=MORNING, past=66) as stage:
        await stage.settled()
        store = stage.store
        (incident,) = store.open_incidents()
        cases = store.cases_of_incident(incident.id)
        deliveries = store.incident_deliveries(str(incident.batch))
        alice = stage.simulator.staff("U0000001")
        cards = [card.text for card in alice.channel("C0000001").cards if "Burst main" in card.text]

        assert PEOPLE // 2 <= len(cases) <= PEOPLE
        assert {one.state for one in deliveries} == {"sent", "left_out"}
        assert "second_issue" in {one.reason for one in deliveries}
        assert len(cards) == 1
        assert "A water main burst in Mill Lane" in cards[0]
        assert store.verify().first_bad is None
