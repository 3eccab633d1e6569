"""Modals: labelled fields, errors at the field, stacked views, updates in place, and the focus."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from simulator import Simulator
from tests.browser.accessibility import violations
from tests.browser.blocks import CHANNEL, a_card, a_modal, button, mrkdwn
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

REF = "A7K-M3Q-9T"
Json = dict[str, Any]


def _answer_with(bot: ScriptedBot, view: Json, reply: Json | None = None) -> None:
    """Let the bot open `view` on a press, and answer a submission with `reply`."""

    async def answer(payload: Json) -> Json | None:
        if payload["type"] == "block_actions" and payload["actions"][0]["action_id"] == "case.assess":
            await bot.slack("views.open", trigger_id=payload["trigger_id"], view=view)
        return reply if payload["type"] == "view_submission" else None

    bot.answer = answer


async def _open_modal(person: Person, bot: ScriptedBot) -> None:
    await bot.slack("chat.postMessage", channel=CHANNEL, text="Complaint", blocks=a_card(REF))
    await person.press_on_card(REF, "Assess")
    await expect(person.modal).to_be_visible()


async def test_every_kind_of_field_can_be_filled_by_its_label_and_submitted(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    _answer_with(bot, a_modal())
    await _open_modal(person, bot)
    await expect(person.modal.get_by_label("Category", exact=True)).to_be_focused()
    assert await violations(person.page) == []
    await person.choose("Category", "Service")
    await person.choose("Severity", "4")
    await person.choose("Immediate action needed", "Yes")
    await person.choose("Owner", "Mona")
    await person.fill("Next date", "2026-11-30")
    await person.fill("At", "14:05")
    await person.fill("Received", "2026-11-24T10:00")
    await person.fill("Amount", "180.50")
    await person.fill("E-mail", "anna@example.org")
    await person.fill("Text", "The floor is wet.\nAnd the wall.")
    await person.confirm("Assess it")
    await expect(person.modal).to_have_count(0)
    await sim.until(lambda: bot.payloads[-1]["type"] == "view_submission")
    values = {block: fields["value"] for block, fields in bot.payloads[-1]["view"]["state"]["values"].items()}
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


async def test_an_error_of_the_app_is_shown_at_its_field_which_gets_the_focus(
    person: Person, bot: ScriptedBot
) -> None:
    _answer_with(bot, a_modal(), {"response_action": "errors", "errors": {"text": "Say what was found."}})
    await _open_modal(person, bot)
    await person.choose("Category", "Supply")
    await person.choose("Severity", "1")
    await person.fill("Text", "x")
    await person.confirm("Assess it")
    text = person.modal.get_by_label("Text", exact=True)
    await expect(text).to_have_accessible_description("In your own words Say what was found.")
    await expect(text).to_have_attribute("aria-invalid", "true")
    await expect(text).to_be_focused()
    await expect(text).to_have_value("x")


async def test_a_missing_field_is_marked_before_anything_is_sent(person: Person, bot: ScriptedBot) -> None:
    _answer_with(bot, a_modal())
    await _open_modal(person, bot)
    await person.confirm("Assess it")
    await expect(person.modal.get_by_label("Category", exact=True)).to_have_attribute("aria-invalid", "true")
    assert [payload["type"] for payload in bot.payloads] == ["block_actions"]


async def test_closing_a_pushed_view_returns_to_the_typed_values(person: Person, bot: ScriptedBot) -> None:
    preview = {
        "type": "modal",
        "callback_id": "preview",
        "title": {"type": "plain_text", "text": "Preview"},
        "submit": {"type": "plain_text", "text": "Send it"},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [{"type": "section", "text": mrkdwn("Dear Anna, *we are sorry*.")}],
    }
    _answer_with(bot, a_modal(), {"response_action": "push", "view": preview})
    await _open_modal(person, bot)
    await person.choose("Category", "Supply")
    await person.choose("Severity", "2")
    await person.fill("Text", "Kept words")
    await person.confirm("Assess it")
    await expect(person.desk.get_by_role("dialog", name="Preview")).to_contain_text(
        "Dear Anna, we are sorry."
    )
    await person.confirm("Back")
    await expect(person.modal.get_by_label("Text", exact=True)).to_have_value("Kept words")
    await expect(person.modal.get_by_label("Category", exact=True)).to_have_value("supply")
    await expect(person.modal.get_by_label("2", exact=True)).to_be_checked()


async def test_an_updated_view_keeps_typed_values_and_the_focus(
    person: Person, page: Page, bot: ScriptedBot
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
    await _open_modal(person, bot)
    await person.fill("Text", "Half a sen")
    await person.confirm("One more")
    await person.modal.get_by_label("Text", exact=True).focus()
    await expect(person.modal).to_contain_text("A second row")
    await expect(person.modal.get_by_label("Text", exact=True)).to_be_focused()
    await expect(person.modal.get_by_label("Text", exact=True)).to_have_value("Half a sen")
    assert bot.payloads[-1]["view"]["state"]["values"]["text"]["value"]["value"] == "Half a sen"


async def test_escape_closes_a_modal_and_the_focus_returns_to_the_button(
    person: Person, page: Page, bot: ScriptedBot
) -> None:
    _answer_with(bot, a_modal())
    await _open_modal(person, bot)
    await page.keyboard.press("Escape")
    await expect(person.modal).to_have_count(0)
    await expect(person.card(REF).get_by_role("button", name="Assess")).to_be_focused()


async def test_an_open_modal_keeps_its_values_while_another_member_is_chosen(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    _answer_with(bot, a_modal())
    await _open_modal(person, bot)
    await person.fill("Text", "Unfinished")
    await person.act_as("Mona")
    await expect(person.modal).to_have_count(0)
    await person.act_as("Alice")
    await expect(person.modal.get_by_label("Text", exact=True)).to_have_value("Unfinished")
