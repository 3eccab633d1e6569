"""The elements that people press, choose from and type into, as Block Kit defines them.

Blocks, messages and views held to Block Kit; and completed as Slack completes them.
"""

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
    clock_time,
    day,
    focus,
    integer,
    items,
    may,
    need,
    number_text,
    one_of,
    plain,
    shaped,
    string,
    text,
    url,
)

Json = dict[str, Any]


def confirm(value: Any, path: str, problems: Problems) -> None:
    """A confirmation dialogue."""
    shaped(
        value,
        path,
        problems,
        {
            "title": need(plain(100)),
            "text": need(text(300)),
            "confirm": need(plain(30)),
            "deny": need(plain(30)),
            "style": may(one_of("primary", "danger")),
        },
        "confirm",
    )


def option(*, marked_up: bool) -> Check:
    """An option; only checkboxes and radio buttons may use mrkdwn."""
    said = text if marked_up else plain

    def check(value: Any, path: str, problems: Problems) -> None:
        shaped(
            value,
            path,
            problems,
            {
                "text": need(said(75)),
                "value": need(string(150)),
                "description": may(said(75)),
                "url": may(url),
            },
            "option",
        )

    return check


PLAIN_OPTION = option(marked_up=False)
MARKED_OPTION = option(marked_up=True)


def _group(value: Any, path: str, problems: Problems) -> None:
    shaped(
        value,
        path,
        problems,
        {
            "label": need(plain(75)),
            "options": need(items(1, 100, PLAIN_OPTION)),
        },
        "option group",
    )


def _dispatch(value: Any, path: str, problems: Problems) -> None:
    shaped(
        value,
        path,
        problems,
        {
            "trigger_actions_on": may(items(1, 2, one_of("on_enter_pressed", "on_character_entered"))),
        },
        "dispatch_action_config",
    )


PLACEHOLDER: Shape = {"placeholder": may(plain(150))}
CONFIRM: Shape = {"confirm": may(confirm)}
FOCUS: Shape = {"focus_on_load": may(focus)}
DISPATCH: Shape = {"dispatch_action_config": may(_dispatch)}
MANY: Shape = {"max_selected_items": may(integer(1, 1000))}
CHOICES: Shape = {"options": may(items(1, 100, PLAIN_OPTION)), "option_groups": may(items(1, 100, _group))}
SELECT: Shape = {**PLACEHOLDER, **CONFIRM, **FOCUS}
ID = string(255)
IDS = items(0, 1000, ID)


def _filter(value: Any, path: str, problems: Problems) -> None:
    shaped(
        value,
        path,
        problems,
        {
            "include": may(items(1, 4, one_of("im", "mpim", "private", "public"))),
            "exclude_external_shared_channels": may(boolean),
            "exclude_bot_users": may(boolean),
        },
        "filter",
    )


CONVERSATIONS: Shape = {"default_to_current_conversation": may(boolean), "filter": may(_filter)}
ELEMENTS: dict[str, Shape] = {
    "button": {
        "text": need(plain(75)),
        "value": may(string(2000)),
        "url": may(url),
        "accessibility_label": may(string(75)),
        "style": may(one_of("primary", "danger")),
        **CONFIRM,
    },
    "static_select": {**SELECT, **CHOICES, "initial_option": may(PLAIN_OPTION)},
    "multi_static_select": {**SELECT, **CHOICES, **MANY, "initial_options": may(items(1, 100, PLAIN_OPTION))},
    "external_select": {
        **SELECT,
        "min_query_length": may(integer(0, 1000)),
        "initial_option": may(PLAIN_OPTION),
    },
    "multi_external_select": {
        **SELECT,
        **MANY,
        "min_query_length": may(integer(0, 1000)),
        "initial_options": may(items(1, 100, PLAIN_OPTION)),
    },
    "users_select": {**SELECT, "initial_user": may(ID)},
    "multi_users_select": {**SELECT, **MANY, "initial_users": may(IDS)},
    "conversations_select": {
        **SELECT,
        **CONVERSATIONS,
        "initial_conversation": may(ID),
        "response_url_enabled": may(boolean),
    },
    "multi_conversations_select": {**SELECT, **CONVERSATIONS, **MANY, "initial_conversations": may(IDS)},
    "channels_select": {**SELECT, "initial_channel": may(ID), "response_url_enabled": may(boolean)},
    "multi_channels_select": {**SELECT, **MANY, "initial_channels": may(IDS)},
    "overflow": {"options": need(items(1, 5, PLAIN_OPTION)), **CONFIRM},
    "checkboxes": {
        "options": need(items(1, 10, MARKED_OPTION)),
        "initial_options": may(items(1, 10, MARKED_OPTION)),
        **CONFIRM,
        **FOCUS,
    },
    "radio_buttons": {
        "options": need(items(1, 10, MARKED_OPTION)),
        "initial_option": may(MARKED_OPTION),
        **CONFIRM,
        **FOCUS,
    },
    "datepicker": {**SELECT, "initial_date": may(day)},
    "timepicker": {**SELECT, "initial_time": may(clock_time), "timezone": may(string(100))},
    "datetimepicker": {"initial_date_time": may(integer(1_000_000_000, 9_999_999_999)), **CONFIRM, **FOCUS},
    "plain_text_input": {
        **PLACEHOLDER,
        **FOCUS,
        **DISPATCH,
        "initial_value": may(string(3000, 0)),
        "multiline": may(boolean),
        "min_length": may(integer(0, 3000)),
        "max_length": may(integer(1, 3000)),
    },
    "email_text_input": {**PLACEHOLDER, **FOCUS, **DISPATCH, "initial_value": may(string(3000, 0))},
    "url_text_input": {**PLACEHOLDER, **FOCUS, **DISPATCH, "initial_value": may(string(3000, 0))},
    "number_input": {
        **PLACEHOLDER,
        **FOCUS,
        **DISPATCH,
        "is_decimal_allowed": need(boolean),
        "initial_value": may(number_text),
        "min_value": may(number_text),
        "max_value": may(number_text),
    },
    "file_input": {"filetypes": may(items(1, 100, string(20))), "max_files": may(integer(1, 10))},
    "image": {"image_url": need(url), "alt_text": need(string(2000))},
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
    """An element of one of these types."""

    def check(value: Any, path: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            problems.note(f"unsupported type: {kind}", f"{path}/type")
            return
        shape = ELEMENTS[kind] if kind == "image" else {"action_id": may(ID), **ELEMENTS[kind]}
        if shaped(value, path, problems, shape, kind):
            _consistent(value, kind, path, problems)

    return check


def options_of(value: Json) -> list[Json]:
    """All options of a select, of its groups too."""
    grouped = [option for group in value.get("option_groups") or [] for option in group.get("options", [])]
    return [*(value.get("options") or []), *grouped]


def _consistent(value: Json, kind: str, path: str, problems: Problems) -> None:
    if kind in ("static_select", "multi_static_select"):
        if bool(value.get("options")) == bool(value.get("option_groups")):
            problems.note("give either options or option_groups", path)
        options = options_of(value)
        values = [option.get("value") for option in options if isinstance(option, dict)]
        if len(set(map(str, values))) != len(values):
            problems.note("option values must be unique", f"{path}/options")
    initials = value.get("initial_options") or (
        [value["initial_option"]] if value.get("initial_option") else []
    )
    if "external" not in kind and any(not _among(initial, options_of(value)) for initial in initials):
        problems.note("the initial option must be one of the options, text and value alike", path)
    low, high = value.get("min_length"), value.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        problems.note("min_length is more than max_length", path)
    if kind == "number_input" and not problems.messages and _crossed(value):
        problems.note("min_value is more than max_value", path)


def _among(initial: Json, options: list[Json]) -> bool:
    return any(_bare(initial) == _bare(option) for option in options)


def _bare(option: Any) -> Any:
    """Without what Slack adds by itself."""
    if isinstance(option, dict):
        return {key: _bare(item) for key, item in option.items() if key not in ("emoji", "verbatim")}
    return option


def _crossed(value: Json) -> bool:
    low, high = value.get("min_value"), value.get("max_value")
    return low is not None and high is not None and float(low) > float(high)


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
