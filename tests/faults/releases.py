"""Two releases side by side on one PostgreSQL: the older goes, comes back and goes, and all go on.

Both are real processes, each with the code of its own release, at the platforms' pace. Telegram counts; Slack is the
simulated one, in which staff press what either of the two has drawn.
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
from simulator.state.slack import Post
from store.cases.read import load_history
from store.database.keyring import Keyring
from store.database.migrate import schema_status
from store.outbox.complete import IS_OPEN
from store.outbox.dead_letters import list_dead_letters
from store.store import Store, open_store
from store.tables import OBLIGATIONS
from tests.edges.product import KEY, PATIENCE, SETTINGS, free_port, until
from tests.edges.slack_office import ALICE, ASSESSMENT, RESOLVED, TRIAGE
from tests.faults.accidents import AWAY
from tests.faults.load import RECEIVED, Load, Progress, owe
from tests.faults.reckoning import Reckoning, reckoned
from tests.faults.standing import Platforms, platforms

#: Nothing moved for so long: what has not come by then is lost, and is counted so.
STILL = 60.0
#: A stage in which what was told is not heard within so many seconds is told of as standing still.
HEARS_WITHIN = 20.0
OLDER, NEWER = 0, 1
_REFERENCE = re.compile(re.escape(RECEIVED) + r" ([A-Z0-9-]+)\.")


@dataclass
class Release:
    """One release's desk: its code in a folder, its log, at most one process. `life` names it to Telegram."""

    code: Path
    folder: Path
    environment: dict[str, str]
    life: int
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Write what an installer writes."""
        self.folder.mkdir(parents=True)
        (self.folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        """A command of this release."""
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
        """`amends run`; returns at once."""
        self.process = self.begin("run")

    async def stop(self) -> int:
        """SIGTERM; the exit code. Raises TimeoutExpired."""
        process = self.process
        if process is None:
            raise LookupError("this release does not run")
        process.terminate()
        return await asyncio.to_thread(process.wait, PATIENCE)

    async def ends(self, *command: str) -> int:
        """Run a command to its end; the exit code."""
        process = self.begin(*command)
        try:
            return await asyncio.to_thread(process.wait, 4 * PATIENCE)
        finally:
            process.kill()

    def gone(self) -> None:
        """Whatever happened, it runs no more."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        """All that it said."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def starts(self) -> int:
        """How often every part of it was started."""
        return sum(one.get("event") == "started" for one in self._lines())

    @property
    def errors(self) -> Counter[str]:
        """What it logged at ERROR, and what it said in another form than a line of a log."""
        bad = [one for one in self._lines() if one.get("level") in ("error", "critical", None)]
        return Counter(str(one.get("event")) for one in bad)

    def _lines(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for line in self.log.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                if "is at this release" not in line and line.strip():
                    found.append({"event": line.strip()[:100]})
        return found


@dataclass(frozen=True)
class Stage:
    """What one stage came to: how long until all that was told in it was in the record (None: not in it), and how
    many messages each of the two sent."""

    name: str
    heard: float | None
    older: int
    newer: int


@dataclass(frozen=True)
class SideBySide:
    """What came of it. `refused`: the older may not work on these tables and said so; then nothing else was tried."""

    reckoning: Reckoning | None = None
    refused: bool = False
    stages: list[Stage] = field(default_factory=list)
    upgrade: float = 0.0
    acts: int = 0
    #: Acts of staff, and decisions told by them, that are not in the record exactly once.
    acts_off: int = 0
    set_aside: int = 0
    #: Duties that were due at the end and stood open.
    left_open: Counter[str] = field(default_factory=Counter)
    #: Presses and forms that staff saw fail.
    presses_failed: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    errors: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def wrong(self) -> dict[str, object]:
        """What must be nothing and is not."""
        found: dict[str, object] = {} if self.reckoning is None else dict(self.reckoning.wrong())
        counts = {
            "started on tables that it must refuse": self.reckoning is None and not self.refused,
            "acts off": self.acts_off,
            "set aside": self.set_aside,
            "left open": dict(self.left_open),
            "presses failed": self.presses_failed,
            "breaches": self.breaches,
            "exit codes": [one for one in self.exits if one],
            "errors of the older": dict(self.errors[OLDER]),
            "errors of the newer": dict(self.errors[NEWER]),
        }
        return found | {name: one for name, one in counts.items() if one}


async def side_by_side(
    older: Path,
    newer: Path,
    database: str,
    folder: Path,
    *,
    chats: int = 6,
    report: Callable[[str], None] = lambda line: None,
) -> SideBySide:
    """Lead a desk from the release with its code in `older` to that in `newer`, and back, and there again.

    In each stage so many chats begin and those before go on; what is due comes due for as many.
    """
    async with AsyncExitStack() as stack:
        far = await stack.enter_async_context(platforms())
        # A press waits for as long as a busy machine needs: what it must not do is fail.
        slack = await stack.enter_async_context(Simulator(limits=Limits(ack_seconds=15, trigger_seconds=30)))
        both = [
            Release(code, folder / name, _environment(far, slack, database, life), life)
            for life, (name, code) in enumerate((("older", older), ("newer", newer)))
        ]
        for one in both:
            stack.callback(one.gone)
        return await _Rolling(far, slack, both, database, chats, report).rolled()


def _environment(far: Platforms, slack: Simulator, database: str, life: int) -> dict[str, str]:
    return {
        "AMENDS_TELEGRAM_TOKEN": "1:t",
        "AMENDS_TELEGRAM_API_URL": far.env(life=life)["AMENDS_TELEGRAM_API_URL"],
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
class _Rolling:
    far: Platforms
    slack: Simulator
    both: list[Release]
    database: str
    chats: int
    report: Callable[[str], None]
    numbers: dict[int, int] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    did: dict[Verb, list[str]] = field(default_factory=lambda: defaultdict(list))

    #: Chats of each beginning tell so many parts, one a stage; after the last staff resolve what they assessed.
    PARTS, STAGES = 3, 6

    @property
    def load(self) -> Load:
        begin = self.STAGES - self.PARTS + 1
        many = self.chats * begin * self.PARTS
        return Load(updates=many, due=2 * self.chats * self.PARTS, kills=0, a_chat=self.PARTS)

    async def rolled(self) -> SideBySide:
        older, newer = self.both
        older.start()
        await self._started(older, 1)
        await self._stage("the older alone, on its own tables")
        upgrading = asyncio.create_task(self._upgraded(newer))
        await self._stage("while the newer makes the tables new")
        upgrade = await upgrading
        found = schema_status(self.database)
        if (found.serves_from or "") > _last_migration(older.code):
            self.exits += [await older.stop()]
            refused = await older.ends("run") == 2 and "The database is" in older.log
            return SideBySide(refused=refused, stages=self.stages, upgrade=upgrade, exits=self.exits)
        # What fell due while nobody worked on it.
        with closing(self._opened(lambda: datetime.now(UTC) - AWAY)) as store:
            half = len(self.load.owed) // 2
            newer.start()
            await self._started(newer, 1)
            owe(store, self.load, self.load.owed[:half])
            await self._stage("both")
            self.exits += [await older.stop()]
            await self._stage("the newer alone")
            older.start()
            await self._started(older, 2)
            self.exits += [await newer.stop()]
            owe(store, self.load, self.load.owed[half:])
        await self._stage("gone back: the older alone")
        newer.start()
        await self._started(newer, 2)
        self.exits += [await older.stop()]
        await self._stage("and the newer again")
        with closing(self._opened()) as store:
            return replace(await self._counted(store), upgrade=upgrade)

    def _opened(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
        settings = load(self.both[NEWER].folder / "amends.toml", self.both[NEWER].environment)
        return open_store(self.database, Keyring(settings.secrets.keys()), clock)

    async def _upgraded(self, newer: Release) -> float:
        began = asyncio.get_running_loop().time()
        self.exits += [await newer.ends("db", "upgrade")]
        return asyncio.get_running_loop().time() - began

    async def _started(self, one: Release, times: int) -> None:
        await until(lambda: one.starts >= times, lambda: one.log[-4000:], seconds=2 * PATIENCE)

    async def _stage(self, name: str) -> None:
        """People tell, staff act on what they told before."""
        loop = asyncio.get_running_loop()
        number, began, sent = len(self.stages), loop.time(), len(self.far.telegram.accepted)
        for first in range(max(0, number - self.PARTS + 1), min(number, self.STAGES - self.PARTS) + 1):
            for chat in self._of(first):
                self.numbers[self.far.telegram.says(chat, self.load.told(chat)[number - first])] = chat
        heard = await self._heard(began)
        beginning = self.STAGES - self.PARTS
        if 1 <= number <= beginning + 1:
            self.did[Verb.ASSESS] += await self._staff("Assess", ASSESSMENT, self._of(number - 1))
        if number >= self.PARTS:
            self.did[Verb.RESOLVE] += await self._staff("Resolve", RESOLVED, self._of(number - self.PARTS))
        lives = Counter(one.life for one in self.far.telegram.accepted[sent:])
        self.stages.append(Stage(name, heard, lives[OLDER], lives[NEWER]))
        self.report(f"{self.stages[-1]}, {loop.time() - began:.0f} s")

    def _of(self, first: int) -> range:
        """The chats that began in this stage."""
        return self.load.tellers[first * self.chats : (first + 1) * self.chats]

    async def _heard(self, began: float) -> float | None:
        try:
            await until(lambda: self.far.telegram.waiting == 0, seconds=HEARS_WITHIN)
        except TimeoutError:
            return None
        return asyncio.get_running_loop().time() - began

    async def _staff(self, label: str, values: dict[str, str], chats: range) -> list[str]:
        """On the complaints of half of these chats; the references of those on which it went well."""
        half = chats[::2]
        await until(lambda: self._references().keys() >= set(half), lambda: "no reference was sent")
        references = [self._references()[chat] for chat in half]
        return [ref for ref in references if await self._acts(label, values, ref)]

    async def _acts(self, label: str, values: dict[str, str], ref: str) -> bool:
        """Open it, which is a read, then press, fill in, submit, and send where there is a preview."""
        alice = self.slack.staff(ALICE)

        def card() -> Card | None:
            """Once it is there and shows what was done before. Others name it too, where they are like it."""
            mine = (one for one in alice.channel(TRIAGE).cards if _key(one.post) == f"card:{ref}")
            return next((one for one in mine if label in one.buttons), None)

        try:
            await until(card, seconds=PATIENCE)
            for press in ("Open", label):
                found = card()
                if found is None:
                    raise SlackImpossible("The card changed under the hand.")
                await alice.presses(found, press)
                await alice.opened(press, timeout=15)
                if press == "Open":
                    await alice.closes(all=True)
            await alice.fills(values)
            top = await alice.submits()
            if top is not None and top.callback_id.endswith("_preview"):
                top = await alice.submits()
            left = "" if top is None else top.text[:200]
        except (NotAcknowledged, SlackImpossible, FormRefused, TimeoutError) as failed:
            left = f"{type(failed).__name__} {str(failed)[:300]}"
        if alice.modal is not None:
            await alice.closes(all=True)
        if left:
            self.failed.append(f"{label}: {left}")
        return not left

    def _references(self) -> dict[int, str]:
        found = ((one.chat, _REFERENCE.search(one.text)) for one in self.far.telegram.accepted)
        return {chat: said[1] for chat, said in found if said is not None}

    async def _counted(self, store: Store) -> SideBySide:
        progress = Progress(self.far.telegram, self.load, self.numbers)
        await self._still(lambda: progress.steps == progress.all_steps and not _open(store))
        left = _open(store)
        self.exits += [await self.both[NEWER].stop()]
        twice = self._posted_twice()
        for channel, key in twice:
            self.report(f"posted twice in {channel}: {key}")
        off = [(ref, verb) for ref, verb in self._acted() if _times(store, ref, verb) != 1]
        for ref, verb in off:
            verbs = [event.verb.value for event in store.read(load_history, ref)]
            self.report(f"{_times(store, ref, verb)} times {verb}: {verbs}")
        return SideBySide(
            reckoned(store, self.far.telegram, self.load, list(self.numbers), [], len(twice)),
            stages=self.stages,
            acts=sum(map(len, self.did.values())),
            acts_off=len(off),
            set_aside=len(store.read(list_dead_letters)),
            left_open=left,
            presses_failed=self.failed,
            breaches=[*self.slack.breaches, *self.slack.refusals],
            exits=self.exits,
            errors=(self.both[OLDER].errors, self.both[NEWER].errors),
        )

    def _posted_twice(self) -> list[tuple[str, str]]:
        """Channel and key of what stands there twice."""
        posts = ((one.id, post) for one in self.slack.world.slack.channels.values() for post in one.posts)
        times = Counter((channel, key) for channel, post in posts if (key := _key(post)) and not post.deleted)
        return [one for one, number in times.items() if number > 1]

    def _acted(self) -> Iterator[tuple[str, Verb]]:
        """What must be in the record, each of them once."""
        for verb, references in self.did.items():
            yield from ((ref, verb) for ref in references)
        yield from ((ref, Verb.COMMUNICATE_DECISION) for ref in self.did[Verb.RESOLVE])

    async def _still(self, done: Callable[[], bool]) -> None:
        """Until it is done, or nothing has moved for `STILL` seconds."""
        loop = asyncio.get_running_loop()
        last, moved = -1, loop.time()
        while not done() and loop.time() - moved < STILL:
            now = len(self.far.telegram.accepted) + sum([len(self.slack.world.calls.entries)])
            if now != last:
                last, moved = now, loop.time()
            await asyncio.sleep(0.5)


def _key(post: Post) -> str | None:
    """Under which it was posted."""
    return (post.metadata or {}).get("event_payload", {}).get("key")


def _last_migration(code: Path) -> str:
    return max(file.name[:4] for file in (code / "store/migrations/versions").glob("[0-9]*.py"))


def _times(store: Store, ref: str, verb: Verb) -> int:
    return [one.verb for one in store.read(load_history, ref)].count(verb)


def _open(store: Store) -> Counter[str]:
    # A training run takes as long as the machine is busy, and nobody waits for it.
    due = (IS_OPEN, OBLIGATIONS.c.due <= store.now(), OBLIGATIONS.c.kind != "train")
    query = select(OBLIGATIONS.c.kind, func.count()).where(*due)
    rows = store.read(lambda tx: tx.connection.execute(query.group_by(OBLIGATIONS.c.kind)).all())
    return Counter(dict(row._tuple() for row in rows))
