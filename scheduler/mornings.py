"""Every working day at opening time: the digests of the staff are owed, one each (7.3, 4.9)."""

from __future__ import annotations

from collections.abc import Mapping

from complaints.duties import Lane, Owed
from complaints.hours import next_morning, working_day_from
from complaints.localtime import wall
from complaints.permissions import READERS
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation


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
