"""The picture of the page in the README: `python -m tests.browser.picture` draws docs/page.png again."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from amends.demo.run import staged
from tests.browser.conftest import QUIET, chromium
from tests.browser.hands import Hands

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
PAST = 60
STORY = (
    "There has been no water in our street since Monday. Two callers were told it was fixed. "
    "My mother is 81 and cannot carry bottles up the stairs."
)
NOTE = "Called the depot: the valve is closed. A van with bottles leaves at six."


async def set_up(page: Page) -> None:
    """A complaint just filed on the phone; at the desk its card among the others, and its thread open."""
    hands = Hands(page)
    await hands.add_customer("Grace Hill", "English")
    await hands.write(STORY)
    await hands.hears("Your reference is")
    await hands.attach("Sample photo")
    await hands.press("Done")
    await hands.hears("Where did it happen")
    await hands.write("14 Mill Lane, since Monday morning")
    await hands.hears("What would put this right")
    await hands.write("Water again, and bottles brought to her door until then")
    await hands.hears("This is what I wrote down")
    await hands.press("Send")
    await hands.hears("We have your complaint")
    told = await hands.phone.get_by_role("article").filter(has_text="Your reference is").last.inner_text()
    found = re.search(r"\b\w{3}-\w{3}-\w{2}\b", told)
    assert found, told
    card = hands.card(found.group())
    await expect(card).to_contain_text("Proposed", timeout=90_000)
    await hands.press_on(found.group(), "Take")
    await expect(card).to_contain_text("Alice")
    await hands.choose_on(found.group(), "More", "Note")
    await hands.fill("Note (stays inside)", NOTE)
    await hands.confirm("Save")
    await card.get_by_role("button", name=re.compile("in the thread")).click()
    await expect(hands.thread.get_by_role("article").filter(has_text="Note added")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(4000)  # Notices fade and pictures load.


async def draw() -> None:
    """Draw the pre-filled demo, light, 1,440 by 860."""
    async with async_playwright() as playwright, staged(past=PAST) as stage:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        page = await browser.new_page(
            viewport={"width": 1440, "height": 860}, color_scheme="light", timezone_id="Europe/London"
        )
        await stage.settled()
        await page.goto(stage.simulator.url)
        await set_up(page)
        await page.screenshot(path=PICTURE)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
