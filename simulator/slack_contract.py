"""The Web API's arguments by method, and the scope that each method needs."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from simulator.slack_state import SlackState

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
