"""Short lists of complaints: references, states and due times, of those that this person may know of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.blocks import mention
from bots.slack.desk import Desk
from bots.slack.voice import Voice
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.targets import next_due
from complaints.permissions import is_excluded, may_read
from complaints.priorities import priority_of
from store.record.worklists import WorklistSection, load_worklist

MOST = 15


async def cases(desk: Desk, by: Actor, section: WorklistSection) -> tuple[tuple[Case, ...], bool]:
    """Open complaints that this person may know of, the earliest due first; True when more exist."""
    page = await desk.store.aread(load_worklist, section, by, limit=MOST)
    return page.cases, bool(page.more)


def knows_of(case: Case, by: Actor) -> bool:
    """May this person know that it exists? Of a restricted one only who may read it."""
    return not is_excluded(case, by.id) and (not case.restricted or may_read(case, by))


def row(case: Case, voice: Voice, now: datetime) -> str:
    """`A7K-M3Q-9T · Assessed · P2 · @alice · decision by Wed 4 Nov, 17:30`."""
    following = next_due(case)
    return voice.say(
        "list.row",
        ref=case.ref,
        state=voice.say(f"state.{case.state.value}"),
        priority=priority_of(case).value,
        owner=mention(case.owner) if case.owner else voice.say("card.no_owner"),
        due=voice.due(following, case, now) if following else voice.say("list.no_due"),
    )


def listing(title: str, found: Sequence[Case], *, more: bool, voice: Voice, now: datetime) -> str:
    """A titled list as mrkdwn."""
    lines = [row(case, voice, now) for case in found] or [voice.say("command.none")]
    return "\n".join([f"*{title}*", *lines, *([voice.say("command.more")] if more else [])])
