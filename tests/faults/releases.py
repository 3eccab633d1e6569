"""Run an older and the newer release together on one PostgreSQL: upgrade, go back, and upgrade again.

Both are real processes with the code of their release, at the platforms' rate limits. Telegram is the fake one; Slack
is the simulator, where staff press buttons drawn by either release.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from amends.settings import load
from complaints.vocabulary import Verb
from simulator import Limits, Simulator
from simulator.screen import Card, FormRefused, NotAcknowledged
from simulator.slack.people import SlackImpossible
from simulator.state.slack_state import Post
from store.cases.read import load_history
from store.database.keyring import Keyring
from store.database.migrate import schema_status
from store.outbox.complete import IS_OPEN
from store.outbox.failed import list_dead_letters
from store.store import Store, open_store
from store.tables import OBLIGATIONS
from tests.edges.product import KEY, PATIENCE, SETTINGS, free_port, until
from tests.edges.slack_office import ALICE, ASSESSMENT, RESOLVED, TRIAGE
from tests.faults.accidents import AWAY
from tests.faults.load import RECEIVED, Load, Progress, add_obligations
from tests.faults.losses import LossCounts, count_losses
from tests.faults.platforms import Platforms, platforms

#: A run without progress for this many seconds has ended: what is missing counts as lost.
STALL_SECONDS = 60.0
#: A stage whose messages are not all recorded within this many seconds is reported as stalled.
RECEIVED_WITHIN = 20.0
OLDER, NEWER = 0, 1
_REFERENCE = re.compile(re.escape(RECEIVED) + r" ([A-Z0-9-]+)\.")


@dataclass
class Release:
    """A desk of one release: its code, its folder and at most one process. `life` identifies it to Telegram."""

    code: Path
    folder: Path
    environment: dict[str, str]
    life: int
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Write the settings file, as an installer would."""
        self.folder.mkdir(parents=True)
        (self.folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")

    def spawn(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command of this release."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "amends", *command],
                cwd=self.folder,
                env={**inherited, "PYTHONPATH": str(self.code), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start `amends run` and return at once."""
        self.process = self.spawn("run")

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code. Raises TimeoutExpired."""
        process = self.process
        if process is None:
            raise LookupError("this release does not run")
        process.terminate()
        return await asyncio.to_thread(process.wait, PATIENCE)

    async def run_command(self, *command: str) -> int:
        """Run a command to its end and return the exit code."""
        process = self.spawn(*command)
        try:
            return await asyncio.to_thread(process.wait, 4 * PATIENCE)
        finally:
            process.kill()

    def kill(self) -> None:
        """Kill the process if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        """Its whole log."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def starts(self) -> int:
        """How often all its parts were started."""
        return sum(line.get("event") == "started" for line in self._lines())

    @property
    def errors(self) -> Counter[str]:
        """The events logged at ERROR, and output that is no log line."""
        bad = [line for line in self._lines() if line.get("level") in ("error", "critical", None)]
        return Counter(str(line.get("event")) for line in bad)

    def _lines(self) -> list[dict[str, object]]:
        events: list[dict[str, object]] = []
        for line in self.log.splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                if "is at this release" not in line and line.strip():
                    events.append({"event": line.strip()[:100]})
        return events


@dataclass(frozen=True)
class Stage:
    """The result of one stage.

    `received`: seconds until every message of the stage was recorded (None: some were not). `older` and `newer`:
    messages sent by each release.
    """

    name: str
    received: float | None
    older: int
    newer: int


@dataclass(frozen=True)
class SideBySide:
    """The result. `refused`: the older release refused the upgraded tables, so the later stages were left out."""

    losses: LossCounts | None = None
    refused: bool = False
    stages: list[Stage] = field(default_factory=list)
    upgrade: float = 0.0
    acts: int = 0
    #: Acts and decisions of staff that are not in the record exactly once.
    acts_off: int = 0
    set_aside: int = 0
    #: Obligations that were due and still open at the end.
    left_open: Counter[str] = field(default_factory=Counter)
    #: Button presses and forms that failed.
    presses_failed: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    errors: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def wrong(self) -> dict[str, object]:
        """Return the counts that must be 0 and are not."""
        nonzero: dict[str, object] = {} if self.losses is None else dict(self.losses.wrong())
        counts = {
            "started on tables that it must refuse": self.losses is None and not self.refused,
            "acts off": self.acts_off,
            "set aside": self.set_aside,
            "left open": dict(self.left_open),
            "presses failed": self.presses_failed,
            "breaches": self.breaches,
            "exit codes": [code for code in self.exits if code],
            "errors of the older": dict(self.errors[OLDER]),
            "errors of the newer": dict(self.errors[NEWER]),
        }
        return nonzero | {name: count for name, count in counts.items() if count}


async def side_by_side(
    older: Path,
    newer: Path,
    database: str,
    folder: Path,
    *,
    chats: int = 6,
    report: Callable[[str], None] = lambda line: None,
) -> SideBySide:
    """Upgrade a desk from the older to the newer release, go back, and upgrade again.

    In each stage new chats begin, earlier ones continue, and obligations fall due.
    """
    async with AsyncExitStack() as stack:
        fakes = await stack.enter_async_context(platforms())
        # A slow machine may answer late, but a press must not fail.
        slack = await stack.enter_async_context(Simulator(limits=Limits(ack_seconds=15, trigger_seconds=30)))
        both = [
            Release(code, folder / name, _environment(fakes, slack, database, life), life)
            for life, (name, code) in enumerate((("older", older), ("newer", newer)))
        ]
        for release in both:
            stack.callback(release.kill)
        return await _Rollout(fakes, slack, both, database, chats, report).run()


def _environment(fakes: Platforms, slack: Simulator, database: str, life: int) -> dict[str, str]:
    return {
        "AMENDS_TELEGRAM_TOKEN": "1:t",
        "AMENDS_TELEGRAM_API_URL": fakes.env(life=life)["AMENDS_TELEGRAM_API_URL"],
        "AMENDS_SLACK_BOT_TOKEN": slack.slack_bot_token,
        "AMENDS_SLACK_APP_TOKEN": slack.slack_app_token,
        "AMENDS_SLACK_API_URL": slack.slack_url,
        "AMENDS_DATABASE_URL": database,
        "AMENDS_SECRET_KEY": KEY,
        "AMENDS_LISTEN": f"127.0.0.1:{free_port()}",
        "AMENDS_LOG": "info",
        "OMP_NUM_THREADS": "1",
    }


@dataclass
class _Rollout:
    fakes: Platforms
    slack: Simulator
    both: list[Release]
    database: str
    chats: int
    report: Callable[[str], None]
    numbers: dict[int, int] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    acts_done: dict[Verb, list[str]] = field(default_factory=lambda: defaultdict(list))

    #: Each chat writes PARTS messages, one a stage; after the last one staff resolve the complaint.
    PARTS, STAGES = 3, 6

    @property
    def load(self) -> Load:
        beginnings = self.STAGES - self.PARTS + 1
        updates = self.chats * beginnings * self.PARTS
        return Load(updates=updates, due=2 * self.chats * self.PARTS, kills=0, per_chat=self.PARTS)

    async def run(self) -> SideBySide:
        older, newer = self.both
        older.start()
        await self._wait_for_start(older, 1)
        await self._stage("the older alone, on its own tables")
        upgrading = asyncio.create_task(self._upgrade(newer))
        await self._stage("while the newer makes the tables new")
        upgrade = await upgrading
        status = schema_status(self.database)
        if (status.serves_from or "") > _last_migration(older.code):
            self.exits += [await older.stop()]
            refused = await older.run_command("run") == 2 and "The database is" in older.log
            return SideBySide(refused=refused, stages=self.stages, upgrade=upgrade, exits=self.exits)
        # Obligations that fell due while no process ran.
        with closing(self._open_store(lambda: datetime.now(UTC) - AWAY)) as store:
            half = len(self.load.recipients) // 2
            newer.start()
            await self._wait_for_start(newer, 1)
            add_obligations(store, self.load, self.load.recipients[:half])
            await self._stage("both")
            self.exits += [await older.stop()]
            await self._stage("the newer alone")
            older.start()
            await self._wait_for_start(older, 2)
            self.exits += [await newer.stop()]
            add_obligations(store, self.load, self.load.recipients[half:])
        await self._stage("gone back: the older alone")
        newer.start()
        await self._wait_for_start(newer, 2)
        self.exits += [await older.stop()]
        await self._stage("and the newer again")
        with closing(self._open_store()) as store:
            return replace(await self._count(store), upgrade=upgrade)

    def _open_store(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
        settings = load(self.both[NEWER].folder / "amends.toml", self.both[NEWER].environment)
        return open_store(self.database, Keyring(settings.secrets.keys()), clock)

    async def _upgrade(self, newer: Release) -> float:
        started_at = asyncio.get_running_loop().time()
        self.exits += [await newer.run_command("db", "upgrade")]
        return asyncio.get_running_loop().time() - started_at

    async def _wait_for_start(self, release: Release, times: int) -> None:
        await until(lambda: release.starts >= times, lambda: release.log[-4000:], seconds=2 * PATIENCE)

    async def _stage(self, name: str) -> None:
        """People write, and staff act on what people wrote in earlier stages."""
        loop = asyncio.get_running_loop()
        number, started_at, sent = len(self.stages), loop.time(), len(self.fakes.telegram.accepted)
        for first in range(max(0, number - self.PARTS + 1), min(number, self.STAGES - self.PARTS) + 1):
            for chat in self._chats_from(first):
                self.numbers[
                    self.fakes.telegram.add_message(chat, self.load.messages(chat)[number - first])
                ] = chat
        received = await self._wait_until_received(started_at)
        beginning = self.STAGES - self.PARTS
        if 1 <= number <= beginning + 1:
            self.acts_done[Verb.ASSESS] += await self._staff_act(
                "Assess", ASSESSMENT, self._chats_from(number - 1)
            )
        if number >= self.PARTS:
            self.acts_done[Verb.RESOLVE] += await self._staff_act(
                "Resolve", RESOLVED, self._chats_from(number - self.PARTS)
            )
        lives = Counter(message.life for message in self.fakes.telegram.accepted[sent:])
        self.stages.append(Stage(name, received, lives[OLDER], lives[NEWER]))
        self.report(f"{self.stages[-1]}, {loop.time() - started_at:.0f} s")

    def _chats_from(self, first: int) -> range:
        """The chats that begin in this stage."""
        return self.load.writers[first * self.chats : (first + 1) * self.chats]

    async def _wait_until_received(self, started_at: float) -> float | None:
        try:
            await until(lambda: self.fakes.telegram.waiting == 0, seconds=RECEIVED_WITHIN)
        except TimeoutError:
            return None
        return asyncio.get_running_loop().time() - started_at

    async def _staff_act(self, label: str, values: dict[str, str], chats: range) -> list[str]:
        """Staff act on the complaints of half of these chats. Returns the references of those that succeeded."""
        half = chats[::2]
        await until(lambda: self._references().keys() >= set(half), lambda: "no reference was sent")
        references = [self._references()[chat] for chat in half]
        return [ref for ref in references if await self._act(label, values, ref)]

    async def _act(self, label: str, values: dict[str, str], ref: str) -> bool:
        """Open the complaint, press the button, and submit the form, through the preview if there is one."""
        alice = self.slack.staff(ALICE)

        def card() -> Card | None:
            """The complaint's card once it offers the action. It is found by key: similar cases name it too."""
            cards = (card for card in alice.channel(TRIAGE).cards if _key(card.post) == f"card:{ref}")
            return next((card for card in cards if label in card.buttons), None)

        try:
            await until(card, seconds=PATIENCE)
            for press in ("Open", label):
                current = card()
                if current is None:
                    raise SlackImpossible("The card changed before it was pressed.")
                await alice.presses(current, press)
                await alice.opened(press, timeout=15)
                if press == "Open":
                    await alice.closes(all=True)
            await alice.fills(values)
            top = await alice.submits()
            if top is not None and top.callback_id.endswith("_preview"):
                top = await alice.submits()
            problem = "" if top is None else top.text[:200]
        except (NotAcknowledged, SlackImpossible, FormRefused, TimeoutError) as error:
            problem = f"{type(error).__name__} {str(error)[:300]}"
        if alice.modal is not None:
            await alice.closes(all=True)
        if problem:
            self.failed.append(f"{label}: {problem}")
        return not problem

    def _references(self) -> dict[int, str]:
        matches = (
            (message.chat, _REFERENCE.search(message.text)) for message in self.fakes.telegram.accepted
        )
        return {chat: match[1] for chat, match in matches if match is not None}

    async def _count(self, store: Store) -> SideBySide:
        progress = Progress(self.fakes.telegram, self.load, self.numbers)
        await self._wait_until_done(lambda: progress.steps == progress.all_steps and not _open(store))
        left = _open(store)
        self.exits += [await self.both[NEWER].stop()]
        twice = self._posted_twice()
        for channel, key in twice:
            self.report(f"posted twice in {channel}: {key}")
        off = [(ref, verb) for ref, verb in self._expected_events() if _times(store, ref, verb) != 1]
        for ref, verb in off:
            verbs = [event.verb.value for event in store.read(load_history, ref)]
            self.report(f"{_times(store, ref, verb)} times {verb}: {verbs}")
        return SideBySide(
            count_losses(store, self.fakes.telegram, self.load, list(self.numbers), [], len(twice)),
            stages=self.stages,
            acts=sum(map(len, self.acts_done.values())),
            acts_off=len(off),
            set_aside=len(store.read(list_dead_letters)),
            left_open=left,
            presses_failed=self.failed,
            breaches=[*self.slack.breaches, *self.slack.refusals],
            exits=self.exits,
            errors=(self.both[OLDER].errors, self.both[NEWER].errors),
        )

    def _posted_twice(self) -> list[tuple[str, str]]:
        """The channel and key of every post that is there twice."""
        channels = self.slack.world.slack.channels.values()
        posts = ((channel.id, post) for channel in channels for post in channel.posts)
        times = Counter((channel, key) for channel, post in posts if (key := _key(post)) and not post.deleted)
        return [place for place, number in times.items() if number > 1]

    def _expected_events(self) -> Iterator[tuple[str, Verb]]:
        """The events that must be in the record, each once."""
        for verb, references in self.acts_done.items():
            yield from ((ref, verb) for ref in references)
        yield from ((ref, Verb.COMMUNICATE_DECISION) for ref in self.acts_done[Verb.RESOLVE])

    async def _wait_until_done(self, done: Callable[[], bool]) -> None:
        """Wait until it is done, or until nothing has moved for `STALL_SECONDS`."""
        loop = asyncio.get_running_loop()
        last, moved = -1, loop.time()
        while not done() and loop.time() - moved < STALL_SECONDS:
            now = len(self.fakes.telegram.accepted) + sum([len(self.slack.world.calls.entries)])
            if now != last:
                last, moved = now, loop.time()
            await asyncio.sleep(0.5)


def _key(post: Post) -> str | None:
    """The key under which it was posted."""
    return (post.metadata or {}).get("event_payload", {}).get("key")


def _last_migration(code: Path) -> str:
    return max(file.name[:4] for file in (code / "store/migrations/versions").glob("[0-9]*.py"))


def _times(store: Store, ref: str, verb: Verb) -> int:
    return [event.verb for event in store.read(load_history, ref)].count(verb)


def _open(store: Store) -> Counter[str]:
    # A training run may take long on a busy machine, and no message depends on it.
    due = (IS_OPEN, OBLIGATIONS.c.due <= store.now(), OBLIGATIONS.c.kind != "train")
    query = select(OBLIGATIONS.c.kind, func.count()).where(*due)
    rows = store.read(lambda tx: tx.connection.execute(query.group_by(OBLIGATIONS.c.kind)).all())
    return Counter(dict(row._tuple() for row in rows))
