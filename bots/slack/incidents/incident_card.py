"""The card of an incident: how it is drawn, and the job that posts and redraws it."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from bots.slack.batches.steps import left_out_by_name, left_to_person
from bots.slack.client.block_kit import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    escaped,
    fields,
    header,
    mention,
    section,
)
from bots.slack.jobs.case_posts import POST_CLAIM_TIMEOUT, POSTED_ELSEWHERE
from bots.slack.jobs.post import Poster
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.incident_inputs import incident_headline
from complaints.batch import TAKEN_BACK, IncidentDecision
from complaints.incidents import Incident
from complaints.vocabulary import UNDECIDED, State
from store.cases.batches import DECISION, BatchDelivery, list_batch_deliveries
from store.cases.incident_acts import schedule_notice
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
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.rulebooks import load_current_rulebook
from store.values import Obligation

#: The buttons of an open incident: the action id is `incident.<verb>`, the value the incident's number.
INCIDENT_BUTTONS = ("update", "decide", "join", "edit", "end")
#: While letters are on their way the card is redrawn: first after 2 seconds, then at ever longer intervals.
_FIRST_FOLLOW_UP = timedelta(seconds=2)
#: A letter that was not sent within 3 days needs a person; the card is then redrawn only when something changes.
_FOLLOW_UP_LIMIT = timedelta(days=3)


@dataclass(frozen=True)
class IncidentStatus:
    """The complaints of an incident by state, and each delivery of the last update."""

    counts: Mapping[str, int]
    deliveries: Sequence[BatchDelivery] = ()
    #: The last decision on all, what became of it in each complaint, and the replies to decisions.
    decision: IncidentDecision | None = None
    decided: Sequence[BatchDelivery] = ()
    replies: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        """Some letter of the last update or decision is on its way."""
        agreed = self.decision is not None and self.decision.agreed
        letters = (*self.deliveries, *(self.decided if agreed else ()))
        return any(delivery.state == "waiting" for delivery in letters)

    @property
    def number_decided(self) -> int:
        return sum(delivery.is_recorded for delivery in self.decided)

    @property
    def all_decided(self) -> bool:
        """An approved decision is recorded in each complaint, or left to a person there."""
        agreed = self.decision is not None and self.decision.agreed
        open_acts = any(delivery.state == "waiting" and not delivery.is_recorded for delivery in self.decided)
        return bool(agreed) and not open_acts


def incident_card(
    incident: Incident, status: IncidentStatus, texts: StaffTexts, *, zone: str, draw: int
) -> SlackMessage:
    """The card as the record is now; `draw` counts the drawings of this post."""
    title = incident_headline(incident, texts)
    blocks: list[Block] = [header(title), fields(_fields(incident, status, texts, zone))]
    line = incident.line_in(texts.language)
    blocks.append(
        section(f"*{texts.text('incident.line')}*\n{escaped(line) or texts.text('incident.no_line')}")
    )
    states = [
        f"{texts.text(f'state.{state.value}')} {status.counts[state.value]}"
        for state in State
        if status.counts.get(state.value)
    ]
    states += [
        f"{texts.text(f'incident.{reply}')} {status.replies[reply]}"
        for reply in ("accept", "disagree")
        if status.replies.get(reply)
    ]
    if states:
        blocks.append(context(" · ".join(states)))
    blocks += _last_update(incident, status, texts, zone)
    blocks += _last_decision(status, texts)
    if incident.is_open or any(status.counts.get(state.value) for state in UNDECIDED):
        blocks.append(_buttons(incident, status.decision, texts, draw))
    count = texts.text("incident.cases", number=sum(status.counts.values()))
    return SlackMessage(f"{escaped(title)}. {count}", blocks)


def _fields(incident: Incident, status: IncidentStatus, texts: StaffTexts, zone: str) -> list[str]:
    rows = [
        ("incident.complaints", str(sum(status.counts.values()))),
        ("card.owner", mention(incident.owner) if incident.owner else texts.text("card.no_owner")),
        ("incident.began", texts.moment(incident.started_at, zone)),
    ]
    if incident.ended_at is not None:
        rows.append(("incident.ended", texts.moment(incident.ended_at, zone)))
    if incident.area:
        rows.append(("incident.area", escaped(incident.area, 200)))
    return [f"*{texts.text(label)}*\n{value}" for label, value in rows]


def _last_update(incident: Incident, status: IncidentStatus, texts: StaffTexts, zone: str) -> list[Block]:
    if incident.updated_at is None:
        return [context(texts.text("incident.no_update"))]
    when, how = texts.moment(incident.updated_at, zone), _delivery_counts(status.deliveries, texts)
    blocks = [section(texts.text("incident.updated", when=when, how=how))]
    return [*blocks, *left_out_by_name(left_out_of(status.deliveries), texts)]


def _last_decision(status: IncidentStatus, texts: StaffTexts) -> list[Block]:
    """The decision on all: that it waits, was sent back, or how far it is; and who is left to a person."""
    decision = status.decision
    if decision is None:
        return []
    who, number = mention(decision.by), decision.number
    if decision.agreed is None:
        return [section(texts.count("incident.decision_waits", number, who=who))]
    by = mention(decision.answered_by or "")
    if not decision.agreed:
        return [context(texts.text("incident.decision_returned", who=who, by=by))]
    how = _delivery_counts([delivery for delivery in status.decided if delivery.is_recorded], texts)
    text = texts.text("incident.decided", done=status.number_decided, total=number, who=who, by=by, how=how)
    return [section(text), *left_to_person(left_out_of(status.decided), texts)]


def left_out_of(deliveries: Sequence[BatchDelivery]) -> list[tuple[str, str]]:
    """The references of those that are left out, with the reasons."""
    return [(row.ref, str(row.reason)) for row in deliveries if row.state == "left_out"]


def _delivery_counts(deliveries: Sequence[BatchDelivery], texts: StaffTexts) -> str:
    """`sent 47, waiting 2, failed 1 (blocked)`."""
    counts = Counter(delivery.state for delivery in deliveries)
    parts = [texts.text(f"incident.{state}", number=counts[state]) for state in ("sent", "waiting")]
    parts += [texts.text("incident.taken_back", number=counts[TAKEN_BACK])] if counts[TAKEN_BACK] else []
    if counts["failed"]:
        reasons = {str(delivery.reason) for delivery in deliveries if delivery.state == "failed"}
        why = ", ".join(escaped(reason, 40) for reason in sorted(reasons))
        parts.append(f"{texts.text('incident.failed', number=counts['failed'])} ({why})")
    return ", ".join(parts)


def _buttons(incident: Incident, decision: IncidentDecision | None, texts: StaffTexts, draw: int) -> Block:
    """After the end only the decision is left; while it waits, it is approved instead of made."""
    waits = decision is not None and decision.waits
    verbs = [verb for verb in INCIDENT_BUTTONS if incident.is_open or verb == "decide"]
    verbs = ["approve" if verb == "decide" and waits else verb for verb in verbs]
    row = [
        button(
            texts.text(f"incident.verb.{verb}"),
            f"incident.{verb}",
            str(incident.id),
            style="primary" if verb == ("approve" if waits else "update") else None,
        )
        for verb in verbs
    ]
    return actions(f"incident:{incident.version}.{draw}", row)


class IncidentCards:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        # One drawing at a time for each incident: of two at once the older might arrive last.
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._holder = secrets.token_hex(8)

    async def draw(self, obligation: Obligation) -> Outcome:
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


def _sent_since(incident: Incident, status: IncidentStatus, key: str) -> datetime | None:
    """When the act was done whose redraw has this key, if it was the last update or the answer to a decision."""
    if key == f"{KIND}:{incident.id}:{(incident.batch or '').partition('.')[2]}":
        return incident.updated_at
    decision = status.decision
    if decision is not None and key == f"{KIND}:{incident.id}:{decision.answered_seq}":
        return decision.answered_at
    return None
