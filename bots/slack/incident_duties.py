"""The duties of incidents: the one card, and telling each complaint of an update to all."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from weakref import WeakValueDictionary

from bots.slack.drawing import ELSEWHERE, POSTS_WITHIN
from bots.slack.incident_card import Standing, incident_card
from bots.slack.posting import Poster
from complaints.errors import ComplaintError
from complaints.incidents import Incident
from store.cases.incident_updates import count_update_deliveries, load_update_text, record_incident_update
from store.cases.read import load_case
from store.database.leases import acquire_leadership, release_leadership
from store.incidents.card import KIND, load_incident_post, record_incident_posted
from store.incidents.incidents import count_incident_cases, load_incident
from store.outbox.outcomes import Completed, Failed, Outcome, Rescheduled
from store.rulebooks import load_current_rulebook
from store.values import Obligation

#: While letters are under way the card follows: first after so long, then ever more slowly.
_SOON = timedelta(seconds=2)
#: A letter that has not left by then is somebody's task, and the card is drawn when anything moves.
_FOLLOWED = timedelta(days=3)


class IncidentDuties:
    """Performs `incident_card` and `incident_update`."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        # One drawing at a time: of two side by side the older might land last.
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._holder = secrets.token_hex(8)

    async def card(self, owed: Obligation) -> Outcome:
        """`incident_card:<id>:<why>`: post or redraw the card; again while letters are under way."""
        desk, number = self.poster.desk, int(owed.facts["incident"])
        lock = self._locks.setdefault(number, asyncio.Lock())
        async with lock:
            incident = await desk.store.aread(load_incident, number)
            standing = await self._standing(incident)
            if not await self._draw(incident, standing):
                return Rescheduled(desk.store.now() + _SOON, ELSEWHERE)
        now = desk.store.now()
        since = now - (incident.updated_at or now)
        # Of all drawings that are owed meanwhile only the update's own goes on following.
        mine = owed.key == f"{KIND}:{number}:{(incident.batch or '').partition('.')[2]}"
        if mine and standing.waiting and since < _FOLLOWED:
            return Rescheduled(now + max(_SOON, since / 2), "letters are under way")
        return Completed()

    async def _standing(self, incident: Incident) -> Standing:
        desk = self.poster.desk
        counts = await desk.store.aread(count_incident_cases, incident.id)
        if incident.batch is None:
            return Standing(counts)
        return Standing(counts, await desk.store.aread(count_update_deliveries, incident.batch))

    async def _draw(self, incident: Incident, standing: Standing) -> bool:
        """Show it; False while another process may be posting the first one, which history does not show yet."""
        store = self.poster.desk.store
        channel, ts, draws = await store.awrite(
            load_incident_post, incident.id, self.poster.desk.places.triage
        )
        if ts is not None:
            await self._show(incident, standing, channel, ts, draws)
            return True
        first = f"{KIND}/{incident.id}"
        if await store.awrite(acquire_leadership, first, self._holder, POSTS_WITHIN.total_seconds()) is None:
            return False
        # Asked again: whoever held it before us may have posted it.
        channel, ts, draws = await store.awrite(load_incident_post, incident.id, channel)
        await self._show(incident, standing, channel, ts, draws)
        # After a failure nobody knows whether it arrived: the next one waits until it would be found.
        await store.awrite(release_leadership, first, self._holder)
        return True

    async def _show(
        self, incident: Incident, standing: Standing, channel: str, ts: str | None, draws: int
    ) -> None:
        desk, key = self.poster.desk, f"incident:{incident.id}"
        rules = await desk.store.aread(load_current_rulebook)
        drawn = incident_card(incident, standing, desk.voice, zone=rules.calendar.zone, draw=draws + 1)
        if ts is None:
            # An earlier try may have arrived although we never heard so.
            ts = await self.poster.find(channel, key)
        ts = await self.poster.show(channel, ts, drawn, key)
        await desk.store.awrite(record_incident_posted, incident.id, ts, draws + 1)

    async def update(self, owed: Obligation) -> Outcome:
        """`incident_update:<batch>`: the update goes into this complaint's record; its letter follows."""
        desk, ref = self.poster.desk, str(owed.ref)
        batch, number = str(owed.facts["batch"]), int(owed.facts["incident"])
        case = await desk.store.aread(load_case, ref)
        text = await desk.store.aread(load_update_text, number, batch, case.language)
        words = {"text": text}
        words["letter"] = desk.preview("reply", case, {"batch": batch}, words, now=desk.store.now())
        by = await desk.actor(str(owed.facts["by"]))
        try:
            await desk.store.awrite(record_incident_update, ref, batch, by, words, settles=owed.id)
        except ComplaintError as refused:
            return Failed(f"{ref} was not told of the incident: {refused}")
        return Completed(settled=True)
