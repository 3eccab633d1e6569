"""Plays a story against the whole product: real bots and real HTTP, with the simulator as the two platforms."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from amends.story.script import KINDS, StoryStep
from complaints.event_facts import TAKE_BACK_SECONDS
from simulator import Simulator
from simulator.colleague import StaffMember
from simulator.customer import Customer, MessageSnapshot
from simulator.screen import Card, FormRefused, Modal, NotAcknowledged, NotVisible
from simulator.slack.people import SlackImpossible
from simulator.telegram.people import TelegramImpossible

_TAKE_BACK = timedelta(seconds=TAKE_BACK_SECONDS)


class StoryFailed(AssertionError):
    """An expectation of the story was not met; the message has the line and what was there instead."""


class StoryDesk(Protocol):
    """What a story needs from the running product."""

    async def settled(self) -> None: ...

    async def advance(self, by: timedelta) -> None: ...

    async def to_next_due(self) -> None: ...

    async def record(self, ref: str) -> Mapping[str, Any]:
        """The record as `case show --json` gives it."""
        ...

    async def figures(self) -> Mapping[str, Any]: ...


@dataclass
class _StoryChat:
    """A customer's chat in the story: the messages read before the last step, and the last message written."""

    customer: Customer
    read_count: int = 0
    written: MessageSnapshot | None = None


class Player:
    """Plays the steps of one story in order and keeps the customers' chats."""

    def __init__(
        self, simulator: Simulator, desk: StoryDesk, *, staff: Mapping[str, str], channels: Sequence[str]
    ) -> None:
        self._simulator = simulator
        self._desk = desk
        self._channels = tuple(channels)
        self._staff = {name: simulator.staff(member) for name, member in staff.items()}
        self._chats: dict[str, _StoryChat] = {}
        self._handlers: Mapping[str, Callable[[StoryStep], Awaitable[None]]] = {
            kind: getattr(self, f"_{kind}") for kind in KINDS
        }

    async def play(self, step: StoryStep) -> None:
        """Play one step. Raises StoryFailed if it cannot be done or its expectation is not met."""
        try:
            await self._handlers[step.kind](step)
        except StoryFailed as failed:
            raise StoryFailed(f"line {step.line}: {failed}") from failed
        except (
            LookupError,
            TimeoutError,
            AssertionError,
            FormRefused,
            SlackImpossible,
            TelegramImpossible,
            NotVisible,
            NotAcknowledged,
        ) as error:
            raise StoryFailed(f"line {step.line}: {step.text}\n{type(error).__name__}: {error}") from error

    # The complainant's steps.

    def _chat(self, name: str, language: str | None = None) -> _StoryChat:
        if name not in self._chats:
            self._chats[name] = _StoryChat(self._simulator.customer(name, language=language or "en"))
        return self._chats[name]

    async def _write(
        self, name: str, act: Callable[[Customer], Awaitable[object]], *, more: bool = False
    ) -> None:
        chat = self._chat(name)
        chat.read_count = len(chat.customer.heard)
        await act(chat.customer)
        if not more:
            await self._desk.settled()

    async def _says(self, step: StoryStep) -> None:
        if step.who in self._staff:
            raise StoryFailed(f"staff write by buttons, not by chat: {step.text}")
        self._chat(step.who, step.language)
        chat = self._chat(step.who)
        chat.read_count = len(chat.customer.heard)
        chat.written = await chat.customer.says(step.words)
        if not step.more:
            await self._desk.settled()

    async def _bursts(self, step: StoryStep) -> None:
        chat = self._chat(step.who)
        pause = timedelta(minutes=int(step.words)) / step.number
        chat.read_count = len(chat.customer.heard)
        for part in range(1, step.number + 1):
            await chat.customer.says(f"Part {part} of what happened with my water meter and the bill.")
            await self._desk.advance(pause)

    async def _voice(self, step: StoryStep) -> None:
        await self._write(step.who, lambda customer: customer.sends_voice(seconds=3))

    async def _photo(self, step: StoryStep) -> None:
        await self._write(step.who, lambda customer: customer.sends_photo(caption=step.words))

    async def _photos(self, step: StoryStep) -> None:
        await self._write(step.who, lambda customer: customer.sends_album(step.number))

    async def _edits(self, step: StoryStep) -> None:
        written = self._chat(step.who).written
        if written is None:
            raise StoryFailed(f"{step.who} has written nothing to edit")
        await self._write(step.who, lambda customer: customer.edits(written, step.words))

    async def _blocks(self, step: StoryStep) -> None:
        self._chat(step.who).customer.blocks()
        await self._desk.settled()

    async def _unblocks(self, step: StoryStep) -> None:
        self._chat(step.who).customer.unblocks()
        await self._desk.settled()

    async def _message(self, step: StoryStep) -> None:
        chat = self._chat(step.who)
        messages = chat.customer.heard[chat.read_count :]
        if not any(_contains(step.words, text) for text in messages):
            raise StoryFailed(f"{step.who} did not get {step.words!r} but:\n" + "\n--\n".join(messages))

    async def _message_once(self, step: StoryStep) -> None:
        texts = [text for text in self._chat(step.who).customer.heard if _contains(step.words, text)]
        if len(texts) != 1:
            raise StoryFailed(f"{step.who} got {step.words!r} {len(texts)} times, not once")

    async def _no_message(self, step: StoryStep) -> None:
        chat = self._chat(step.who)
        if any(_contains(step.words, text) for text in chat.customer.heard):
            raise StoryFailed(f"{step.who} got {step.words!r}")

    # The staff's steps.

    def _newest_card(self, member: StaffMember, name: str | None) -> Card:
        """The newest card that this member sees, or the newest card of one customer's complaint."""
        refs = self._references(name) if name else None
        cards = [card for card in self._visible_cards(member) if refs is None or _reference_of(card) in refs]
        if not cards:
            raise StoryFailed(f"{member.id} sees no card" + (f" of {name}" if name else ""))
        return max(cards, key=lambda card: float(card.ts))

    def _incident_card(self, member: StaffMember, label: str) -> Card:
        """The newest card with this button; no complaint's card has an incident's buttons."""
        cards = [card for card in self._visible_cards(member) if label in card.buttons]
        if not cards:
            raise StoryFailed(f"{member.id} sees no incident with {label!r}")
        return max(cards, key=lambda card: float(card.ts))

    def _visible_cards(self, member: StaffMember) -> list[Card]:
        channels = [channel for channel in self._channels if member.sees(channel)]
        return [card for channel in channels for card in member.channel(channel).cards if not card.gone]

    def _references(self, name: str) -> list[str]:
        """The references that this customer received, the newest last, or the newest card's if there is none."""
        chat = self._chats.get(name)
        messages = chat.customer.heard if chat is not None else []
        refs = [match for text in messages for match in _REFERENCE.findall(text)]
        if not refs:
            cards = [card for member in self._staff.values() for card in self._visible_cards(member)]
            newest = max(cards, key=lambda card: float(card.ts), default=None)
            refs = _REFERENCE.findall(newest.text) if newest is not None else []
        return list(dict.fromkeys(refs))

    async def _presses(self, step: StoryStep) -> None:
        label, _, place = step.words.partition(" on ")
        if step.who not in self._staff:
            button = step.words.removeprefix("the first ")
            oldest = button != step.words
            await self._write(
                step.who, lambda customer: customer.presses(button, oldest=oldest), more=step.more
            )
            return
        member = self._staff[step.who]
        if member.modal is not None:
            await self._press_in_modal(member, member.modal, step.words)
        elif step.words.startswith("Receipt") or " in the direct message" in step.words:
            label = label.removesuffix(" in the direct message")
            newest = member.direct_messages[::-1]
            await member.presses(next((m for m in newest if label in m.buttons), newest[0]), label)
        else:
            if place == _INCIDENT_CARD:
                card = self._incident_card(member, label)
            else:
                card = self._newest_card(member, _customer_name(place))
            if label in card.buttons:
                await member.presses(card, label)
            else:
                await member.chooses(card, "case.more", label)
        await self._desk.settled()

    async def _press_in_modal(self, member: StaffMember, modal: Modal, label: str) -> None:
        try:
            await member.presses(modal, label)
        except SlackImpossible:
            await member.chooses(modal, "case.more", label)

    async def _types(self, step: StoryStep) -> None:
        """Type a line into the newest thread of the member's direct messages."""
        member = self._staff[step.who]
        thread = [message for message in member.direct_messages if message.thread][-1]
        line = await member.says(thread.channel, step.words, thread=thread)
        # Slack gets its acknowledgement before the line is read. Then the line is marked, or a reply says why not.
        await self._simulator.until(lambda: line.post.reactions or thread.thread[-1].ts > line.ts)
        await self._desk.settled()

    async def _fills(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        await member.opened()
        await member.fills({name: self._field_value(value) for name, value in step.values.items()})

    def _field_value(self, value: str) -> object:
        """The value of a form field (docs/stories.md); a value in no special form is plain text.

        `a|b` is several values, `now` or ISO 8601 in UTC a time, `today+3` a day. A staff name is that member,
        `ref:Anna` her newest reference and `ref:Anna:1` her first.
        """
        if value == "now":
            return int(self._simulator.clock_now().timestamp())
        if value in self._staff:
            return self._staff[value].id
        if value.startswith("ref:"):
            name, _, which = value.removeprefix("ref:").partition(":")
            return self._references(name)[int(which or 0) - 1]
        if re.fullmatch(r"today\+\d+", value):
            day = self._simulator.clock_now() + timedelta(days=int(value.removeprefix("today+")))
            return day.date().isoformat()
        if _UTC_TIME.fullmatch(value):
            return int(datetime.fromisoformat(value).timestamp())
        return value.split("|") if "|" in value else value

    async def _submits(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        form = member.modal.callback_id if member.modal is not None else ""
        await member.submits()
        await self._desk.settled()
        if form in ("approve", "check_decision") or form.endswith("_preview"):
            # The letter leaves after the seconds in which its sender can take it back.
            await self._desk.advance(_TAKE_BACK)

    async def _uses(self, step: StoryStep) -> None:
        await self._staff[step.who].shortcut(step.words)

    async def _runs(self, step: StoryStep) -> None:
        """Run the slash command; names of staff become mentions."""
        words = " ".join(
            f"<@{self._staff[word].id}>" if word in self._staff else word for word in step.words.split()
        )
        await self._staff[step.who].runs(words)
        await self._desk.settled()

    async def _sees_home(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        await member.opens_home()

        def is_shown() -> bool:
            return member.home is not None and _contains(step.words, member.home.text)

        try:
            await self._simulator.until(is_shown, timeout=5)
        except TimeoutError as error:
            text = member.home.text if member.home is not None else "nothing"
            raise StoryFailed(f"{step.who} does not see {step.words!r} at home but:\n{text}") from error

    async def _sees_once(self, step: StoryStep) -> None:
        direct_messages = self._staff[step.who].direct_messages
        messages = [message.text for message in direct_messages if _contains(step.words, message.text)]
        if len(messages) != 1:
            raise StoryFailed(f"{step.who} got {step.words!r} {len(messages)} times, not once")

    async def _sends_code(self, step: StoryStep) -> None:
        """The complainant types the code that a member of staff sees and read out."""
        codes = [code for text in self._visible_texts(step.words) for code in _CODE.findall(text)]
        if not codes:
            raise StoryFailed(f"{step.words} sees no code")
        await self._write(step.who, lambda customer: customer.says(codes[-1]))

    async def _refused(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        modal = await member.submits(expect_errors=True)
        answers = [*modal.errors.values(), *modal.texts] if modal else []
        answers += [post.text for post in member.ephemerals]
        if not any(_contains(step.words, text) for text in answers):
            raise StoryFailed(
                f"{step.who} was not refused with {step.words!r} but saw:\n" + "\n".join(answers)
            )

    async def _goes_back(self, step: StoryStep) -> None:
        await self._staff[step.who].closes()

    def _visible_texts(self, name: str) -> list[str]:
        member = self._staff[name]
        if member.modal is not None:
            return [member.modal.title, *member.modal.texts, *member.modal.errors.values()]
        cards = [card.text for card in self._visible_cards(member)]
        return cards + [post.text for post in (*member.direct_messages, *member.ephemerals)]

    async def _sees(self, step: StoryStep) -> None:
        texts = self._visible_texts(step.who)
        if not any(_contains(step.words, text) for text in texts):
            raise StoryFailed(f"{step.who} does not see {step.words!r} but:\n" + "\n--\n".join(texts))

    async def _sees_not(self, step: StoryStep) -> None:
        if any(_contains(step.words, text) for text in self._visible_texts(step.who)):
            raise StoryFailed(f"{step.who} sees {step.words!r}")

    async def _no_card(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        refs = self._references(step.words)
        if any(ref in card.text for ref in refs for card in self._visible_cards(member)):
            raise StoryFailed(f"{step.who} sees a card of {step.words}")

    # Clock, platforms, record and figures.

    async def _clock(self, step: StoryStep) -> None:
        unit = step.words if step.words.endswith("s") else f"{step.words}s"
        for chat in self._chats.values():
            chat.read_count = len(chat.customer.heard)
        await self._desk.advance(timedelta(**{unit: step.number}))

    async def _clock_next(self, step: StoryStep) -> None:
        for chat in self._chats.values():
            chat.read_count = len(chat.customer.heard)
        await self._desk.to_next_due()

    async def _trouble(self, step: StoryStep) -> None:
        setattr(self._simulator.trouble, f"{step.who.lower()}_down", step.words == "down")

    async def _record(self, step: StoryStep) -> None:
        if not step.more:
            await self._desk.settled()
        record = await self._desk.record(self._references(step.who)[-1])
        wrong = {
            name: record.get(name)
            for name, value in step.values.items()
            if str(record.get(name)).lower() != value.lower()
        }
        if wrong:
            raise StoryFailed(f"{step.text}\nbut the record says {wrong}")

    async def _figures(self, step: StoryStep) -> None:
        await self._desk.settled()
        figures = await self._desk.figures()
        wrong = {
            name: figures.get(name) for name, value in step.values.items() if str(figures.get(name)) != value
        }
        if wrong:
            raise StoryFailed(f"{step.text}\nbut the report says {wrong}")


_CODE = re.compile(r"\b\d{8}\b")
_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: As in `Alice presses Update all on the incident card`.
_INCIDENT_CARD = "the incident card"
_REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{2}\b")


def _reference_of(card: Card) -> str | None:
    """The reference in the card's headline; the lines below may mention other complaints."""
    match = _REFERENCE.search(card.text)
    return None if match is None else match[0]


def _customer_name(place: str) -> str | None:
    return place.removesuffix(" card").removesuffix("'s") if place else None


def _contains(fragment: str, text: str) -> bool:
    """True if the text has the fragment, apart from case and line breaks; `…` matches anything."""
    parts = [re.escape(" ".join(part.split()).lower()) for part in fragment.split("…")]
    return re.search(".*".join(parts), " ".join(text.split()).lower()) is not None
