"""The public page in a browser: WCAG 2.2 AA by axe, keyboard, 320 pixels, dark colours, nothing from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import Browser

from amends.public_page import public_page
from amends.runtime.web import web_app
from bots.texts.catalogues import load_catalogues
from complaints.rulebook import RecourseStep, Rulebooks
from tests.browser.accessibility import violations
from tests.edges.serving import serving_app
from tests.rules.builders import RULES

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANGUAGES = ("en", "tr", "de", "es")
TEXTS = load_catalogues(LANGUAGES)
LONG = "Rechtsschutzversicherungsgesellschaften-Schlichtungsstelle"
BODIES = (
    RecourseStep(LONG, "ombudsman.example/a-very-long-address-of-a-complaint-form, help@ombudsman.example"),
)
BOOKS = Rulebooks(
    replace(RULES, languages=LANGUAGES, recourse=BODIES, jurisdictions=("TR",)),
    {"TR": replace(RULES, country="TR", languages=("tr",))},
)
SMALL_TARGETS = """() => [...document.querySelectorAll("nav a, a.open")].map((link) => link.getBoundingClientRect())
    .filter((box) => box.width < 24 || box.height < 24).length"""
FOCUSED = """() => { const style = getComputedStyle(document.activeElement);
    return [document.activeElement.href, style.outlineStyle, parseFloat(style.outlineWidth)]; }"""


async def _nothing() -> tuple[bool, dict[str, object]]:
    return True, {}


async def _figures() -> str:
    return ""


async def test_the_public_page_is_accessible_in_every_language_width_and_colour_scheme(
    browser: Browser,
) -> None:
    def page_of(country: str | None, languages: object) -> str:
        return public_page(BOOKS, TEXTS, country=country, languages=languages, bot="desk_bot")  # type: ignore[arg-type]

    app = web_app(page=page_of, readiness=_nothing, metrics=_figures, hooks={})
    async with serving_app(app) as address:
        for scheme, width in (("light", 1280), ("dark", 320)):
            context = await browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="de-AT",
            )
            page = await context.new_page()
            requests: list[str] = []
            page.on("request", lambda request, requests=requests: requests.append(request.url))
            for language in LANGUAGES:
                await page.goto(f"{address}/?lang={language}")
                assert await page.get_attribute("html", "lang") == language
                assert await violations(page) == []
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                assert await page.evaluate(SMALL_TARGETS) == 0
            assert {url for url in requests if not url.startswith(address)} == set()
            await page.goto(address)
            assert await page.get_attribute("html", "lang") == "de"
            reached = []
            for _ in range(await page.locator("a").count()):
                await page.keyboard.press("Tab")
                href, outline, outline_width = await page.evaluate(FOCUSED)
                assert (outline, outline_width >= 2) == ("solid", True)
                reached.append(href)
            assert "https://t.me/desk_bot" in reached
            await context.close()
