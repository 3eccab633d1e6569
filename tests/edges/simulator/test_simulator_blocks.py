"""The blocks and views that the simulated Slack accepts and refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from simulator.slack.block_kit import completed, message_problems, view_problems
from simulator.slack.block_kit_values import (
    InvalidValue,
    initial_entry,
    initial_state,
    input_errors,
    plain_value,
    state_entry,
)

Json = dict[str, Any]


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def marked(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def options(count: int) -> list[Json]:
    return [{"text": words(f"Option {n}"), "value": str(n)} for n in range(count)]


BUTTON: Json = {"type": "button", "text": words("Go"), "action_id": "go", "value": "1"}
SELECT: Json = {
    "type": "static_select",
    "action_id": "pick",
    "placeholder": words("Pick"),
    "options": options(2),
}
SECTION: Json = {"type": "section", "text": marked("hello")}
TEXT_INPUT: Json = {"type": "plain_text_input", "action_id": "value"}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def asking(element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": "field", "label": words("Field"), "element": element, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": words("Title"), "submit": words("Save"), "blocks": list(blocks), **more}


def raw(*cells: str) -> list[Json]:
    return [{"type": "raw_text", "text": cell} for cell in cells]


def data_table(*rows: list[Json]) -> Json:
    return {"type": "data_table", "caption": "Lists", "rows": list(rows)}


def chart(names: list[str], *labels: str) -> Json:
    points = [{"label": label, "value": 1} for label in labels]
    drawn = {"type": "bar", "series": [{"name": "A", "data": points}], "axis_config": {"categories": names}}
    return {"type": "data_visualization", "title": "Open", "chart": drawn}


ALERT: Json = {"type": "alert", "level": "warning", "text": marked("x" * 200)}
CONTAINER: Json = {
    "type": "container", "title": words("History"), "is_collapsible": True, "default_collapsed": True,
    "child_blocks": [SECTION] * 10,
}  # fmt: skip

GOOD_MESSAGES = {
    "closed history": [CONTAINER],
    "data table": [data_table(raw("a", "b"), *[raw("x", "y")] * 100)],
    "two charts": [chart(["P1"], "P1"), chart(["P1"], "P1")],
    "section": [SECTION],
    "fields": [{"type": "section", "fields": [marked("a"), words("b")]}],
    "accessory": [{**SECTION, "accessory": BUTTON}],
    "divider": [{"type": "divider"}],
    "header": [{"type": "header", "text": words("x" * 150)}],
    "context": [{"type": "context", "elements": [marked("a")]}],
    "actions": [actions(BUTTON, SELECT, {"type": "overflow", "action_id": "o", "options": options(5)})],
    "button at its limits": [
        actions({**BUTTON, "text": words("x" * 75), "value": "v" * 2000, "style": "danger"})
    ],
    "confirm": [
        actions(
            {
                **BUTTON,
                "confirm": {
                    "title": words("Sure?"),
                    "text": marked("really"),
                    "confirm": words("Yes"),
                    "deny": words("No"),
                },
            }
        )
    ],
    "groups": [
        actions(
            {k: v for k, v in SELECT.items() if k != "options"}
            | {"option_groups": [{"label": words("G"), "options": options(100)}]}
        )
    ],
    "initial option": [actions({**SELECT, "initial_option": options(2)[1]})],
    "marked options": [
        actions({"type": "checkboxes", "action_id": "c", "options": [{"text": marked("*a*"), "value": "a"}]})
    ],
    "image": [{"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a"}],
    "markdown": [{"type": "markdown", "text": "# x"}],
    "table": [
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "raw_text", "text": "b"}]]}
    ],
    "fifty blocks": [{"type": "divider"}] * 50,
}
BAD_MESSAGES = {
    "unknown block": [{"type": "banner"}],
    "no type": [{}],
    "empty text": [{"type": "section", "text": marked("")}],
    "long text": [{"type": "section", "text": marked("x" * 3001)}],
    "text of no kind": [{"type": "section", "text": {"type": "markdown", "text": "x"}}],
    "string for text": [{"type": "section", "text": "x"}],
    "empty section": [{"type": "section"}],
    "eleven fields": [{"type": "section", "fields": [marked("a")] * 11}],
    "long field": [{"type": "section", "fields": [marked("x" * 2001)]}],
    "long header": [{"type": "header", "text": words("x" * 151)}],
    "marked header": [{"type": "header", "text": marked("x")}],
    "eleven in context": [{"type": "context", "elements": [marked("a")] * 11}],
    "button in context": [{"type": "context", "elements": [BUTTON]}],
    "26 elements": [actions(*({**BUTTON, "action_id": str(n)} for n in range(26)))],
    "no elements": [actions()],
    "text input in actions": [actions(TEXT_INPUT)],
    "double block_id": [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
    "long block_id": [{"type": "divider", "block_id": "a" * 256}],
    "double action_id": [actions(BUTTON, BUTTON)],
    "long action_id": [actions({**BUTTON, "action_id": "a" * 256})],
    "long button": [actions({**BUTTON, "text": words("x" * 76)})],
    "marked button": [actions({**BUTTON, "text": marked("x")})],
    "long value": [actions({**BUTTON, "value": "x" * 2001})],
    "empty value": [actions({**BUTTON, "value": ""})],
    "long url": [actions({**BUTTON, "url": "https://x.org/" + "x" * 3000})],
    "long accessibility label": [actions({**BUTTON, "accessibility_label": "x" * 76})],
    "other style": [actions({**BUTTON, "style": "default"})],
    "unknown property": [actions({**BUTTON, "colour": "red"})],
    "unknown block property": [{"type": "divider", "colour": "red"}],
    "emoji in mrkdwn": [{"type": "section", "text": {**marked("x"), "emoji": True}}],
    "verbatim in plain_text": [{"type": "section", "text": {**words("x"), "verbatim": True}}],
    "no options": [actions({**SELECT, "options": []})],
    "101 options": [actions({**SELECT, "options": options(101)})],
    "options and groups": [
        actions({**SELECT, "option_groups": [{"label": words("G"), "options": options(1)}]})
    ],
    "empty group": [
        actions(
            {
                "type": "static_select",
                "action_id": "p",
                "option_groups": [{"label": words("G"), "options": []}],
            }
        )
    ],
    "long group label": [
        actions(
            {
                "type": "static_select",
                "action_id": "p",
                "option_groups": [{"label": words("x" * 76), "options": options(1)}],
            }
        )
    ],
    "long option": [actions({**SELECT, "options": [{"text": words("x" * 76), "value": "a"}]})],
    "long option value": [actions({**SELECT, "options": [{"text": words("x"), "value": "a" * 151}]})],
    "long description": [actions({**SELECT, "options": [{**options(1)[0], "description": words("x" * 76)}]})],
    "marked option in a select": [actions({**SELECT, "options": [{"text": marked("x"), "value": "a"}]})],
    "double option value": [actions({**SELECT, "options": [options(1)[0], options(1)[0]]})],
    "other initial option": [actions({**SELECT, "initial_option": {"text": words("Other"), "value": "1"}})],
    "long placeholder": [actions({**SELECT, "placeholder": words("x" * 151)})],
    "six in overflow": [actions({"type": "overflow", "action_id": "o", "options": options(6)})],
    "eleven checkboxes": [actions({"type": "checkboxes", "action_id": "c", "options": options(11)})],
    "no radio buttons": [actions({"type": "radio_buttons", "action_id": "c", "options": []})],
    "long confirm": [
        actions(
            {
                **BUTTON,
                "confirm": {
                    "title": words("x" * 101),
                    "text": marked("t"),
                    "confirm": words("Y"),
                    "deny": words("N"),
                },
            }
        )
    ],
    "half a confirm": [
        actions({**BUTTON, "confirm": {"title": words("x"), "text": marked("t"), "confirm": words("Y")}})
    ],
    "bad date": [actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-02-30"})],
    "bad time": [actions({"type": "timepicker", "action_id": "d", "initial_time": "24:00"})],
    "focus in a message": [actions({"type": "datepicker", "action_id": "d", "focus_on_load": True})],
    "no alt text": [{"type": "image", "image_url": "https://example.org/a.png"}],
    "image from two places": [
        {"type": "image", "image_url": "https://example.org/a", "alt_text": "a", "slack_file": {"id": "F1"}}
    ],
    "ragged table": [{"type": "table", "rows": [[{}], [{}, {}]]}],
    "too much markdown": [{"type": "markdown", "text": "x" * 7000}, {"type": "markdown", "text": "x" * 7000}],
    "51 blocks": [{"type": "divider"}] * 51,
    "alert in a message": [ALERT],
    "closed without a way to open": [{**CONTAINER, "is_collapsible": False}],
    "eleven in a container": [{**CONTAINER, "child_blocks": [SECTION] * 11}],
    "container in a container": [{**CONTAINER, "child_blocks": [CONTAINER]}],
    "table without rows": [data_table(raw("a"))],
    "102 rows": [data_table(*[raw("a")] * 102)],
    "ragged data table": [data_table(raw("a"), raw("a", "b"))],
    "10,001 characters": [data_table(raw("a"), raw("x" * 10_000))],
    "two tables": [data_table(raw("a"), raw("b")), data_table(raw("a"), raw("b"))],
    "three charts": [chart(["P1"], "P1")] * 3,
    "a category without a point": [chart(["P1", "P2"], "P1")],
}
GOOD_VIEWS = {
    "alert": modal(ALERT),
    "plain": modal(asking(TEXT_INPUT)),
    "no submit without inputs": {"type": "modal", "title": words("T"), "blocks": [SECTION]},
    "at its limits": modal(
        *([{"type": "divider"}] * 100), private_metadata="x" * 3000, callback_id="x" * 255
    ),
    "numbers": modal(
        asking({"type": "number_input", "action_id": "n", "is_decimal_allowed": True, "min_value": "1"})
    ),
    "people": modal(asking({"type": "users_select", "action_id": "u"})),
    "date and time": modal(
        asking({"type": "datetimepicker", "action_id": "d", "initial_date_time": 1793700000})
    ),
}
BAD_VIEWS = {
    "long alert": modal({**ALERT, "text": marked("x" * 201)}),
    "data table in a modal": modal(data_table(raw("a"), raw("b"))),
    "no title": {"type": "modal", "blocks": [SECTION]},
    "no blocks": {"type": "modal", "title": words("T")},
    "another type": modal(SECTION) | {"type": "dialog"},
    "long title": modal(SECTION, title=words("x" * 25)),
    "marked title": modal(SECTION, title=marked("x")),
    "long submit": modal(SECTION, submit=words("x" * 25)),
    "long close": modal(SECTION, close=words("x" * 25)),
    "inputs without submit": {"type": "modal", "title": words("T"), "blocks": [asking(TEXT_INPUT)]},
    "long metadata": modal(SECTION, private_metadata="x" * 3001),
    "long callback_id": modal(SECTION, callback_id="x" * 256),
    "101 blocks": modal(*([{"type": "divider"}] * 101)),
    "unknown property": modal(SECTION, colour="red"),
    "markdown block": modal({"type": "markdown", "text": "x"}),
    "button as input": modal(asking(BUTTON)),
    "long label": modal({**asking(TEXT_INPUT), "label": words("x" * 2001)}),
    "marked label": modal({**asking(TEXT_INPUT), "label": marked("x")}),
    "long hint": modal(asking(TEXT_INPUT, hint=words("x" * 2001))),
    "length over the most": modal(asking({**TEXT_INPUT, "max_length": 3001})),
    "crossed lengths": modal(asking({**TEXT_INPUT, "min_length": 5, "max_length": 4})),
    "crossed numbers": modal(
        asking({"type": "number_input", "is_decimal_allowed": True, "min_value": "5", "max_value": "4"})
    ),
    "decimals not said": modal(asking({"type": "number_input"})),
    "no files": modal(asking({"type": "file_input", "max_files": 0})),
    "two with focus": modal(
        asking({**TEXT_INPUT, "focus_on_load": True}),
        {**asking({**TEXT_INPUT, "focus_on_load": True}), "block_id": "b"},
    ),
    "too large": modal(*({"type": "section", "text": marked("ş" * 3000)} for _ in range(50))),
}


@pytest.mark.parametrize("name", GOOD_MESSAGES)
def test_good_blocks_pass(name: str) -> None:
    assert message_problems(GOOD_MESSAGES[name]) == []


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_bad_blocks_are_refused(name: str) -> None:
    problems = message_problems(BAD_MESSAGES[name])
    assert problems
    assert all(problem.startswith("[ERROR] ") and "[json-pointer:/" in problem for problem in problems)


@pytest.mark.parametrize("name", GOOD_VIEWS)
def test_good_views_pass(name: str) -> None:
    assert view_problems(GOOD_VIEWS[name], "modal") == []


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_bad_views_are_refused(name: str) -> None:
    assert view_problems(BAD_VIEWS[name], "modal")


def test_a_home_view_has_no_title_and_no_submit() -> None:
    assert view_problems({"type": "home", "blocks": [SECTION, actions(BUTTON)]}, "home") == []
    assert view_problems({"type": "home", "blocks": [], "submit": words("x")}, "home")


def test_defaults_are_added_to_a_copy_of_the_blocks() -> None:
    sent = [actions({k: v for k, v in BUTTON.items() if k != "action_id"}), asking(TEXT_INPUT)]
    before = copy.deepcopy(sent)
    first, second = completed(sent)
    assert sent == before
    assert first["block_id"]
    assert first["elements"][0]["action_id"]
    assert first["elements"][0]["text"] == {"type": "plain_text", "text": "Go", "emoji": True}
    assert (second["optional"], second["dispatch_action"]) == (False, False)


@pytest.mark.parametrize(
    ("element", "value", "state"),
    [
        (TEXT_INPUT, "x", {"type": "plain_text_input", "value": "x"}),
        (TEXT_INPUT, "", {"type": "plain_text_input", "value": None}),
        ({"type": "datepicker"}, "2026-11-03", {"type": "datepicker", "selected_date": "2026-11-03"}),
        (
            {"type": "datetimepicker"},
            1793700000,
            {"type": "datetimepicker", "selected_date_time": 1793700000},
        ),
        ({"type": "users_select"}, "U1", {"type": "users_select", "selected_user": "U1"}),
        ({"type": "multi_users_select"}, ["U1"], {"type": "multi_users_select", "selected_users": ["U1"]}),
        (SELECT, "Option 1", {"type": "static_select", "selected_option": options(2)[1]}),
        (SELECT, None, {"type": "static_select", "selected_option": None}),
        (
            {"type": "checkboxes", "options": options(2)},
            ["0"],
            {"type": "checkboxes", "selected_options": options(1)},
        ),
        (
            {"type": "radio_buttons", "options": options(2)},
            "0",
            {"type": "radio_buttons", "selected_option": options(1)[0]},
        ),
    ],
)
def test_values_become_state_entries_and_back(element: Json, value: Any, state: Json) -> None:
    assert state_entry(element, value) == state
    assert state_entry(element, plain_value(state)) == state


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue, match="Option 0, Option 1"):
        state_entry(SELECT, "Option 7")


def test_initial_values_are_part_of_the_state() -> None:
    assert initial_entry({**SELECT, "initial_option": options(2)[1]})["selected_option"]["value"] == "1"
    assert initial_entry({**TEXT_INPUT, "initial_value": "x"}) == {"type": "plain_text_input", "value": "x"}
    assert initial_entry({"type": "checkboxes", "options": options(2)}) == {
        "type": "checkboxes",
        "selected_options": [],
    }


def test_invalid_input_is_refused_before_it_reaches_the_app() -> None:
    blocks = [
        asking({**TEXT_INPUT, "min_length": 3}),
        asking({"type": "number_input", "action_id": "value", "is_decimal_allowed": False})
        | {"block_id": "amount"},
        asking(TEXT_INPUT, optional=True) | {"block_id": "extra"},
        asking({"type": "checkboxes", "action_id": "value", "options": options(1)}) | {"block_id": "flag"},
    ]
    state = initial_state(blocks)
    assert sorted(input_errors(blocks, state)) == ["amount", "field", "flag"]
    state["field"]["value"]["value"] = "ab"
    state["amount"]["value"]["value"] = "1.5"
    state["flag"]["value"]["selected_options"] = options(1)
    assert input_errors(blocks, state) == {
        "field": "Please enter at least 3 characters.",
        "amount": "Please enter a valid number.",
    }
