"""What Telegram keeps: people, chats, messages, files, the queue of updates."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

BOT_ID = 7000000001
FIRST_CUSTOMER = 5000001
# The kinds that a bot gets unless it asks for others.
OPTIONAL_UPDATES = {"chat_member", "message_reaction", "message_reaction_count"}


class TelegramRefusal(Exception):
    """An answer with ok false, in Telegram's words."""

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after


def bad_request(reason: str) -> TelegramRefusal:
    """400, as most refusals are."""
    return TelegramRefusal(400, f"Bad Request: {reason}")


@dataclass
class StoredFile:
    """Bytes known to Telegram by a file_id."""

    file_id: str
    unique_id: str
    path: str
    name: str
    mime: str
    data: bytes


@dataclass
class Person:
    """Someone with the app. `met` is true once he wrote to the bot: it may not write first."""

    id: int
    name: str
    language: str
    username: str | None = None
    met: bool = False
    blocked: bool = False
    unread: int = 0
    notice: Json | None = None
    doing: str | None = None
    reply_keyboard: Json | None = None

    def user(self) -> Json:
        """The Bot API's User."""
        named = {"username": self.username} if self.username else {}
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.name,
            **named,
            "language_code": self.language,
        }

    def chat(self) -> Json:
        """The Bot API's Chat of the private chat with this person."""
        named = {"username": self.username} if self.username else {}
        return {"id": self.id, "first_name": self.name, **named, "type": "private"}


@dataclass
class Group:
    """A group chat with the bot in it."""

    id: int
    title: str
    members: list[int]
    bot_in: bool = True

    def chat(self) -> Json:
        """The Bot API's Chat."""
        return {"id": self.id, "title": self.title, "type": "group"}


@dataclass
class ChatMessage:
    """A message as the Bot API shows it (`api`), and what only the app's screen knows."""

    chat_id: int
    api: Json
    outgoing: bool
    kind: str
    at: datetime
    file: StoredFile | None = None
    earlier: list[str] = field(default_factory=list)
    deleted: bool = False
    pressed: set[str] = field(default_factory=set)

    @property
    def id(self) -> int:
        """The message_id."""
        return int(self.api["message_id"])

    @property
    def text(self) -> str:
        """Text or caption, plain."""
        return str(self.api.get("text", self.api.get("caption", "")))

    @property
    def entities(self) -> list[Json]:
        """Entities of text or caption."""
        found: list[Json] = self.api.get("entities") or self.api.get("caption_entities") or []
        return found

    @property
    def keyboard(self) -> list[list[Json]]:
        """Rows of the inline keyboard."""
        rows: list[list[Json]] = self.api.get("reply_markup", {}).get("inline_keyboard", [])
        return rows


@dataclass
class Webhook:
    """Where updates are pushed to; `url` is empty when they are polled."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error: str | None = None
    last_error_at: int | None = None


@dataclass
class Query:
    """A press that waits for answerCallbackQuery; `at` is monotonic time."""

    person: Person
    at: float
    answered: bool = False


@dataclass
class TelegramState:
    """Everything, in memory."""

    token: str
    bot_name: str = "Amends"
    username: str = "amends_demo_bot"
    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    chats: dict[int, list[ChatMessage]] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    updates: deque[Json] = field(default_factory=deque)
    queries: dict[str, Query] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    descriptions: dict[tuple[str, str], str] = field(default_factory=dict)
    webhook: Webhook = field(default_factory=Webhook)
    allowed: list[str] | None = None
    poll: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _update_id: int = 100_000_000
    _message_id: int = 0
    _file_number: int = 0

    def bot_user(self) -> Json:
        """The bot as a User."""
        return {"id": BOT_ID, "is_bot": True, "first_name": self.bot_name, "username": self.username}

    def next_message_id(self) -> int:
        """Message ids grow over all chats of one account."""
        self._message_id += 1
        return self._message_id

    def keep_file(self, data: bytes, *, name: str, mime: str, folder: str) -> StoredFile:
        """Store bytes under a new file_id."""
        self._file_number += 1
        number = self._file_number
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        stored = StoredFile(
            file_id=f"AgACAgQAAxkBAAI{number:06d}SimulatedFile",
            unique_id=f"AQADsim{number:06d}",
            path=f"{folder}/file_{number}.{suffix}",
            name=name,
            mime=mime,
            data=data,
        )
        self.files[stored.file_id] = stored
        return stored

    def update(self, kind: str, content: Json) -> Json | None:
        """Queue an update unless the bot did not ask for its kind."""
        if kind not in self.allowed if self.allowed else kind in OPTIONAL_UPDATES:
            return None
        self._update_id += 1
        queued = {"update_id": self._update_id, kind: content}
        self.updates.append(queued)
        self.arrived.set()
        return queued

    def message(self, chat_id: int, message_id: int) -> ChatMessage | None:
        """A message that stands in the chat, or None."""
        for message in reversed(self.chats.get(chat_id, [])):
            if message.id == message_id and not message.deleted:
                return message
        return None

    def newest_id(self, chat_id: int) -> int:
        """The id of the chat's newest message, 0 when it has none."""
        return self.chats[chat_id][-1].id if self.chats.get(chat_id) else 0
