"""What people do in the app, and the updates that the bot gets for it."""

import secrets
from dataclasses import dataclass
from typing import Any

from simulator import telegram_attachments
from simulator.http_body import Upload
from simulator.telegram_attachments import Impossible
from simulator.telegram_state import FIRST_CUSTOMER, ChatMessage, Group, Person, Query, StoredFile
from simulator.telegram_text import found, stripped
from simulator.world import World

Json = dict[str, Any]
ALBUM_KINDS = ("photo", "video", "document", "audio")


@dataclass(frozen=True)
class Place:
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


def write(world: World, at: Place, text: str, *, reply_to: int | None = None) -> ChatMessage:
    """Send a text. Telegram's own limits hold for people too."""
    plain, entities = stripped(text, found(text))
    if not plain:
        raise Impossible("An empty message cannot be sent.")
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
    at: Place,
    kind: str,
    uploads: list[Upload],
    *,
    caption: str = "",
    seconds: int = 0,
) -> list[ChatMessage]:
    """Send a file, or several as an album. Raises Impossible for kinds that make no album."""
    if not uploads:
        raise Impossible("Choose a file first.")
    if len(uploads) > 10 or (len(uploads) > 1 and kind not in ALBUM_KINDS):
        raise Impossible("An album holds 2 to 10 photos, videos, documents or audio files.")
    album = str(13_000_000_000_000_000 + secrets.randbelow(10**12)) if len(uploads) > 1 else None
    sent = []
    for number, upload in enumerate(uploads):
        content, stored = telegram_attachments.content_of(world, kind, upload, seconds)
        if caption and number == 0 and kind not in ("sticker", "video_note"):
            content["caption"] = caption
            if entities := found(caption):
                content["caption_entities"] = entities
        if album:
            content = {"media_group_id": album} | content
        sent.append(_post(world, at, kind, content, file=stored))
    return sent


def send_location(world: World, at: Place, latitude: float, longitude: float) -> ChatMessage:
    """Share a place."""
    return _post(world, at, "location", {"location": {"latitude": latitude, "longitude": longitude}})


def send_contact(world: World, at: Place, name: str, phone: str) -> ChatMessage:
    """Share a contact from the address book."""
    return _post(world, at, "contact", {"contact": {"phone_number": phone, "first_name": name}})


def press(world: World, person: Person, message_id: int, data: str, *, chat_id: int | None = None) -> None:
    """Press an inline button; the bot has to answer the query."""
    message = world.telegram.message(chat_id or person.id, message_id)
    if message is None:
        raise Impossible("That message is gone.")
    buttons = [button for row in message.keyboard for button in row]
    if not any(button.get("callback_data") == data for button in buttons):
        raise Impossible("There is no such button under that message any more.")
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
        raise Impossible("Only an own message that still stands can be edited.")
    if "text" not in message.api and message.file is None:
        raise Impossible("A message without words cannot be edited.")
    return message


def _post(
    world: World,
    at: Place,
    kind: str,
    content: Json,
    *,
    file: StoredFile | None = None,
    reply_to: int | None = None,
) -> ChatMessage:
    telegram, person = world.telegram, at.person
    if person.blocked and at.group is None:
        raise Impossible("The bot is blocked: unblock it to write.")
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
