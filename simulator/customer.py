"""What tests drive in Telegram: a customer, and a group chat."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator import samples
from simulator.http import Upload
from simulator.state.telegram_state import ChatMessage, Group, Person
from simulator.state.world import World
from simulator.telegram import people
from simulator.telegram.message_rules import detect_entities, strip_text
from simulator.telegram.people import ChatAuthor, TelegramImpossible

Json = dict[str, Any]


@dataclass(frozen=True)
class MessageSnapshot:
    """A message at the time it was read."""

    id: int
    text: str
    keyboard: tuple[tuple[str, ...], ...]
    outgoing: bool


def _snapshot(message: ChatMessage) -> MessageSnapshot:
    rows = tuple(tuple(button["text"] for button in row) for row in message.keyboard)
    return MessageSnapshot(message.id, message.text, rows, message.outgoing)


class Customer:
    """A person with the app. Each action returns when Telegram has it, not when the bot has handled it."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self._newest_at_action = world.telegram.newest_id(person.id)
        self._texts_at_action: dict[int, str] = {}

    @property
    def id(self) -> int:
        """The Telegram id, which is also the id of the private chat."""
        return self.person.id

    def _author(self) -> ChatAuthor:
        self._mark_action()
        return ChatAuthor(self.person)

    def _mark_action(self) -> None:
        self._newest_at_action = self.world.telegram.newest_id(self.person.id)
        self._texts_at_action = {m.id: m.text for m in self._bot_messages}

    @property
    def _messages(self) -> list[ChatMessage]:
        return [m for m in self.world.telegram.chats[self.person.id] if not m.deleted]

    @property
    def _bot_messages(self) -> list[ChatMessage]:
        return [m for m in self._messages if m.outgoing]

    async def says(self, text: str, *, reply_to: MessageSnapshot | None = None) -> MessageSnapshot:
        author = self._author()
        return _snapshot(people.write(self.world, author, text, reply_to=reply_to.id if reply_to else None))

    async def presses(self, label: str, *, oldest: bool = False) -> None:
        """Press the newest (or oldest) button with this label. Raises TelegramImpossible.

        A button of the reply keyboard sends its label as a text.
        """
        for message in self._messages if oldest else reversed(self._messages):
            for button in [b for row in message.keyboard for b in row]:
                if button["text"] == label:
                    self._mark_action()
                    if "callback_data" in button:
                        people.press_button(self.world, self.person, message.id, button["callback_data"])
                    return
        rows = self.person.reply_keyboard["rows"] if self.person.reply_keyboard else []
        if any(label in row for row in rows):
            await self.says(label)
            return
        raise TelegramImpossible(
            f"{self.person.name} sees no button {label!r}; she sees {self.buttons}.\n{self.transcript()}"
        )

    async def sends(
        self, kind: str, *uploads: Upload, caption: str = "", seconds: int = 0
    ) -> list[MessageSnapshot]:
        """Send files of a kind; several files are an album."""
        sent = people.send_files(
            self.world, self._author(), kind, list(uploads), caption=caption, seconds=seconds
        )
        return [_snapshot(message) for message in sent]

    async def sends_photo(self, *, caption: str = "", data: bytes | None = None) -> MessageSnapshot:
        upload = Upload("file", "photo.jpg", "image/jpeg", data) if data else samples.photo(0)
        return (await self.sends("photo", upload, caption=caption))[0]

    async def sends_album(self, count: int = 3, *, caption: str = "") -> list[MessageSnapshot]:
        return await self.sends("photo", *(samples.photo(n) for n in range(count)), caption=caption)

    async def sends_voice(self, seconds: int = 3) -> MessageSnapshot:
        return (await self.sends("voice", samples.voice(seconds), seconds=seconds))[0]

    async def sends_document(
        self,
        name: str = "letter.pdf",
        data: bytes = b"%PDF-1.4\n%%EOF\n",
        *,
        mime: str = "application/pdf",
        caption: str = "",
    ) -> MessageSnapshot:
        return (await self.sends("document", Upload("file", name, mime, data), caption=caption))[0]

    async def sends_video(
        self, *, data: bytes = b"\x00\x00\x00\x18ftypmp42", caption: str = ""
    ) -> MessageSnapshot:
        return (await self.sends("video", Upload("file", "video.mp4", "video/mp4", data), caption=caption))[0]

    async def sends_video_note(self, *, data: bytes = b"\x00\x00\x00\x18ftypmp42") -> MessageSnapshot:
        """Send a round video."""
        return (await self.sends("video_note", Upload("file", "note.mp4", "video/mp4", data)))[0]

    async def sends_audio(self, *, data: bytes = b"ID3\x03\x00", caption: str = "") -> MessageSnapshot:
        return (await self.sends("audio", Upload("file", "talk.mp3", "audio/mpeg", data), caption=caption))[0]

    async def sends_animation(
        self, *, data: bytes = b"GIF89a\x01\x00\x01\x00", caption: str = ""
    ) -> MessageSnapshot:
        return (await self.sends("animation", Upload("file", "a.gif", "image/gif", data), caption=caption))[0]

    async def sends_sticker(self, *, data: bytes = b"RIFF\x00\x00\x00\x00WEBP") -> MessageSnapshot:
        return (await self.sends("sticker", Upload("file", "sticker.webp", "image/webp", data)))[0]

    async def sends_location(self, latitude: float = 51.5, longitude: float = -0.12) -> MessageSnapshot:
        return _snapshot(people.send_location(self.world, self._author(), latitude, longitude))

    def opens_topic(self, topic: int | None = None) -> int:
        """Open a topic, by default a new one; what the person writes from now on is in it."""
        return people.open_topic(self.world, self.person, topic)

    def deletes_topic(self, topic: int) -> None:
        """Delete a topic with all its messages."""
        people.delete_topic(self.world, self.person, topic)

    def heard_in(self, topic: int | None) -> list[str]:
        """The texts of the bot in a topic; None: outside of all topics."""
        return [m.text for m in self._bot_messages if m.api.get("message_thread_id") == topic]

    async def sends_contact(self, name: str = "Bea", phone: str = "+440000000000") -> MessageSnapshot:
        return _snapshot(people.send_contact(self.world, self._author(), name, phone))

    async def edits(self, message: MessageSnapshot, text: str) -> MessageSnapshot:
        self._mark_action()
        return _snapshot(people.edit(self.world, self.person, message.id, text))

    async def replaces_photo(self, message: MessageSnapshot) -> MessageSnapshot:
        self._mark_action()
        return _snapshot(people.replace_photo(self.world, self.person, message.id, samples.photo(1)))

    def blocks(self) -> None:
        people.set_blocked(self.world, self.person, True)

    def unblocks(self) -> None:
        people.set_blocked(self.world, self.person, False)

    async def hears(self, fragment: str = "", *, timeout: float = 10) -> MessageSnapshot:  # noqa: ASYNC109
        """Wait for a bot message with this text, sent or edited since the last action. Raises TimeoutError."""

        def newest_match() -> ChatMessage | None:
            fresh = [
                m
                for m in self._bot_messages
                if m.id > self._newest_at_action or self._texts_at_action.get(m.id, m.text) != m.text
            ]
            return next((m for m in reversed(fresh) if fragment in m.text), None)

        if not await self.world.changes.wait_until(newest_match, timeout):
            raise TimeoutError(
                f"{self.person.name} got no {fragment!r} within {timeout} s.\n{self.transcript()}"
            )
        message = newest_match()
        if message is None:
            raise TimeoutError(f"{fragment!r} was sent and deleted again.\n{self.transcript()}")
        return _snapshot(message)

    def remembers(self, text: str, *, from_bot: bool, at: datetime) -> int:
        """Add a message from before the simulator started; it sends no update. Returns the message_id."""
        telegram, person = self.world.telegram, self.person
        plain, entities = strip_text(text, detect_entities(text))
        api: Json = {
            "message_id": telegram.next_message_id(),
            "from": telegram.bot_user() if from_bot else person.api_user(),
            "chat": person.api_chat(),
            "date": int(at.timestamp()),
            "text": plain,
        } | ({"entities": entities} if entities else {})
        message = ChatMessage(person.id, api, outgoing=from_bot, kind="text", sent_at=at)
        telegram.chats[person.id].append(message)
        person.met = True
        self.world.mark_changed()
        return message.id

    @property
    def heard(self) -> list[str]:
        """The current texts of the bot's messages, oldest first."""
        return [m.text for m in self._bot_messages]

    @property
    def last(self) -> MessageSnapshot | None:
        """The bot's newest message."""
        return _snapshot(self._bot_messages[-1]) if self._bot_messages else None

    @property
    def buttons(self) -> list[str]:
        """Labels of the newest inline keyboard or, without any, of the reply keyboard."""
        for message in reversed(self._messages):
            if message.keyboard:
                return [button["text"] for row in message.keyboard for button in row]
        rows = self.person.reply_keyboard["rows"] if self.person.reply_keyboard else []
        return [label for row in rows for label in row]

    @property
    def notice(self) -> str | None:
        """The bot's answer to the last press."""
        return self.person.notice["text"] if self.person.notice else None

    def documents(self) -> list[tuple[str, bytes]]:
        """Files that the bot sent: names and bytes."""
        return [(m.file.name, m.file.data) for m in self._bot_messages if m.file]

    def transcript(self) -> str:
        """The whole chat, a line per message; line breaks inside become " / "."""
        lines = []
        for message in self.world.telegram.chats[self.person.id]:
            author = "Bot" if message.outgoing else self.person.name
            text = re.sub(r"\s*\n+\s*", " / ", message.text) or f"({message.kind})"
            keys = "".join(f" [{button['text']}]" for row in message.keyboard for button in row)
            state = " (deleted)" if message.deleted else " (edited)" if message.earlier else ""
            lines.append(f"{author}: {text}{keys}{state}")
        return "\n".join(lines)


class GroupChat:
    def __init__(self, world: World, group: Group) -> None:
        self.world, self.group = world, group

    async def says(self, customer: Customer, text: str) -> MessageSnapshot:
        return _snapshot(people.write(self.world, ChatAuthor(customer.person, self.group), text))

    @property
    def heard(self) -> list[str]:
        """The texts of the bot's messages in the group."""
        return [m.text for m in self.world.telegram.chats[self.group.id] if m.outgoing and not m.deleted]

    @property
    def bot_in(self) -> bool:
        return self.group.bot_in
