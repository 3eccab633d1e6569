"""Block Kit: checks of elements, blocks, messages and views, and the defaults that Slack adds to blocks."""

import json
import secrets
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from simulator.slack.block_kit_checks import (
    Check,
    Problems,
    Shape,
    anything,
    boolean,
    check_object,
    clock_time,
    day,
    focus,
    integer,
    items,
    number,
    number_text,
    one_of,
    optional,
    plain,
    required,
    shaped,
    string,
    text,
    url,
)

Json = dict[str, Any]
_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
INTERACTIVE = set(_TABLES["elements"]) - {"image"}


def element(block: str) -> Check:
    """An element that this block may contain."""
    allowed: set[str] = set(_TABLES["inside"][block])

    def check(value: Any, path: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            problems.add(f"unsupported type: {kind}", f"{path}/type")
            return
        shape = {} if kind == "image" else {"action_id": optional(string(255))}
        shape |= _shapes("elements")[kind]
        if check_object(value, path, problems, shape, kind):
            _check_consistency(value, kind, path, problems)

    return check


def options_of(value: Json) -> list[Json]:
    """All options of a select, also those in groups."""
    grouped = [option for group in value.get("option_groups") or [] for option in group.get("options", [])]
    return [*(value.get("options") or []), *grouped]


def _check_consistency(value: Json, kind: str, path: str, problems: Problems) -> None:
    if kind in ("static_select", "multi_static_select"):
        if bool(value.get("options")) == bool(value.get("option_groups")):
            problems.add("give either options or option_groups", path)
        options = options_of(value)
        values = [option.get("value") for option in options if isinstance(option, dict)]
        if len(set(map(str, values))) != len(values):
            problems.add("option values must be unique", f"{path}/options")
    initials = value.get("initial_options") or (
        [value["initial_option"]] if value.get("initial_option") else []
    )
    if "external" not in kind and any(not _among(initial, options_of(value)) for initial in initials):
        problems.add("the initial option must be one of the options, text and value alike", path)
    low, high = value.get("min_length"), value.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        problems.add("min_length is more than max_length", path)
    if kind == "number_input" and not problems.messages and _bounds_reversed(value):
        problems.add("min_value is more than max_value", path)


def _among(initial: Json, options: list[Json]) -> bool:
    return any(_without_defaults(initial) == _without_defaults(option) for option in options)


def _without_defaults(option: Any) -> Any:
    """The option without the defaults that Slack adds."""
    if isinstance(option, dict):
        return {
            key: _without_defaults(item) for key, item in option.items() if key not in ("emoji", "verbatim")
        }
    return option


def _bounds_reversed(value: Json) -> bool:
    low, high = value.get("min_value"), value.get("max_value")
    return low is not None and high is not None and float(low) > float(high)


MARKDOWN_MAX = 12_000
VIEW_BYTES = 250_000


def _markdown(value: Any, path: str, problems: Problems) -> None:
    string(MARKDOWN_MAX)(value, path, problems)
    problems.markdown += len(value) if isinstance(value, str) else 0
    if problems.markdown > MARKDOWN_MAX:
        problems.add(f"no more than {MARKDOWN_MAX} characters over all markdown blocks", path)


def _context(value: Any, path: str, problems: Problems) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        element("context")(value, path, problems)
    else:
        text(3000)(value, path, problems)


def _rows(value: Any, path: str, problems: Problems) -> None:
    items(1, 100, items(1, 20, anything))(value, path, problems)
    if isinstance(value, list) and len({len(row) for row in value if isinstance(row, list)}) > 1:
        problems.add("all rows must have the same number of cells", path)


CELLS_MAX = 10_000


def cell_text(cell: Json) -> str:
    """The words of a cell, with the mentions of people."""
    parts = [part for row in cell.get("elements") or [] for part in row.get("elements") or []]
    words = (part.get("text") or f"<@{part.get('user_id')}>" for part in parts)
    return str(cell.get("text") or "") + "".join(words)


def _check_newer_block(value: Json, kind: str, path: str, problems: Problems) -> None:
    if kind == "container":
        if bool(value.get("title")) == bool(value.get("rich_text_title")):
            problems.add("give either title or rich_text_title", path)
        if value.get("default_collapsed") and not value.get("is_collapsible"):
            problems.add("default_collapsed needs is_collapsible", path)
        for number, child in enumerate(value["child_blocks"]):
            if child["type"] not in _TABLES["inside"]["container"]:
                problems.add(f"unsupported type: {child['type']}", f"{path}/child_blocks/{number}/type")
    if kind == "data_table":
        rows = value["rows"]
        if len({len(row) for row in rows}) > 1:
            problems.add("all rows must have the same number of cells", path)
        if any(cell["type"] == "rich_text" for cell in rows[0]):
            problems.add("the header row has no rich text", path)
        problems.cells += sum(len(cell_text(cell)) for row in rows for cell in row)
        if problems.cells > CELLS_MAX:
            problems.add(f"no more than {CELLS_MAX} characters over all cells", path)
    if kind == "data_visualization":
        names = value["chart"]["axis_config"]["categories"]
        if any([point["label"] for point in line["data"]] != names for line in value["chart"]["series"]):
            problems.add("every series needs one point for each category", path)


def _block(value: Any, path: str, problems: Problems) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    shapes = _shapes("blocks")
    if kind not in shapes or problems.surface not in _TABLES["surfaces"].get(kind, [problems.surface]):
        problems.add(f"unsupported type: {kind}", f"{path}/type")
        return
    counted = "table" if kind == "data_table" else str(kind)
    problems.kinds[counted] += 1
    if problems.kinds[counted] > _TABLES["most"].get(counted, 1000):
        problems.add(f"too many blocks of type {kind}", path)
    before = len(problems.messages)
    check_object(value, path, problems, {"block_id": optional(string(255)), **shapes[kind]}, kind)
    if len(problems.messages) > before:
        return
    if kind == "section" and not value.get("text") and not value.get("fields"):
        problems.add("a section needs text or fields", path)
    _check_newer_block(value, str(kind), path, problems)
    if kind == "image" and bool(value.get("image_url")) == bool(value.get("slack_file")):
        problems.add("give either image_url or slack_file", path)
    ids = [e["action_id"] for e in elements_of(value) if e.get("action_id")]
    if len(set(ids)) != len(ids):
        problems.add("`action_id` must be unique in its block", f"{path}/elements")


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, in order."""
    elements = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
    return [e for e in elements if isinstance(e, dict) and e.get("type") in INTERACTIVE]


def _blocks(limit: int) -> Check:
    def check(value: Any, path: str, problems: Problems) -> None:
        items(0, limit, _block)(value, path, problems)
        if isinstance(value, list):
            ids = [b["block_id"] for b in value if isinstance(b, dict) and b.get("block_id")]
            for duplicate in sorted({i for i in ids if ids.count(i) > 1}):
                problems.add(f"`block_id` {duplicate} already exists", path)

    return check


def message_problems(blocks: Any) -> list[str]:
    """Slack's errors for these blocks in a message; [] if they are valid."""
    problems = Problems("message")
    _blocks(50)(blocks, "/blocks", problems)
    return problems.messages


_CHECKS: dict[str, Check] = {
    "anything": anything,
    "boolean": boolean,
    "block": _block,
    "number": number,
    "clock_time": clock_time,
    "context": _context,
    "day": day,
    "focus": focus,
    "markdown": _markdown,
    "number_text": number_text,
    "rows": _rows,
    "url": url,
}
_CHECKS_WITH_BOUNDS: dict[str, Callable[..., Check]] = {
    "blocks": _blocks,
    "element": element,
    "integer": integer,
    "one_of": one_of,
    "plain": plain,
    "string": string,
    "text": text,
}


@cache
def _shapes(table: str) -> dict[str, Shape]:
    """The shapes of a table of block_kit.toml: `elements`, `blocks` or `views`."""
    return {kind: _shape(properties) for kind, properties in _TABLES[table].items()}


def _shape(properties: Json) -> Shape:
    shape: Shape = {}
    for key, value in properties.items():
        if key == "use":
            for group in value:
                shape |= _shape(_TABLES["groups"][group])
        else:
            check = _check(value.removeprefix("required ").split())
            shape[key] = required(check) if value.startswith("required ") else optional(check)
    return shape


def _check(words: list[str]) -> Check:
    name, *bounds = words
    if name == "items":
        return items(int(bounds[0]), int(bounds[1]), _check(bounds[2:]))
    if name == "object":
        properties = dict(_TABLES["objects"][bounds[0]])
        return shaped(properties.pop("called", bounds[0]), _shape(properties))
    if name in _CHECKS:
        return _CHECKS[name]
    return _CHECKS_WITH_BOUNDS[name](*(int(bound) if bound.isdigit() else bound for bound in bounds))


def refused_blocks(blocks: Any, surface: str, refused: frozenset[str]) -> list[str]:
    """The errors of a workspace that does not show these kinds yet: "alert", or "home:container" for one surface."""
    return [
        f"[ERROR] unsupported type: {block['type']} [json-pointer:/blocks/{number}/type]"
        for number, block in enumerate(blocks)
        if {block["type"], f"{surface}:{block['type']}"} & refused
    ]


def view_problems(view: Any, kind: str) -> list[str]:
    """Slack's errors for this view as a `modal` or `home`; [] if it is valid."""
    problems = Problems(kind)
    if not isinstance(view, dict):
        return ["[ERROR] must provide an object [json-pointer:/view]"]
    if view.get("type") != kind:
        problems.add(f"expected a view of type {kind}", "/view/type")
    check_object(view, "/view", problems, _shapes("views")[kind], kind)
    blocks = view.get("blocks")
    has_inputs = isinstance(blocks, list) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in blocks
    )
    if kind == "modal" and has_inputs and not view.get("submit"):
        problems.add("`submit` is required when an input block is within blocks", "/view/submit")
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        problems.add("view is too large", "/view")
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
