"""Values of Block Kit elements: Slack's state entries, plain values, and the errors of Slack's own client."""

import re
from typing import Any

from simulator.slack.block_kit import elements_of, options_of

Json = dict[str, Any]

SINGLE_OPTION = {"static_select", "external_select", "radio_buttons"}
MANY_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
# Element type -> (key of the value in the state entry, property of the element with the initial value).
PLAIN: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "file_input": ("files", "initial_files"),
}
STATELESS = {"button", "overflow", "image"}


class InvalidValue(Exception):
    """A value that the element does not accept; the message is for people."""


def initial_entry(element: Json) -> Json:
    """The state entry of an element before any input."""
    kind = element["type"]
    if kind in SINGLE_OPTION:
        chosen = element.get("initial_option")
        return {"type": kind, "selected_option": _brief(chosen) if chosen else None}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [_brief(o) for o in element.get("initial_options") or []]}
    key, source = PLAIN[kind]
    return {"type": kind, key: element.get(source, [] if kind.startswith("multi_") else None)}


def state_entry(element: Json, value: Any) -> Json:
    """The state entry for a plain value. Raises InvalidValue."""
    kind = element["type"]
    if kind in SINGLE_OPTION:
        return {
            "type": kind,
            "selected_option": None if value in (None, "") else _brief(_option(element, value)),
        }
    if kind in MANY_OPTIONS:
        chosen = [_option(element, item) for item in _listed(value)]
        limit = element.get("max_selected_items")
        if limit and len(chosen) > limit:
            raise InvalidValue(f"Choose at most {limit}.")
        return {"type": kind, "selected_options": [_brief(option) for option in chosen]}
    key, _ = PLAIN[kind]
    if kind.startswith("multi_"):
        return {"type": kind, key: _listed(value)}
    if kind == "datetimepicker" and value not in (None, ""):
        value = int(value)
    return {"type": kind, key: None if value == "" else value}


def plain_value(state: Json) -> Any:
    if "selected_option" in state:
        return state["selected_option"]["value"] if state["selected_option"] else None
    if "selected_options" in state:
        return [option["value"] for option in state["selected_options"]]
    return state[PLAIN[state["type"]][0]]


def initial_state(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """The initial state of all elements that have a state: {block_id: {action_id: entry}}."""
    state: dict[str, dict[str, Json]] = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in STATELESS:
                state.setdefault(block["block_id"], {})[element["action_id"]] = initial_entry(element)
    return state


def carried_over_state(blocks: list[Json], before: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """The state after blocks are replaced: an entry stays if its ids and the element's type stay."""
    state = initial_state(blocks)
    for block_id, entries in state.items():
        for action_id, fresh in entries.items():
            old = before.get(block_id, {}).get(action_id)
            if old is not None and old["type"] == fresh["type"]:
                entries[action_id] = old
    return state


def input_errors(blocks: list[Json], state: dict[str, dict[str, Json]]) -> dict[str, str]:
    """The inputs that Slack's own client refuses to submit: {block_id: error text}."""
    errors = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            value = plain_value(state[block["block_id"]][element["action_id"]])
            reason = _reason(element, value, optional=block.get("optional", False))
            if reason:
                errors[block["block_id"]] = reason
    return errors


def _reason(element: Json, value: Any, *, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else "Please complete this required field."
    match element["type"]:
        case "plain_text_input":
            low, high = element.get("min_length", 0), element.get("max_length", 3000)
            if len(value) < low:
                return f"Please enter at least {low} characters."
            if len(value) > high:
                return f"Please enter no more than {high} characters."
        case "number_input":
            return _number_reason(element, str(value))
        case "email_text_input" if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
            return "Please enter a valid email address."
        case "url_text_input" if not re.match(r"https?://\S+", value):
            return "Please enter a valid URL."
    return None


def _number_reason(element: Json, value: str) -> str | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value) or ("." in value and not element["is_decimal_allowed"]):
        return "Please enter a valid number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None


def _listed(value: Any) -> list[Any]:
    if value in (None, ""):
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _option(element: Json, value: Any) -> Json:
    """The option with this value or, if there is none, with this visible text. Raises InvalidValue."""
    options = options_of(element)
    for option in options:
        if option["value"] == str(value):
            return option
    for option in options:
        if option["text"]["text"] == str(value):
            return option
    names = ", ".join(option["text"]["text"] for option in options)
    raise InvalidValue(f"There is no option {value!r}; there are: {names}.")


def _brief(option: Json) -> Json:
    return {key: item for key, item in option.items() if key != "url"}
