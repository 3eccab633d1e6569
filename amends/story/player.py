"""Playing a story against the whole product: real bots, real HTTP, the simulator as the two platforms.

What the figures of the last year say in a story: the incidents part of `amends report monitoring`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from amends.story.script import StoryStep
from reports.monitoring import Period, monitor
from simulator import Simulator
from simulator.colleague import Colleague
from simulator.customer import Customer, SeenMessage
from simulator.screen import Card, FormRefused, Modal, NotAcknowledged, NotVisible
from simulator.slack.people import SlackImpossible
from store.store import Store


class Failed(AssertionError):
    """An expectation of the story did not hold; the message shows the line and what was there instead."""


class StoryDesk(Protocol):
    """What a story needs of the running product."""

    async def settled(self) -> None:
        """Return when everything due is done and everything heard is handled."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Move the clock, stopping at each due time."""
        ...

    async def to_next_due(self) -> None:
        """Move the clock to the next due time."""
        ...

    async def record(self, ref: str) -> Mapping[str, Any]:
        """The record as `case show --json` gives it."""
        ...

    async def figures(self) -> Mapping[str, Any]:
        """What the monitoring report counts of incidents."""
        ...


@dataclass
class _Talk:
    """A customer of the story: what was heard when the last step was taken, and the newest reference."""

    customer: Customer
    mark: int = 0
    written: SeenMessage | None = None


class Player:
    """Plays steps in order; keeps who speaks and which card is meant. One player a story."""

    def __init__(
        self, simulator: Simulator, desk: StoryDesk, *, staff: Mapping[str, str], channels: Sequence[str]
    ) -> None:
        self._sim = simulator
        self._desk = desk
        self._channels = tuple(channels)
        self._staff = {name: simulator.staff(member) for name, member in staff.items()}
        self._talks: dict[str, _Talk] = {}
        self._last: str | None = None
        self._does: Mapping[str, Callable[[StoryStep], Awaitable[None]]] = {
            kind: getattr(self, f"_{kind}") for kind in KINDS
        }

    async def play(self, step: StoryStep) -> None:
        """One step; raises Failed when it cannot be done or does not hold."""
        try:
            await self._does[step.kind](step)
        except Failed:
            raise
        except (
            LookupError,
            TimeoutError,
            AssertionError,
            FormRefused,
            SlackImpossible,
            NotVisible,
            NotAcknowledged,
        ) as wrong:
            raise Failed(f"line {step.line}: {step.text}\n{type(wrong).__name__}: {wrong}") from wrong

    # the complainant

    def _talk(self, name: str, language: str | None = None) -> _Talk:
        if name not in self._talks:
            self._talks[name] = _Talk(self._sim.customer(name, language=language or "en"))
        self._last = name
        return self._talks[name]

    async def _acts(
        self, name: str, act: Callable[[Customer], Awaitable[object]], *, more: bool = False
    ) -> None:
        talk = self._talk(name)
        talk.mark = len(talk.customer.heard)
        await act(talk.customer)
        if not more:
            await self._desk.settled()

    async def _says(self, step: StoryStep) -> None:
        if step.who in self._staff:
            raise Failed(f"line {step.line}: staff write by buttons, not by chat: {step.text}")
        self._talk(step.who, step.language)
        talk = self._talk(step.who)
        talk.mark = len(talk.customer.heard)
        talk.written = await talk.customer.says(step.words)
        if not step.more:
            await self._desk.settled()

    async def _bursts(self, step: StoryStep) -> None:
        talk = self._talk(step.who)
        pause = timedelta(minutes=int(step.words)) / step.number
        talk.mark = len(talk.customer.heard)
        for n in range(1, step.number + 1):
            await talk.customer.says(f"Part {n} of what happened with my water meter and the bill.")
            await self._desk.advance(pause)

    async def _voice(self, step: StoryStep) -> None:
        await self._acts(step.who, lambda one: one.sends_voice(seconds=3))

    async def _photo(self, step: StoryStep) -> None:
        await self._acts(step.who, lambda one: one.sends_photo(caption=step.words))

    async def _photos(self, step: StoryStep) -> None:
        await self._acts(step.who, lambda one: one.sends_album(step.number))

    async def _edits(self, step: StoryStep) -> None:
        written = self._talk(step.who).written
        if written is None:
            raise Failed(f"line {step.line}: {step.who} has written nothing to edit")
        await self._acts(step.who, lambda one: one.edits(written, step.words))

    async def _blocks(self, step: StoryStep) -> None:
        self._talk(step.who).customer.blocks()
        await self._desk.settled()

    async def _unblocks(self, step: StoryStep) -> None:
        self._talk(step.who).customer.unblocks()
        await self._desk.settled()

    async def _hears(self, step: StoryStep) -> None:
        talk = self._talk(step.who)
        new = talk.customer.heard[talk.mark :]
        if not any(_within(step.words, text) for text in new):
            raise Failed(
                f"line {step.line}: {step.who} did not hear {step.words!r}. She heard:\n" + "\n--\n".join(new)
            )

    async def _hears_once(self, step: StoryStep) -> None:
        told = [text for text in self._talk(step.who).customer.heard if _within(step.words, text)]
        if len(told) != 1:
            raise Failed(f"line {step.line}: {step.who} heard {step.words!r} {len(told)} times, not once")

    async def _hears_not(self, step: StoryStep) -> None:
        talk = self._talk(step.who)
        if any(_within(step.words, text) for text in talk.customer.heard):
            raise Failed(f"line {step.line}: {step.who} heard {step.words!r} after all")

    # the staff

    def _card(self, member: Colleague, of: str | None) -> Card:
        """The newest card this person sees, or the newest of one customer's complaint."""
        refs = self._references(of) if of else None
        cards = [card for card in self._cards(member) if refs is None or _own_reference(card) in refs]
        if not cards:
            raise Failed(f"{member.id} sees no card" + (f" of {of}" if of else ""))
        return max(cards, key=lambda card: float(card.ts))

    def _incident(self, member: Colleague, label: str) -> Card:
        """The newest card with this button: no complaint's card has one of an incident."""
        cards = [card for card in self._cards(member) if label in card.buttons]
        if not cards:
            raise Failed(f"{member.id} sees no incident with {label!r}")
        return max(cards, key=lambda card: float(card.ts))

    def _cards(self, member: Colleague) -> list[Card]:
        """Every card that stands in a channel this person is in."""
        seen = [channel for channel in self._channels if member.sees(channel)]
        return [card for channel in seen for card in member.channel(channel).cards if not card.gone]

    def _references(self, name: str) -> list[str]:
        """The references told to this customer, the newest last; of one whom nothing reached, the newest card's."""
        talk = self._talks.get(name)
        heard = talk.customer.heard if talk is not None else []
        found = [match for text in heard for match in _REFERENCE.findall(text)]
        if not found:
            cards = [card for member in self._staff.values() for card in self._cards(member)]
            newest = max(cards, key=lambda card: float(card.ts), default=None)
            found = _REFERENCE.findall(newest.text) if newest is not None else []
        return list(dict.fromkeys(found))

    async def _presses(self, step: StoryStep) -> None:
        label, _, of = step.words.partition(" on ")
        if step.who not in self._staff:
            first = step.words.removeprefix("the first ")
            oldest = first != step.words
            await self._acts(step.who, lambda one: one.presses(first, oldest=oldest), more=step.more)
            return
        member = self._staff[step.who]
        if member.modal is not None:
            await self._in_modal(member, member.modal, step.words)
        elif step.words.startswith("Receipt") or " in the direct message" in step.words:
            await member.presses(member.direct_messages[-1], label.removesuffix(" in the direct message"))
        else:
            card = self._incident(member, label) if of == INCIDENT else self._card(member, _owner(of))
            if label in card.buttons:
                await member.presses(card, label)
            else:
                await member.chooses(card, "case.more", label)
        await self._desk.settled()

    async def _in_modal(self, member: Colleague, modal: Modal, label: str) -> None:
        """A button of the form on top, or an entry of its menu."""
        try:
            await member.presses(modal, label)
        except SlackImpossible:
            await member.chooses(modal, "case.more", label)

    async def _fills(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        await member.opened()
        await member.fills({name: self._typed(value) for name, value in step.values.items()})

    def _typed(self, value: str) -> object:
        """Several values are written with |; `now` and ISO 8601 in UTC are moments, `today+3` is a day.

        A name of staff is the person, `ref:Anna` her newest reference and `ref:Anna:1` her first; all else is
        the text.
        """
        if value == "now":
            return int(self._sim.clock_now().timestamp())
        if value in self._staff:
            return self._staff[value].id
        if value.startswith("ref:"):
            name, _, which = value.removeprefix("ref:").partition(":")
            return self._references(name)[int(which or 0) - 1]
        if re.fullmatch(r"today\+\d+", value):
            return (
                (self._sim.clock_now() + timedelta(days=int(value.removeprefix("today+")))).date().isoformat()
            )
        if _MOMENT.fullmatch(value):
            return int(datetime.fromisoformat(value).timestamp())
        return value.split("|") if "|" in value else value

    async def _submits(self, step: StoryStep) -> None:
        await self._staff[step.who].submits()
        await self._desk.settled()

    async def _uses(self, step: StoryStep) -> None:
        await self._staff[step.who].shortcut(step.words)

    async def _runs(self, step: StoryStep) -> None:
        """The slash command; people of staff are mentioned by their names."""
        words = " ".join(
            f"<@{self._staff[one].id}>" if one in self._staff else one for one in step.words.split()
        )
        await self._staff[step.who].runs(words)
        await self._desk.settled()

    async def _at_home(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        await member.opens_home()

        def shown() -> bool:
            return member.home is not None and _within(step.words, member.home.text)

        try:
            await self._sim.until(shown, timeout=5)
        except TimeoutError as missing:
            seen = member.home.text if member.home is not None else "nothing"
            raise Failed(
                f"line {step.line}: {step.who} does not see {step.words!r} at home but:\n{seen}"
            ) from missing

    async def _sees_once(self, step: StoryStep) -> None:
        told = [one.text for one in self._staff[step.who].direct_messages if _within(step.words, one.text)]
        if len(told) != 1:
            raise Failed(f"line {step.line}: {step.who} was told {step.words!r} {len(told)} times, not once")

    async def _sends_code(self, step: StoryStep) -> None:
        """The complainant types the code that a member of staff was shown and read out."""
        found = [code for text in self._seen(step.words) for code in _CODE.findall(text)]
        if not found:
            raise Failed(f"line {step.line}: {step.words} sees no code")
        await self._acts(step.who, lambda one: one.says(found[-1]))

    async def _refused(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        modal = await member.submits(expect_errors=True)
        shown = [*modal.errors.values(), *modal.texts] if modal else []
        shown += [post.text for post in member.ephemerals]
        if not any(_within(step.words, text) for text in shown):
            raise Failed(
                f"line {step.line}: {step.who} was not refused with {step.words!r} but saw:\n"
                + "\n".join(shown)
            )

    async def _goes_back(self, step: StoryStep) -> None:
        await self._staff[step.who].closes()

    def _seen(self, name: str) -> list[str]:
        member = self._staff[name]
        if member.modal is not None:
            return [member.modal.title, *member.modal.texts, *member.modal.errors.values()]
        cards = [card.text for card in self._cards(member)]
        return cards + [post.text for post in (*member.direct_messages, *member.ephemerals)]

    async def _sees(self, step: StoryStep) -> None:
        seen = self._seen(step.who)
        if not any(_within(step.words, text) for text in seen):
            raise Failed(
                f"line {step.line}: {step.who} does not see {step.words!r} but:\n" + "\n--\n".join(seen)
            )

    async def _sees_not(self, step: StoryStep) -> None:
        if any(_within(step.words, text) for text in self._seen(step.who)):
            raise Failed(f"line {step.line}: {step.who} sees {step.words!r}")

    async def _no_card(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        refs = self._references(step.words)
        if any(ref in card.text for ref in refs for card in self._cards(member)):
            raise Failed(f"line {step.line}: {step.who} sees a card of {step.words}")

    # the world

    async def _clock(self, step: StoryStep) -> None:
        unit = step.words if step.words.endswith("s") else f"{step.words}s"
        for talk in self._talks.values():
            talk.mark = len(talk.customer.heard)
        await self._desk.advance(timedelta(**{unit: step.number}))

    async def _clock_next(self, step: StoryStep) -> None:
        for talk in self._talks.values():
            talk.mark = len(talk.customer.heard)
        await self._desk.to_next_due()

    async def _trouble(self, step: StoryStep) -> None:
        setattr(self._sim.trouble, f"{step.who.lower()}_down", step.words == "down")

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
            raise Failed(f"line {step.line}: {step.text}\nbut the record says {wrong}")

    async def _figures(self, step: StoryStep) -> None:
        await self._desk.settled()
        found = await self._desk.figures()
        wrong = {
            name: found.get(name) for name, value in step.values.items() if str(found.get(name)) != value
        }
        if wrong:
            raise Failed(f"line {step.line}: {step.text}\nbut the report says {wrong}")


KINDS = [
    "says",
    "bursts",
    "voice",
    "photo",
    "photos",
    "edits",
    "blocks",
    "unblocks",
    "hears",
    "hears_once",
    "hears_not",
    "presses",
    "fills",
    "submits",
    "uses",
    "runs",
    "at_home",
    "sees_once",
    "sends_code",
    "refused",
    "goes_back",
    "sees",
    "sees_not",
    "no_card",
    "clock",
    "clock_next",
    "trouble",
    "record",
    "figures",
]
_CODE = re.compile(r"\b\d{8}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: `Alice presses Update all on the incident card`.
INCIDENT = "the incident card"
_REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{2}\b")


def _own_reference(card: Card) -> str | None:
    """Whose card it is: its headline begins with that; further down it may name others."""
    found = _REFERENCE.search(card.text)
    return None if found is None else found[0]


def _owner(of: str) -> str | None:
    return of.removesuffix(" card").removesuffix("'s") if of else None


def _within(fragment: str, text: str) -> bool:
    """Case and the breaking of lines do not matter; ` … ` stands for anything between."""
    parts = [re.escape(" ".join(part.split()).lower()) for part in fragment.split("…")]
    return re.search(".*".join(parts), " ".join(text.split()).lower()) is not None


#: Either way of now: a story may have moved the clock on since this store read it.
_YEAR = timedelta(days=365)


def incident_figures(store: Store) -> Mapping[str, Any]:
    """`count` of incidents, `complaints` in them, and how many were `received` at all."""
    now = store.now()
    period = Period(now - _YEAR, now + _YEAR)
    found = monitor(store.for_monitoring(period.start, period.end), period=period, now=now).as_json()
    told = found["incidents"]
    return {"incidents": told["count"], "complaints": told["complaints"], "received": found["received"]}
