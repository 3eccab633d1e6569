"""One life of a complaint through the wire: what its complainant writes and presses, and what its handler does.

Both act as soon as what they wait for is on their screen; the seconds of each wait are kept by its name.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from complaints.event_facts import TAKE_BACK_SECONDS
from simulator import Simulator
from simulator.colleague import StaffMember
from simulator.customer import Customer
from simulator.screen import Card

CHANNEL = "C0000001"
#: What is waited for, in the order of a life. `press` and `submit` end with the acknowledgement in Slack.
WAITS = (
    "prompt", "next question", "acknowledgement", "card", "press", "form", "submit", "card drawn again",
    "decision letter", "receipt of the answer", "closing", "survey question", "next survey question",
)  # fmt: skip
#: What the form asks for that the story does not say; every other question has one of these buttons.
DETAIL = "Account 8841207, on 3 November"
BUTTONS = ("Send", "Done", "Money back")
CAUSE = "The payment file was read twice."
ASSESSMENT = {
    "category": "money", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
    "immediate_needed": "no",
}  # fmt: skip
RESOLUTION = {
    "done": "We sent the second payment back to your card today.", "amount": "27.50", "type": "refund",
    "finding": "upheld", "cause": CAUSE, "cause_class": "single", "others_affected": "none",
    "agreed_how": "She asked for the money back in her complaint.",
}  # fmt: skip
CLOSING = {"root_cause": CAUSE, "cause_class": "single"}
REFERENCE = re.compile(r"Your reference is (\S+)\.")

T = TypeVar("T")


class Screens:
    """What people see in the simulator; one task looks after each change for all who wait."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.cards: dict[str, Card] = {}
        self._posts_read = 0
        self._waiting: dict[asyncio.Future[Any], Callable[[], Any]] = {}

    async def watch(self) -> None:
        """Wake those whose condition became true, until cancelled."""
        changes = self.simulator.world.changes
        while True:
            version = changes.version
            self._read_posts()
            for future, condition in list(self._waiting.items()):
                if not future.done() and (result := condition()):
                    future.set_result(result)
            await changes.wait_for_newer(version, None)

    def _read_posts(self) -> None:
        channel = self.simulator.world.slack.channels[CHANNEL]
        for post in channel.posts[self._posts_read :]:
            key = (post.metadata or {}).get("event_payload", {}).get("key", "")
            self.cards[key] = Card(self.simulator.world, channel, post)
        self._posts_read = len(channel.posts)

    async def until(self, condition: Callable[[], T | None]) -> T:
        """The first true value of the condition."""
        if result := condition():
            return result
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting[future] = condition
        try:
            return await future
        finally:
            del self._waiting[future]


class Life:
    """A complaint that arrives at `due`, in monotonic seconds; `handler` works for its holder alone."""

    def __init__(
        self, screens: Screens, customer: Customer, handler: StaffMember, lock: asyncio.Lock, due: float
    ) -> None:
        self.screens, self.customer, self.handler, self.due = screens, customer, handler, due
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.is_finished = False
        self._lock = lock
        self._card: Card

    async def run(self, story: str) -> None:
        """Live from the story to the first answer of the survey."""
        ref = await self._complain(story)
        self._card = await self._wait("card", lambda: self.screens.cards.get(f"card:{ref}"))
        async with self._lock:
            await self._press("Take")
            await self._wait("card drawn again", lambda: "Take" not in self._card.buttons)
            await self._fill("Assess", ASSESSMENT)
            await self._wait("card drawn again", lambda: "Resolve" in self._card.buttons)
            await self._fill("Resolve", RESOLUTION)
            await self._submit()
        await self._hear("decision letter", "our decision", later=TAKE_BACK_SECONDS)
        await self._answer("I accept")
        await self._hear("receipt of the answer", "You have accepted")
        async with self._lock:
            await self.screens.until(lambda: "Close" in self._card.buttons)
            await self._fill("Close", CLOSING)
            await self._submit()
        await self._hear("closing", "is now closed", later=TAKE_BACK_SECONDS)
        await self._hear("survey question", "six short questions")
        await self._answer("5")
        await self._hear("next survey question")
        self.is_finished = True

    async def _complain(self, story: str) -> str:
        """Tell it, answer the questions, and send it; the reference."""
        self._read = self._length()
        await self.customer.says(story)
        self._since = self.due
        text = await self._hear("prompt")
        ref = REFERENCE.search(text)
        assert ref is not None, text
        while True:
            shown = self.customer.buttons
            button = next((button for button in BUTTONS if button in shown), "")
            await self._answer(button)
            text = await self._hear("acknowledgement" if button == "Send" else "next question")
            if button == "Send":
                return ref[1]

    async def _answer(self, button: str) -> None:
        """Press the button in Telegram, or tell the detail where there is none."""
        self._read, self._since = self._length(), time.monotonic()
        if button:
            await self.customer.presses(button)
        else:
            await self.customer.says(DETAIL)

    def _length(self) -> int:
        return len(self.screens.simulator.world.telegram.chats[self.customer.id])

    async def _hear(self, name: str, fragment: str = "", *, later: float = 0.0) -> str:
        """Wait for a message of the bot with this text, which is due `later` seconds after the last act."""
        chat = self.screens.simulator.world.telegram.chats[self.customer.id]

        def text() -> str | None:
            messages = (message for message in chat[self._read :] if message.outgoing)
            return next((message.text for message in messages if fragment in message.text), None)

        return await self._wait(name, text, later=later)

    async def _wait(self, name: str, condition: Callable[[], T | None], *, later: float = 0.0) -> T:
        result = await self.screens.until(condition)
        now = time.monotonic()
        self.seconds[name].append(now - self._since - later)
        self._since = now
        return result

    async def _press(self, label: str) -> None:
        self._since = time.monotonic()
        await self.handler.presses(self._card, label)
        self.seconds["press"].append(time.monotonic() - self._since)

    async def _fill(self, label: str, values: Mapping[str, str]) -> None:
        """Open the form of this button, fill it in, and submit it."""
        await self._press(label)
        await self._wait("form", lambda: self.handler.member.views)
        await self.handler.fills(dict(values))
        await self._submit()

    async def _submit(self) -> None:
        self._since = time.monotonic()
        await self.handler.submits()
        self.seconds["submit"].append(time.monotonic() - self._since)
