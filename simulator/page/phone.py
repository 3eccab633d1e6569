"""The phone's part of the page's state: the bot, the customers and a chat."""

from datetime import datetime
from typing import Any

from simulator.state.telegram import ChatMessage, Person
from simulator.state.world import World
from simulator.telegram.profile import commands_for, description
from simulator.telegram.rules import runs

Json = dict[str, Any]


def iso_time(instant: datetime | None) -> str | None:
    """ISO 8601 UTC ending in Z."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z") if instant else None


def bot_state(world: World, person: Person | None) -> Json:
    """The bot in this person's language."""
    language = person.language if person else ""
    return {
        "name": description(world, "name", language) or world.telegram.bot_name,
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
    """The private chat of a person with the bot."""
    messages = world.telegram.chats.get(person.id, [])
    notice = person.notice
    waiting = _waiting(world, person)
    return {
        "customer": person.id,
        "more": len(messages) > limit,
        "doing": person.doing,
        "notice": notice and {"text": notice["text"], "alert": notice["alert"], "at": iso_time(notice["at"])},
        "reply_keyboard": person.reply_keyboard
        and {
            "rows": person.reply_keyboard["rows"],
            "placeholder": person.reply_keyboard["placeholder"],
        },
        "messages": [message_bubble(m) | {"taken": m.id not in waiting} for m in messages[-limit:]],
    }


def _waiting(world: World, person: Person) -> set[int]:
    """The ids of messages that the bot has not confirmed yet."""
    queued = (u.get("message") or u.get("edited_message") for u in world.telegram.updates)
    return {m["message_id"] for m in queued if m and m["chat"]["id"] == person.id}


def message_bubble(message: ChatMessage) -> Json:
    """A message of the chat."""
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
