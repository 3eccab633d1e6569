"""Blocks that Slack may refuse, and what is sent instead.

Its blocks of 2026 are tried once in each workspace and surface. No page of Slack says which workspaces show them; its
answer to the first use does, and the store keeps that answer. Where they are refused they are drawn plain. If Slack
refuses other blocks too, the same words leave in sections, with the buttons and inputs.
"""

import html
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bots.slack.client.block_kit import MESSAGE_BLOCKS, MODAL_BLOCKS, Block, mrkdwn, pieces, section
from store.database.errors import DatabaseUnavailable
from store.slack_posts import BLOCK_ANSWERS, forget_slack_key, list_slack_keys, record_slack_key
from store.store import Store

NEW_KINDS = frozenset({"alert", "container", "data_table", "data_visualization"})
#: Our own key of a table: what is drawn instead. It is never sent.
_PLAIN = "plain"
#: Left out where they are refused: a card's history is in its thread too, a chart's numbers are next to it.
_LEFT_OUT = frozenset({"container", "data_visualization"})
#: What another process learned is read again after so many seconds.
_READ_AGAIN = 3600.0
#: The surface whose blocks a method changes.
SURFACES: Mapping[str, str] = {
    "chat.postMessage": "message", "chat.update": "message", "chat.postEphemeral": "message",
    "views.publish": "home", "views.open": "modal", "views.push": "modal", "views.update": "modal",
}  # fmt: skip
#: Slack's limits: code points of an alert; of all cells of a table, and its rows with the header; of a chart's title.
ALERT, TABLE_CHARACTERS, TABLE_ROWS, CHART_TITLE = 200, 10_000, 101, 50
#: Slack's limits of a chart: categories, and code points of a category's or series' name.
CHART_POINTS, CHART_NAME = 20, 20
#: Blocks in a container.
_CHILDREN = 10
#: Begins a warning in a section, in either spelling; an alert has an icon of its own.
_ICON, _ICONS = ":warning: ", re.compile(r"^(?::warning:|⚠️?) ")
#: Slack's error codes for blocks that it does not show; `invalid_arguments` is that of a view.
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format"})
REFUSED_VIEW = REFUSED_BLOCKS | {"invalid_arguments"}
#: Elements that every workspace shows, and the keys of each that are needed.
_ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "button": ("type", "text", "action_id", "value"),
    "static_select": ("type", "placeholder", "options", "action_id", "initial_option"),
}
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,30})>")


def alerts(text: str, *, level: str = "warning", block_id: str | None = None) -> list[Block]:
    """Each line as an alert of a form, a section where it is too long for one; the text must be our own or escaped.

    The blocks have the ids `<block_id>`, `<block_id>.1` and so on.
    """
    blocks = []
    for number, line in enumerate(filter(str.strip, text.splitlines())):
        block = section(line, block_id=block_id and (f"{block_id}.{number}" if number else block_id))
        words = mrkdwn(_ICONS.sub("", line))
        is_short = len(words["text"]) <= ALERT
        blocks.append({**block, "type": "alert", "level": level, "text": words} if is_short else block)
    return blocks


def collapsed(title: str, blocks: Sequence[Block]) -> Block:
    """Blocks of a message that a reader opens; only the last ten are kept."""
    return {
        "type": "container",
        "title": {"type": "plain_text", "text": title[:150], "emoji": False},
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": list(blocks[-_CHILDREN:]),
    }


def data_table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, plain: Sequence[Block]
) -> list[Block]:
    """A table of mrkdwn cells, whose mentions stay live; `plain` itself where the table is too large for Slack."""
    characters = sum(len(cell) for row in (head, *rows) for cell in row)
    if not 0 < len(rows) < TABLE_ROWS or characters > TABLE_CHARACTERS:
        return list(plain)
    drawn = [
        [{"type": "raw_text", "text": cell or "–"} for cell in head],
        *([*map(_cell, row)] for row in rows),
    ]
    return [
        {"type": "data_table", "caption": caption[:150], "page_size": 10, "rows": drawn, _PLAIN: list(plain)}
    ]


def bar_chart(title: str, series: str, values: Mapping[str, float]) -> list[Block]:
    """A bar for each value, next to the same numbers as text: where charts are refused, those remain."""
    points = [
        {"label": name[:CHART_NAME], "value": value} for name, value in list(values.items())[:CHART_POINTS]
    ]
    if not points:
        return []
    chart = {
        "type": "bar", "series": [{"name": series[:CHART_NAME], "data": points}],
        "axis_config": {"categories": [point["label"] for point in points]},
    }  # fmt: skip
    return [{"type": "data_visualization", "title": title[:CHART_TITLE], "chart": chart}]


def _cell(text: str) -> Block:
    # Nothing in a cell is markup, so entities are read back.
    parts = [html.unescape(part) for part in _MENTION.split(text)]
    if len(parts) == 1:
        return {"type": "raw_text", "text": parts[0] or "–"}
    elements = [
        {"type": "user", "user_id": part} if number % 2 else {"type": "text", "text": part}
        for number, part in enumerate(parts)
        if part
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def drawn(blocks: Sequence[Block], kinds: Collection[str]) -> list[Block]:
    """The blocks as they are sent where only these new kinds are shown."""
    sent: list[Block] = []
    for block in blocks:
        kind = block.get("type")
        if kind not in NEW_KINDS:
            sent.append(block)
        elif kind in kinds:
            sent.append({key: value for key, value in block.items() if key != _PLAIN})
        elif kind == "alert":
            icon = _ICON if block.get("level") == "warning" else ""
            sent.append(section(icon + block["text"]["text"], block_id=block.get("block_id")))
        elif kind not in _LEFT_OUT:
            sent += block[_PLAIN]
    return sent


def blocks_of(arguments: Mapping[str, Any]) -> Sequence[Block]:
    """The blocks of a call about a message or a view."""
    view = arguments.get("view")
    return (view.get("blocks") if isinstance(view, Mapping) else arguments.get("blocks")) or ()


def with_blocks(arguments: Mapping[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """The arguments with their blocks as sent where only these new kinds are shown."""
    view, blocks = arguments.get("view"), drawn(blocks_of(arguments), kinds)
    if isinstance(view, Mapping):
        return {**arguments, "view": {**view, "blocks": blocks}}
    return {**arguments, "blocks": blocks} if blocks_of(arguments) else dict(arguments)


def kinds_in(blocks: Sequence[Block]) -> frozenset[str]:
    return frozenset(str(block.get("type")) for block in blocks) & NEW_KINDS


def plain_blocks(blocks: Sequence[Block], most: int = MESSAGE_BLOCKS) -> list[Block]:
    """At most so many blocks of the oldest kinds; where there are too many, words are left out before buttons."""
    kept = [_plain(block) for block in blocks]
    acting = sum(1 for row in kept for block in row if block["type"] in ("actions", "input"))
    room = most - acting
    plain: list[Block] = []
    for block in (block for row in kept for block in row):
        if block["type"] == "section":
            room -= 1
        if block["type"] != "section" or room >= 0:
            plain.append(block)
    return plain[:most]


def plainer(arguments: Mapping[str, Any], notice: str) -> dict[str, Any] | None:
    """The arguments of a refused call once more, plainer; None if there is nothing plainer to send.

    First only the oldest kinds of blocks, then for a message its text alone. A view begins with `notice`.
    """
    view, blocks = arguments.get("view"), arguments.get("blocks")
    if isinstance(view, Mapping):
        plain = plain_blocks(view["blocks"], MODAL_BLOCKS - 1)
        plain = [section(notice), *(block for block in plain if block != section(notice))]
        return None if plain == view["blocks"] else {**arguments, "view": {**view, "blocks": plain}}
    if not blocks:
        return None
    plain = plain_blocks(blocks)
    # An update without blocks would keep the old ones: an empty list takes them away.
    return {**arguments, "blocks": [] if plain == blocks else plain}


def _plain(block: Block) -> list[Block]:
    match block.get("type"):
        case "input" if block["element"]["type"] == "file_input":
            # Slack refuses it from an app that was installed before it could read files.
            return []
        case "input":
            return [block]
        case "actions":
            elements = [_plain_element(element) for element in block["elements"]]
            row = [element for element in elements if element]
            return [{"type": "actions", "block_id": block["block_id"], "elements": row}] if row else []
    words = list(_texts(block))
    kind = "mrkdwn" if words and all(markup for markup, _ in words) else "plain_text"
    parts = pieces(" · ".join(text for _, text in words))
    sections: list[Block] = [{"type": "section", "text": {"type": kind, "text": part}} for part in parts]
    accessory = _plain_element(block.get("accessory") or {})
    if sections and accessory:
        sections[0]["accessory"] = accessory
    if sections and "block_id" in block:
        sections[0]["block_id"] = block["block_id"]
    return sections


def _plain_element(element: Mapping[str, Any]) -> dict[str, Any]:
    keys = _ELEMENTS.get(str(element.get("type")), ())
    return {key: element[key] for key in keys if key in element}


def _texts(value: Any) -> Iterator[tuple[bool, str]]:
    """Every text inside, with whether it is mrkdwn; buttons keep their own."""
    if isinstance(value, Mapping):
        text = value.get("text")
        if isinstance(text, str) and text.strip():
            yield value.get("type") == "mrkdwn", text
        for key, inner in value.items():
            if key != "accessory" and not isinstance(inner, str):
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


@dataclass
class BlockSupport:
    """Which new kinds the surfaces of one workspace show."""

    store: Store
    team: str
    _answers: dict[tuple[str, str], bool] = field(default_factory=dict)
    _read_at: float = float("-inf")

    async def kinds(self, surface: str, *, untried: bool = False) -> frozenset[str]:
        """The kinds that were shown before; with `untried` also those of which nothing is known."""
        if time.monotonic() - self._read_at > _READ_AGAIN:
            try:
                keys = await self.store.aread(list_slack_keys, f"{BLOCK_ANSWERS}{self.team}:")
                self._answers = dict(map(_read_key, keys))
                self._read_at = time.monotonic()
            except DatabaseUnavailable:
                untried = False
        return frozenset(kind for kind in NEW_KINDS if self._answers.get((surface, kind), untried))

    async def learn(self, surface: str, kinds: Collection[str], *, accepted: bool) -> None:
        """Keep Slack's answer. Never raises: the message is out, and an error would send it twice."""
        for kind in sorted(kinds):
            if self._answers.get((surface, kind)) is not accepted:
                self._answers[surface, kind] = accepted
                key = f"{BLOCK_ANSWERS}{self.team}:{surface}:{kind}"
                with suppress(Exception):  # learned again after the next start
                    await self.store.awrite(record_slack_key, f"{key}:{accepted}")
                    await self.store.awrite(forget_slack_key, f"{key}:{not accepted}")


def _read_key(key: str) -> tuple[tuple[str, str], bool]:
    *_, surface, kind, answer = key.split(":")
    return (surface, kind), answer == str(True)
