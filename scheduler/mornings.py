"""Every working day at opening time: the digests of the staff are owed, one each (7.3, 4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from complaints.duties import Lane, Owed
from complaints.hours import opening_time, working_day_from
from complaints.localtime import wall
from complaints.permissions import READERS
from complaints.rulebook import Calendar
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation

#: With work at all hours the day has no opening; then it is this hour.
DAWN = timedelta(hours=8)


def next_morning(now: datetime, calendar: Calendar) -> datetime:
    """The next opening time after this moment."""
    day = working_day_from(wall(now, calendar.zone).date(), calendar)
    while True:
        opens = opening_time(day, calendar) + (DAWN if calendar.always else timedelta(0))
        if opens > now:
            return opens
        day = working_day_from(day + timedelta(days=1), calendar)


def owe_next_morning(store: Store) -> None:
    """Owe the next one once, whoever asks: by its day, so that several processes and ticks make one."""
    calendar = store.current_rulebook().calendar
    opens = next_morning(store.now(), calendar)
    day = wall(opens, calendar.zone).date().isoformat()
    store.insert(Owed(f"morning:{day}", "morning", opens, Lane.BULK, {"day": day}))


def mornings(store: Store) -> Mapping[str, Perform]:
    """The performer of kind `morning`: everybody who handles or manages, and the next morning."""

    def owe() -> None:
        now, calendar = store.now(), store.current_rulebook().calendar
        owe_next_morning(store)
        # Late after a night of several days it is of today: yesterday's would help nobody.
        today = wall(now, calendar.zone).date()
        if working_day_from(today, calendar) != today:
            return
        day = today.isoformat()
        for member in store.members():
            if member.roles & READERS:
                facts = {"member": member.id, "day": day}
                store.insert(Owed(f"digest:{day}:{member.id}", "digest", now, Lane.BULK, facts))

    async def morning(_: Obligation) -> Outcome:
        await store.in_thread(owe)
        return Done()

    return {"morning": morning}
