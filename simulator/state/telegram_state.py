"""The state of the simulated Telegram: people, chats, messages, files and the queue of updates."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

BOT_ID = 7000000001
FIRST_CUSTOMER = 5000001
# The kinds of update that a bot gets only if it asks for them.
OPTIONAL_UPDATES = {"chat_member", "message_reaction", "message_reaction_count"}


class TelegramRefusal(Exception):
    """An error answer (`ok` is false), in Telegram's words."""

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after


def bad_request(reason: str) -> TelegramRefusal:
    """The refusal with status 400 that most errors use."""
    return TelegramRefusal(400, f"Bad Request: {reason}")


@dataclass
class StoredFile:
    file_id: str
    unique_id: str
    path: str
    name: str
    mime: str
    data: bytes


@dataclass
class Person:
    """A person with the app. A bot may write only if `met`: the person has written to it before.

    `topics` are those of the private chat, and `topic` is the one that is open in the app.
    """

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
    topics: set[int] = field(default_factory=set)
    topic: int | None = None

    def api_user(self) -> Json:
        username = {"username": self.username} if self.username else {}
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.name,
            **username,
            "language_code": self.language,
        }

    def api_chat(self) -> Json:
        username = {"username": self.username} if self.username else {}
        return {"id": self.id, "first_name": self.name, **username, "type": "private"}


@dataclass
class Group:
    """A group chat; `bot_in` is false after the bot left it."""

    id: int
    title: str
    members: list[int]
    bot_in: bool = True

    def api_chat(self) -> Json:
        return {"id": self.id, "title": self.title, "type": "group"}


@dataclass
class ChatMessage:
    """A message as the Bot API shows it (`api`), with what only the app's screen shows.

    `earlier` holds the texts before edits, `pressed` the callback data of pressed buttons.
    """

    chat_id: int
    api: Json
    outgoing: bool
    kind: str
    sent_at: datetime
    file: StoredFile | None = None
    earlier: list[str] = field(default_factory=list)
    deleted: bool = False
    pressed: set[str] = field(default_factory=set)

    @property
    def id(self) -> int:
        return int(self.api["message_id"])

    @property
    def text(self) -> str:
        return str(self.api.get("text", self.api.get("caption", "")))

    @property
    def entities(self) -> list[Json]:
        entities: list[Json] = self.api.get("entities") or self.api.get("caption_entities") or []
        return entities

    @property
    def keyboard(self) -> list[list[Json]]:
        rows: list[list[Json]] = self.api.get("reply_markup", {}).get("inline_keyboard", [])
        return rows


@dataclass
class Webhook:
    """The address that updates are pushed to; `url` is empty when the bot polls."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error: str | None = None
    last_error_at: int | None = None


@dataclass
class Query:
    """A pressed button that waits for answerCallbackQuery; `pressed_at` is monotonic seconds."""

    person: Person
    pressed_at: float
    answered: bool = False


@dataclass
class TelegramState:
    """All people, chats and updates, in memory.

    `poll_number` grows with every getUpdates: an older poll ends when it sees a higher number. `arrived`
    wakes open polls.
    """

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
    menu_button: dict[str, Any] = field(default_factory=lambda: {"type": "default"})
    webhook: Webhook = field(default_factory=Webhook)
    allowed_updates: list[str] | None = None
    poll_number: int = 0
    #: Threaded Mode in @BotFather.
    topics_enabled: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _update_id: int = 100_000_000
    _message_id: int = 0
    _file_number: int = 0

    def bot_user(self) -> Json:
        """The bot as the Bot API's User object."""
        return {"id": BOT_ID, "is_bot": True, "first_name": self.bot_name, "username": self.username}

    def next_message_id(self) -> int:
        """A new message id; ids grow over all chats of an account."""
        self._message_id += 1
        return self._message_id

    def store_file(self, data: bytes, *, name: str, mime: str, folder: str) -> StoredFile:
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

    def queue_update(self, kind: str, content: Json) -> Json | None:
        """Queue an update; None if the bot did not ask for this kind."""
        if kind not in self.allowed_updates if self.allowed_updates else kind in OPTIONAL_UPDATES:
            return None
        self._update_id += 1
        update = {"update_id": self._update_id, kind: content}
        self.updates.append(update)
        self.arrived.set()
        return update

    def find_message(self, chat_id: int, message_id: int) -> ChatMessage | None:
        """A message of the chat, or None if there is none or it is deleted."""
        for message in reversed(self.chats.get(chat_id, [])):
            if message.id == message_id and not message.deleted:
                return message
        return None

    def newest_id(self, chat_id: int) -> int:
        """The id of the chat's newest message; 0 for an empty chat."""
        return self.chats[chat_id][-1].id if self.chats.get(chat_id) else 0
