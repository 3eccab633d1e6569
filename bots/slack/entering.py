"""Who may act here at all: members of our own workspace with a role, looked up for every single act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots.slack.desk import Desk
from bots.slack.press import team_of
from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.record.refused_attempts import record_refused_attempt


async def admit(
    desk: Desk,
    body: Mapping[str, Any],
    own_team: str | None,
    member: str,
    *,
    what: str,
    ref: str | None = None,
) -> Actor:
    """The actor, or NotAllowed: people of other workspaces and people without a role do nothing here."""
    actor = await desk.actor(member)
    foreign = team_of(body) - {own_team} if own_team is not None else set()
    if not foreign and actor.roles:
        return actor
    refused = NotAllowed("You have no role in the complaints desk: ask a manager.", code="not_open_to_you")
    await remember(desk, ref, what, actor, refused)
    raise refused


async def remember(desk: Desk, ref: str | None, what: str, by: Actor, refused: NotAllowed) -> None:
    """The attempt stays on the record (4.7); refusals inside the store are written down there."""
    await desk.store.awrite(record_refused_attempt, ref, what, by, refused.code)
