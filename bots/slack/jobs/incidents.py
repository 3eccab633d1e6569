"""The jobs of incidents: their card, and recording an update to all in each complaint."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from weakref import WeakValueDictionary

from bots.slack.jobs.card import POST_CLAIM_TIMEOUT, POSTED_ELSEWHERE
from bots.slack.jobs.post import Poster
from bots.slack.views.incident import IncidentStatus, incident_card
from complaints.errors import ComplaintError
from complaints.incidents import Incident
from store.cases.incident_updates import list_update_deliveries, load_update_text, record_incident_update
from store.cases.read import load_case
from store.database.leases import acquire_leadership, release_leadership
from store.incidents import (
    KIND,
    count_incident_cases,
    load_incident,
    load_incident_post,
    record_incident_posted,
)
from store.outbox.complete import (
    Completed,
    Failed,
    Outcome,
    Rescheduled,
)
from store.rulebooks import load_current_rulebook
from store.values import Obligation

#: While letters are on their way the card is redrawn: first after 2 seconds, then at ever longer intervals.
_FIRST_FOLLOW_UP = timedelta(seconds=2)
#: A letter that was not sent within 3 days needs a person; the card is then redrawn only when something changes.
_FOLLOW_UP_LIMIT = timedelta(days=3)


class IncidentJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        # One drawing at a time for each incident: of two at once the older might arrive last.
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._holder = secrets.token_hex(8)

    async def card(self, obligation: Obligation) -> Outcome:
        """`incident_card:<id>:<why>`: post or redraw the card; again while letters are on their way."""
        store, number = self.poster.slack.store, int(obligation.facts["incident"])
        lock = self._locks.setdefault(number, asyncio.Lock())
        async with lock:
            incident = await store.aread(load_incident, number)
            status = await self._status(incident)
            if not await self._draw(incident, status):
                return Rescheduled(store.now() + _FIRST_FOLLOW_UP, POSTED_ELSEWHERE)
        now = store.now()
        since_update = now - (incident.updated_at or now)
        # Several redraws may be due; only the one of the update itself follows its letters.
        is_of_update = obligation.key == f"{KIND}:{number}:{(incident.batch or '').partition('.')[2]}"
        if is_of_update and status.is_waiting and since_update < _FOLLOW_UP_LIMIT:
            return Rescheduled(now + max(_FIRST_FOLLOW_UP, since_update / 2), "letters are on their way")
        return Completed()

    async def _status(self, incident: Incident) -> IncidentStatus:
        store = self.poster.slack.store
        counts = await store.aread(count_incident_cases, incident.id)
        batch = incident.batch
        return IncidentStatus(counts, await store.aread(list_update_deliveries, batch) if batch else ())

    async def _draw(self, incident: Incident, status: IncidentStatus) -> bool:
        """Show the card; False while another process may be posting it and history does not show it yet."""
        store, triage = self.poster.slack.store, self.poster.slack.channels.triage
        channel, ts, draws = await store.awrite(load_incident_post, incident.id, triage)
        if ts is not None:
            await self._show(incident, status, channel, ts, draws)
            return True
        lease, seconds = f"{KIND}/{incident.id}", POST_CLAIM_TIMEOUT.total_seconds()
        if await store.awrite(acquire_leadership, lease, self._holder, seconds) is None:
            return False
        # Read again: the previous holder of the lease may have posted it.
        channel, ts, draws = await store.awrite(load_incident_post, incident.id, channel)
        await self._show(incident, status, channel, ts, draws)
        # Released only after success. After a failure the next process waits until a delivered post can be found.
        await store.awrite(release_leadership, lease, self._holder)
        return True

    async def _show(
        self, incident: Incident, status: IncidentStatus, channel: str, ts: str | None, draws: int
    ) -> None:
        slack, key = self.poster.slack, f"incident:{incident.id}"
        rules = await slack.store.aread(load_current_rulebook)
        zone = rules.calendar.zone
        message = incident_card(incident, status, slack.texts, zone=zone, draw=draws + 1)
        if ts is None and await self.poster.was_tried(key):
            # An earlier attempt may have been delivered although no answer came.
            ts = await self.poster.find(channel, key)
        ts = await self.poster.show(channel, ts, message, key, attempt=self.poster.attempt(key))
        await slack.store.awrite(record_incident_posted, incident.id, ts, draws + 1)

    async def update(self, obligation: Obligation) -> Outcome:
        """`incident_update:<batch>`: record the update in this complaint; its letter follows."""
        slack, store, ref = self.poster.slack, self.poster.slack.store, str(obligation.ref)
        batch, number = str(obligation.facts["batch"]), int(obligation.facts["incident"])
        case = await store.aread(load_case, ref)
        text = await store.aread(load_update_text, number, batch, case.language)
        words = {"text": text}
        words["letter"] = slack.preview("reply", case, {"batch": batch}, words, now=store.now())
        actor = await slack.actor(str(obligation.facts["by"]))
        try:
            await store.awrite(record_incident_update, ref, batch, actor, words, completes=obligation.id)
        except ComplaintError as refusal:
            return Failed(f"{ref} did not get the incident's update: {refusal}")
        return Completed(settled=True)
