"""A message's text: checked, stripped of markup, found entities, and cut into runs for the page."""

import re
from itertools import pairwise
from typing import Any

from simulator.telegram_html import BadMarkup, parse, utf16

Json = dict[str, Any]
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
