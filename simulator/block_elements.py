"""The elements that people press, choose from and type into, as Block Kit defines them."""

from typing import Any

from simulator.block_checks import (
    Check,
    Problems,
    Shape,
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
