"""The example workspace: the channels and people of the example settings."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.slack_contract import SCOPES
from simulator.slack_state import BOT_USER, Channel, Member, SlackState

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
