"""What Slack keeps: members, channels, posts, views, files, triggers."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
State = dict[str, dict[str, Json]]

TEAM = "T0000001"
APP = "A0000001"
BOT = "B0000001"
BOT_USER = "U0000BOT"
DOMAIN = "amends-demo"


class SlackRefusal(Exception):
    """An answer with ok false."""

    def __init__(
        self,
        error: str,
        *,
        messages: list[str] | None = None,
        retry_after: int | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(error)
        self.error, self.messages, self.retry_after, self.extra = (
            error,
            messages or [],
            retry_after,
            extra or {},
        )


@dataclass
class View:
    """A modal or home view as Slack keeps it; `values` is what stands in its elements."""

    id: str
    content: Json
    owner: str
    root: str
    previous: str | None
    hash: str
    values: State
    errors: dict[str, str] = field(default_factory=dict)
    notice: str | None = None
    busy: bool = False

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks, completed."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    def api(self) -> Json:
        """The view object of answers and payloads."""
        c = self.content
        common: Json = {
            "id": self.id,
            "team_id": TEAM,
            "type": c["type"],
            "blocks": self.blocks,
            "private_metadata": c.get("private_metadata", ""),
            "callback_id": c.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": c.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": c.get("clear_on_close", False),
            "notify_on_close": c.get("notify_on_close", False),
            "close": c.get("close"),
            "submit": c.get("submit"),
            "previous_view_id": self.previous,
            "root_view_id": self.root,
            "app_id": APP,
            "external_id": c.get("external_id", ""),
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        }
        return common


@dataclass
class Member:
    """A person of the workspace. `role` is shown only; Slack knows no such thing."""

    id: str
    name: str
    role: str = ""
    guest: bool = False
    deleted: bool = False
    views: list[View] = field(default_factory=list)
    home: View | None = None
    notice: tuple[str, datetime] | None = None
    read: dict[str, str] = field(default_factory=dict)
    choices: dict[str, State] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    @property
    def handle(self) -> str:
        """The member's lower-case name."""
        return self.name.lower().replace(" ", ".")


@dataclass
class SlackFile:
    """A file of the workspace."""

    id: str
    name: str
    length: int
    upload: str
    data: bytes | None = None
    mime: str = "application/octet-stream"
    title: str = ""
    channels: list[str] = field(default_factory=list)
    deleted: bool = False
    created: int = 0


@dataclass
class Post:
    """A message of a channel or direct conversation."""

    ts: str
    channel: str
    author: str
    text: str
    blocks: list[Json]
    at: datetime
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: str | None = None
    only_for: str | None = None
    deleted: bool = False
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    busy: dict[str, set[str]] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)

    @property
    def by_bot(self) -> bool:
        """Whether the app wrote it."""
        return self.author == BOT_USER


@dataclass
class Channel:
    """A channel, or a direct conversation (`direct` is the other one's id)."""

    id: str
    name: str
    private: bool = False
    members: set[str] = field(default_factory=set)
    bot_in: bool = True
    archived: bool = False
    direct: str | None = None
    posts: list[Post] = field(default_factory=list)

    def post(self, ts: str) -> Post | None:
        """A post that stands, not an ephemeral one."""
        for post in reversed(self.posts):
            if post.ts == ts and not post.deleted and post.only_for is None:
                return post
        return None

    def replies(self, ts: str) -> list[Post]:
        """What stands in a thread, without its head."""
        return [
            p for p in self.posts if p.thread_ts == ts and p.ts != ts and not p.deleted and p.only_for is None
        ]


@dataclass
class Trigger:
    """A trigger_id: whose, when given (monotonic seconds), whether used."""

    member: str
    at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Where an app may still answer a press or command."""

    member: str
    channel: str
    post: str | None
    at: float
    uses: int = 0


@dataclass
class SlackState:
    """Everything, in memory."""

    bot_token: str
    app_token: str
    signing_secret: str
    request_url: str | None = None
    paid_plan: bool = False
    scopes: tuple[str, ...] = ()
    commands: list[str] = field(default_factory=lambda: ["/complaints"])
    shortcuts: dict[str, str] = field(default_factory=dict)
    message_shortcuts: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, SlackFile] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    open_lines: int = 0
    _last_ts: int = 0
    _numbers: int = 0

    def stamp(self, now: datetime) -> str:
        """A message's ts: unique and growing, whatever the clock does."""
        self._last_ts = max(int(now.timestamp() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def number(self, letter: str) -> str:
        """An id such as V0000007."""
        self._numbers += 1
        return f"{letter}{self._numbers:07d}"

    def trigger(self, member: str, at: float) -> str:
        """A new trigger_id."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(member, at)
        return trigger_id

    def direct(self, member: str) -> Channel:
        """The direct conversation of the app with a member, opened if need be."""
        for channel in self.channels.values():
            if channel.direct == member:
                return channel
        channel = Channel(f"D{member[1:]}", "", private=True, members={member}, direct=member)
        self.channels[channel.id] = channel
        return channel

    def view(self, view_id: str = "", external_id: str = "") -> View | None:
        """An open view by id or external id."""
        for member in self.members.values():
            for view in [*member.views, *([member.home] if member.home else [])]:
                if view.id == view_id or (external_id and view.content.get("external_id") == external_id):
                    return view
        return None

    def visible(self, member: str) -> list[Channel]:
        """The channels and direct conversations that a member sees, in their order."""
        return [c for c in self.channels.values() if member in c.members]
