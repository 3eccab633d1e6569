"""The duties that are acts on the record and need no channel: a form ended, a complaint lapsed."""

from __future__ import annotations

from collections.abc import Mapping

from complaints.duties import ACTS
from complaints.people import SYSTEM
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation


def acting(store: Store) -> Mapping[str, Perform]:
    """A performer for each kind of duty that only writes the record; the row is settled with the event."""

    async def act(one: Obligation) -> Outcome:
        verb = ACTS[one.kind]
        await store.in_thread(
            store.act, str(one.ref), verb, SYSTEM, dict(one.facts), key=one.key, settles=one.id
        )
        return Done(settled=True)

    return dict.fromkeys(ACTS, act)
