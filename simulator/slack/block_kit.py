"""Block Kit: checks of elements, blocks, messages and views, and the defaults that Slack adds to blocks."""

from __future__ import annotations

import json
import secrets
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


def _option(*, mrkdwn_allowed: bool) -> Check:
    text_check = text if mrkdwn_allowed else plain
    return shaped(
        "option",
        {
            "text": required(text_check(75)),
            "value": required(string(150)),
            "description": optional(text_check(75)),
            "url": optional(url),
        },
    )


PLAIN_OPTION = _option(mrkdwn_allowed=False)
# Only checkboxes and radio buttons may use mrkdwn.
MARKED_OPTION = _option(mrkdwn_allowed=True)
_CONFIRM = shaped(
    "confirm",
    {
        "title": required(plain(100)),
        "text": required(text(300)),
        "confirm": required(plain(30)),
        "deny": required(plain(30)),
        "style": optional(one_of("primary", "danger")),
    },
)
_GROUP = shaped(
    "option group",
    {"label": required(plain(75)), "options": required(items(1, 100, PLAIN_OPTION))},
)
_DISPATCH = shaped(
    "dispatch_action_config",
    {"trigger_actions_on": optional(items(1, 2, one_of("on_enter_pressed", "on_character_entered")))},
)
_FILTER = shaped(
    "filter",
    {
        "include": optional(items(1, 4, one_of("im", "mpim", "private", "public"))),
        "exclude_external_shared_channels": optional(boolean),
        "exclude_bot_users": optional(boolean),
    },
)
PLACEHOLDER: Shape = {"placeholder": optional(plain(150))}
CONFIRM: Shape = {"confirm": optional(_CONFIRM)}
FOCUS: Shape = {"focus_on_load": optional(focus)}
DISPATCH: Shape = {"dispatch_action_config": optional(_DISPATCH)}
MANY: Shape = {"max_selected_items": optional(integer(1, 1000))}
CHOICES: Shape = {
    "options": optional(items(1, 100, PLAIN_OPTION)),
    "option_groups": optional(items(1, 100, _GROUP)),
}
SELECT: Shape = {**PLACEHOLDER, **CONFIRM, **FOCUS}
ID = string(255)
IDS = items(0, 1000, ID)
CONVERSATIONS: Shape = {"default_to_current_conversation": optional(boolean), "filter": optional(_FILTER)}
ELEMENTS: dict[str, Shape] = {
    "button": {
        "text": required(plain(75)),
        "value": optional(string(2000)),
        "url": optional(url),
        "accessibility_label": optional(string(75)),
        "style": optional(one_of("primary", "danger")),
        **CONFIRM,
    },
    "static_select": {**SELECT, **CHOICES, "initial_option": optional(PLAIN_OPTION)},
    "multi_static_select": {
        **SELECT,
        **CHOICES,
        **MANY,
        "initial_options": optional(items(1, 100, PLAIN_OPTION)),
    },
    "external_select": {
        **SELECT,
        "min_query_length": optional(integer(0, 1000)),
        "initial_option": optional(PLAIN_OPTION),
    },
    "multi_external_select": {
        **SELECT,
        **MANY,
        "min_query_length": optional(integer(0, 1000)),
        "initial_options": optional(items(1, 100, PLAIN_OPTION)),
    },
    "users_select": {**SELECT, "initial_user": optional(ID)},
    "multi_users_select": {**SELECT, **MANY, "initial_users": optional(IDS)},
    "conversations_select": {
        **SELECT,
        **CONVERSATIONS,
        "initial_conversation": optional(ID),
        "response_url_enabled": optional(boolean),
    },
    "multi_conversations_select": {**SELECT, **CONVERSATIONS, **MANY, "initial_conversations": optional(IDS)},
    "channels_select": {**SELECT, "initial_channel": optional(ID), "response_url_enabled": optional(boolean)},
    "multi_channels_select": {**SELECT, **MANY, "initial_channels": optional(IDS)},
    "overflow": {"options": required(items(1, 5, PLAIN_OPTION)), **CONFIRM},
    "checkboxes": {
        "options": required(items(1, 10, MARKED_OPTION)),
        "initial_options": optional(items(1, 10, MARKED_OPTION)),
        **CONFIRM,
        **FOCUS,
    },
    "radio_buttons": {
        "options": required(items(1, 10, MARKED_OPTION)),
        "initial_option": optional(MARKED_OPTION),
        **CONFIRM,
        **FOCUS,
    },
    "datepicker": {**SELECT, "initial_date": optional(day)},
    "timepicker": {**SELECT, "initial_time": optional(clock_time), "timezone": optional(string(100))},
    "datetimepicker": {
        "initial_date_time": optional(integer(1_000_000_000, 9_999_999_999)),
        **CONFIRM,
        **FOCUS,
    },
    "plain_text_input": {
        **PLACEHOLDER,
        **FOCUS,
        **DISPATCH,
        "initial_value": optional(string(3000, 0)),
        "multiline": optional(boolean),
        "min_length": optional(integer(0, 3000)),
        "max_length": optional(integer(1, 3000)),
    },
    "email_text_input": {**PLACEHOLDER, **FOCUS, **DISPATCH, "initial_value": optional(string(3000, 0))},
    "url_text_input": {**PLACEHOLDER, **FOCUS, **DISPATCH, "initial_value": optional(string(3000, 0))},
    "number_input": {
        **PLACEHOLDER,
        **FOCUS,
        **DISPATCH,
        "is_decimal_allowed": required(boolean),
        "initial_value": optional(number_text),
        "min_value": optional(number_text),
        "max_value": optional(number_text),
    },
    "file_input": {"filetypes": optional(items(1, 100, string(20))), "max_files": optional(integer(1, 10))},
    "image": {"image_url": required(url), "alt_text": required(string(2000))},
}
SELECTS = {name for name in ELEMENTS if name.endswith("_select")}
TYPED = {"plain_text_input", "email_text_input", "url_text_input", "number_input", "file_input"}
PICKERS = {"datepicker", "timepicker", "datetimepicker"}
SINGLE_SELECTS = {name for name in SELECTS if not name.startswith("multi_")}
IN_ACTIONS = {"button", "overflow", "checkboxes", "radio_buttons"} | PICKERS | SINGLE_SELECTS
IN_SECTION = {
    "button",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "image",
    "datepicker",
    "timepicker",
} | SELECTS
IN_INPUT = {"checkboxes", "radio_buttons"} | PICKERS | SELECTS | TYPED


def element(allowed: set[str]) -> Check:

    def check(value: Any, path: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            problems.add(f"unsupported type: {kind}", f"{path}/type")
            return
        shape = ELEMENTS[kind] if kind == "image" else {"action_id": optional(ID), **ELEMENTS[kind]}
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
        element({"image"})(value, path, problems)
    else:
        text(3000)(value, path, problems)


def _rows(value: Any, path: str, problems: Problems) -> None:
    items(1, 100, items(1, 20, anything))(value, path, problems)
    if isinstance(value, list) and len({len(row) for row in value if isinstance(row, list)}) > 1:
        problems.add("all rows must have the same number of cells", path)


BLOCKS: dict[str, Shape] = {
    "section": {
        "text": optional(text(3000)),
        "fields": optional(items(1, 10, text(2000))),
        "accessory": optional(element(IN_SECTION)),
        "expand": optional(boolean),
    },
    "divider": {},
    "header": {"text": required(plain(150)), "level": optional(integer(1, 4))},
    "context": {"elements": required(items(1, 10, _context))},
    "actions": {"elements": required(items(1, 25, element(IN_ACTIONS)))},
    "input": {
        "label": required(plain(2000)),
        "element": required(element(IN_INPUT)),
        "hint": optional(plain(2000)),
        "optional": optional(boolean),
        "dispatch_action": optional(boolean),
    },
    "image": {
        "image_url": optional(url),
        "slack_file": optional(anything),
        "alt_text": required(string(2000)),
        "title": optional(plain(2000)),
    },
    "rich_text": {"elements": required(items(0, 1000, anything))},
    "markdown": {"text": required(_markdown)},
    "table": {"rows": required(_rows), "column_settings": optional(items(0, 20, anything))},
    "video": {
        "alt_text": required(string(2000)),
        "title": required(plain(200)),
        "thumbnail_url": required(url),
        "video_url": required(url),
        "author_name": optional(string(50)),
        "description": optional(plain(200)),
        "provider_name": optional(string(50)),
        "provider_icon_url": optional(url),
        "title_url": optional(url),
    },
}
MESSAGES_ONLY = {"markdown", "table"}
INTERACTIVE = set(ELEMENTS) - {"image"}


def _block(value: Any, path: str, problems: Problems) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in BLOCKS or (kind in MESSAGES_ONLY and problems.surface != "message"):
        problems.add(f"unsupported type: {kind}", f"{path}/type")
        return
    before = len(problems.messages)
    check_object(value, path, problems, {"block_id": optional(string(255)), **BLOCKS[kind]}, kind)
    if len(problems.messages) > before:
        return
    if kind == "section" and not value.get("text") and not value.get("fields"):
        problems.add("a section needs text or fields", path)
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


MODAL: Shape = {
    "title": required(plain(24)),
    "blocks": required(_blocks(100)),
    "close": optional(plain(24)),
    "submit": optional(plain(24)),
    "private_metadata": optional(string(3000, 0)),
    "callback_id": optional(string(255, 0)),
    "clear_on_close": optional(boolean),
    "notify_on_close": optional(boolean),
    "external_id": optional(string(255, 0)),
    "submit_disabled": optional(boolean),
}
HOME: Shape = {
    "blocks": required(_blocks(100)),
    "private_metadata": optional(string(3000, 0)),
    "callback_id": optional(string(255, 0)),
    "external_id": optional(string(255, 0)),
}


def view_problems(view: Any, kind: str) -> list[str]:
    """Slack's errors for this view as a `modal` or `home`; [] if it is valid."""
    problems = Problems(kind)
    if not isinstance(view, dict):
        return ["[ERROR] must provide an object [json-pointer:/view]"]
    if view.get("type") != kind:
        problems.add(f"expected a view of type {kind}", "/view/type")
    check_object(view, "/view", problems, MODAL if kind == "modal" else HOME, kind)
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
