"""What is sent instead of blocks that Slack refuses keeps the words, the buttons and the inputs."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from bots.slack.client import block_kit
from bots.slack.client.block_kit import Block
from bots.slack.client.refused_blocks import alerts, drawn, plain_blocks, plainer
from bots.slack.views.card import card
from bots.slack.views.opened_case import case_view
from simulator.slack.block_kit import message_problems, view_problems
from tests.rules.slack_cases import NOW, stages, voice

STAGES = stages()
NEWER: list[Block] = [
    {"type": "alert", "text": {"type": "mrkdwn", "text": "*Danger* is open"}, "level": "warning"},
    {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "A7K-M3Q-9T"}, {"type": "raw_text", "text": "P1"}]] * 80,
    },
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "My bill <is> wrong"}]}
        ],
    },
    {"type": "markdown", "text": "**bold**"},
]
BUTTON = {
    "type": "button", "action_id": "case.open", "value": "A7K-M3Q-9T", "text": {"type": "plain_text", "text": "Open"},
}  # fmt: skip


@pytest.mark.parametrize("kinds", [{"alert"}, ()])
@pytest.mark.parametrize("icon", ["", "⚠️ ", ":warning: "])
def test_a_warning_has_one_icon(icon: str, kinds: Collection[str]) -> None:
    shown = drawn(alerts(f"{icon}The letter is long."), kinds)[0]["text"]["text"]
    assert shown == ("The letter is long." if kinds else ":warning: The letter is long.")


def test_newer_blocks_become_sections_with_their_words() -> None:
    row = {"type": "actions", "block_id": "actions:1.1", "elements": [BUTTON, {"type": "icon_button"}]}
    plain = plain_blocks([*NEWER, row])
    words = json.dumps(plain)

    assert message_problems(plain) == []
    assert all(text in words for text in ("*Danger* is open", "P1", "My bill <is> wrong", "**bold**"))
    assert plain[-1]["elements"] == [BUTTON]


@pytest.mark.parametrize("name", STAGES)
def test_a_plain_card_is_valid_and_keeps_every_button(name: str) -> None:
    drawn = card(STAGES[name].case, voice(), now=NOW, draw=1).blocks
    plain = plain_blocks(drawn)

    assert message_problems(plain) == []
    assert [element["action_id"] for element in plain[-1]["elements"]] == [
        element["action_id"] for element in drawn[-1]["elements"]
    ]
    assert plain_blocks(plain) == plain


@pytest.mark.parametrize("name", STAGES)
def test_a_plain_view_is_valid_and_begins_with_the_notice(name: str) -> None:
    view = case_view(STAGES[name].opened(), voice(), now=NOW)
    arguments: dict[str, Any] = {"view": view, "trigger_id": "1"}
    plain = plainer(arguments, "Plain form")
    assert plain is not None

    assert view_problems(plain["view"], "modal") == []
    assert plain["view"]["blocks"][0]["text"]["text"] == "Plain form"
    assert plainer(plain, "Plain form") is None


def test_buttons_are_kept_where_the_words_are_too_many() -> None:
    row = {"type": "actions", "block_id": "actions:1.1", "elements": [BUTTON]}
    plain = plain_blocks([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 60 + [row])

    assert len(plain) == 50
    assert plain[-1] == row


def test_characters_that_reorder_or_split_words_are_visible_to_staff() -> None:
    words = "refund \u202e001\u2066 g\u200bas \U0001f468\u200d\U0001f469"
    seen = "refund \ufffd001\ufffd g\ufffdas \U0001f468\u200d\U0001f469"
    assert block_kit.escaped(words) == seen
    assert block_kit.plain(words)["text"] == seen
    assert block_kit.quoted("x", words)["elements"][1]["elements"][0]["text"] == seen
