"""The clock jumps by an hour either way, across both changes of summer time, a leap day and three years.

A complaint in each of five zones reaches the point where reminders are due. Handlers record the time of each
obligation: none may be early, missing or done twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from complaints.obligations.kinds import LATER
from complaints.rulebook import Calendar
from complaints.times import format_time
from scheduler.ticks import act_handlers, schedule_next_morning
from scheduler.worker import Worker
from store.outbox.complete import Completed, Outcome
from store.outbox.failed import list_failed
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Obligation
from tests.databases import FakeClock
from tests.edges.desk import RULES, Desk

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: The start of the clock, and its jumps.
JUMPS: dict[str, tuple[datetime, tuple[timedelta, ...]]] = {
    "an hour forward and back, repeatedly": (
        datetime(2026, 11, 3, 10, tzinfo=UTC),
        (HOUR, -HOUR, 2 * HOUR, -HOUR, 3 * DAY, -HOUR, HOUR, 9 * DAY),
    ),
    # Two in the morning is skipped in New York on 14 March at 07:00 UTC, one in London on 28 March at 01:00 UTC.
    "into summer time": (
        datetime(2027, 3, 12, 10, tzinfo=UTC),
        (44 * HOUR, HOUR, HOUR, HOUR, 13 * DAY + 15 * HOUR, HOUR, HOUR, HOUR, 10 * DAY),
    ),
    # It occurs twice in London on 25 October at 01:00 UTC, in New York on 1 November at 06:00 UTC.
    "out of summer time": (
        datetime(2026, 10, 23, 10, tzinfo=UTC),
        (38 * HOUR, HOUR, HOUR, -HOUR, HOUR, HOUR, 7 * DAY + 2 * HOUR, HOUR, -HOUR, HOUR, HOUR, 15 * DAY),
    ),
    "over a leap day": (datetime(2028, 2, 25, 10, tzinfo=UTC), tuple([DAY] * 10)),
    "three years later": (datetime(2026, 11, 3, 10, tzinfo=UTC), (3 * 365 * DAY, DAY)),
}


@dataclass
class RecordingHandler:
    """Records each completed obligation with its due time and the desk's time."""

    clock: FakeClock
    done: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    async def __call__(self, obligation: Obligation) -> Outcome:
        self.done.append((f"{obligation.ref} {obligation.key}", obligation.due, self.clock()))
        return Completed()

    @property
    def early(self) -> list[str]:
        """The obligations completed before their due time."""
        return [name for name, due, at in self.done if at < due]

    @property
    def twice(self) -> list[str]:
        """The obligations completed more than once."""
        return [name for name, times in Counter(name for name, _, _ in self.done).items() if times > 1]


def _due_and_open(store: Store, now: datetime) -> list[str]:
    """Return the obligations that are due and not done."""
    return [row["key"] for row in store.read(list_failed, everything=True) if row["due"] <= format_time(now)]


def _complaints(store: Store) -> list[str]:
    desk, refs = Desk(store), []
    for number, zone in enumerate(ZONES):
        calendar = Calendar(zone=zone, hours=dict.fromkeys(range(5), ((540, 1050),)))
        store.write(use_rulebook, replace(RULES, calendar=calendar))
        refs.append(desk.assessed(chat=desk.chat(f"7{number:04}")))
    return refs


@pytest.mark.parametrize(
    ("name", "database"), [*((name, "sqlite") for name in JUMPS), ("out of summer time", "postgres")]
)
async def test_no_obligation_is_done_early_late_or_twice_when_the_clock_jumps(
    name: str, database: str, request: pytest.FixtureRequest, clock: FakeClock
) -> None:
    store: Store = request.getfixturevalue(f"{database}_store")
    clock.at, jumps = JUMPS[name]
    refs = _complaints(store)
    handler = RecordingHandler(clock)
    kinds = {row["kind"] for row in store.read(list_failed, everything=True)} | {"morning", "told_failed"}
    adding = act_handlers(store)["add_due"]
    worker = Worker(store, {**dict.fromkeys(kinds | LATER, handler), "add_due": adding})
    working = asyncio.create_task(worker.run())
    not_done: list[str] = []
    for jump in jumps:
        clock.at += jump
        schedule_next_morning(store)
        await worker.idle()
        not_done += _due_and_open(store, clock())
    worker.stop()
    await working

    assert (handler.early, not_done, handler.twice) == ([], [], [])
    reminded = {key.split()[0] for key, _, _ in handler.done if " remind:" in key}
    assert reminded == set(refs)
