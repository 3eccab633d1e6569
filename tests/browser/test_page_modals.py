"""Modals: fields by their labels, errors at the field, stacks, updates in place, and where the focus goes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from simulator import Simulator
from tests.browser.hands import Hands
from tests.browser.pieces import CHANNEL, a_card, a_modal, button, mrkdwn
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

REF = "A7K-M3Q-9T"
Json = dict[str, Any]


def _opens(bot: ScriptedBot, view: Json, then: Json | None = None) -> None:
    """The bot opens `view` at a press, and answers a submission with `then`."""

    async def answer(payload: Json) -> Json | None:
        if payload["type"] == "block_actions" and payload["actions"][0]["action_id"] == "case.assess":
            await bot.slack("views.open", trigger_id=payload["trigger_id"], view=view)
        return then if payload["type"] == "view_submission" else None

    bot.answer = answer


async def _open(hands: Hands, bot: ScriptedBot) -> None:
    await bot.slack("chat.postMessage", channel=CHANNEL, text="Complaint", blocks=a_card(REF))
    await hands.press_on(REF, "Assess")
    await expect(hands.modal).to_be_visible()


async def test_every_kind_of_field_is_filled_by_its_label_and_sent(
    hands: Hands, bot: ScriptedBot, sim: Simulator
) -> None:
    _opens(bot, a_modal())
    await _open(hands, bot)
    await expect(hands.modal.get_by_label("Category", exact=True)).to_be_focused()
    await hands.choose("Category", "Service")
    await hands.choose("Severity", "4")
    await hands.choose("Immediate action needed", "Yes")
    await hands.choose("Owner", "Mona")
    await hands.fill("Next date", "2026-11-30")
    await hands.fill("At", "14:05")
    await hands.fill("Received", "2026-11-24T10:00")
    await hands.fill("Amount", "180.50")
    await hands.fill("E-mail", "anna@example.org")
    await hands.fill("Text", "The floor is wet.\nAnd the wall.")
    await hands.confirm("Assess it")
    await expect(hands.modal).to_have_count(0)
    await sim.until(lambda: bot.asked[-1]["type"] == "view_submission")
    values = {block: fields["value"] for block, fields in bot.asked[-1]["view"]["state"]["values"].items()}
    assert values["category"]["selected_option"]["value"] == "service"
    assert values["severity"]["selected_option"]["value"] == "4"
    assert [chosen["value"] for chosen in values["immediate_needed"]["selected_options"]] == ["yes"]
    assert values["owner"]["selected_user"] == sim.staff("U0000002").id
    assert (values["next_date"]["selected_date"], values["at_time"]["selected_time"]) == (
        "2026-11-30",
        "14:05",
    )
    assert values["received_at"]["selected_date_time"] == 1795514400
    assert (values["amount"]["value"], values["email"]["value"]) == ("180.50", "anna@example.org")
    assert values["text"]["value"] == "The floor is wet.\nAnd the wall."


async def test_what_the_app_refuses_is_said_at_the_field_and_the_field_is_focused(
    hands: Hands, bot: ScriptedBot
) -> None:
    _opens(bot, a_modal(), {"response_action": "errors", "errors": {"text": "Say what was found."}})
    await _open(hands, bot)
    await hands.choose("Category", "Supply")
    await hands.choose("Severity", "1")
    await hands.fill("Text", "x")
    await hands.confirm("Assess it")
    text = hands.modal.get_by_label("Text", exact=True)
    await expect(text).to_have_accessible_description("In your own words Say what was found.")
    await expect(text).to_have_attribute("aria-invalid", "true")
    await expect(text).to_be_focused()
    await expect(text).to_have_value("x")


async def test_what_is_missing_is_said_before_anything_is_sent(hands: Hands, bot: ScriptedBot) -> None:
    _opens(bot, a_modal())
    await _open(hands, bot)
    await hands.confirm("Assess it")
    await expect(hands.modal.get_by_label("Category", exact=True)).to_have_attribute("aria-invalid", "true")
    assert [payload["type"] for payload in bot.asked] == ["block_actions"]


async def test_a_pushed_view_goes_back_to_what_was_typed(hands: Hands, bot: ScriptedBot) -> None:
    preview = {
        "type": "modal",
        "callback_id": "preview",
        "title": {"type": "plain_text", "text": "Preview"},
        "submit": {"type": "plain_text", "text": "Send it"},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [{"type": "section", "text": mrkdwn("Dear Anna, *we are sorry*.")}],
    }
    _opens(bot, a_modal(), {"response_action": "push", "view": preview})
    await _open(hands, bot)
    await hands.choose("Category", "Supply")
    await hands.choose("Severity", "2")
    await hands.fill("Text", "Kept words")
    await hands.confirm("Assess it")
    await expect(hands.desk.get_by_role("dialog", name="Preview")).to_contain_text("Dear Anna, we are sorry.")
    await hands.confirm("Back")
    await expect(hands.modal.get_by_label("Text", exact=True)).to_have_value("Kept words")
    await expect(hands.modal.get_by_label("Category", exact=True)).to_have_value("supply")
    await expect(hands.modal.get_by_label("2", exact=True)).to_be_checked()


async def test_a_view_updated_in_place_keeps_what_was_typed_and_the_focus(
    hands: Hands, page: Page, bot: ScriptedBot
) -> None:
    view = a_modal(extra=[{"type": "actions", "block_id": "rows", "elements": [button("One more", "more")]}])

    async def answer(payload: Json) -> None:
        if payload["type"] != "block_actions":
            return
        if payload["actions"][0]["action_id"] == "more":
            more = [{"type": "section", "block_id": "row", "text": mrkdwn("A second row")}]
            await bot.slack(
                "views.update",
                view_id=payload["view"]["id"],
                view={**view, "blocks": [*view["blocks"], *more]},
            )
        else:
            await bot.slack("views.open", trigger_id=payload["trigger_id"], view=view)

    bot.answer = answer
    await _open(hands, bot)
    await hands.fill("Text", "Half a sen")
    await hands.confirm("One more")
    await hands.modal.get_by_label("Text", exact=True).focus()
    await expect(hands.modal).to_contain_text("A second row")
    await expect(hands.modal.get_by_label("Text", exact=True)).to_be_focused()
    await expect(hands.modal.get_by_label("Text", exact=True)).to_have_value("Half a sen")
    assert bot.asked[-1]["view"]["state"]["values"]["text"]["value"]["value"] == "Half a sen"


async def test_escape_closes_and_the_focus_returns_to_the_button(
    hands: Hands, page: Page, bot: ScriptedBot
) -> None:
    _opens(bot, a_modal())
    await _open(hands, bot)
    await page.keyboard.press("Escape")
    await expect(hands.modal).to_have_count(0)
    await expect(hands.card(REF).get_by_role("button", name="Assess")).to_be_focused()


async def test_a_member_called_away_finds_his_modal_as_he_left_it(
    hands: Hands, bot: ScriptedBot, sim: Simulator
) -> None:
    _opens(bot, a_modal())
    await _open(hands, bot)
    await hands.fill("Text", "Unfinished")
    await hands.sit_as("Mona")
    await expect(hands.modal).to_have_count(0)
    await hands.sit_as("Alice")
    await expect(hands.modal.get_by_label("Text", exact=True)).to_have_value("Unfinished")
