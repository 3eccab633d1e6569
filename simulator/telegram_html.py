"""Telegram's HTML: text with tags in, plain text with entities out; refused in Telegram's words."""

import html
import re
from typing import Any

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
