"""Blocks, messages and views held to Block Kit; and completed as Slack completes them."""

import json
import secrets
from typing import Any

from simulator.block_checks import (
    Check,
    Problems,
    Shape,
    anything,
    boolean,
    integer,
    items,
    may,
    need,
    plain,
    shaped,
    string,
    text,
    url,
)
from simulator.block_elements import ELEMENTS, ID, IN_ACTIONS, IN_INPUT, IN_SECTION, element

Json = dict[str, Any]
MARKDOWN_MAX = 12_000
VIEW_BYTES = 250_000


def _markdown(value: Any, path: str, problems: Problems) -> None:
    string(MARKDOWN_MAX)(value, path, problems)
    problems.markdown += len(value) if isinstance(value, str) else 0
    if problems.markdown > MARKDOWN_MAX:
        problems.note(f"no more than {MARKDOWN_MAX} characters over all markdown blocks", path)


def _context(value: Any, path: str, problems: Problems) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        element({"image"})(value, path, problems)
    else:
        text(3000)(value, path, problems)


def _rows(value: Any, path: str, problems: Problems) -> None:
    items(1, 100, items(1, 20, anything))(value, path, problems)
    if isinstance(value, list) and len({len(row) for row in value if isinstance(row, list)}) > 1:
        problems.note("all rows must have the same number of cells", path)


BLOCKS: dict[str, Shape] = {
    "section": {
        "text": may(text(3000)),
        "fields": may(items(1, 10, text(2000))),
        "accessory": may(element(IN_SECTION)),
        "expand": may(boolean),
    },
    "divider": {},
    "header": {"text": need(plain(150)), "level": may(integer(1, 4))},
    "context": {"elements": need(items(1, 10, _context))},
    "actions": {"elements": need(items(1, 25, element(IN_ACTIONS)))},
    "input": {
        "label": need(plain(2000)),
        "element": need(element(IN_INPUT)),
        "hint": may(plain(2000)),
        "optional": may(boolean),
        "dispatch_action": may(boolean),
    },
    "image": {
        "image_url": may(url),
        "slack_file": may(anything),
        "alt_text": need(string(2000)),
        "title": may(plain(2000)),
    },
    "rich_text": {"elements": need(items(0, 1000, anything))},
    "markdown": {"text": need(_markdown)},
    "table": {"rows": need(_rows), "column_settings": may(items(0, 20, anything))},
    "video": {
        "alt_text": need(string(2000)),
        "title": need(plain(200)),
        "thumbnail_url": need(url),
        "video_url": need(url),
        "author_name": may(string(50)),
        "description": may(plain(200)),
        "provider_name": may(string(50)),
        "provider_icon_url": may(url),
        "title_url": may(url),
    },
}
MESSAGES_ONLY = {"markdown", "table"}
INTERACTIVE = set(ELEMENTS) - {"image"}


def _block(value: Any, path: str, problems: Problems) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in BLOCKS or (kind in MESSAGES_ONLY and problems.surface != "message"):
        problems.note(f"unsupported type: {kind}", f"{path}/type")
        return
    before = len(problems.messages)
    shaped(value, path, problems, {"block_id": may(string(255)), **BLOCKS[kind]}, kind)
    if len(problems.messages) > before:
        return
    if kind == "section" and not value.get("text") and not value.get("fields"):
        problems.note("a section needs text or fields", path)
    if kind == "image" and bool(value.get("image_url")) == bool(value.get("slack_file")):
        problems.note("give either image_url or slack_file", path)
    ids = [e["action_id"] for e in elements_of(value) if e.get("action_id")]
    if len(set(ids)) != len(ids):
        problems.note("`action_id` must be unique in its block", f"{path}/elements")


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, in order."""
    found = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
    return [e for e in found if isinstance(e, dict) and e.get("type") in INTERACTIVE]


def _blocks(limit: int) -> Check:
    def check(value: Any, path: str, problems: Problems) -> None:
        items(0, limit, _block)(value, path, problems)
        if isinstance(value, list):
            ids = [b["block_id"] for b in value if isinstance(b, dict) and b.get("block_id")]
            for double in sorted({i for i in ids if ids.count(i) > 1}):
                problems.note(f"`block_id` {double} already exists", path)

    return check


def message_problems(blocks: Any) -> list[str]:
    """Why Slack would refuse these blocks in a message; [] when it would not."""
    problems = Problems("message")
    _blocks(50)(blocks, "/blocks", problems)
    return problems.messages


MODAL: Shape = {
    "title": need(plain(24)),
    "blocks": need(_blocks(100)),
    "close": may(plain(24)),
    "submit": may(plain(24)),
    "private_metadata": may(string(3000, 0)),
    "callback_id": may(string(255, 0)),
    "clear_on_close": may(boolean),
    "notify_on_close": may(boolean),
    "external_id": may(string(255, 0)),
    "submit_disabled": may(boolean),
}
HOME: Shape = {
    "blocks": need(_blocks(100)),
    "private_metadata": may(string(3000, 0)),
    "callback_id": may(string(255, 0)),
    "external_id": may(string(255, 0)),
}


def view_problems(view: Any, kind: str) -> list[str]:
    """Why Slack would refuse this view as a `modal` or `home`; [] when it would not."""
    problems = Problems(kind)
    if not isinstance(view, dict):
        return ["[ERROR] must provide an object [json-pointer:/view]"]
    if view.get("type") != kind:
        problems.note(f"expected a view of type {kind}", "/view/type")
    shaped(view, "/view", problems, MODAL if kind == "modal" else HOME, kind)
    blocks = view.get("blocks")
    asks = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if kind == "modal" and asks and not view.get("submit"):
        problems.note("`submit` is required when an input block is within blocks", "/view/submit")
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        problems.note("view is too large", "/view")
    return problems.messages


def completed(blocks: list[Json]) -> list[Json]:
    """Blocks with the ids and defaults that Slack adds."""
    return [_completed_block(block) for block in blocks]


def _completed_block(block: Json) -> Json:
    full = {"type": block["type"], "block_id": block.get("block_id") or secrets.token_hex(3)}
    full |= {
        key: _with_defaults(value) for key, value in block.items() if key != "block_id" and value is not None
    }
    if full["type"] == "input":
        full = {"optional": False, "dispatch_action": False} | full
    for e in elements_of(full):
        e.setdefault("action_id", secrets.token_hex(3))
    return full


def _with_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    full = {key: _with_defaults(item) for key, item in value.items() if item is not None}
    if value.get("type") == "plain_text":
        full.setdefault("emoji", True)
    if value.get("type") == "mrkdwn":
        full.setdefault("verbatim", False)
    return full


__all__ = ["ID", "completed", "elements_of", "message_problems", "view_problems"]
