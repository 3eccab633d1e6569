"""Figures and reports asked for in Slack: owed before they are acknowledged, made beside all other work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError

from bots.slack.blocks import MESSAGE_BLOCKS, escaped, header, pieces, section
from bots.slack.card import Drawn
from bots.slack.client import error_of
from bots.slack.desk import Desk
from bots.slack.figures import figures
from bots.slack.filing import Filing
from bots.slack.lists import knows_of
from bots.slack.model_news import drifts_in
from bots.slack.posting import PERMANENT
from complaints.actors import Actor
from complaints.deadlines.local_time import at_minute, wall
from complaints.errors import NotAllowed, UnknownReference
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.rulebook import Rulebook
from complaints.vocabulary import Role
from reports.monitoring import Monitoring, Period, monitor
from reports.render_markdown import as_markdown
from store.cases.pages import count_repeats
from store.cases.read import load_case
from store.outbox.outcomes import Completed, Outcome
from store.outbox.rows import insert_obligation
from store.record.refused_attempts import record_refused_attempt
from store.rulebooks import load_current_rulebook
from store.store import Store
from store.values import Obligation

#: The last 91 days, today included: a quarter, as the management review takes it.
QUARTER = timedelta(days=91)
#: What can be made now.
KINDS = ("monitoring",)
#: Reports show who handled how: not for everybody who handles.
_READERS = (Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR)


async def owe_stats(desk: Desk, key: str, by: Actor, channel: str) -> str:
    """The figures follow in a message that only this person sees."""
    owed = NewObligation(
        f"stats:{key}", "stats", desk.store.now(), SendPriority.DIALOGUE, {"to": by.id, "channel": channel}
    )
    await desk.store.awrite(insert_obligation, owed, None, None, {})
    return desk.voice.say("stats.counting")


async def owe_report(desk: Desk, key: str, kind: str, by: Actor) -> str:
    """The report follows as a file in this person's own direct messages."""
    voice = desk.voice
    if kind.casefold() not in KINDS:
        return voice.say(
            "report.which", kinds=", ".join(f"`{one}`" for one in KINDS), asked=escaped(kind, 30) or "–"
        )
    if not by.has(*_READERS):
        await desk.store.awrite(record_refused_attempt, None, "report", by, "not_allowed.role")
        raise NotAllowed("Reports are for managers and auditors: ask one.", code="not_allowed.role")
    facts = {"kind": kind.casefold(), "to": by.id}
    owed = NewObligation(f"report:{key}", "report", desk.store.now(), SendPriority.BULK, facts)
    await desk.store.awrite(insert_obligation, owed, None, None, {})
    return voice.say("report.on_its_way")


async def owe_clauses(desk: Desk, key: str, by: Actor, channel: str) -> str:
    """The table of the clauses follows in a message that only this person sees."""
    if desk.clauses is None:
        return desk.voice.say("clauses.none")
    facts = {"to": by.id, "channel": channel}
    owed = NewObligation(f"clauses:{key}", "clauses", desk.store.now(), SendPriority.BULK, facts)
    await desk.store.awrite(insert_obligation, owed, None, None, {})
    return desk.voice.say("stats.counting")


class Reporting:
    """Performs `stats`, `clauses` and `report`."""

    def __init__(self, filing: Filing) -> None:
        self.filing = filing
        self.poster = filing.poster
        self.desk = filing.poster.desk

    async def stats(self, owed: Obligation) -> Outcome:
        """`stats`: counted now, said where it was asked, else in the direct messages."""
        rules = await self.desk.store.aread(load_current_rulebook)
        zone = rules.calendar.zone
        drifts = await asyncio.to_thread(drifts_in, self.desk.store)
        drawn = figures(await self._counted(rules), self.desk.voice, zone, drifts)
        await self._whisper(owed, drawn)
        return Completed()

    async def clauses(self, owed: Obligation) -> Outcome:
        """`clauses`: each clause with how it is met today, as the desk's own check finds it."""
        if self.desk.clauses is None:
            return Completed()
        title = self.desk.voice.say("clauses.title")
        lines = await asyncio.to_thread(self.desk.clauses)
        text = "\n".join(escaped(one, 200) for one in lines)
        await self._whisper(
            owed, Drawn(title, [header(title), *(section(one) for one in pieces(text))][:MESSAGE_BLOCKS])
        )
        return Completed()

    async def _whisper(self, owed: Obligation, drawn: Drawn) -> None:
        """Where it was asked; in the direct messages where we may not write there."""
        to, channel = str(owed.facts["to"]), str(owed.facts["channel"])
        try:
            await self.poster.whisper(channel, to, drawn.text, None, blocks=drawn.blocks)
        except SlackApiError as failure:
            if error_of(failure) not in PERMANENT:
                raise
            await self.poster.post(await self.poster.direct(to), drawn, owed.key)

    async def report(self, owed: Obligation) -> Outcome:
        """`report`: made with the rights of this moment; a person without them any more gets none."""
        to = str(owed.facts["to"])
        by = await self.desk.actor(to)
        if not by.has(*_READERS):
            return Completed()
        rules = await self.desk.store.aread(load_current_rulebook)
        found = await self._for(by, await self._counted(rules))
        page = as_markdown(found, rules.calendar.zone).encode()
        name = f"monitoring-{wall(found.as_of, rules.calendar.zone):%Y-%m-%d}.md"
        comment = self.desk.voice.say("report.here")
        return await self.filing.deliver(to, name, page, comment)

    async def _counted(self, rules: Rulebook) -> Monitoring:
        store = self.desk.store
        now = store.now()
        day = wall(now, rules.calendar.zone).date() + timedelta(days=1)
        zone = rules.calendar.zone
        period = Period(at_minute(day - QUARTER, 0, zone), at_minute(day, 0, zone))
        # Neither the writer's thread nor one of the readers': a count may take seconds.
        return await asyncio.to_thread(lambda: _monitored(store, period, now))

    async def _for(self, by: Actor, found: Monitoring) -> Monitoring:
        """Without references that this person may not know of; the figures count them all the same."""
        misses = [ref for ref in found.safety_misses if await self._known(ref, by)]
        oldest = found.backlog.oldest
        if oldest is not None and not await self._known(oldest.ref, by):
            oldest = None
        return replace(found, safety_misses=tuple(misses), backlog=replace(found.backlog, oldest=oldest))

    async def _known(self, ref: str, by: Actor) -> bool:
        try:
            return knows_of(await self.desk.store.aread(load_case, ref), by)
        except UnknownReference:
            return False


def _monitored(store: Store, period: Period, now: datetime) -> Monitoring:
    repeats = store.read(count_repeats, period.start, period.end)
    return monitor(store.for_monitoring(period.start, period.end), period=period, now=now, repeats=repeats)
