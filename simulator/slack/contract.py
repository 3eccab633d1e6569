"""The Web API's arguments by method, and the scope that each method needs.

The example workspace: the channels and people of the example settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from simulator.slack.state import BOT_USER, Channel, Member, SlackState

Json = dict[str, Any]
SCOPES = (
    "chat:write",
    "commands",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:write",
    "files:write",
    "users:read",
    "usergroups:read",
    "metadata.message:read",
)
METHOD_SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "users.list": "users:read",
    "bots.info": "users:read",
    "usergroups.users.list": "usergroups:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.delete": "files:write",
    "files.info": "files:read",
    "reactions.add": "reactions:write",
    "conversations.join": "channels:join",
    "conversations.list": "channels:read",
}
# Reading depends on what is read: (public, private, direct).
BY_CHANNEL = {
    "conversations.info": ("channels:read", "groups:read", "im:read"),
    "conversations.members": ("channels:read", "groups:read", "im:read"),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
}


@cache
def contract() -> Json:
    """The whole extract: methods, payloads, events."""
    loaded: Json = json.loads((files("simulator") / "contract" / "slack.json").read_text())
    return loaded


def arguments_of(method: str) -> tuple[set[str], set[str]] | None:
    """Known and required arguments; None for a method that Slack does not have."""
    found = contract()["methods"].get(method)
    return (set(found[0]), set(found[1])) if found else None


def scope_for(method: str, sent: Json | None = None, slack: SlackState | None = None) -> str:
    """The scope a call needs; "" when it needs none."""
    if method not in BY_CHANNEL:
        return METHOD_SCOPES.get(method, "")
    public, private, direct = BY_CHANNEL[method]
    channel = slack.channels.get(str((sent or {}).get("channel"))) if slack else None
    if channel is None:
        return public
    return direct if channel.direct else private if channel.private else public


SIGNING_SECRET = "simulated-signing-secret"
BOT_TOKEN = "xoxb-simulated-bot"
APP_TOKEN = "xapp-1-simulated-app"


@dataclass(frozen=True)
class ChannelOf:
    """A channel to set up. `members` are ids; "*" stands for all."""

    id: str
    name: str
    members: tuple[str, ...] = ("*",)
    private: bool = False
    bot_in: bool = True


@dataclass(frozen=True)
class Workspace:
    """People as (id, name, role), channels, and what the app has registered."""

    people: tuple[tuple[str, str, str], ...]
    channels: tuple[ChannelOf, ...]
    commands: tuple[str, ...] = ("/complaints",)
    shortcuts: dict[str, str] = field(default_factory=lambda: {"log_complaint": "Log a complaint"})
    message_shortcuts: dict[str, str] = field(
        default_factory=lambda: {"log_from_message": "Log as a complaint"}
    )


def example_workspace() -> Workspace:
    """Five people in four roles, three channels."""
    return Workspace(
        people=(
            ("U0000001", "Alice", "handler"),
            ("U0000002", "Mona", "manager"),
            ("U0000003", "Tuğba", "top_management"),
            ("U0000004", "Audrey", "auditor"),
            ("U0000005", "Burak", "handler"),
        ),
        channels=(
            ChannelOf("C0000001", "complaints"),
            ChannelOf("C0000002", "complaints-restricted", ("U0000002", "U0000003"), private=True),
            ChannelOf("C0000003", "complaints-executive", ("U0000002", "U0000003"), private=True),
        ),
    )


def state_of(workspace: Workspace, *, signing_secret: str, request_url: str | None) -> SlackState:
    """A fresh Slack with that workspace in it."""
    state = SlackState(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=signing_secret,
        request_url=request_url,
        commands=list(workspace.commands),
        shortcuts=dict(workspace.shortcuts),
        message_shortcuts=dict(workspace.message_shortcuts),
        scopes=SCOPES,
    )
    for number, name, role in workspace.people:
        state.members[number] = Member(number, name, role)
    for given in workspace.channels:
        state.channels[given.id] = Channel(
            given.id,
            given.name,
            private=given.private,
            bot_in=given.bot_in,
            members=_members(state, given.members),
        )
    return state


def _members(state: SlackState, given: Iterable[str]) -> set[str]:
    named = set(given)
    return set(state.members) if "*" in named else named - {BOT_USER}
