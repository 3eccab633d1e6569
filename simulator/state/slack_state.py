"""The state of the simulated Slack: members, channels, posts, views, files and triggers."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
ViewState = dict[str, dict[str, Json]]

TEAM = "T0000001"
APP = "A0000001"
BOT = "B0000001"
BOT_USER = "U0000BOT"
DOMAIN = "amends-demo"


class SlackRefusal(Exception):
    """An error answer (`ok` is false). `messages` are the details in `response_metadata`."""

    def __init__(
        self,
        error: str,
        *,
        messages: list[str] | None = None,
        retry_after: int | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(error)
        self.error, self.retry_after = error, retry_after
        self.messages, self.extra = messages or [], extra or {}


@dataclass
class View:
    """A modal or home view; `values` holds the current state of its elements."""

    id: str
    content: Json
    owner: str
    root: str
    previous: str | None
    hash: str
    values: ViewState
    errors: dict[str, str] = field(default_factory=dict)
    notice: str | None = None
    busy: bool = False

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks with the ids and defaults that Slack adds."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    def api(self) -> Json:
        """The view object as answers and payloads contain it."""
        content = self.content
        return {
            "id": self.id,
            "team_id": TEAM,
            "type": content["type"],
            "blocks": self.blocks,
            "private_metadata": content.get("private_metadata", ""),
            "callback_id": content.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": content.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": content.get("clear_on_close", False),
            "notify_on_close": content.get("notify_on_close", False),
            "close": content.get("close"),
            "submit": content.get("submit"),
            "previous_view_id": self.previous,
            "root_view_id": self.root,
            "app_id": APP,
            "external_id": content.get("external_id", ""),
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        }


@dataclass
class SlackMember:
    """A member of the workspace. `role` is only displayed: Slack has no roles.

    `read` holds the newest read ts by channel, `choices` the state of message menus by the message's ts,
    `dismissed` the ts of ephemeral messages that the member removed.
    """

    id: str
    name: str
    role: str = ""
    guest: bool = False
    deleted: bool = False
    views: list[View] = field(default_factory=list)
    home: View | None = None
    notice: tuple[str, datetime] | None = None
    read: dict[str, str] = field(default_factory=dict)
    choices: dict[str, ViewState] = field(default_factory=dict)
    dismissed: set[str] = field(default_factory=set)

    @property
    def handle(self) -> str:
        return self.name.lower().replace(" ", ".")


@dataclass
class SlackFile:
    """A file of the workspace. `upload` is the secret part of its upload address."""

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
    """A message in a channel or direct conversation; an ephemeral one has `visible_to`, a member's id."""

    ts: str
    channel: str
    author: str
    text: str
    blocks: list[Json]
    posted_at: datetime
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: str | None = None
    visible_to: str | None = None
    deleted: bool = False
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    busy: dict[str, set[str]] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)

    @property
    def by_bot(self) -> bool:
        return self.author == BOT_USER


@dataclass
class Channel:
    """A channel, or the app's direct conversation with a member (`direct_with` is the member's id)."""

    id: str
    name: str
    private: bool = False
    members: set[str] = field(default_factory=set)
    bot_in: bool = True
    archived: bool = False
    direct_with: str | None = None
    posts: list[Post] = field(default_factory=list)

    def find_post(self, ts: str) -> Post | None:
        """The post with this ts, or None if it is deleted or ephemeral."""
        for post in reversed(self.posts):
            if post.ts == ts and not post.deleted and post.visible_to is None:
                return post
        return None

    def replies(self, ts: str) -> list[Post]:
        """The replies in a thread, without its first message."""
        return [
            p
            for p in self.posts
            if p.thread_ts == ts and p.ts != ts and not p.deleted and p.visible_to is None
        ]


@dataclass
class Trigger:
    """A trigger_id and its member. `issued_at` is monotonic seconds."""

    member: str
    issued_at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """An address for later answers to a press or command. `issued_at` is monotonic seconds."""

    member: str
    channel: str
    post: str | None
    issued_at: float
    uses: int = 0


@dataclass
class SlackState:
    bot_token: str
    app_token: str
    signing_secret: str
    request_url: str | None = None
    paid_plan: bool = False
    #: Kinds of blocks that this workspace does not show yet: "alert", or "home:container" for one surface.
    refused_blocks: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    commands: list[str] = field(default_factory=lambda: ["/complaints"])
    shortcuts: dict[str, str] = field(default_factory=dict)
    message_shortcuts: dict[str, str] = field(default_factory=dict)
    members: dict[str, SlackMember] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, SlackFile] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    open_connections: int = 0
    _last_ts: int = 0
    _numbers: int = 0

    def next_ts(self, now: datetime) -> str:
        """A new message ts: unique and growing, also when the clock does not move."""
        self._last_ts = max(int(now.timestamp() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """A new id, such as V0000007 for the prefix V."""
        self._numbers += 1
        return f"{prefix}{self._numbers:07d}"

    def new_trigger(self, member: str, issued_at: float) -> str:
        """A new trigger_id, issued at this monotonic time."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(member, issued_at)
        return trigger_id

    def direct_channel(self, member: str) -> Channel:
        """The app's direct conversation with a member; created if there is none."""
        for channel in self.channels.values():
            if channel.direct_with == member:
                return channel
        channel = Channel(f"D{member[1:]}", "", private=True, members={member}, direct_with=member)
        self.channels[channel.id] = channel
        return channel

    def find_view(self, view_id: str = "", external_id: str = "") -> View | None:
        for member in self.members.values():
            for view in [*member.views, *([member.home] if member.home else [])]:
                if view.id == view_id or (external_id and view.content.get("external_id") == external_id):
                    return view
        return None

    def visible_channels(self, member: str) -> list[Channel]:
        """The channels and direct conversations that a member is in, oldest first."""
        return [c for c in self.channels.values() if member in c.members]
