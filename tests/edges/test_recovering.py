"""What waits for its next try leaves as soon as a message gets through again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots.recovery import Recovering
from bots.telegram.sending import nobody_there
from complaints.obligations.kinds import SendPriority
from store.database.errors import DatabaseUnavailable
from store.outbox.outcomes import Completed, Outcome, Retry
from store.values import Obligation

OWED = Obligation(
    id=1, key="k", kind="say", due=datetime(2026, 11, 3, tzinfo=UTC), ref=None, chat=None, facts={}, payload={},
    lane=SendPriority.DIALOGUE, attempts=0, uncertain=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "outcomes", "freed"),
    [
        (
            "say",
            [Retry("unreachable"), Retry("unreachable"), Completed(settled=True), Completed(settled=True)],
            1,
        ),
        (
            "say",
            [Retry("no answer"), Completed(settled=True), Retry("unreachable"), Completed(settled=True)],
            2,
        ),
        ("say", [Retry("flood", 3.0), Completed(settled=True)], 0),
        ("wake", [Retry("unreachable"), Completed(settled=True)], 0),
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

    watched = Recovering(recovered, nobody_there).watched({kind: perform}, {"say"})
    said = [await watched[kind](OWED) for _ in outcomes]

    assert (said, times) == (outcomes, freed)


async def test_what_was_sent_stays_sent_though_the_database_is_away_when_the_others_are_freed() -> None:
    left, tried = iter([Retry("unreachable"), Completed(settled=True), Completed(settled=True)]), list[int]()

    async def recovered() -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            raise DatabaseUnavailable("away")

    async def perform(_: Obligation) -> Outcome:
        return next(left)

    watched = Recovering(recovered, nobody_there).watched({"say": perform})
    said = [await watched["say"](OWED) for _ in range(3)]

    assert said == [Retry("unreachable"), Completed(settled=True), Completed(settled=True)]
    assert len(tried) == 2


async def test_what_fails_again_once_it_was_freed_is_freed_ever_more_seldom() -> None:
    """One kind of call fails, others get through: without end it would be tried with no pause."""
    now, freed = 0.0, list[float]()

    async def recovered() -> None:
        freed.append(now)

    async def broken(_: Obligation) -> Outcome:
        return Retry("unreachable")

    async def whole(_: Obligation) -> Outcome:
        return Completed()

    watching = Recovering(recovered, nobody_there, apart=5.0, clock=lambda: now)
    watched = watching.watched({"card": broken, "thread": whole})
    for second in range(100):
        now = float(second)
        await watched["card"](OWED)
        await watched["thread"](OWED)

    assert freed == [0.0, 10.0, 30.0, 70.0]


async def test_a_duty_that_had_nothing_to_say_is_no_sign_that_somebody_is_there() -> None:
    answered, freed = 0, list[bool]()
    left = iter([Retry("unreachable"), Completed(), Completed()])

    async def recovered() -> None:
        freed.append(True)

    async def perform(_: Obligation) -> Outcome:
        return next(left)

    watched = Recovering(recovered, nobody_there, answered=lambda: answered).watched({"say": perform})
    await watched["say"](OWED)
    await watched["say"](OWED)
    assert freed == []

    async def speaks(_: Obligation) -> Outcome:
        nonlocal answered
        answered += 1
        return Completed()

    recovering = Recovering(recovered, nobody_there, answered=lambda: answered)
    recovering.away.set()
    await recovering.watched({"say": speaks})["say"](OWED)
    assert freed == [True]
