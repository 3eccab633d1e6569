"""The phone's half of the page's state."""

from datetime import datetime
from typing import Any

from simulator.telegram.profile import commands_for, description
from simulator.telegram.rules import runs
from simulator.telegram.state import ChatMessage, Person
from simulator.world import World

Json = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """ISO 8601 UTC ending in Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def bot(world: World, person: Person | None) -> Json:
    """The bot as the app shows it in this person's language."""
    language = person.language if person else ""
    return {
        "name": description(world, "name", language) or world.telegram.bot_name,
        "username": world.telegram.username,
        "description": description(world, "description", language),
        "short_description": description(world, "short_description", language),
        "commands": commands_for(world, language),
    }


def customer(world: World, person: Person) -> Json:
    """A line of the list of chats."""
    shown = [m for m in world.telegram.chats.get(person.id, [])[-20:] if not m.deleted]
    last = shown[-1] if shown else None
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
            "at": instant(last.at),
        },
    }


def chat(world: World, person: Person, limit: int) -> Json:
    """The chat of one person with the bot."""
    messages = world.telegram.chats.get(person.id, [])
    notice = person.notice
    waiting = _waiting(world, person)
    return {
        "customer": person.id,
        "more": len(messages) > limit,
        "doing": person.doing,
        "notice": notice and {"text": notice["text"], "alert": notice["alert"], "at": instant(notice["at"])},
        "reply_keyboard": person.reply_keyboard
        and {
            "rows": person.reply_keyboard["rows"],
            "placeholder": person.reply_keyboard["placeholder"],
        },
        "messages": [message(m) | {"taken": m.id not in waiting} for m in messages[-limit:]],
    }


def _waiting(world: World, person: Person) -> set[int]:
    """The messages of this chat that still stand in the queue for the bot."""
    queued = (u.get("message") or u.get("edited_message") for u in world.telegram.updates)
    return {m["message_id"] for m in queued if m and m["chat"]["id"] == person.id}


def message(shown: ChatMessage) -> Json:
    """One bubble."""
    api = shown.api
    return {
        "id": shown.id,
        "from": "bot" if shown.outgoing else "customer",
        "at": instant(shown.at),
        "kind": shown.kind,
        "text": "" if shown.deleted else shown.text,
        "runs": [] if shown.deleted else runs(shown.text, shown.entities),
        "edited": "edit_date" in api and bool(shown.earlier),
        "earlier": shown.earlier,
        "deleted": shown.deleted,
        "album": api.get("media_group_id"),
        "reply_to": api.get("reply_to_message", {}).get("message_id"),
        "file": None if shown.deleted else _file(shown),
        "place": api.get("location"),
        "contact": _contact(api),
        "keyboard": []
        if shown.deleted
        else [
            [
                {
                    "text": button["text"],
                    "data": button.get("callback_data"),
                    "url": button.get("url"),
                    "pressed": button.get("callback_data") in shown.pressed,
                }
                for button in row
            ]
            for row in shown.keyboard
        ],
    }


def _contact(api: Json) -> Json | None:
    found = api.get("contact")
    return {"name": found["first_name"], "phone": found["phone_number"]} if found else None


def _file(shown: ChatMessage) -> Json | None:
    if shown.file is None:
        return None
    details = shown.api.get(shown.kind)
    largest = details[-1] if isinstance(details, list) else details or {}
    return {
        "name": shown.file.name,
        "mime": shown.file.mime,
        "size": len(shown.file.data),
        "url": f"/page/files/{shown.file.file_id}",
        "seconds": largest.get("duration"),
        "width": largest.get("width"),
        "height": largest.get("height"),
    }
