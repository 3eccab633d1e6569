"""Telegram's HTML: text with tags in, plain text with entities out; refused in Telegram's words.

A message's text: checked, stripped of markup, found entities, and cut into runs for the page.

What Telegram refuses in what a bot says: chats, texts, keyboards, files.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import Any

from simulator.http import Upload
from simulator.telegram.state import Group, Person, StoredFile, TelegramRefusal, bad_request
from simulator.world import World

Json = dict[str, Any]

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
CHARACTER = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|lt|gt|amp|quot);")
ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?""")


class BadMarkup(Exception):
    """The message says why, as Telegram does."""


def utf16(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts offsets."""
    return len(text.encode("utf-16-le")) // 2


def parse(source: str) -> tuple[str, list[Json]]:
    """Plain text and entities. Raises BadMarkup."""
    text = ""
    entities: list[Json] = []
    open_tags: list[tuple[str, Json, int]] = []
    at = 0
    while at < len(source):
        character = source[at]
        if character == "&" and (found := CHARACTER.match(source, at)):
            text += html.unescape(found.group())
            at = found.end()
        elif character != "<":
            text += character
            at += 1
        elif source[at + 1 : at + 2] == "/":
            at = _end_tag(source, at, open_tags, text, entities)
        else:
            name, entity, at = _start_tag(source, at)
            entity["offset"] = utf16(text)
            open_tags.append((name, entity, len(text)))
    if open_tags:
        raise BadMarkup(f'can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text, sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def _byte(source: str, at: int) -> int:
    return len(source[:at].encode())


def _start_tag(source: str, at: int) -> tuple[str, Json, int]:
    named = re.compile(r"<([^\s>]*)").match(source, at)
    end = source.find(">", at)
    if named is None or end < 0:
        raise BadMarkup(f"unclosed start tag at byte offset {_byte(source, at)}")
    name = named.group(1).lower()
    if name not in TAGS:
        raise BadMarkup(f'unsupported start tag "{name}" at byte offset {_byte(source, at)}')
    attributes: dict[str, str] = {}
    position = named.end()
    while source[position : position + 1] not in (">", ""):
        found = ATTRIBUTE.match(source, position)
        if found is None:
            position += 1
            continue
        attributes[found.group(1).lower()] = html.unescape((found.group(2) or "").strip("\"'"))
        position = found.end()
    if position >= len(source):
        raise BadMarkup(f"unclosed start tag at byte offset {_byte(source, at)}")
    return name, _entity(name, attributes, _byte(source, at)), position + 1


def _entity(name: str, attributes: dict[str, str], at: int) -> Json:
    entity: Json = {"type": TAGS[name]}
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise BadMarkup(f'tag "span" must have class "tg-spoiler" at byte offset {at}')
    if name == "a":
        entity["url"] = attributes.get("href", "")
    if name == "tg-emoji":
        entity["custom_emoji_id"] = attributes.get("emoji-id", "")
    if name == "code" and attributes.get("class", "").startswith("language-"):
        entity["language"] = attributes["class"].removeprefix("language-")
    if name == "blockquote" and "expandable" in attributes:
        entity["type"] = "expandable_blockquote"
    return entity


def _end_tag(
    source: str, at: int, open_tags: list[tuple[str, Json, int]], text: str, entities: list[Json]
) -> int:
    begin = _byte(source, at)
    if not open_tags:
        raise BadMarkup(f"unexpected end tag at byte offset {begin}")
    end = source.find(">", at)
    if end < 0:
        raise BadMarkup(f"unclosed end tag at byte offset {begin}")
    found = source[at + 2 : end].strip().lower()
    name, entity, start = open_tags.pop()
    if found and found != name:
        raise BadMarkup(f'unmatched end tag at byte offset {begin}, expected "</{name}>", found "</{found}>"')
    length = utf16(text[start:])
    if length and not (entity["type"] == "text_link" and not entity["url"]):
        entity.pop("language", None) if entity["type"] != "pre" else None
        entities.append({"type": entity["type"], "offset": entity["offset"], "length": length} | entity)
    return end + 1


MARKS = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
}
# What Telegram marks in everybody's text. A command counts at a word's start only.
FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/<>])/[a-zA-Z0-9_]{1,64}(?:@\w{5,32})?)|(?P<url>https?://[^\s<>]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<mention>(?<!\w)@[a-zA-Z]\w{4,31})|(?P<hashtag>(?<!\w)#\w+)"
)


def formatted(source: str, *, parse_mode: str | None, entities: list[Json] | None) -> tuple[str, list[Json]]:
    """The text as people read it, with its entities. Raises BadMarkup in Telegram's words."""
    mode = (parse_mode or "").lower()
    if mode == "html":
        try:
            text, marks = parse(source)
        except BadMarkup as reason:
            raise BadMarkup(f"can't parse entities: {reason}") from reason
    elif mode in ("", "none"):
        text, marks = source, checked(source, entities or [])
    elif mode in ("markdown", "markdownv2"):
        raise BadMarkup("the simulator reads parse_mode HTML and entities, no Markdown")
    else:
        raise BadMarkup("unsupported parse_mode")
    return stripped(text, marks + [e for e in found(text) if not any(_inside(e, mark) for mark in marks)])


def _inside(entity: Json, mark: Json) -> bool:
    """Telegram looks for nothing in links and code."""
    end = entity["offset"] + entity["length"]
    covered = mark["offset"] < end and entity["offset"] < mark["offset"] + mark["length"]
    return covered and mark["type"] in ("text_link", "code", "pre", "url", "email", "mention", "bot_command")


def checked(text: str, entities: list[Json]) -> list[Json]:
    """Entities with offsets that fit the text. Raises BadMarkup."""
    size = utf16(text)
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if offset < 0 or length < 0 or offset > size:
            raise BadMarkup(f"entity begins after the end of the text at UTF-16 offset {offset}")
        if offset + length > size:
            raise BadMarkup(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 "
                f"offset {size}"
            )
    return entities


def stripped(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Telegram takes white space off both ends; entities move along."""
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


def found(text: str) -> list[Json]:
    """Commands, addresses, mentions and hashtags."""
    return [
        {"type": match.lastgroup, "offset": utf16(text[: match.start()]), "length": utf16(match.group())}
        for match in FOUND.finditer(text)
    ]


def runs(text: str, entities: list[Json]) -> list[Json]:
    """Pieces of text that look alike throughout: {"text", "marks", "url", "mention"}."""
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
        pieces.append({"text": piece, "marks": marks, "url": url, "mention": None})
    return pieces


TEXT_MAX = 4096
CAPTION_MAX = 1024
DOWNLOAD_MAX = 20 * 1024 * 1024
UPLOAD_MAX = 50 * 1024 * 1024


def chat(world: World, chat_id: int | str) -> Person | Group:
    """Who is addressed. Raises when there is no such chat."""
    telegram = world.telegram
    if isinstance(chat_id, int):
        found = telegram.people.get(chat_id) or telegram.groups.get(chat_id)
        if found is not None:
            return found
    raise bad_request("chat not found")


def may_speak(world: World, chat_id: int | str) -> Person | Group:
    """Who is addressed, when the bot may speak there now."""
    place = chat(world, chat_id)
    if isinstance(place, Person):
        if place.blocked:
            raise TelegramRefusal(403, "Forbidden: bot was blocked by the user")
        if not place.met:
            raise TelegramRefusal(403, "Forbidden: bot can't initiate conversation with a user")
    elif not place.bot_in:
        raise TelegramRefusal(403, "Forbidden: bot was kicked from the group chat")
    wait = world.telegram_pacing.refuse(str(place.id))
    if wait:
        raise TelegramRefusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    return place


def text(arguments: Json) -> Json:
    """The message's text and entities, as they will stand."""
    plain, entities = _formatted(arguments, "text", "entities")
    if not plain:
        raise bad_request("message text is empty")
    if len(plain) > TEXT_MAX:
        raise bad_request("message is too long")
    return {"text": plain} | ({"entities": entities} if entities else {})


def caption(arguments: Json) -> Json:
    """A file's caption and entities; empty when there is none."""
    plain, entities = _formatted(arguments, "caption", "caption_entities")
    if len(plain) > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return ({"caption": plain} if plain else {}) | ({"caption_entities": entities} if entities else {})


def _formatted(arguments: Json, key: str, entities: str) -> tuple[str, list[Json]]:
    try:
        return formatted(
            arguments.get(key, ""),
            parse_mode=arguments.get("parse_mode"),
            entities=arguments.get(entities),
        )
    except BadMarkup as reason:
        raise bad_request(str(reason)) from reason


def keyboard(markup: Json | None) -> Json | None:
    """The markup, if Telegram would show it."""
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


def file(world: World, value: Upload | str, uploads: list[Upload], *, folder: str) -> StoredFile:
    """The file meant by a part, an attach:// name or a known file_id."""
    if isinstance(value, str) and value.startswith("attach://"):
        named = value.removeprefix("attach://")
        part = next((upload for upload in uploads if upload.field == named), None)
        if part is None:
            raise bad_request(f'file "{named}" is not attached')
        value = part
    if isinstance(value, str):
        known = world.telegram.files.get(value)
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return known
    if not value.data:
        raise bad_request("file must be non-empty")
    if len(value.data) > UPLOAD_MAX:
        raise TelegramRefusal(413, "Request Entity Too Large")
    return world.telegram.keep_file(value.data, name=value.name, mime=value.mime, folder=folder)
