"""Block Kit in small pieces, each within Slack's limits; what people wrote can never become markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

Block = dict[str, Any]

SECTION = 3000
MODAL_BLOCKS = 100
MESSAGE_BLOCKS = 50
#: A view may have 250 kB; what surrounds the words needs some of it.
VIEW_BYTES = 200_000

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,30}")


def cut(text: str, most: int) -> str:
    """At most that many code points, with an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1] + "…"


def escaped(text: str, most: int = SECTION) -> str:
    """Text of people inside mrkdwn: the three characters that make control tokens, cut by whole entities."""
    pieces = [_ESCAPES.get(one, one) for one in text]
    if sum(map(len, pieces)) <= most:
        return "".join(pieces)
    kept, length = [], 0
    for piece in pieces:
        if length + len(piece) > most - 1:
            break
        kept.append(piece)
        length += len(piece)
    return "".join(kept) + "…"


def mention(member: str) -> str:
    """A member of staff in mrkdwn; anything that is no member's id is only text."""
    return f"<@{member}>" if _MEMBER.fullmatch(member) else escaped(member, 60)


def plain(text: str, most: int = SECTION) -> Block:
    """A plain_text object; Slack refuses empty ones, so nothing becomes a dash."""
    return {"type": "plain_text", "text": cut(text, most) if text.strip() else "–", "emoji": False}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object of text that is ours, or escaped."""
    return {"type": "mrkdwn", "text": text if text.strip() else "–"}


def header(text: str) -> Block:
    """A headline."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, *, block_id: str | None = None, accessory: Block | None = None) -> Block:
    """A paragraph of our own mrkdwn."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if block_id is not None:
        block["block_id"] = block_id
    if accessory is not None:
        block["accessory"] = accessory
    return block


def said(text: str) -> Block:
    """A paragraph of somebody's words, as plain text."""
    return {"type": "section", "text": plain(text)}


def fields(texts: Sequence[str]) -> Block:
    """Two columns of short mrkdwn."""
    return {"type": "section", "fields": [mrkdwn(one) for one in texts[:10]]}


def context(*texts: str) -> Block:
    """Small print, our own mrkdwn."""
    return {"type": "context", "elements": [mrkdwn(one) for one in texts[:10]]}


def divider() -> Block:
    """A line."""
    return {"type": "divider"}


def button(label: str, action_id: str, value: str, *, style: str | None = None) -> Block:
    """A button."""
    made: Block = {"type": "button", "text": plain(label, 75), "action_id": action_id, "value": value}
    if style is not None:
        made["style"] = style
    return made


def option(value: str, label: str) -> Block:
    """One choice."""
    return {"text": plain(label, 75), "value": value}


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    """A row of buttons and menus."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def pieces(text: str, most: int = SECTION) -> list[str]:
    """Text in pieces of at most so many code points, broken between lines or words where possible."""
    found = []
    rest = text.strip()
    while len(rest) > most:
        window = rest[:most]
        at = max(window.rfind("\n"), window.rfind(" "))
        at = at if at > most // 2 else most
        found.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*found, rest] if rest else found


def joined(lines: Iterable[str], most: int = SECTION - 100) -> list[str]:
    """Lines put together into paragraphs within the limit; a longer line is cut."""
    found: list[str] = []
    for line in lines:
        if found and len(found[-1]) + len(line) + 1 <= most:
            found[-1] += f"\n{line}"
        else:
            found.append(line[:most] if len(line) > most else line)
    return found


def weight(blocks: Iterable[Block]) -> int:
    """Bytes of these blocks as JSON."""
    return sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in blocks)


def pages(blocks: Sequence[Block], most: int, most_bytes: int = VIEW_BYTES) -> list[list[Block]]:
    """Blocks over as many views as their number and weight ask for; at least one page."""
    found: list[list[Block]] = [[]]
    heavy = 0
    for block in blocks:
        own = weight([block])
        if found[-1] and (len(found[-1]) >= most or heavy + own > most_bytes):
            found.append([])
            heavy = 0
        found[-1].append(block)
        heavy += own
    return found
