"""The page's header (clock and switches), narrow windows, dark colours and use by keyboard alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from simulator import Simulator
from tests.browser.blocks import CHANNEL, a_card
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


class ManualClock:
    """A clock that a test moves; one obligation falls due five hours after its start."""

    zone = "Europe/London"

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 24, 10, 42, tzinfo=UTC)
        self._due = self._now + timedelta(hours=5)

    def now(self) -> datetime:
        return self._now

    def next_due(self) -> tuple[str, datetime] | None:
        return ("assess A7K-M3Q-9T", self._due) if self._now < self._due else None

    async def advance(self, by: timedelta) -> None:
        await asyncio.sleep(0.2)
        self._now += by

    async def to_next_due(self) -> None:
        await self.advance(self._due - self._now)


async def test_the_clock_moves_by_an_hour_a_day_and_to_the_next_due_time(page: Page) -> None:
    async with Simulator(clock=ManualClock()) as sim:
        await page.goto(sim.url)
        person = Person(page)
        clock = page.get_by_role("group", name="Clock")
        await expect(clock.get_by_role("time")).to_have_text("Tue 24 Nov 2026, 10:42")
        await person.move_clock("+1 h")
        await expect(clock.get_by_role("time")).to_have_text("Tue 24 Nov 2026, 11:42")
        due = clock.get_by_role("button", name="To next due: assess A7K-M3Q-9T, today 15:42")
        await due.click()
        await expect(clock.get_by_role("time")).to_have_text("Tue 24 Nov 2026, 15:42")
        await expect(clock.get_by_role("button", name="To next due")).to_be_disabled()
        await person.move_clock("+1 day")
        await expect(clock.get_by_role("time")).to_have_text("Wed 25 Nov 2026, 15:42")


async def test_the_clock_buttons_are_disabled_with_a_reason_in_real_time(person: Person) -> None:
    button = person.page.get_by_role("button", name="+1 day")
    await expect(button).to_be_disabled()
    await expect(button).to_have_attribute(
        "title", "This world runs in real time: its clock cannot be moved."
    )


async def test_a_message_written_while_telegram_is_down_is_shown_as_waiting(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await person.switch("Telegram down")
    await expect(person.page.get_by_role("switch", name="Telegram down")).to_be_checked()
    await person.write("Hello?")
    await expect(
        person.page.get_by_role("status").filter(has_text="Telegram is down: the message waits")
    ).to_be_visible()
    await expect(person.phone.get_by_role("img", name="sent, waiting for the bot")).to_be_visible()
    assert bot.updates == []
    await person.switch("Telegram down")
    await sim.until(lambda: bool(bot.updates))
    await expect(person.phone.get_by_role("img", name="taken by the bot")).to_be_visible(timeout=10_000)


async def test_the_workspace_shows_that_slack_is_down(person: Person) -> None:
    await person.switch("Slack down")
    await expect(person.desk.get_by_text("Slack is down")).to_be_visible()
    await person.switch("Slack down")
    await expect(person.desk.get_by_text("Slack is down")).to_have_count(0)


async def test_a_customer_who_blocks_the_bot_can_unblock_it(person: Person, sim: Simulator) -> None:
    await person.switch("Anna blocks the bot")
    await expect(person.phone.get_by_role("textbox", name="Message")).to_have_count(0)
    await person.phone.get_by_role("button", name="Unblock").click()
    await expect(person.page.get_by_role("switch", name="Anna blocks the bot")).not_to_be_checked()
    await expect(person.phone.get_by_role("textbox", name="Message")).to_be_visible()


async def test_a_refusal_by_the_simulator_is_shown_as_an_alert(person: Person, page: Page) -> None:
    await page.route(
        "**/page/customers/*/text",
        lambda route: route.fulfill(
            status=409, json={"ok": False, "error": "This message is too long for Telegram."}
        ),
    )
    await person.write("Hello")
    await expect(
        page.get_by_role("alert").filter(has_text="This message is too long for Telegram.")
    ).to_be_visible()
    await expect(person.phone.get_by_role("textbox", name="Message")).to_have_value("Hello")


async def test_every_control_has_an_accessible_name(person: Person, page: Page, bot: ScriptedBot) -> None:
    await bot.slack("chat.postMessage", channel=CHANNEL, text="Complaint", blocks=a_card())
    await expect(person.card("A7K")).to_be_visible()
    tree = await page.locator("body").aria_snapshot()
    controls = ("button", "textbox", "combobox", "switch", "searchbox", "link", "dialog", "article", "region")
    nameless = [
        line for line in tree.splitlines() if line.strip().rstrip(":") in {f"- {role}" for role in controls}
    ]
    assert nameless == []


async def test_buttons_and_menus_work_by_keyboard_alone(
    person: Person, page: Page, bot: ScriptedBot, sim: Simulator, anna: int
) -> None:
    await bot.send(anna, "Ready?", ["Yes", "No"])
    await person.sees_message("Ready?")
    await person.phone.get_by_role("button", name="Yes").focus()
    await page.keyboard.press("Enter")
    await sim.until(lambda: bool(bot.updates))
    await person.phone.get_by_role("button", name="Attach").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem").nth(1)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(person.phone.get_by_role("button", name="Attach")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_control_is_cut_off_in_a_window_of_1100_pixels(
    browser: Browser, sim: Simulator, bot: ScriptedBot, scheme: str
) -> None:
    sim.customer("Anna", language="en")
    sent = await bot.slack("chat.postMessage", channel=CHANNEL, text="Complaint", blocks=a_card())
    await bot.slack("chat.postMessage", channel=CHANNEL, text="Received.", thread_ts=sent["ts"])
    context = await browser.new_context(viewport={"width": 1100, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(sim.url)
    await page.get_by_role("button", name="1 reply").click()
    await page.get_by_role("complementary", name="Thread").wait_for()
    cut = await page.evaluate("""() => [...document.querySelectorAll("button, select, textarea")]
        .filter((control) => control.checkVisibility() && control.getBoundingClientRect().right > innerWidth)
        .map((control) => control.textContent)""")
    wide = await page.evaluate("document.documentElement.scrollWidth")
    background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    await context.close()
    assert (cut, wide) == ([], 1100)
    assert background == {"light": "rgb(238, 241, 243)", "dark": "rgb(17, 22, 27)"}[scheme]


async def test_the_page_shows_a_lost_simulator_and_reconnects(person: Person, page: Page) -> None:
    await page.route("**/page/state*", lambda route: route.abort())
    await page.route("**/page/customers/**", lambda route: route.abort())
    await person.write("Are you there?")
    lost = page.get_by_role("alert").filter(has_text="The simulator does not answer.")
    await expect(lost).to_be_visible()
    await expect(person.phone.get_by_role("textbox", name="Message")).to_have_value("Are you there?")
    await page.unroute_all()
    await person.phone.get_by_role("button", name="Send").click()
    await person.sees_message("Are you there?")
    await expect(person.desk.get_by_text("The simulator does not answer")).to_have_count(0)


async def test_an_address_from_an_earlier_simulator_shows_the_current_one(page: Page, sim: Simulator) -> None:
    sim.customer("Anna", language="en")
    await page.goto(f"{sim.url}/#customer=77&staff=U0999999&channel=C0999999&thread=1.1")
    await expect(page.get_by_role("region", name="Phone of Anna")).to_be_visible()
    await expect(page.get_by_role("region", name="Workspace of Alice")).to_be_visible()
    await expect(page.get_by_role("log", name="complaints")).to_be_visible()
