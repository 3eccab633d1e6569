"""What a person does at the page, by visible labels alone; every act is counted.

No CSS selector, id or test hook is used: what cannot be reached by role and label here cannot be reached by a
person with a keyboard or a screen reader either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.async_api import Locator, Page, expect

# Filling several fields of one dialogue is one act per field; looking is free.
Acts = list[str]


@dataclass
class Hands:
    """One person at one page; `acts` tells what was done, in order."""

    page: Page
    acts: Acts = field(default_factory=list)

    @property
    def phone(self) -> Locator:
        return self.page.get_by_role("region", name=re.compile("^Phone"))

    @property
    def desk(self) -> Locator:
        return self.page.get_by_role("region", name=re.compile("^Workspace"))

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def modal(self) -> Locator:
        """The view on top; only that one is a dialogue of the desk."""
        return self.desk.get_by_role("dialog")

    # At the phone

    async def add_customer(self, name: str, language: str) -> None:
        self.acts.append(f"add {name}, {language}")
        await self.page.get_by_role("button", name="Add a customer").click()
        form = self.page.get_by_role("dialog", name="Add a customer")
        await form.get_by_label("Name").fill(name)
        await form.get_by_label("Language").select_option(label=language)
        await form.get_by_role("button", name="Add customer").click()
        await expect(self.page.get_by_role("region", name=f"Phone of {name}")).to_be_visible()

    async def take_phone_of(self, name: str) -> None:
        self.acts.append(f"phone of {name}")
        group = self.page.get_by_role("group", name="Customer", exact=True)
        await self._pick(group, name)
        await expect(self.page.get_by_role("region", name=f"Phone of {name}")).to_be_visible()

    async def write(self, text: str) -> None:
        self.acts.append(f"write {text[:20]}")
        box = self.phone.get_by_role("textbox", name="Message")
        await box.fill(text)
        await box.press("Enter")

    async def press(self, label: str) -> None:
        """A button under the bot's messages; the newest that carries the label."""
        self.acts.append(f"press {label}")
        answers = self.phone.get_by_role("group", name="Answers")
        await answers.get_by_role("button", name=label, exact=True).last.click()

    async def attach(self, what: str) -> None:
        self.acts.append(f"attach {what}")
        await self.phone.get_by_role("button", name="Attach").click()
        await self.page.get_by_role("menuitem", name=what).click()

    async def hears(self, text: str, *, seconds: float = 15) -> None:
        """Wait until a message with this text stands in the chat; looking is no act."""
        message = self.phone.get_by_role("article").filter(has_text=text).last
        await expect(message).to_be_visible(timeout=seconds * 1000)

    # At the desk

    async def sit_as(self, name: str) -> None:
        self.acts.append(f"sit as {name}")
        await self._pick(self.page.get_by_role("group", name="Staff member", exact=True), name)
        await expect(self.page.get_by_role("region", name=f"Workspace of {name}")).to_be_visible()

    async def go_to(self, place: str) -> None:
        self.acts.append(f"go to {place}")
        await (
            self.desk.get_by_role("navigation")
            .get_by_role("button", name=re.compile(f"^{re.escape(place)}"))
            .click()
        )

    def card(self, name: str) -> Locator:
        """The newest card whose name contains this, usually the reference."""
        return self.desk.get_by_role("article", name=name).last

    async def press_on(self, card: str, label: str) -> None:
        self.acts.append(f"press {label} on {card}")
        await self.card(card).get_by_role("button", name=label, exact=True).click()

    async def choose_on(self, card: str, label: str, option: str) -> None:
        self.acts.append(f"choose {option} on {card}")
        await self.card(card).get_by_label(label, exact=True).select_option(label=option)

    async def fill(self, label: str, value: str) -> None:
        """A text, number, date or time field of the open modal."""
        self.acts.append(f"fill {label}")
        await self.modal.get_by_label(label, exact=True).fill(value)

    async def choose(self, label: str, option: str) -> None:
        """A select, radio buttons or checkboxes of the open modal."""
        self.acts.append(f"choose {label}: {option}")
        control = self.modal.get_by_label(label, exact=True)
        if await control.evaluate("element => element.tagName") == "SELECT":
            await control.select_option(label=option)
        else:
            await control.get_by_label(option, exact=True).check()

    async def confirm(self, label: str) -> None:
        """A button of the open modal: its submit, its close, or one inside."""
        self.acts.append(f"confirm {label}")
        await self.modal.get_by_role("button", name=label, exact=True).click()

    # Above both

    async def move_clock(self, label: str) -> None:
        self.acts.append(f"clock {label}")
        clock = self.page.get_by_role("group", name="Clock")
        before = await clock.get_by_role("time").get_attribute("datetime")
        await clock.get_by_role("button", name=label).click()
        await expect(clock.get_by_role("time")).not_to_have_attribute(
            "datetime", before or "", timeout=60_000
        )
        await expect(clock.get_by_role("button", name="+1 h")).to_be_enabled(timeout=60_000)

    async def switch(self, label: str) -> None:
        self.acts.append(f"switch {label}")
        await self.page.get_by_role("switch", name=label).click()

    async def _pick(self, group: Locator, name: str) -> None:
        chip = group.get_by_role("button", name=re.compile(f"^{re.escape(name)} ·"))
        # The very first drawing may still be under way.
        await expect(group.get_by_role("button").first).to_be_visible()
        if await chip.count() == 0:
            await group.get_by_role("button", name=re.compile("^All ")).click()
            layer = self.page.get_by_role("dialog", name=re.compile("^All "))
            await layer.get_by_role("searchbox").fill(name)
            chip = layer.get_by_role("button", name=re.compile(f"^{re.escape(name)} ·"))
        await chip.first.click()
