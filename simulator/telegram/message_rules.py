"""Telegram's rules for what a bot sends: markup, entities, texts, keyboards, files and target chats.

Refusals use Telegram's words.
"""

import re
import tomllib
from importlib.resources import files
from itertools import pairwise
from typing import Any

from simulator.http import Upload
from simulator.state.telegram_state import Group, Person, StoredFile, TelegramRefusal, bad_request
from simulator.state.world import World

Json = dict[str, Any]

_MARKUP = tomllib.loads((files("simulator") / "telegram" / "markup.toml").read_text(encoding="utf-8"))
MARKS: dict[str, str] = _MARKUP["marks"]


class BadMarkup(Exception):
    """Invalid markup or entities; the message is Telegram's."""


def utf16(text: str) -> int:
    """Length in UTF-16 code units, the unit of Telegram's offsets."""
    return len(text.encode("utf-16-le")) // 2


# What Telegram detects in plain text. A command is detected only at the start of a word.
DETECTED = re.compile(
    r"(?P<bot_command>(?<![\w/<>])/[a-zA-Z0-9_]{1,64}(?:@\w{5,32})?)|(?P<url>https?://[^\s<>]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<mention>(?<!\w)@[a-zA-Z]\w{4,31})|(?P<hashtag>(?<!\w)#\w+)"
)


def format_text(
    source: str, *, parse_mode: str | None, entities: list[Json] | None
) -> tuple[str, list[Json]]:
    """The text without white space at both ends, with its entities. Raises BadMarkup."""
    mode = (parse_mode or "").lower()
    if mode in ("html", "markdown", "markdownv2"):
        raise BadMarkup("the simulator reads entities, no parse_mode")
    if mode not in ("", "none"):
        raise BadMarkup("unsupported parse_mode")
    marks = check_entities(source, entities or [])
    detected = [
        entity
        for entity in detect_entities(source)
        if not any(_is_suppressed(entity, mark) for mark in marks)
    ]
    return strip_text(source, marks + detected)


def _is_suppressed(entity: Json, mark: Json) -> bool:
    """Whether a detected entity is dropped: Telegram detects nothing inside links and code."""
    end = entity["offset"] + entity["length"]
    covered = mark["offset"] < end and entity["offset"] < mark["offset"] + mark["length"]
    return covered and mark["type"] in ("text_link", "code", "pre", "url", "email", "mention", "bot_command")


def check_entities(text: str, entities: list[Json]) -> list[Json]:
    """The entities, if their offsets fit the text. Raises BadMarkup."""
    size = utf16(text)
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if entity["type"] == "date_time" and "unix_time" not in entity:
            raise BadMarkup("entity date_time must have a unix_time")
        if offset < 0 or length < 0 or offset > size:
            raise BadMarkup(f"entity begins after the end of the text at UTF-16 offset {offset}")
        if offset + length > size:
            raise BadMarkup(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 "
                f"offset {size}"
            )
    return entities


def strip_text(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """The text without white space at both ends, with entities moved accordingly, as Telegram does."""
    lead = utf16(text[: len(text) - len(text.lstrip())])
    text = text.strip()
    size = utf16(text)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        end = min(size, entity["offset"] + entity["length"] - lead)
        if end > start:
            kept.append(entity | {"offset": start, "length": end - start})
    return text, sorted(kept, key=lambda e: (e["offset"], -e["length"]))


def detect_entities(text: str) -> list[Json]:
    """The commands, addresses, mentions and hashtags in a plain text."""
    return [
        {"type": match.lastgroup, "offset": utf16(text[: match.start()]), "length": utf16(match.group())}
        for match in DETECTED.finditer(text)
    ]


def runs(text: str, entities: list[Json]) -> list[Json]:
    """Pieces of text with the same formatting, for the page: {"text", "marks", "url", "mention", "at"}."""
    units = text.encode("utf-16-le")
    edges = {0, len(units) // 2}
    for entity in entities:
        edges |= {entity["offset"], entity["offset"] + entity["length"]}
    ordered = sorted(edges)
    pieces = []
    for start, end in pairwise(ordered):
        over = [e for e in entities if e["offset"] <= start and e["offset"] + e["length"] >= end]
        piece = units[start * 2 : end * 2].decode("utf-16-le", "replace")
        url = next((e.get("url") or piece for e in over if e["type"] in ("text_link", "url")), None)
        marks = list(dict.fromkeys(MARKS[e["type"]] for e in over if e["type"] in MARKS))
        at = next((e["unix_time"] for e in over if e["type"] == "date_time"), None)
        pieces.append({"text": piece, "marks": marks, "url": url, "mention": None, "at": at})
    return pieces


TEXT_MAX = 4096
CAPTION_MAX = 1024
DOWNLOAD_MAX = 20 * 1024 * 1024
UPLOAD_MAX = 50 * 1024 * 1024


def find_chat(world: World, chat_id: int | str) -> Person | Group:
    """The person or group with this id. Raises TelegramRefusal for an unknown chat."""
    telegram = world.telegram
    if isinstance(chat_id, int):
        addressed = telegram.people.get(chat_id) or telegram.groups.get(chat_id)
        if addressed is not None:
            return addressed
    raise bad_request("chat not found")


def find_writable_chat(world: World, chat_id: int | str) -> Person | Group:
    """The person or group with this id. Raises TelegramRefusal if the bot may not write there now."""
    chat = find_chat(world, chat_id)
    if isinstance(chat, Person):
        if chat.blocked:
            raise TelegramRefusal(403, "Forbidden: bot was blocked by the user")
        if not chat.met:
            raise TelegramRefusal(403, "Forbidden: bot can't initiate conversation with a user")
    elif not chat.bot_in:
        raise TelegramRefusal(403, "Forbidden: bot was kicked from the group chat")
    wait = world.telegram_rate_limiter.take_token(str(chat.id))
    if wait:
        raise TelegramRefusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    return chat


def checked_topic(world: World, chat: Person | Group, topic: int | None) -> Json:
    """The part of a Message about its topic. Raises TelegramRefusal without topics, or if this one is gone."""
    if topic is None:
        return {}
    if not isinstance(chat, Person) or not world.telegram.topics_enabled:
        raise bad_request("the chat is not a forum")
    if topic not in chat.topics:
        raise bad_request("message thread not found")
    return topic_content(topic)


def topic_content(topic: int) -> Json:
    """The fields of a Message in a topic."""
    return {"message_thread_id": topic, "is_topic_message": True}


def text_content(arguments: Json) -> Json:
    """The text and entities of the message. Raises TelegramRefusal."""
    plain, entities = _format_argument(arguments, "text", "entities")
    if not plain:
        raise bad_request("message text is empty")
    if len(plain) > TEXT_MAX:
        raise bad_request("message is too long")
    return {"text": plain} | ({"entities": entities} if entities else {})


def caption_content(arguments: Json) -> Json:
    """The caption and entities of a file, or {}. Raises TelegramRefusal."""
    plain, entities = _format_argument(arguments, "caption", "caption_entities")
    if len(plain) > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return ({"caption": plain} if plain else {}) | ({"caption_entities": entities} if entities else {})


def _format_argument(arguments: Json, key: str, entities: str) -> tuple[str, list[Json]]:
    try:
        return format_text(
            arguments.get(key, ""), parse_mode=arguments.get("parse_mode"), entities=arguments.get(entities)
        )
    except BadMarkup as reason:
        raise bad_request(str(reason)) from reason


def checked_markup(markup: Json | None) -> Json | None:
    """The markup, or None if it is empty. Raises TelegramRefusal for keyboards that Telegram refuses."""
    if not markup:
        return None
    if "inline_keyboard" in markup:
        for row in markup["inline_keyboard"]:
            for button in row:
                _inline_button(button)
    elif "keyboard" in markup:
        for row in markup["keyboard"]:
            for button in row:
                if not button.get("text", "").strip():
                    raise bad_request("keyboard button text must be non-empty")
    return markup


def _inline_button(button: Json) -> None:
    if not button.get("text", "").strip():
        raise bad_request("inline keyboard button text must be non-empty")
    kinds = [key for key in button if key not in ("text", "style", "icon_custom_emoji_id")]
    if not kinds:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if len(kinds) > 1:
        raise bad_request("exactly one of the optional fields of an inline keyboard button must be used")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def resolve_file(world: World, value: Upload | str, uploads: list[Upload], *, folder: str) -> StoredFile:
    """The file of an uploaded part, an attach:// name or an existing file_id. Raises TelegramRefusal."""
    if isinstance(value, str) and value.startswith("attach://"):
        field = value.removeprefix("attach://")
        part = next((upload for upload in uploads if upload.field == field), None)
        if part is None:
            raise bad_request(f'file "{field}" is not attached')
        value = part
    if isinstance(value, str):
        stored = world.telegram.files.get(value)
        if stored is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return stored
    if not value.data:
        raise bad_request("file must be non-empty")
    if len(value.data) > UPLOAD_MAX:
        raise TelegramRefusal(413, "Request Entity Too Large")
    return world.telegram.store_file(value.data, name=value.name, mime=value.mime, folder=folder)
