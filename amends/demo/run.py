"""The demo process: simulator, desk, page, clock; or one written story, played and printed."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amends.demo.history import fill
from amends.demo.settings import CHANNELS, STAFF, demo_settings, first_model
from amends.demo_clock import Clockwork
from amends.keys import button_secret, keyring
from amends.story.player import Failed, Player, incident_figures
from amends.story.script import BadStory, read_story
from amends.wiring import Application, SendIntervals
from bots.telegram.callback_data import Buttons
from simulator import Limits, Simulator
from store.cases.export import export_record
from store.database.migrate import upgrade
from store.rulebooks import use_rulebooks
from store.store import Store, open_store

Say = Callable[[str], None]

#: How many complaints lie behind the demo when it opens.
PAST = 200
#: A story begins on a working morning, so that its dates can be written down.
STORY_BEGINS = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


@dataclass
class _LateClock:
    """The simulator starts before the desk that owns the clock; until then real time counts."""

    clockwork: Clockwork | None = None
    zone: str = "Europe/London"

    def now(self) -> datetime:
        return self.clockwork.now() if self.clockwork else datetime.now(UTC)

    def next_due(self) -> tuple[str, datetime] | None:
        return self.clockwork.next_due() if self.clockwork else None

    async def advance(self, by: timedelta) -> None:
        if self.clockwork is not None:
            await self.clockwork.advance(by)

    async def to_next_due(self) -> None:
        if self.clockwork is not None:
            await self.clockwork.to_next_due()


@dataclass(frozen=True)
class DemoStage:
    """The whole product before its simulator, running; what a story is played on."""

    simulator: Simulator
    desk: Application
    store: Store
    clock: Clockwork

    async def listening(self) -> None:
        """Return when both lines are open; who the staff are is known by then."""
        while not all((await self.desk.ready()).values()):  # noqa: ASYNC110  # the lines open by themselves: nothing signals it
            await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Return when nothing due is left to do and nothing moves on either platform."""
        while True:
            await self.desk.idle()
            # With Telegram down, updates wait there: that is settled too.
            if not self.simulator.trouble.telegram_down:
                await self.simulator.settled()
            if await self.desk.is_idle():
                return

    async def advance(self, by: timedelta) -> None:
        """Move the clock, stopping at each due time."""
        await self.clock.advance(by)

    async def to_next_due(self) -> None:
        """Move the clock to the next due time."""
        await self.clock.to_next_due()

    async def record(self, ref: str) -> Mapping[str, Any]:
        """The record as `case show --json` gives it."""
        found: Mapping[str, Any] = await self.store.aread(export_record, ref)
        return found

    async def figures(self) -> Mapping[str, Any]:
        """What the monitoring report counts of incidents."""
        return await self.store.in_thread(incident_figures, self.store)


@asynccontextmanager
async def staged(
    *,
    port: int = 0,
    begins: datetime | None = None,
    past: int = 0,
    ready: bool = False,
    settings: str = "",
    progress: Callable[[float], object] = lambda share: None,
) -> AsyncIterator[DemoStage]:
    """Simulator, database and desk in a folder that is gone afterwards; `past` complaints lie behind it.

    `ready`: a first model is in use and both lines are open from the start, so that what a story tells does not
    depend on who was faster. `settings` are further tables of amends.toml. `progress` is told how much of the past is
    written, from 0 to 1.
    """
    late = _LateClock()
    with tempfile.TemporaryDirectory(prefix="amends-demo-") as folder:
        limits = Limits(ack_seconds=30, trigger_seconds=30)
        async with Simulator(clock=late, limits=limits, port=port) as simulator:
            read = demo_settings(Path(folder), simulator, listen_port=_free_port(), more=settings)
            upgrade(read.secrets.database_url)
            store = open_store(read.secrets.database_url, keyring(read))
            desk = Application(
                read, store, parts=("telegram", "slack", "scheduler"), pace=SendIntervals(0.0, telegram=False)
            )
            stage = DemoStage(simulator, desk, store, Clockwork(store, lambda: stage.settled()))
            try:
                if begins is not None:
                    store.move_clock((begins - datetime.now(UTC)).total_seconds())
                late.clockwork = stage.clock
                if past:
                    await asyncio.to_thread(_fill, stage, past, progress)
                elif ready:
                    await asyncio.to_thread(first_model, store, desk.rules.languages)
                await desk.start()
                if ready:
                    await stage.listening()
                yield stage
            finally:
                await desk.stop()
                store.close()


def _fill(stage: DemoStage, number: int, progress: Callable[[float], object]) -> None:
    desk = stage.desk
    stage.store.write(use_rulebooks, desk.rulebooks)
    buttons = Buttons(button_secret(desk.settings))
    fill(stage.store, stage.simulator, desk.texts, desk.rules, buttons, number, progress=progress)


async def demo(
    *, port: int, empty: bool, speed: float, say: Say, progress: Callable[[float], object]
) -> None:
    """Serve the page until interrupted; `progress` is told how much of the past is written, from 0 to 1."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with staged(port=port, past=0 if empty else PAST, progress=progress) as stage:
        say(f"Open {stage.simulator.url} (Ctrl-C ends it; nothing is kept)")
        faster = asyncio.create_task(_run_faster(stage, speed)) if speed > 1 else None
        await asked.wait()
        if faster is not None:
            faster.cancel()


async def _run_faster(stage: DemoStage, speed: float) -> None:
    """Move the clock on once a second by what real time does not."""
    while True:
        await asyncio.sleep(1)
        await stage.clock.advance(timedelta(seconds=speed - 1))


async def play(text: str, *, report: Say, settings: str = "") -> str | None:
    """Play a story and print each line as it holds; None, or what did not hold.

    `settings` are further tables of amends.toml, as a file beside the story gives them.
    """
    try:
        steps = read_story(text)
    except BadStory as wrong:
        return str(wrong)
    async with staged(begins=STORY_BEGINS, ready=True, settings=settings) as stage:
        player = Player(stage.simulator, stage, staff=STAFF, channels=CHANNELS)
        for step in steps:
            try:
                await player.play(step)
            except Failed as wrong:
                return str(wrong)
            report(f"  {step.text}")
        breaches = stage.simulator.breaches
    return f"The platforms refused: {breaches}" if breaches else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
