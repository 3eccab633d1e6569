"""Files that people send, as a Message tells of them.

What people do in the app, and the updates that the bot gets for it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from simulator import samples
from simulator.http import Upload
from simulator.telegram.rules import found, stripped
from simulator.telegram.state import FIRST_CUSTOMER, ChatMessage, Group, Person, Query, StoredFile
from simulator.world import World

Json = dict[str, Any]


class TelegramImpossible(Exception):
    """A thing the app does not offer; the message says what instead."""


def content_of(world: World, kind: str, upload: Upload, seconds: int) -> tuple[Json, StoredFile]:
    """The part of a Message that tells of a file, and the file. Raises Impossible for unknown kinds."""
    telegram = world.telegram
    stored = telegram.keep_file(upload.data, name=upload.name, mime=upload.mime, folder=_folder(kind))
    base: Json = {"file_id": stored.file_id, "file_unique_id": stored.unique_id}
    size = {"file_size": len(upload.data)}
    named = {"file_name": upload.name, "mime_type": upload.mime}
    match kind:
        case "photo":
            return {"photo": _sizes(world, upload, stored)}, stored
        case "document":
            return {"document": {**named, **base, **size}}, stored
        case "voice":
            return {"voice": {"duration": seconds or 3, "mime_type": upload.mime, **base, **size}}, stored
        case "audio":
            return {"audio": {"duration": seconds or 3, **named, **base, **size}}, stored
        case "video":
            return {
                "video": {"duration": seconds or 3, "width": 640, "height": 480, **named, **base, **size}
            }, stored
        case "video_note":
            return {"video_note": {"duration": seconds or 3, "length": 240, **base, **size}}, stored
        case "animation":
            moving = {"duration": seconds or 3, "width": 320, "height": 240, **named, **base, **size}
            return {"animation": moving, "document": {**named, **base, **size}}, stored
        case "sticker":
            return {
                "sticker": {
                    "width": 512,
                    "height": 512,
                    "emoji": "🙂",
                    "is_animated": False,
                    "is_video": False,
                    "type": "regular",
                    **base,
                    **size,
                }
            }, stored
    raise TelegramImpossible(f"There is no kind of file called {kind!r}.")


def _folder(kind: str) -> str:
    return {
        "photo": "photos",
        "voice": "voice",
        "audio": "music",
        "video": "videos",
        "video_note": "video_notes",
        "animation": "animations",
        "sticker": "stickers",
    }.get(kind, "documents")


def _sizes(world: World, upload: Upload, largest: StoredFile) -> list[Json]:
    width, height = samples.dimensions(upload.data)
    sizes = []
    for wanted, divisor in (("small", 8), ("medium", 3), ("large", 1)):
        stored, data = largest, upload.data
        if divisor > 1:
            # We cannot scale an uploaded picture; the built-in one stands for the small sizes.
            data = samples.picture(0, wanted)
            stored = world.telegram.keep_file(data, name=f"{wanted}.jpg", mime="image/jpeg", folder="photos")
        sizes.append(
            {
                "file_id": stored.file_id,
                "file_unique_id": stored.unique_id,
                "file_size": len(data),
                "width": max(1, width // divisor),
                "height": max(1, height // divisor),
            }
        )
    return sizes


ALBUM_KINDS = ("photo", "video", "document", "audio")


@dataclass(frozen=True)
class WritingPlace:
    """Where a message is written: the private chat with the bot, or a group."""

    person: Person
    group: Group | None = None

    @property
    def chat(self) -> Json:
        """The Bot API's Chat."""
        return self.group.chat() if self.group else self.person.chat()


def add_person(
    world: World,
    name: str,
    language: str,
    *,
    username: str | None = None,
    met: bool = False,
    number: int | None = None,
) -> Person:
    """Someone new installs the app. `met`: they have written to the bot before."""
    number = number or max([FIRST_CUSTOMER - 1, *world.telegram.people]) + 1
    person = Person(id=number, name=name, language=language, username=username, met=met)
    world.telegram.people[number] = person
    world.telegram.chats.setdefault(number, [])
    world.changed()
    return person


def add_group(world: World, title: str, members: list[Person]) -> Group:
    """A group with the bot in it; the bot is told (my_chat_member)."""
    group = Group(id=-1000 - len(world.telegram.groups), title=title, members=[m.id for m in members])
    world.telegram.groups[group.id] = group
    world.telegram.chats[group.id] = []
    _membership(world, members[0], group.chat(), "left", "member")
    world.changed()
    return group


def write(world: World, at: WritingPlace, text: str, *, reply_to: int | None = None) -> ChatMessage:
    """Send a text. Telegram's own limits hold for people too."""
    plain, entities = stripped(text, found(text))
    if not plain:
        raise TelegramImpossible("An empty message cannot be sent.")
    if len(plain) > 4096:
        # The app cuts a long text into several messages.
        first = write(world, at, text[:4096], reply_to=reply_to)
        write(world, at, text[4096:])
        return first
    content: Json = {"text": plain}
    if entities:
        content["entities"] = entities
    return _post(world, at, "text", content, reply_to=reply_to)


def edit(world: World, person: Person, message_id: int, text: str) -> ChatMessage:
    """Change an own message's text, or a file's caption."""
    message = _own(world, person, message_id)
    key = "caption" if message.file else "text"
    plain, entities = stripped(text, found(text))
    message.earlier.append(message.text)
    message.api = {k: v for k, v in message.api.items() if k not in (key, "entities", "caption_entities")} | {
        key: plain,
        "edit_date": _seconds(world),
    }
    if entities:
        message.api["entities" if key == "text" else "caption_entities"] = entities
    _tell(world, "edited_message", message.api)
    return message


def send_files(
    world: World,
    at: WritingPlace,
    kind: str,
    uploads: list[Upload],
    *,
    caption: str = "",
    seconds: int = 0,
) -> list[ChatMessage]:
    """Send a file, or several as an album. Raises Impossible for kinds that make no album."""
    if not uploads:
        raise TelegramImpossible("Choose a file first.")
    if len(uploads) > 10 or (len(uploads) > 1 and kind not in ALBUM_KINDS):
        raise TelegramImpossible("An album holds 2 to 10 photos, videos, documents or audio files.")
    album = str(13_000_000_000_000_000 + secrets.randbelow(10**12)) if len(uploads) > 1 else None
    sent = []
    for number, upload in enumerate(uploads):
        content, stored = content_of(world, kind, upload, seconds)
        if caption and number == 0 and kind not in ("sticker", "video_note"):
            content["caption"] = caption
            if entities := found(caption):
                content["caption_entities"] = entities
        if album:
            content = {"media_group_id": album} | content
        sent.append(_post(world, at, kind, content, file=stored))
    return sent


def send_location(world: World, at: WritingPlace, latitude: float, longitude: float) -> ChatMessage:
    """Share a place."""
    return _post(world, at, "location", {"location": {"latitude": latitude, "longitude": longitude}})


def send_contact(world: World, at: WritingPlace, name: str, phone: str) -> ChatMessage:
    """Share a contact from the address book."""
    return _post(world, at, "contact", {"contact": {"phone_number": phone, "first_name": name}})


def press(world: World, person: Person, message_id: int, data: str, *, chat_id: int | None = None) -> None:
    """Press an inline button; the bot has to answer the query."""
    message = world.telegram.message(chat_id or person.id, message_id)
    if message is None:
        raise TelegramImpossible("That message is gone.")
    buttons = [button for row in message.keyboard for button in row]
    if not any(button.get("callback_data") == data for button in buttons):
        raise TelegramImpossible("There is no such button under that message any more.")
    message.pressed.add(data)
    query = str(secrets.randbelow(2**60))
    world.telegram.queries[query] = Query(person, world.monotonic())
    person.met = True
    person.notice = None
    _tell(
        world,
        "callback_query",
        {
            "id": query,
            "from": person.user(),
            "message": message.api,
            "chat_instance": str(-message.chat_id * 7919),
            "data": data,
        },
    )


def block(world: World, person: Person, blocked: bool) -> None:
    """Block the bot, or unblock it; it is told (my_chat_member)."""
    if person.blocked != blocked:
        person.blocked = blocked
        _membership(
            world, person, person.chat(), *(("member", "kicked") if blocked else ("kicked", "member"))
        )
        world.changed()


def _membership(world: World, person: Person, chat: Json, old: str, new: str) -> None:
    bot = world.telegram.bot_user()
    members = [{"user": bot, "status": s} | ({"until_date": 0} if s == "kicked" else {}) for s in (old, new)]
    _tell(
        world,
        "my_chat_member",
        {
            "chat": chat,
            "from": person.user(),
            "date": _seconds(world),
            "old_chat_member": members[0],
            "new_chat_member": members[1],
        },
    )


def _own(world: World, person: Person, message_id: int) -> ChatMessage:
    message = world.telegram.message(person.id, message_id)
    if message is None or message.outgoing:
        raise TelegramImpossible("Only an own message that still stands can be edited.")
    if "text" not in message.api and message.file is None:
        raise TelegramImpossible("A message without words cannot be edited.")
    return message


def _post(
    world: World,
    at: WritingPlace,
    kind: str,
    content: Json,
    *,
    file: StoredFile | None = None,
    reply_to: int | None = None,
) -> ChatMessage:
    telegram, person = world.telegram, at.person
    if person.blocked and at.group is None:
        raise TelegramImpossible("The bot is blocked: unblock it to write.")
    person.met = True
    api: Json = {
        "message_id": telegram.next_message_id(),
        "from": person.user(),
        "chat": at.chat,
        "date": _seconds(world),
    }
    chat_id = int(at.chat["id"])
    if reply_to is not None and (answered := telegram.message(chat_id, reply_to)):
        api["reply_to_message"] = {k: v for k, v in answered.api.items() if k != "reply_to_message"}
    message = ChatMessage(chat_id, api | content, outgoing=False, kind=kind, at=world.now(), file=file)
    telegram.chats[chat_id].append(message)
    if person.reply_keyboard and person.reply_keyboard.get("one_time"):
        person.reply_keyboard = None
    _tell(world, "message", message.api)
    return message


def _tell(world: World, kind: str, content: Json) -> None:
    world.telegram.update(kind, content)
    world.changed()


def _seconds(world: World) -> int:
    return int(world.now().timestamp())
