"""Slack's published contract (arguments and scopes of each method), and the workspace of the example settings."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from simulator.state.slack_state import BOT_USER, Channel, SlackMember, SlackState

Json = dict[str, Any]
_SCOPES = tomllib.loads((files("simulator") / "slack" / "scopes.toml").read_text(encoding="utf-8"))


@cache
def load_contract() -> Json:
    """The extract of Slack's specification: methods, payloads and events."""
    loaded: Json = json.loads((files("simulator") / "contract" / "slack.json").read_text())
    return loaded


def method_arguments(method: str) -> tuple[set[str], set[str]] | None:
    """Allowed and required arguments; None for a method that Slack does not have."""
    declared = load_contract()["methods"].get(method)
    return (set(declared[0]), set(declared[1])) if declared else None


def scope_for(method: str, sent: Json | None = None, slack: SlackState | None = None) -> str:
    """The scope that a call needs, or ""."""
    if method not in _SCOPES["by_channel_kind"]:
        return str(_SCOPES["methods"].get(method, ""))
    public, private, direct = _SCOPES["by_channel_kind"][method]
    channel = slack.channels.get(str((sent or {}).get("channel"))) if slack else None
    if channel is None:
        return str(public)
    return str(direct if channel.direct_with else private if channel.private else public)


SIGNING_SECRET = "simulated-signing-secret"
BOT_TOKEN = "xoxb-simulated-bot"
APP_TOKEN = "xapp-1-simulated-app"


@dataclass(frozen=True)
class ChannelSetup:
    """A channel to set up. `members` are ids; "*" means all members."""

    id: str
    name: str
    members: tuple[str, ...] = ("*",)
    private: bool = False
    bot_in: bool = True


@dataclass(frozen=True)
class Workspace:
    """Members as (id, name, role), channels, commands and shortcuts of the app, and kinds of blocks it refuses."""

    people: tuple[tuple[str, str, str], ...]
    channels: tuple[ChannelSetup, ...]
    commands: tuple[str, ...] = ("/complaints",)
    shortcuts: dict[str, str] = field(default_factory=lambda: {"log_complaint": "Log a complaint"})
    message_shortcuts: dict[str, str] = field(
        default_factory=lambda: {"log_from_message": "Log as a complaint"}
    )
    refused_blocks: frozenset[str] = frozenset()


def example_workspace() -> Workspace:
    """Six people in four roles, three channels."""
    return Workspace(
        people=(
            ("U0000001", "Alice", "handler"),
            ("U0000002", "Mona", "manager"),
            ("U0000003", "Tuğba", "top_management"),
            ("U0000004", "Audrey", "auditor"),
            ("U0000005", "Burak", "handler"),
            ("U0000006", "Selin", "manager"),
        ),
        channels=(
            ChannelSetup("C0000001", "complaints"),
            ChannelSetup(
                "C0000002", "complaints-restricted", ("U0000002", "U0000003", "U0000006"), private=True
            ),
            ChannelSetup(
                "C0000003", "complaints-executive", ("U0000002", "U0000003", "U0000006"), private=True
            ),
        ),
    )


def create_state(workspace: Workspace, *, signing_secret: str, request_url: str | None) -> SlackState:
    state = SlackState(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=signing_secret,
        request_url=request_url,
        commands=list(workspace.commands),
        shortcuts=dict(workspace.shortcuts),
        message_shortcuts=dict(workspace.message_shortcuts),
        scopes=tuple(_SCOPES["app"]),
        refused_blocks=workspace.refused_blocks,
    )
    for member_id, name, role in workspace.people:
        state.members[member_id] = SlackMember(member_id, name, role)
    for channel in workspace.channels:
        state.channels[channel.id] = Channel(
            channel.id,
            channel.name,
            private=channel.private,
            bot_in=channel.bot_in,
            members=_members(state, channel.members),
        )
    return state


def _members(state: SlackState, member_ids: Iterable[str]) -> set[str]:
    named = set(member_ids)
    return set(state.members) if "*" in named else named - {BOT_USER}
