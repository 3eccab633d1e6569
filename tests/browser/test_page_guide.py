"""The demo page for a newcomer: the guide, the bot's description in an empty chat, PDFs, and WCAG 2.2 AA by axe."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from simulator import Simulator
from tests.browser.accessibility import violations
from tests.browser.blocks import CHANNEL, a_card
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_guide_is_shown_first_and_stays_hidden_once_it_was_read(person: Person, page: Page) -> None:
    steps = page.get_by_role("region", name="Start here")
    await expect(steps.get_by_role("listitem")).to_have_count(4)
    await steps.get_by_role("button", name="Hide this").click()
    await expect(steps).to_have_count(0)
    await page.reload()
    await page.get_by_role("region", name="Phone of Anna").wait_for()
    await expect(steps).to_have_count(0)
    await page.get_by_role("button", name="Start here").click()
    await expect(steps).to_be_visible()


async def test_an_empty_chat_shows_the_bots_description_in_the_customers_language(
    person: Person, bot: ScriptedBot
) -> None:
    await bot.telegram("setMyDescription", description="Tell us what went wrong.")
    await bot.telegram("setMyDescription", description="Bize yazın.", language_code="tr")
    await expect(person.phone.get_by_text("Tell us what went wrong.")).to_be_visible()
    await person.add_customer("Elif", "Türkçe")
    await expect(person.phone.get_by_text("Bize yazın.")).to_be_visible()


async def test_a_person_who_has_not_written_yet_is_shown_first(page: Page, sim: Simulator) -> None:
    for number in range(9):
        sim.customer(f"Person {number}", language="en").remembers(
            "A bill", from_bot=False, at=sim.clock_now()
        )
    sim.customer("Anna", language="en")
    sim.customer("Elif", language="tr")
    await page.goto(sim.url)
    await expect(page.get_by_role("region", name="Phone of Anna")).to_be_visible()
    customers = page.get_by_role("group", name="Customer", exact=True)
    await expect(customers.get_by_role("button", name="Elif · tr")).to_be_visible()


async def test_the_demo_page_breaks_no_rule_of_accessibility(
    browser: Browser, bot: ScriptedBot, sim: Simulator
) -> None:
    anna = sim.customer("Anna", language="en")
    await anna.says("Hello")
    await anna.sends_voice(seconds=3)
    await anna.sends_photo(caption="The bill")
    await anna.sends_document("bill.pdf", b"%PDF-1.4", caption="The bill")
    await sim.until(lambda: len(bot.updates) == 4)
    await bot.send(int(anna.id), "Ready?", ["Yes", "No"])
    await bot.slack("chat.postMessage", channel=CHANNEL, text="Complaint", blocks=a_card())
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": 1280, "height": 820},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        page = await context.new_page()
        await page.goto(sim.url)
        person = Person(page)
        await person.sees_message("Ready?")
        await expect(person.card("A7K")).to_be_visible()
        assert await violations(page) == []
        await person.phone.get_by_role("button", name="Read", exact=True).click()
        await expect(page.get_by_role("dialog", name="bill.pdf")).to_be_visible()
        await page.keyboard.press("Escape")
        await context.close()
