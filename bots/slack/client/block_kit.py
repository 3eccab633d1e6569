"""Builders of Block Kit, each within Slack's limits: people's words can never become markup; and mrkdwn read back."""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage.hidden_characters import mark_misleading

Block = dict[str, Any]

#: Slack's limits: code points of a section, blocks of a modal and of a message.
SECTION = 3000
MODAL_BLOCKS = 100
MESSAGE_BLOCKS = 50
#: Slack allows 250 kB in a view; the rest is for what surrounds the words.
VIEW_BYTES = 200_000

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,30}")
#: `<@U…>`, `<#C…|name>`, `<!here>`, `<https://…|label>`: angle brackets that a person typed come escaped.
_TOKEN = re.compile(r"<([^<>\n]+)>")
_SCHEMES = ("mailto:", "tel:")


def cut(text: str, most: int) -> str:
    """At most that many code points, with an ellipsis where text is missing."""
    return text if len(text) <= most else text[: most - 1] + "…"


def escaped(text: str, most: int = SECTION) -> str:
    """People's words inside mrkdwn: control characters become entities, and no entity is cut in half."""
    pieces = [_ESCAPES.get(character, character) for character in mark_misleading(text)]
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
    """A member of staff in mrkdwn; anything but a member's id is shown as text."""
    return f"<@{member}>" if _MEMBER.fullmatch(member) else escaped(member, 60)


def plain(text: str, most: int = SECTION) -> Block:
    """A plain_text object; an empty text becomes a dash, because Slack refuses it."""
    words = mark_misleading(cut(text, most)) if text.strip() else "–"
    return {"type": "plain_text", "text": words, "emoji": False}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object; the text must be our own or escaped."""
    return {"type": "mrkdwn", "text": text if text.strip() else "–"}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, *, block_id: str | None = None, accessory: Block | None = None) -> Block:
    """A paragraph of mrkdwn; the text must be our own or escaped."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if block_id is not None:
        block["block_id"] = block_id
    if accessory is not None:
        block["accessory"] = accessory
    return block


def plain_section(text: str) -> Block:
    return {"type": "section", "text": plain(text)}


def plain_sections(text: str, most: int = SECTION) -> list[Block]:
    """People's words of any length, as plain text in paragraphs of at most `most` code points."""
    return [plain_section(piece) for piece in pieces(text, most)]


def quoted(title: str, words: str) -> Block:
    """People's words as a quotation below a bold title: in rich text nothing is markup, and no mention is live."""
    line = {"type": "text", "text": title, "style": {"bold": True}}
    quotation = {"type": "text", "text": mark_misleading(words)}
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [line]},
            {"type": "rich_text_quote", "elements": [quotation]},
        ],
    }


def fields(texts: Sequence[str]) -> Block:
    """Two columns of short mrkdwn."""
    return {"type": "section", "fields": [mrkdwn(text) for text in texts[:10]]}


def context(*texts: str) -> Block:
    """Small print; the texts must be our own or escaped."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:10]]}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action_id: str, value: str, *, style: str | None = None) -> Block:
    block: Block = {"type": "button", "text": plain(label, 75), "action_id": action_id, "value": value}
    if style is not None:
        block["style"] = style
    return block


def option(value: str, label: str) -> Block:
    return {"text": plain(label, 75), "value": value}


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def pieces(text: str, most: int = SECTION) -> list[str]:
    """Text in pieces of at most `most` code points, split between lines or words where possible."""
    split = []
    rest = text.strip()
    while len(rest) > most:
        window = rest[:most]
        end = max(window.rfind("\n"), window.rfind(" "))
        end = end if end > most // 2 else most
        split.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*split, rest] if rest else split


def paragraphs(lines: Iterable[str], most: int = SECTION - 100) -> list[str]:
    """Lines joined to paragraphs of at most `most` code points; a longer line is cut."""
    joined: list[str] = []
    for line in lines:
        if joined and len(joined[-1]) + len(line) + 1 <= most:
            joined[-1] += f"\n{line}"
        else:
            joined.append(line[:most])
    return joined


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines of mrkdwn in as few paragraphs as possible."""
    return [section(paragraph) for paragraph in paragraphs(lines)]


def json_bytes(blocks: Iterable[Block]) -> int:
    return sum(len(json.dumps(block, ensure_ascii=False).encode()) for block in blocks)


def pages(blocks: Sequence[Block], most: int, most_bytes: int = VIEW_BYTES) -> list[list[Block]]:
    """Blocks distributed over views of at most `most` blocks and `most_bytes` bytes; at least one page."""
    split = pages_of([[block] for block in blocks], most, most_bytes)
    return [[block for unit in page for block in unit] for page in split]


def pages_of(
    units: Sequence[list[Block]], most: int, most_bytes: int = VIEW_BYTES
) -> list[list[list[Block]]]:
    """The same for groups of blocks that stay together."""
    split: list[list[list[Block]]] = [[]]
    number = page_bytes = 0
    for unit in units:
        unit_bytes = json_bytes(unit)
        if split[-1] and (number + len(unit) > most or page_bytes + unit_bytes > most_bytes):
            split.append([])
            number = page_bytes = 0
        split[-1].append(unit)
        number += len(unit)
        page_bytes += unit_bytes
    return split


@dataclass(frozen=True)
class SlackMessage:
    """A message: `text` for notifications and screen readers, `blocks` to be shown."""

    text: str
    blocks: list[Block]


def plain_words(text: str, names: Mapping[str, str]) -> str:
    """The words of a message; `names` are those of staff by their Slack ids.

    An unknown member stays an id, because a wrong name would be worse.
    """
    parts = _TOKEN.split(text)
    return "".join(
        html.unescape(_token(part, names) if number % 2 else part) for number, part in enumerate(parts)
    )


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    match target[:1]:
        case "@":
            # The rule about named staff knows the name that the settings give.
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
    address = next((target.removeprefix(scheme) for scheme in _SCHEMES if target.startswith(scheme)), target)
    # Slack adds a scheme to what was typed without one: example.com becomes <http://example.com|example.com>.
    return address if not label or label in address else f"{label} ({address})"
