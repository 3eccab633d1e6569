"""The demo opens with a past of its own, led by the same verbs through the same store."""

from __future__ import annotations

from amends.demo.place import CHANNELS
from amends.demo.running import PAST, staged


async def test_the_demo_opens_with_complaints_at_every_stage_and_their_cards() -> None:
    async with staged(past=PAST) as stage:
        await stage.settled()
        cases, _ = stage.store.cases(limit=1000)
        mona = stage.simulator.staff("U0000002")
        cards = [card for channel in CHANNELS[:2] for card in mona.channel(channel).cards]

        assert len(cases) >= 60
        assert {one["state"] for one in cases} >= {
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
        assert stage.store.outbox() == []
        assert stage.store.verify().first_bad is None
        assert stage.simulator.refusals == []
