"""What waits for its next try leaves as soon as a message gets through again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots.telegram.recovering import Recovering
from complaints.duties import Lane
from store.outcomes import Done, Outcome, Retry
from store.values import Obligation

OWED = Obligation(
    id=1, key="k", kind="say", due=datetime(2026, 11, 3, tzinfo=UTC), ref=None, chat=None, facts={}, payload={},
    lane=Lane.DIALOGUE, attempts=0, uncertain=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "outcomes", "freed"),
    [
        ("say", [Retry("unreachable"), Retry("unreachable"), Done(settled=True), Done(settled=True)], 1),
        ("say", [Retry("no answer"), Done(settled=True), Retry("unreachable"), Done(settled=True)], 2),
        ("say", [Retry("flood", 3.0), Done(settled=True)], 0),
        ("wake", [Retry("unreachable"), Done(settled=True)], 0),
    ],
)
async def test_the_first_message_that_gets_through_frees_the_others_once(
    kind: str, outcomes: list[Outcome], freed: int
) -> None:
    times, left = 0, iter(outcomes)

    async def recovered() -> None:
        nonlocal times
        times += 1

    async def perform(_: Obligation) -> Outcome:
        return next(left)

    watched = Recovering(recovered).watched({kind: perform})
    said = [await watched[kind](OWED) for _ in outcomes]

    assert (said, times) == (outcomes, freed)
