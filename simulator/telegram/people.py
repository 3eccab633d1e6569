"""What people do in the Telegram app, and the updates that the bot gets for it."""

import secrets
from dataclasses import dataclass
from typing import Any

from simulator import samples
from simulator.http import Upload
from simulator.state.telegram_state import FIRST_CUSTOMER, ChatMessage, Group, Person, Query, StoredFile
from simulator.state.world import World
from simulator.telegram.message_rules import detect_entities, strip_text, topic_content

Json = dict[str, Any]


class TelegramImpossible(Exception):
    """An action that the app does not offer; the message says what is possible instead."""


FOLDERS = {
    "photo": "photos",
    "voice": "voice",
    "audio": "music",
    "video": "videos",
    "video_note": "video_notes",
    "animation": "animations",
    "sticker": "stickers",
}
STICKER = {
    "width": 512, "height": 512, "emoji": "🙂", "is_animated": False, "is_video": False, "type": "regular",
}  # fmt: skip


def file_content(world: World, kind: str, upload: Upload, seconds: int) -> tuple[Json, StoredFile]:
    """The part of a Message about a file, and the stored file. Raises TelegramImpossible for unknown kinds."""
    stored = world.telegram.store_file(
        upload.data, name=upload.name, mime=upload.mime, folder=FOLDERS.get(kind, "documents")
    )
    base: Json = {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": len(upload.data),
    }
    document = {"file_name": upload.name, "mime_type": upload.mime} | base
    duration = {"duration": seconds or 3}
    content: Json
    match kind:
        case "photo":
            content = {"photo": _sizes(world, upload, stored)}
        case "document":
            content = {"document": document}
        case "voice":
            content = {"voice": duration | {"mime_type": upload.mime} | base}
        case "audio":
            content = {"audio": duration | document}
        case "video":
            content = {"video": duration | {"width": 640, "height": 480} | document}
        case "video_note":
            content = {"video_note": duration | {"length": 240} | base}
        case "animation":
            moving = duration | {"width": 320, "height": 240} | document
            content = {"animation": moving, "document": document}
        case "sticker":
            content = {"sticker": STICKER | base}
        case _:
            raise TelegramImpossible(f"There is no kind of file called {kind!r}.")
    return content, stored


def _sizes(world: World, upload: Upload, largest: StoredFile) -> list[Json]:
    width, height = samples.dimensions(upload.data)
    sizes = []
    for size_name, divisor in (("small", 8), ("medium", 3), ("large", 1)):
        stored, data = largest, upload.data
        if divisor > 1:
            # The simulator cannot scale pictures: a built-in picture replaces the smaller sizes.
            data = samples.picture(0, size_name)
            stored = world.telegram.store_file(
                data, name=f"{size_name}.jpg", mime="image/jpeg", folder="photos"
            )
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
class ChatAuthor:
    """A person who writes in the private chat with the bot, or in a group."""

    person: Person
    group: Group | None = None

    @property
    def chat(self) -> Json:
        """The Bot API's Chat object of the chat written in."""
        return self.group.api_chat() if self.group else self.person.api_chat()


def add_person(
    world: World,
    name: str,
    language: str,
    *,
    username: str | None = None,
    met: bool = False,
    number: int | None = None,
) -> Person:
    """Add a person with the app; `met` means that they have written to the bot before.

    `number` is the Telegram id; by default the next free one.
    """
    person_id = number or max([FIRST_CUSTOMER - 1, *world.telegram.people]) + 1
    person = Person(id=person_id, name=name, language=language, username=username, met=met)
    world.telegram.people[person_id] = person
    world.telegram.chats.setdefault(person_id, [])
    world.mark_changed()
    return person


def add_group(world: World, title: str, members: list[Person]) -> Group:
    """Add a group with the bot in it; the bot gets my_chat_member."""
    group = Group(id=-1000 - len(world.telegram.groups), title=title, members=[m.id for m in members])
    world.telegram.groups[group.id] = group
    world.telegram.chats[group.id] = []
    _membership(world, members[0], group.api_chat(), "left", "member")
    world.mark_changed()
    return group


def write(world: World, author: ChatAuthor, text: str, *, reply_to: int | None = None) -> ChatMessage:
    """Send a text. The app splits texts of more than 4,096 characters. Raises TelegramImpossible if empty."""
    plain, entities = strip_text(text, detect_entities(text))
    if not plain:
        raise TelegramImpossible("An empty message cannot be sent.")
    if len(plain) > 4096:
        first = write(world, author, text[:4096], reply_to=reply_to)
        write(world, author, text[4096:])
        return first
    content: Json = {"text": plain}
    if entities:
        content["entities"] = entities
    return _post(world, author, "text", content, reply_to=reply_to)


def replace_photo(world: World, person: Person, message_id: int, upload: Upload) -> ChatMessage:
    """Replace the photo of an own message. Raises TelegramImpossible."""
    message = _own_message(world, person, message_id)
    stored = world.telegram.store_file(upload.data, name=upload.name, mime=upload.mime, folder="photos")
    message.api = {**message.api, "photo": _sizes(world, upload, stored), "edit_date": _seconds(world)}
    message.file = stored
    _queue_update(world, "edited_message", message.api)
    return message


def edit(world: World, person: Person, message_id: int, text: str) -> ChatMessage:
    """Edit the text or caption of an own message. Raises TelegramImpossible."""
    message = _own_message(world, person, message_id)
    key = "caption" if message.file else "text"
    plain, entities = strip_text(text, detect_entities(text))
    message.earlier.append(message.text)
    message.api = {k: v for k, v in message.api.items() if k not in (key, "entities", "caption_entities")} | {
        key: plain,
        "edit_date": _seconds(world),
    }
    if entities:
        message.api["entities" if key == "text" else "caption_entities"] = entities
    _queue_update(world, "edited_message", message.api)
    return message


def send_files(
    world: World, author: ChatAuthor, kind: str, uploads: list[Upload], *, caption: str = "", seconds: int = 0
) -> list[ChatMessage]:
    """Send a file, or several as an album. Raises TelegramImpossible for kinds without albums."""
    if not uploads:
        raise TelegramImpossible("Choose a file first.")
    if len(uploads) > 10 or (len(uploads) > 1 and kind not in ALBUM_KINDS):
        raise TelegramImpossible("An album holds 2 to 10 photos, videos, documents or audio files.")
    album = str(13_000_000_000_000_000 + secrets.randbelow(10**12)) if len(uploads) > 1 else None
    sent = []
    for number, upload in enumerate(uploads):
        content, stored = file_content(world, kind, upload, seconds)
        if caption and number == 0 and kind not in ("sticker", "video_note"):
            content["caption"] = caption
            if entities := detect_entities(caption):
                content["caption_entities"] = entities
        if album:
            content = {"media_group_id": album} | content
        sent.append(_post(world, author, kind, content, file=stored))
    return sent


def send_location(world: World, author: ChatAuthor, latitude: float, longitude: float) -> ChatMessage:
    return _post(world, author, "location", {"location": {"latitude": latitude, "longitude": longitude}})


def send_contact(world: World, author: ChatAuthor, name: str, phone: str) -> ChatMessage:
    return _post(world, author, "contact", {"contact": {"phone_number": phone, "first_name": name}})


def press_button(world: World, person: Person, message_id: int, data: str) -> None:
    """Press an inline button; the bot gets a callback query to answer. Raises TelegramImpossible."""
    message = world.telegram.find_message(person.id, message_id)
    if message is None:
        raise TelegramImpossible("That message is gone.")
    buttons = [button for row in message.keyboard for button in row]
    if not any(button.get("callback_data") == data for button in buttons):
        raise TelegramImpossible("There is no such button under that message any more.")
    message.pressed.add(data)
    query_id = str(secrets.randbelow(2**60))
    world.telegram.queries[query_id] = Query(person, world.monotonic())
    person.met = True
    person.notice = None
    _queue_update(
        world,
        "callback_query",
        {
            "id": query_id,
            "from": person.api_user(),
            "message": message.api,
            "chat_instance": str(-message.chat_id * 7919),
            "data": data,
        },
    )


def open_topic(world: World, person: Person, topic: int | None = None) -> int:
    """Open a topic of the chat with the bot in the app, by default a new one. Raises TelegramImpossible."""
    if not world.telegram.topics_enabled:
        raise TelegramImpossible("The bot has no topics: the owner must switch on Threaded Mode.")
    if topic is not None and topic not in person.topics:
        raise TelegramImpossible("There is no such topic any more.")
    person.topic = topic or world.telegram.next_message_id()
    person.topics.add(person.topic)
    world.mark_changed()
    return person.topic


def delete_topic(world: World, person: Person, topic: int) -> None:
    """Delete a topic with all its messages."""
    person.topics.discard(topic)
    person.topic = None if person.topic == topic else person.topic
    for message in world.telegram.chats[person.id]:
        message.deleted = message.deleted or message.api.get("message_thread_id") == topic
    world.mark_changed()


def set_blocked(world: World, person: Person, blocked: bool) -> None:
    """Block or unblock the bot; the bot gets my_chat_member."""
    if person.blocked != blocked:
        person.blocked = blocked
        _membership(
            world, person, person.api_chat(), *(("member", "kicked") if blocked else ("kicked", "member"))
        )
        world.mark_changed()


def _membership(world: World, person: Person, chat: Json, old: str, new: str) -> None:
    bot = world.telegram.bot_user()
    members = [{"user": bot, "status": s} | ({"until_date": 0} if s == "kicked" else {}) for s in (old, new)]
    _queue_update(
        world,
        "my_chat_member",
        {
            "chat": chat,
            "from": person.api_user(),
            "date": _seconds(world),
            "old_chat_member": members[0],
            "new_chat_member": members[1],
        },
    )


def _own_message(world: World, person: Person, message_id: int) -> ChatMessage:
    message = world.telegram.find_message(person.id, message_id)
    if message is None or message.outgoing:
        raise TelegramImpossible("Only an own message that still stands can be edited.")
    if "text" not in message.api and message.file is None:
        raise TelegramImpossible("A message without words cannot be edited.")
    return message


def _post(
    world: World,
    author: ChatAuthor,
    kind: str,
    content: Json,
    *,
    file: StoredFile | None = None,
    reply_to: int | None = None,
) -> ChatMessage:
    telegram, person = world.telegram, author.person
    if person.blocked and author.group is None:
        raise TelegramImpossible("The bot is blocked: unblock it to write.")
    person.met = True
    api: Json = {
        "message_id": telegram.next_message_id(),
        "from": person.api_user(),
        "chat": author.chat,
        "date": _seconds(world),
    }
    if author.group is None and person.topic is not None:
        api |= topic_content(person.topic)
    chat_id = int(author.chat["id"])
    if reply_to is not None and (original := telegram.find_message(chat_id, reply_to)):
        api["reply_to_message"] = {k: v for k, v in original.api.items() if k != "reply_to_message"}
    message = ChatMessage(chat_id, api | content, outgoing=False, kind=kind, sent_at=world.now(), file=file)
    telegram.chats[chat_id].append(message)
    if person.reply_keyboard and person.reply_keyboard.get("one_time"):
        person.reply_keyboard = None
    _queue_update(world, "message", message.api)
    return message


def _queue_update(world: World, kind: str, content: Json) -> None:
    world.telegram.queue_update(kind, content)
    world.mark_changed()


def _seconds(world: World) -> int:
    return int(world.now().timestamp())
