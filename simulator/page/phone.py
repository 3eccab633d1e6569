"""The customers on the page: their list, the open chat, and what they do in it."""

from datetime import datetime
from typing import Any

from starlette.requests import Request

from simulator import samples
from simulator.http import BadBody, Upload, read_arguments
from simulator.slack.socket import Link
from simulator.state.telegram_state import ChatMessage, Person
from simulator.state.world import World
from simulator.telegram import people
from simulator.telegram.message_rules import runs
from simulator.telegram.people import ChatAuthor, TelegramImpossible
from simulator.telegram.profile import commands_for, description

Json = dict[str, Any]


def iso_time(instant: datetime | None) -> str | None:
    """ISO 8601 UTC ending in Z."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z") if instant else None


def bot_state(world: World, person: Person | None) -> Json:
    """The bot in this person's language."""
    language = person.language if person else ""
    return {
        "name": description(world, "name", language),
        "username": world.telegram.username,
        "description": description(world, "description", language),
        "short_description": description(world, "short_description", language),
        "commands": commands_for(world, language),
    }


def customer_line(world: World, person: Person) -> Json:
    """An entry of the list of chats."""
    messages = [m for m in world.telegram.chats.get(person.id, [])[-20:] if not m.deleted]
    last = messages[-1] if messages else None
    return {
        "id": person.id,
        "name": person.name,
        "language": person.language,
        "blocked": person.blocked,
        "unread": person.unread,
        "last": last
        and {
            "text": last.text or last.kind,
            "from": "bot" if last.outgoing else "customer",
            "at": iso_time(last.sent_at),
        },
    }


def chat_state(world: World, person: Person, limit: int) -> Json:
    messages = world.telegram.chats.get(person.id, [])
    notice = person.notice
    waiting = _waiting(world, person)
    return {
        "customer": person.id,
        "more": len(messages) > limit,
        "doing": person.doing,
        "notice": notice and {"text": notice["text"], "alert": notice["alert"], "at": iso_time(notice["at"])},
        "reply_keyboard": person.reply_keyboard
        and {"rows": person.reply_keyboard["rows"], "placeholder": person.reply_keyboard["placeholder"]},
        "messages": [message_bubble(m) | {"taken": m.id not in waiting} for m in messages[-limit:]],
    }


def _waiting(world: World, person: Person) -> set[int]:
    """The ids of messages that the bot has not confirmed yet."""
    queued = (u.get("message") or u.get("edited_message") for u in world.telegram.updates)
    return {m["message_id"] for m in queued if m and m["chat"]["id"] == person.id}


def message_bubble(message: ChatMessage) -> Json:
    api = message.api
    return {
        "id": message.id,
        "from": "bot" if message.outgoing else "customer",
        "at": iso_time(message.sent_at),
        "kind": message.kind,
        "text": "" if message.deleted else message.text,
        "runs": [] if message.deleted else runs(message.text, message.entities),
        "edited": "edit_date" in api and bool(message.earlier),
        "earlier": message.earlier,
        "deleted": message.deleted,
        "album": api.get("media_group_id"),
        "reply_to": api.get("reply_to_message", {}).get("message_id"),
        "file": None if message.deleted else _file(message),
        "place": api.get("location"),
        "contact": _contact(api),
        "keyboard": []
        if message.deleted
        else [
            [
                {
                    "text": button["text"],
                    "data": button.get("callback_data"),
                    "url": button.get("url"),
                    "pressed": button.get("callback_data") in message.pressed,
                }
                for button in row
            ]
            for row in message.keyboard
        ],
    }


def _contact(api: Json) -> Json | None:
    contact = api.get("contact")
    return {"name": contact["first_name"], "phone": contact["phone_number"]} if contact else None


def _file(message: ChatMessage) -> Json | None:
    if message.file is None:
        return None
    details = message.api.get(message.kind)
    largest = details[-1] if isinstance(details, list) else details or {}
    return {
        "name": message.file.name,
        "mime": message.file.mime,
        "size": len(message.file.data),
        "url": f"/page/files/{message.file.file_id}",
        "seconds": largest.get("duration"),
        "width": largest.get("width"),
        "height": largest.get("height"),
    }


async def add(link: Link, request: Request) -> Json:
    body, _ = await read_arguments(request)
    name = str(body.get("name", "")).strip()
    if not name:
        raise BadBody("A customer needs a name.")
    person = people.add_person(
        link.world, name, str(body.get("language") or "en"), username=body.get("username") or None
    )
    return {"id": person.id}


async def act(link: Link, request: Request) -> Json:
    world = link.world
    person = world.telegram.people[request.path_params["id"]]
    body, uploads = await read_arguments(request)
    match request.path_params["act"]:
        case "text":
            message = people.write(
                world, ChatAuthor(person), str(body.get("text", "")), reply_to=body.get("reply_to")
            )
            return {"message": message.id}
        case "edit":
            people.edit(world, person, int(body["message"]), str(body.get("text", "")))
        case "press":
            _press(world, person, body)
        case "block":
            people.set_blocked(world, person, bool(body.get("blocked")))
        case "topic":
            topic = int(body["topic"]) if body.get("topic") else None
            if body.get("delete") and topic is not None:
                people.delete_topic(world, person, topic)
            else:
                return {"topic": people.open_topic(world, person, topic)}
        case "read":
            person.unread = 0
            world.mark_changed()
        case "language":
            person.language = str(body["language"])
            world.mark_changed()
        case other:
            _send(world, person, other, body, uploads)
    return {}


def _send(world: World, person: Person, act: str, body: Json, uploads: list[Upload]) -> None:
    author, caption = ChatAuthor(person), str(body.get("caption") or "")
    match act:
        case "files":
            kind = str(body.get("kind") or "document")
            people.send_files(
                world, author, kind, uploads, caption=caption, seconds=int(body.get("seconds") or 0)
            )
        case "voice":
            seconds = min(max(int(body.get("seconds") or 3), 1), 600)
            people.send_files(world, author, "voice", [samples.voice(seconds)], seconds=seconds)
        case "photo":
            count = min(max(int(body.get("count") or 1), 1), 10)
            people.send_files(
                world, author, "photo", [samples.photo(n) for n in range(count)], caption=caption
            )
        case "location":
            people.send_location(world, author, float(body["latitude"]), float(body["longitude"]))
        case "contact":
            people.send_contact(world, author, str(body["name"]), str(body["phone"]))
        case other:
            raise LookupError(other)


def _press(world: World, person: Person, body: Json) -> None:
    message_id, data = int(body["message"]), body.get("data")
    if data is None:
        message = world.telegram.find_message(person.id, message_id)
        buttons = [b for row in message.keyboard for b in row] if message else []
        button = next((b for b in buttons if b["text"] == body.get("text")), None)
        if button is None:
            raise TelegramImpossible("There is no such button under that message any more.")
        data = button.get("callback_data", "")
    people.press_button(world, person, message_id, str(data))
