"""Chromium for the page's tests, and the page of a simulator."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from simulator import Simulator
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str:
    """Return the path of Chromium or Chrome. Without one, fail on CI and skip elsewhere."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = "no Chromium or Chrome on PATH: the page was not tested in a browser"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=QUIET)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A new window of 1,280 by 820 pixels; an error in the page's scripts fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 820}, timezone_id="Europe/London")
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="session")
async def bot(sim: Simulator) -> AsyncIterator[ScriptedBot]:
    async with ScriptedBot(sim) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def person(page: Page, sim: Simulator) -> Person:
    """A person at the page of a simulator with one customer, Anna."""
    sim.customer("Anna", language="en")
    await page.goto(sim.url)
    await page.get_by_role("region", name="Phone of Anna").wait_for()
    return Person(page)


@pytest_asyncio.fixture(loop_scope="session")
async def anna(person: Person, bot: ScriptedBot, sim: Simulator) -> int:
    """The id of Anna, who has started the chat: a bot may not write first."""
    await sim.customer("Anna").says("Hello")
    await sim.until(lambda: bool(bot.updates))
    bot.updates.clear()
    await person.sees_message("Hello")
    return int(sim.customer("Anna").id)
