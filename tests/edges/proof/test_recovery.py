"""When one message gets through after an outage, the waiting ones are sent without their retry pause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots.recovery import RecoveryDetector
from bots.telegram.sending import is_telegram_unavailable
from complaints.obligations.kinds import SendPriority
from store.database.errors import DatabaseUnavailable
from store.outbox.complete import Completed, Outcome, Retry
from store.values import Obligation

OBLIGATION = Obligation(
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
async def test_the_first_message_that_gets_through_ends_the_retry_pauses_once(
    kind: str, outcomes: list[Outcome], freed: int
) -> None:
    times, remaining = 0, iter(outcomes)

    async def recovered() -> None:
        nonlocal times
        times += 1

    async def handle(_: Obligation) -> Outcome:
        return next(remaining)

    watched = RecoveryDetector(recovered, is_telegram_unavailable).watch({kind: handle}, {"say"})
    results = [await watched[kind](OBLIGATION) for _ in outcomes]

    assert (results, times) == (outcomes, freed)


async def test_a_sent_message_stays_sent_if_the_database_fails_when_the_pauses_are_ended() -> None:
    remaining, calls = (
        iter([Retry("unreachable"), Completed(settled=True), Completed(settled=True)]),
        list[int](),
    )

    async def recovered() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise DatabaseUnavailable("away")

    async def handle(_: Obligation) -> Outcome:
        return next(remaining)

    watched = RecoveryDetector(recovered, is_telegram_unavailable).watch({"say": handle})
    results = [await watched["say"](OBLIGATION) for _ in range(3)]

    assert results == [Retry("unreachable"), Completed(settled=True), Completed(settled=True)]
    assert len(calls) == 2


async def test_if_calls_keep_failing_the_pauses_are_ended_at_growing_intervals() -> None:
    """One kind of call fails, another gets through: without a limit it would be retried without any pause."""
    now, ended_at = 0.0, list[float]()

    async def recovered() -> None:
        ended_at.append(now)

    async def fail(_: Obligation) -> Outcome:
        return Retry("unreachable")

    async def succeed(_: Obligation) -> Outcome:
        return Completed()

    watching = RecoveryDetector(recovered, is_telegram_unavailable, min_interval=5.0, clock=lambda: now)
    watched = watching.watch({"card": fail, "thread": succeed})
    for second in range(100):
        now = float(second)
        await watched["card"](OBLIGATION)
        await watched["thread"](OBLIGATION)

    assert ended_at == [0.0, 10.0, 30.0, 70.0]


async def test_an_obligation_that_sent_nothing_is_no_sign_of_recovery() -> None:
    answered, recoveries = 0, list[bool]()
    remaining = iter([Retry("unreachable"), Completed(), Completed()])

    async def recovered() -> None:
        recoveries.append(True)

    async def handle(_: Obligation) -> Outcome:
        return next(remaining)

    watched = RecoveryDetector(recovered, is_telegram_unavailable, answer_count=lambda: answered).watch(
        {"say": handle}
    )
    await watched["say"](OBLIGATION)
    await watched["say"](OBLIGATION)
    assert recoveries == []

    async def handle_with_answer(_: Obligation) -> Outcome:
        nonlocal answered
        answered += 1
        return Completed()

    recovering = RecoveryDetector(recovered, is_telegram_unavailable, answer_count=lambda: answered)
    recovering.unavailable.set()
    await recovering.watch({"say": handle_with_answer})["say"](OBLIGATION)
    assert recoveries == [True]
