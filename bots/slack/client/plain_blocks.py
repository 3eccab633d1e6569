"""What is sent instead of blocks that Slack refuses: the same words in sections, and the buttons and inputs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bots.slack.client.block_kit import MESSAGE_BLOCKS, MODAL_BLOCKS, Block, pieces, section

#: Slack's error codes for blocks that it does not show; `invalid_arguments` is that of a view.
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format"})
REFUSED_VIEW = REFUSED_BLOCKS | {"invalid_arguments"}
#: Elements that every workspace shows, and the keys of each that are needed.
_ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "button": ("type", "text", "action_id", "value"),
    "static_select": ("type", "placeholder", "options", "action_id", "initial_option"),
}


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
