"""The phone: what a customer writes, presses, sends and sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from simulator import Simulator
from tests.browser.hands import Hands
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_words_go_to_the_bot_and_its_answer_can_be_pressed(
    hands: Hands, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await hands.write("The meter drips")
    await sim.until(lambda: bool(bot.heard))
    await bot.says(anna, "Noted. More?", ["Done", "Skip"])
    await hands.hears("Noted. More?")
    await hands.press("Done")
    await sim.until(lambda: len(bot.heard) == 2)
    assert [bot.heard[0]["message"]["text"], bot.heard[1]["callback_query"]["data"]] == [
        "The meter drips",
        "Done",
    ]


async def test_an_empty_chat_offers_start(hands: Hands, bot: ScriptedBot, sim: Simulator) -> None:
    await hands.phone.get_by_role("button", name="Start").click()
    await sim.until(lambda: bool(bot.heard))
    assert bot.heard[0]["message"]["text"] == "/start"


async def test_an_own_message_is_edited_and_the_earlier_words_stay_in_reach(
    hands: Hands, bot: ScriptedBot, sim: Simulator
) -> None:
    await hands.write("It drips")
    await hands.hears("It drips")
    await hands.phone.get_by_role("article").filter(has_text="It drips").hover()
    await hands.phone.get_by_role("button", name="Change this message").click()
    await hands.page.get_by_role("menuitem", name="Edit").click()
    box = hands.phone.get_by_role("textbox", name="Message")
    await expect(box).to_have_value("It drips")
    await expect(box).to_be_focused()
    await hands.write("It pours")
    await hands.hears("It pours")
    await sim.until(lambda: any("edited_message" in update for update in bot.heard))
    await hands.phone.get_by_text("edited").click()
    await expect(hands.phone.get_by_role("list", name="Before the edits")).to_have_text("It drips")
    await expect(box).to_have_value("")


async def test_samples_are_sent_from_the_attach_menu(hands: Hands, bot: ScriptedBot, sim: Simulator) -> None:
    await hands.attach("Sample photo")
    await hands.attach("Sample album")
    await hands.attach("Sample voice note")
    await sim.until(lambda: len(bot.heard) == 5)
    album = [update["message"].get("media_group_id") for update in bot.heard[1:4]]
    assert len(set(album)) == 1
    assert album[0]
    await expect(hands.phone.get_by_role("button", name="Photo, enlarge")).to_have_count(4)
    await expect(hands.phone.get_by_role("button", name="Play voice note")).to_be_visible()


async def test_files_of_this_computer_go_with_the_words_as_caption(
    hands: Hands, bot: ScriptedBot, sim: Simulator, tmp_path: Path
) -> None:
    bill = tmp_path / "bill.pdf"
    bill.write_bytes(b"%PDF-1.4 a bill")
    await hands.phone.get_by_role("textbox", name="Message").fill("My bill")
    async with hands.page.expect_file_chooser() as chosen:
        await hands.attach("Document")
    await (await chosen.value).set_files(bill)
    await sim.until(lambda: bool(bot.heard))
    message = bot.heard[0]["message"]
    assert (message["document"]["file_name"], message["caption"]) == ("bill.pdf", "My bill")
    await expect(hands.phone.get_by_role("link", name=re.compile("bill.pdf"))).to_be_visible()


async def test_an_edit_by_the_bot_takes_its_buttons_away(
    hands: Hands, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    sent = await bot.says(anna, "Shall I send it?", ["Send", "Change"])
    await hands.hears("Shall I send it?")
    await bot.telegram(
        "editMessageText", chat_id=anna, message_id=sent["message_id"], text="Sent, thank you."
    )
    await hands.hears("Sent, thank you.")
    await expect(hands.phone.get_by_role("button", name="Change", exact=True)).to_have_count(0)


async def test_an_alert_answers_a_press_in_a_dialogue(
    hands: Hands, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    async def refuse(update: dict[str, Any]) -> None:
        if press := update.get("callback_query"):
            await bot.telegram(
                "answerCallbackQuery", callback_query_id=press["id"], text="Too late", show_alert=True
            )

    bot.on_update = refuse
    await bot.says(anna, "Accept?", ["Yes"])
    await hands.hears("Accept?")
    await hands.press("Yes")
    dialog = hands.page.get_by_role("dialog").filter(has_text="Too late")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="OK").click()
    await expect(dialog).to_have_count(0)


async def test_a_customer_is_added_with_name_and_language(
    hands: Hands, bot: ScriptedBot, sim: Simulator
) -> None:
    await hands.add_customer("Mehmet", "Türkçe")
    await hands.write("Sayaç damlıyor")
    await sim.until(lambda: bool(bot.heard))
    sender = bot.heard[0]["message"]["from"]
    assert (sender["first_name"], sender["language_code"]) == ("Mehmet", "tr")


async def test_markup_in_a_message_stays_words(
    hands: Hands, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await bot.says(anna, "<img src=x onerror=alert(1)> & <b>bold</b>")
    await hands.hears("<img src=x onerror=alert(1)> & <b>bold</b>")


async def test_what_is_half_written_survives_news_and_another_customer(
    hands: Hands, page: Page, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    box = hands.phone.get_by_role("textbox", name="Message")
    await box.press_sequentially("Half a ")
    await bot.says(anna, "Are you there?")
    await hands.hears("Are you there?")
    await expect(box).to_be_focused()
    await page.keyboard.type("sentence")
    await expect(box).to_have_value("Half a sentence")
    await hands.add_customer("Tom", "English")
    await expect(box).to_have_value("")
    await hands.take_phone_of("Anna")
    await expect(box).to_have_value("Half a sentence")


async def test_a_customer_with_news_is_marked_until_looked_at(
    hands: Hands, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await hands.write("Hello")
    await hands.add_customer("Tom", "English")
    await bot.says(anna, "An answer")
    chip = hands.page.get_by_role("button", name=re.compile("^Anna · en"))
    await expect(chip).to_contain_text("unread")
    await hands.take_phone_of("Anna")
    await expect(chip).not_to_contain_text("unread")


async def test_sixty_customers_are_found_by_name(hands: Hands, sim: Simulator) -> None:
    for number in range(60):
        sim.customer(f"Person {number}", language="en")
    await hands.take_phone_of("Person 47")
    await hands.write("Hello from 47")
    await hands.hears("Hello from 47")


async def test_quick_messages_all_arrive_in_the_order_written(
    hands: Hands, bot: ScriptedBot, sim: Simulator
) -> None:
    words = [f"Line {number}" for number in range(8)]
    for text in words:
        await hands.write(text)
    await sim.until(lambda: len(bot.heard) == len(words))
    assert [update["message"]["text"] for update in bot.heard] == words
