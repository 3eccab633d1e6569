"""What a person does on the page, by visible labels alone; every action is counted.

No CSS selector, id or test hook is used: a person with a keyboard or a screen reader cannot reach more than these
roles and labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.async_api import Locator, Page, expect

SLOWEST_MOVE = 60_000  # Milliseconds in which everything that falls due is done.


@dataclass
class Person:
    """One person at one page; `acts` holds every click, key and filled field, in order. Looking is not counted."""

    page: Page
    acts: list[str] = field(default_factory=list)

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
        """The view on top; only that one is a dialog."""
        return self.desk.get_by_role("dialog")

    # On the phone.

    async def add_customer(self, name: str, language: str) -> None:
        await self._click(self.page.get_by_role("button", name="Add a customer"))
        form = self.page.get_by_role("dialog", name="Add a customer")
        await self._fill(form.get_by_label("Name"), name)
        await self._select(form.get_by_label("Language"), language)
        await self._click(form.get_by_role("button", name="Add customer"))
        await expect(self.page.get_by_role("region", name=f"Phone of {name}")).to_be_visible()

    async def switch_to_customer(self, name: str) -> None:
        await self._pick(self.page.get_by_role("group", name="Customer", exact=True), name)
        await expect(self.page.get_by_role("region", name=f"Phone of {name}")).to_be_visible()

    async def write(self, text: str) -> None:
        box = self.phone.get_by_role("textbox", name="Message")
        await self._fill(box, text)
        await self._key(box, "Enter")

    async def press(self, label: str) -> None:
        """Press a button below the bot's messages, the newest with this label."""
        answers = self.phone.get_by_role("group", name="Answers")
        await self._click(answers.get_by_role("button", name=label, exact=True).last)

    async def attach(self, entry: str) -> None:
        await self._click(self.phone.get_by_role("button", name="Attach"))
        await self._click(self.page.get_by_role("menuitem", name=entry))

    async def sees_message(self, text: str, *, seconds: float = 15) -> None:
        """Wait until a message with this text is in the chat."""
        message = self.phone.get_by_role("article").filter(has_text=text).last
        await expect(message).to_be_visible(timeout=seconds * 1000)

    async def reads_reference(self) -> str:
        """The reference in the newest receipt of the chat."""
        message = (
            await self.phone.get_by_role("article").filter(has_text="Your reference is").last.inner_text()
        )
        reference = re.search(r"\b\w{3}-\w{3}-\w{2}\b", message)
        assert reference, message
        return reference.group()

    async def sees_button(self, label: str, *, seconds: float = 15) -> None:
        """Wait until the newest buttons below a message include this one."""
        newest = self.phone.get_by_role("group", name="Answers").last
        await expect(newest.get_by_role("button", name=label, exact=True)).to_be_visible(
            timeout=seconds * 1000
        )

    # At the desk.

    async def act_as(self, name: str) -> None:
        await self._pick(self.page.get_by_role("group", name="Staff member", exact=True), name)
        await expect(self.page.get_by_role("region", name=f"Workspace of {name}")).to_be_visible()

    async def open_place(self, place: str) -> None:
        """Open the home, a channel or a direct conversation."""
        places = self.desk.get_by_role("navigation")
        await self._click(
            places.get_by_role("button", name=re.compile(rf"^{re.escape(place)}( \d+ unread)?$"))
        )

    def card(self, name: str) -> Locator:
        """The newest card whose name contains this, usually the reference; no message to this person alone."""
        cards = self.desk.get_by_role("article", name=name)
        return cards.and_(self.desk.locator(":not(.ephemeral)")).last

    async def press_on_card(self, card: str, label: str) -> None:
        await self._click(self.card(card).get_by_role("button", name=label, exact=True))

    async def open_form(self, card: str, label: str) -> None:
        """Press the button that opens a form; press again if none opens.

        A card that is redrawn during a press ignores it, which happens on a busy machine and counts as one act.
        """
        await self.press_on_card(card, label)
        try:
            await expect(self.modal).to_have_count(1, timeout=15_000)
        except AssertionError:
            await self.press_on_card(card, label)
            self.acts.pop()
            await expect(self.modal).to_have_count(1, timeout=15_000)

    async def choose_on_card(self, card: str, label: str, option: str) -> None:
        await self._select(self.card(card).get_by_label(label, exact=True), option)

    async def fill(self, label: str, value: str) -> None:
        """Fill a text, number, date or time field of the open modal."""
        await self._fill(self.modal.get_by_label(label, exact=True), value)

    async def choose(self, label: str, option: str) -> None:
        """Choose in a select, radio buttons or checkboxes of the open modal."""
        control = self.modal.get_by_label(label, exact=True)
        if await control.evaluate("element => element.tagName") == "SELECT":
            await self._select(control, option)
        else:
            self.acts.append(f"tick {option}")
            await control.get_by_label(option, exact=True).check()

    async def confirm(self, label: str) -> None:
        """Press a button of the open modal: its submit, its close, or one inside."""
        await self._click(self.modal.get_by_role("button", name=label, exact=True))

    # In the header.

    async def move_clock(self, label: str) -> None:
        """Press +1 h, +1 day or To next due, and wait until what fell due is done."""
        clock = self.page.get_by_role("group", name="Clock")
        before = await clock.get_by_role("time").get_attribute("datetime")
        await self._click(clock.get_by_role("button", name=label))
        await expect(clock.get_by_role("time")).not_to_have_attribute(
            "datetime", before or "", timeout=SLOWEST_MOVE
        )
        await expect(clock.get_by_role("button", name="+1 h")).to_be_enabled(timeout=SLOWEST_MOVE)

    async def switch(self, label: str) -> None:
        await self._click(self.page.get_by_role("switch", name=label))

    # One counted action each.

    async def _click(self, target: Locator) -> None:
        self.acts.append(f"click {target}")
        await target.click()

    async def _fill(self, target: Locator, text: str) -> None:
        self.acts.append(f"fill {target}")
        await target.fill(text)

    async def _key(self, target: Locator, key: str) -> None:
        self.acts.append(f"{key} in {target}")
        await target.press(key)

    async def _select(self, target: Locator, option: str) -> None:
        self.acts.append(f"select {option} in {target}")
        await target.select_option(label=option)

    async def _pick(self, group: Locator, name: str) -> None:
        chip = group.get_by_role("button", name=re.compile(f"^{re.escape(name)} ·"))
        # The page may still be drawing for the first time.
        await expect(group.get_by_role("button").first).to_be_visible()
        if await chip.count() == 0:
            await self._click(group.get_by_role("button", name=re.compile("^All ")))
            layer = self.page.get_by_role("dialog", name=re.compile("^All "))
            await self._fill(layer.get_by_role("searchbox"), name)
            chip = layer.get_by_role("button", name=re.compile(f"^{re.escape(name)} ·"))
        await self._click(chip.first)
