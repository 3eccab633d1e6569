"""The jobs of incidents: their card, and recording an update or a decision on all in each complaint."""

import asyncio
import secrets
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from bots.slack import recipients
from bots.slack.context import SlackContext
from bots.slack.jobs.card import POST_CLAIM_TIMEOUT, POSTED_ELSEWHERE
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import Poster
from bots.slack.views.incident import IncidentStatus, incident_card
from bots.slack.views.incident_decision import decision_notice
from complaints.batches.incident_decision import (
    IncidentDecision,
    decision_facts,
    decision_left_out,
    decision_words,
    may_approve_all,
    reason_of,
)
from complaints.case import Case
from complaints.errors import ComplaintError, Stale
from complaints.incidents import Incident
from store.cases.batches import DECISION, list_batch_deliveries, record_left_out
from store.cases.incident_acts import (
    load_update_text,
    prepare_incident_decision,
    record_incident_decision,
    record_incident_update,
    schedule_notice,
)
from store.cases.read import load_case
from store.database.leases import acquire_leadership, release_leadership
from store.incidents import (
    KIND,
    count_incident_cases,
    count_incident_replies,
    load_incident,
    load_incident_decision,
    load_incident_post,
    record_incident_posted,
)
from store.outbox.complete import Completed, Failed, Outcome, Rescheduled
from store.people.staff import list_members
from store.record.load import load_complaint_text
from store.rulebooks import load_current_rulebook
from store.values import Obligation

#: While letters are on their way the card is redrawn: first after 2 seconds, then at ever longer intervals.
_FIRST_FOLLOW_UP = timedelta(seconds=2)
#: A letter that was not sent within 3 days needs a person; the card is then redrawn only when something changes.
_FOLLOW_UP_LIMIT = timedelta(days=3)


class IncidentJobs:
    def __init__(self, poster: Poster, direct: DirectMessageJobs) -> None:
        self.poster, self.direct = poster, direct
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
        if status.decision is not None and status.all_decided:
            await store.awrite(schedule_notice, number, status.decision.batch, "decided")
        now = store.now()
        since = _sent_since(incident, status, obligation.key)
        # Several redraws may be due; only the one of the act itself follows its letters.
        if since is not None and status.is_waiting and now - since < _FOLLOW_UP_LIMIT:
            again = now + max(_FIRST_FOLLOW_UP, (now - since) / 2)
            return Rescheduled(again, "letters are on their way")
        return Completed()

    async def _status(self, incident: Incident) -> IncidentStatus:
        store, batch = self.poster.slack.store, incident.batch
        decision = await store.aread(load_incident_decision, incident.id)
        return IncidentStatus(
            await store.aread(count_incident_cases, incident.id),
            await store.aread(list_batch_deliveries, batch) if batch else (),
            decision,
            await store.aread(list_batch_deliveries, decision.batch, DECISION) if decision else (),
            await store.aread(count_incident_replies, incident.id),
        )

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

    async def decide(self, obligation: Obligation) -> Outcome:
        """`incident_decision:<batch>`: record the decision in this complaint; its letter follows."""
        slack, store, ref = self.poster.slack, self.poster.slack.store, str(obligation.ref)
        number, batch = int(obligation.facts["incident"]), str(obligation.facts["batch"])
        decision = await store.aread(load_incident_decision, number, batch)
        # None: the approval was taken back while this was being done, and its sender read that it is too late.
        if decision is None or decision.agreed is False:
            return Failed(f"the decision {batch} on {ref} was not approved")
        decider, approver = await slack.actor(decision.by), await slack.actor(str(obligation.facts["by"]))
        case = await store.aread(load_case, ref)
        try:
            after, reviewers = await store.aread(
                prepare_incident_decision, case, decision, decider, approver.id
            )
            letter = await decision_letter(slack, decision, after, reviewers)
            await store.awrite(
                record_incident_decision, ref, decision, decider, approver, letter,
                seen_version=case.version, completes=obligation.id,
            )  # fmt: skip
        except Stale:
            return Rescheduled(store.now(), "the complaint changed")
        except ComplaintError as refusal:
            why = decision_left_out(case, number, store.now(), decision.previewed_at) or reason_of(refusal)
            await store.awrite(record_left_out, ref, batch, why, completes=obligation.id)
        return Completed(settled=True)

    async def notice(self, obligation: Obligation) -> Outcome:
        """`incident_notice:<batch>:<about>`: ask for approval, or say what became of the decision."""
        slack, store = self.poster.slack, self.poster.slack.store
        number, batch = int(obligation.facts["incident"]), str(obligation.facts["batch"])
        about, incident = str(obligation.facts["about"]), await store.aread(load_incident, number)
        decision = await store.aread(load_incident_decision, number, batch)
        if decision is None or (about == "approve" and not decision.waits):
            return Completed()
        decided = await store.aread(list_batch_deliveries, batch, DECISION)
        people = [decision.by]
        if about == "approve":
            authority = (await store.aread(load_current_rulebook)).authority
            members = await store.aread(list_members)
            able = [
                member
                for member in members
                if may_approve_all(decision, recipients.member_actor(member), authority)
            ]
            people = [member.id for member in recipients.present_members(able, store.now()) or able]
            if not people:
                return Failed("nobody may approve this: name another manager or top management in [roles]")
        status = IncidentStatus({}, (), decision, decided)
        message = decision_notice(incident, about, status, slack.texts)
        return await self.direct.send(people, message, obligation)


async def decision_letter(
    slack: SlackContext, decision: IncidentDecision, after: Case, reviewers: int
) -> str:
    """The letter of one complaint exactly as it leaves; `after` is the complaint as the decision leaves it."""
    return slack.preview(
        "decide",
        after,
        decision_facts(decision.facts),
        decision_words(decision.words, after.language),
        now=slack.store.now(),
        reviewers=reviewers,
        complaint_text=await slack.store.aread(load_complaint_text, after.ref),
    )


def _sent_since(incident: Incident, status: IncidentStatus, key: str) -> datetime | None:
    """When the act was done whose redraw has this key, if it was the last update or the answer to a decision."""
    if key == f"{KIND}:{incident.id}:{(incident.batch or '').partition('.')[2]}":
        return incident.updated_at
    decision = status.decision
    if decision is not None and key == f"{KIND}:{incident.id}:{decision.answered_seq}":
        return decision.answered_at
    return None
