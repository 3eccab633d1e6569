"""Runs the demo (simulator, desk, page and clock) until it is interrupted, or plays one story and prints it."""

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

from amends.demo.past_file import FILE
from amends.demo.settings import CHANNELS, STAFF, demo_settings
from amends.demo.snapshot import load_past, opening_time
from amends.settings import Problem, SettingsError
from amends.story.desk import DemoClock, incident_figures
from amends.story.player import Player, StoryFailed
from amends.story.script import BadStory, read_story
from amends.wiring import Application, SendIntervals
from simulator import Limits, Simulator
from store.cases.export import export_record
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.store import Store, open_store

Say = Callable[[str], None]

#: Two people who have not written yet, for those who try the demo.
NEWCOMERS = (("Anna", "en"), ("Elif", "tr"))
#: Stories begin on this working morning, so that they can name dates.
STORY_BEGINS = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


@dataclass
class _LateClock:
    """The clock for the simulator, which starts before the desk; until the desk starts it shows real time."""

    clockwork: DemoClock | None = None
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
            await self.clockwork.advance_to_next_due()


@dataclass(frozen=True)
class DemoStage:
    """The whole product running with its simulator; stories are played on it."""

    simulator: Simulator
    desk: Application
    store: Store
    clock: DemoClock

    async def listening(self) -> None:
        """Return when both platforms are connected and the staff are loaded."""
        while not all((await self.desk.ready()).values()):  # noqa: ASYNC110  # nothing signals that a connection is open
            await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Return when no obligation is due and neither platform has anything in flight."""
        while True:
            await self.desk.wait_until_idle()
            # While Telegram is down, its updates wait there, which counts as settled.
            if not self.simulator.trouble.telegram_down:
                await self.simulator.settled()
            if await self.desk.is_idle():
                return

    async def advance(self, by: timedelta) -> None:
        await self.clock.advance(by)

    async def to_next_due(self) -> None:
        await self.clock.advance_to_next_due()

    async def record(self, ref: str) -> Mapping[str, Any]:
        record: Mapping[str, Any] = await self.store.aread(export_record, ref)
        return record

    async def figures(self) -> Mapping[str, Any]:
        return await self.store.in_thread(incident_figures, self.store)


@asynccontextmanager
async def staged(
    *,
    port: int = 0,
    begins: datetime | None = None,
    past: bool = False,
    ready: bool = False,
    settings: str = "",
) -> AsyncIterator[DemoStage]:
    """Simulator, database and desk in a temporary folder; with a `past` it opens this week at the hour of its end.

    `ready` trains a first model and connects both platforms before the start: a story must not depend on which is
    faster. `settings` has further tables of amends.toml.
    """
    late = _LateClock()
    with tempfile.TemporaryDirectory(prefix="amends-demo-") as folder:
        limits = Limits(ack_seconds=30, trigger_seconds=30)
        async with _listening(Simulator(clock=late, limits=limits, port=port), port) as simulator:
            loaded = demo_settings(Path(folder), simulator, listen_port=_free_port(), more=settings)
            upgrade(loaded.secrets.database_url)
            store = open_store(loaded.secrets.database_url, Keyring(loaded.secrets.keys()))
            desk = Application(
                loaded,
                store,
                parts=("telegram", "slack", "scheduler"),
                send_intervals=SendIntervals(0.0, telegram=False),
            )
            stage = DemoStage(simulator, desk, store, DemoClock(store, lambda: stage.settled()))
            try:
                now = datetime.now(UTC)
                if past:
                    begins = opening_time(begins or now, desk.rules.calendar.zone)
                if begins is not None:
                    store.move_clock((begins - now).total_seconds())
                late.clockwork = stage.clock
                if past:
                    await asyncio.to_thread(load_past, store, simulator, desk.rules, FILE)
                if ready:
                    await asyncio.to_thread(_train, stage)
                await desk.start()
                if ready:
                    await stage.listening()
                yield stage
            finally:
                await desk.stop()
                store.close()


@asynccontextmanager
async def _listening(simulator: Simulator, port: int) -> AsyncIterator[Simulator]:
    try:
        await simulator.start()
    except OSError as refused:
        remedy = (
            f"cannot listen there ({refused.strerror}): choose another port, or --port 0 for any free one"
        )
        raise SettingsError([Problem(f"--port {port}", "command line", remedy)]) from refused
    try:
        yield simulator
    finally:
        await simulator.stop()


def _train(stage: DemoStage) -> None:
    # Imported here: the demo without it opens seconds earlier.
    from amends.demo.first_model import first_model

    first_model(stage.store, stage.desk.rules.languages)


async def demo(*, port: int, empty: bool, speed: float, opened: Callable[[str, Path], object]) -> None:
    """Serve the page until SIGTERM or SIGINT; `opened` gets its address and the amends.toml."""
    interrupted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    async with staged(port=port, past=not empty) as stage:
        for name, language in NEWCOMERS:
            stage.simulator.customer(name, language=language)
        opened(stage.simulator.url, stage.desk.settings.file)
        faster = asyncio.create_task(_run_faster(stage, speed)) if speed > 1 else None
        await interrupted.wait()
        if faster is not None:
            faster.cancel()


async def _run_faster(stage: DemoStage, speed: float) -> None:
    """Once a second, move the clock by `speed` minus the second of real time."""
    while True:
        await asyncio.sleep(1)
        await stage.clock.advance(timedelta(seconds=speed - 1))


async def play(text: str, *, report: Say, settings: str = "") -> str | None:
    """Play a story and report each line once its expectation is met.

    Returns None, or the line that failed with what was there instead. `settings` has further tables of amends.toml,
    from the file next to the story.
    """
    try:
        steps = read_story(text)
    except BadStory as error:
        return str(error)
    async with staged(begins=STORY_BEGINS, ready=True, settings=settings) as stage:
        player = Player(stage.simulator, stage, staff=STAFF, channels=CHANNELS)
        for step in steps:
            try:
                await player.play(step)
            except StoryFailed as error:
                return str(error)
            report(f"  {step.text}")
        breaches = stage.simulator.breaches
    return f"The platforms refused: {breaches}" if breaches else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
