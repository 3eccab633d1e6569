"""The phone: what a customer writes, presses, sends and sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from simulator import Simulator
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_message_reaches_the_bot_and_the_buttons_of_its_answer_work(
    person: Person, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await person.write("The meter drips")
    await sim.until(lambda: bool(bot.updates))
    await bot.send(anna, "Noted. More?", ["Done", "Skip"])
    await person.sees_message("Noted. More?")
    await person.press("Done")
    await sim.until(lambda: len(bot.updates) == 2)
    assert [bot.updates[0]["message"]["text"], bot.updates[1]["callback_query"]["data"]] == [
        "The meter drips",
        "Done",
    ]


async def test_an_empty_chat_has_a_start_button(person: Person, bot: ScriptedBot, sim: Simulator) -> None:
    await person.phone.get_by_role("button", name="Start").click()
    await sim.until(lambda: bool(bot.updates))
    assert bot.updates[0]["message"]["text"] == "/start"


async def test_an_edited_message_still_shows_its_earlier_text(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await person.write("It drips")
    await person.sees_message("It drips")
    await person.phone.get_by_role("article").filter(has_text="It drips").hover()
    await person.phone.get_by_role("button", name="Change this message").click()
    await person.page.get_by_role("menuitem", name="Edit").click()
    box = person.phone.get_by_role("textbox", name="Message")
    await expect(box).to_have_value("It drips")
    await expect(box).to_be_focused()
    await person.write("It pours")
    await person.sees_message("It pours")
    await sim.until(lambda: any("edited_message" in update for update in bot.updates))
    await person.phone.get_by_text("edited").click()
    await expect(person.phone.get_by_role("list", name="Before the edits")).to_have_text("It drips")
    await expect(box).to_have_value("")


async def test_sample_files_are_sent_from_the_attach_menu(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await person.attach("Sample photo")
    await person.attach("Sample album")
    await person.attach("Sample voice note")
    await sim.until(lambda: len(bot.updates) == 5)
    album = [update["message"].get("media_group_id") for update in bot.updates[1:4]]
    assert len(set(album)) == 1
    assert album[0]
    await expect(person.phone.get_by_role("button", name="Photo, enlarge")).to_have_count(4)
    await expect(person.phone.get_by_role("button", name="Play voice note")).to_be_visible()


async def test_a_local_file_is_sent_with_the_text_as_its_caption(
    person: Person, bot: ScriptedBot, sim: Simulator, tmp_path: Path
) -> None:
    bill = tmp_path / "bill.pdf"
    bill.write_bytes(b"%PDF-1.4 a bill")
    await person.phone.get_by_role("textbox", name="Message").fill("My bill")
    async with person.page.expect_file_chooser() as chosen:
        await person.attach("Document")
    await (await chosen.value).set_files(bill)
    await sim.until(lambda: bool(bot.updates))
    message = bot.updates[0]["message"]
    assert (message["document"]["file_name"], message["caption"]) == ("bill.pdf", "My bill")
    await expect(person.phone.get_by_role("link", name=re.compile("bill.pdf"))).to_be_visible()


async def test_an_edit_by_the_bot_removes_its_buttons(
    person: Person, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    sent = await bot.send(anna, "Shall I send it?", ["Send", "Change"])
    await person.sees_message("Shall I send it?")
    await bot.telegram(
        "editMessageText", chat_id=anna, message_id=sent["message_id"], text="Sent, thank you."
    )
    await person.sees_message("Sent, thank you.")
    await expect(person.phone.get_by_role("button", name="Change", exact=True)).to_have_count(0)


async def test_an_alert_of_the_bot_opens_a_dialog(
    person: Person, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    async def refuse(update: dict[str, Any]) -> None:
        if press := update.get("callback_query"):
            await bot.telegram(
                "answerCallbackQuery", callback_query_id=press["id"], text="Too late", show_alert=True
            )

    bot.on_update = refuse
    await bot.send(anna, "Accept?", ["Yes"])
    await person.sees_message("Accept?")
    await person.press("Yes")
    dialog = person.page.get_by_role("dialog").filter(has_text="Too late")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="OK").click()
    await expect(dialog).to_have_count(0)


async def test_a_customer_can_be_added_with_name_and_language(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await person.add_customer("Mehmet", "Türkçe")
    await person.write("Sayaç damlıyor")
    await sim.until(lambda: bool(bot.updates))
    sender = bot.updates[0]["message"]["from"]
    assert (sender["first_name"], sender["language_code"]) == ("Mehmet", "tr")


async def test_markup_in_a_message_is_shown_as_text(
    person: Person, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await bot.send(anna, "<img src=x onerror=alert(1)> & <b>bold</b>")
    await person.sees_message("<img src=x onerror=alert(1)> & <b>bold</b>")


async def test_a_draft_survives_new_messages_and_a_switch_of_customer(
    person: Person, page: Page, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    box = person.phone.get_by_role("textbox", name="Message")
    await box.press_sequentially("Half a ")
    await bot.send(anna, "Are you there?")
    await person.sees_message("Are you there?")
    await expect(box).to_be_focused()
    await page.keyboard.type("sentence")
    await expect(box).to_have_value("Half a sentence")
    await person.add_customer("Tom", "English")
    await expect(box).to_have_value("")
    await person.switch_to_customer("Anna")
    await expect(box).to_have_value("Half a sentence")


async def test_a_customer_with_unread_messages_is_marked_until_opened(
    person: Person, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await person.write("Hello")
    await person.add_customer("Tom", "English")
    await bot.send(anna, "An answer")
    chip = person.page.get_by_role("button", name=re.compile("^Anna · en"))
    await expect(chip).to_contain_text("unread")
    await person.switch_to_customer("Anna")
    await expect(chip).not_to_contain_text("unread")


async def test_a_customer_among_sixty_can_be_found_by_name(person: Person, sim: Simulator) -> None:
    for number in range(60):
        sim.customer(f"Person {number}", language="en")
    await person.switch_to_customer("Person 47")
    await person.write("Hello from 47")
    await person.sees_message("Hello from 47")


async def test_quick_messages_arrive_in_the_order_written(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    words = [f"Line {number}" for number in range(8)]
    for text in words:
        await person.write(text)
    await sim.until(lambda: len(bot.updates) == len(words))
    assert [update["message"]["text"] for update in bot.updates] == words
