"""Who may act here at all: members of our own workspace with a role, looked up for every single act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots.slack.desk import Desk
from bots.slack.press import team_of
from complaints.errors import NotAllowed
from complaints.people import Actor


async def admit(desk: Desk, body: Mapping[str, Any], own_team: str, member: str) -> Actor:
    """The actor, or NotAllowed: people of other workspaces and people without a role do nothing here."""
    if team_of(body) - {own_team}:
        raise NotAllowed("Only members of this workspace act here.", code="not_open_to_you")
    actor = await desk.actor(member)
    if not actor.roles:
        raise NotAllowed("You have no role in the complaints desk.", code="not_open_to_you")
    return actor
