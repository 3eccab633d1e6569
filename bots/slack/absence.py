"""`/complaints away until DATE` and `back`: who is away is recorded, and who stands in."""

from __future__ import annotations

from bots.slack.blocks import mention
from bots.slack.calling import member_of, read_away
from bots.slack.desk import Desk
from complaints.actors import Actor
from complaints.deadlines.local_time import at_minute, wall
from complaints.errors import BadFacts, NotAllowed
from complaints.vocabulary import Role
from store.people.staff import end_absence, list_members, record_absence
from store.record.worklists import WorklistSection, load_worklist
from store.rulebooks import load_current_rulebook

_MANAGING = (Role.MANAGER, Role.TOP_MANAGEMENT)


async def away(desk: Desk, said: str, by: Actor) -> str:
    """Oneself, or (managers) somebody else; what the person was to hear goes to the deputy, else managers."""
    store, voice = desk.store, desk.voice
    rules = await store.aread(load_current_rulebook)
    zone = rules.calendar.zone
    members = await store.aread(list_members)
    read = read_away(said, members, wall(store.now(), zone).date())
    who = _whom(read.who, by)
    if read.deputy == who:
        raise BadFacts("Nobody stands in for themselves.", code="nobody_of_staff")
    await store.awrite(record_absence, who, at_minute(read.until, 0, zone), read.deputy)
    page = await store.aread(load_worklist, WorklistSection.MINE, by, owner=who, limit=1)
    standing = next((one.deputy for one in members if one.id == who), None)
    named = read.deputy or standing
    deputy = mention(named) if named else voice.say("away.managers")
    told = voice.say("away.set", who=mention(who), day=voice.day(read.until), deputy=deputy)
    return f"{told} {voice.count('away.has', page.count)}" if page.count else told


async def back(desk: Desk, said: str, by: Actor) -> str:
    """Here again before the day that was given."""
    members = await desk.store.aread(list_members)
    named = member_of(said.split()[0], members) if said else None
    if said and named is None:
        raise BadFacts("That is nobody of the staff.", code="nobody_of_staff")
    who = _whom(named.id if named is not None else None, by)
    was = await desk.store.awrite(end_absence, who)
    return desk.voice.say("away.back" if was else "away.was_here", who=mention(who))


def _whom(named: str | None, by: Actor) -> str:
    if named is None or named == by.id:
        return by.id
    if not by.has(*_MANAGING):
        raise NotAllowed(
            "Only a manager records that somebody else is away: ask one.", code="not_allowed.role"
        )
    return named
