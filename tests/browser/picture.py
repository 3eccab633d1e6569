"""The picture of the page in the README: `python -m tests.browser.picture` draws docs/page.png."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from amends.demo.past_file import ensure_current
from amends.demo.run import staged
from tests.browser.conftest import QUIET, chromium
from tests.browser.person import Person

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
STORY = (
    "There has been no water in our street since Monday. Two callers were told it was fixed. "
    "The taps are still dry."
)
NOTE = "Called the depot: the valve is closed. A van with bottles leaves at six."


async def set_up(page: Page) -> None:
    """File a complaint on the phone, and open its thread at the desk."""
    person = Person(page)
    await person.add_customer("Grace Hill", "English")
    await person.write(STORY)
    await person.sees_message("Your reference is")
    await person.attach("Sample photo")
    await person.press("Done")
    await person.sees_message("Is it this?")
    await person.press("No")
    await person.sees_message("Where did it happen")
    await person.write("14 Mill Lane, since Monday morning")
    await person.sees_message("What would put this right")
    await person.write("Water again, and bottles brought to the door until then")
    await person.sees_message("This is what I wrote down")
    await person.press("Send")
    await person.sees_message("We have your complaint")
    reference = await person.reads_reference()
    card = person.card(reference)
    await expect(card).to_contain_text("Proposed", timeout=90_000)
    await person.press_on_card(reference, "Take")
    await expect(card).to_contain_text("Alice")
    await person.choose_on_card(reference, "More", "Note")
    await person.fill("Note (stays inside)", NOTE)
    await person.confirm("Save")
    await card.get_by_role("button", name=re.compile("in the thread")).click()
    await expect(person.thread.get_by_role("article").filter(has_text="Note added")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(4000)  # Notices fade and pictures load.


async def draw() -> None:
    """Draw the filled demo in light colours, 1,440 by 860 pixels."""
    async with async_playwright() as playwright, staged(past=True) as stage:
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
    ensure_current()
    asyncio.run(draw())
