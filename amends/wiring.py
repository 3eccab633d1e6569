"""The one place where the parts are put together; the only module that knows a clock and every room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from amends.public_page import public_page
from amends.retention import retention
from amends.runtime.metrics import Metrics, readiness, render_metrics, render_metrics_without_store
from amends.runtime.names import PARTS
from amends.runtime.rules_in_force import RulesInForce
from amends.runtime.slack import SlackPart
from amends.runtime.telegram import TelegramPart
from amends.runtime.web import Hook, WebPart
from amends.settings import Problem, Settings, SettingsError, rulebooks
from amends.settings.triage import learning, own_examples
from bots.texts.loading import STAFF
from bots.texts.loading import load as load_texts
from complaints.rulebook import Rulebook, Rulebooks
from scheduler.housekeeping import acting, housekeeping
from scheduler.proposals import ProposalHandler
from scheduler.ticks import mornings, ticking
from scheduler.training import besides, schedule_first_training, training
from scheduler.worker import Handler, Worker
from store.database.errors import DatabaseUnavailable
from store.database.leases import try_writing
from store.outbox.complete import free_leases, next_due
from store.record.load import require_key
from store.store import Store

#: A store that is silent for so many seconds is as good as away: who asks how we are must hear it.
STORE_ANSWERS_IN = 5.0

#: Which parts can do their work, by name.
Parts = Mapping[str, bool]
Told = TypeVar("Told")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SendIntervals:
    """Seconds between two messages to one place: the platforms' limits unless a demo or test says less."""

    slack: float = 1.0
    telegram: bool = True


def require_secrets(settings: Settings, parts: Iterable[str]) -> None:
    """SettingsError naming what these parts cannot do without, each with its remedy."""
    secrets, named = settings.secrets, set(parts)
    found = []
    if {"telegram", "scheduler"} & named and secrets.telegram_token is None:
        found.append(("AMENDS_TELEGRAM_TOKEN", "is missing; @BotFather gives it"))
    if {"slack", "scheduler"} & named and secrets.slack_bot_token is None:
        found.append(("AMENDS_SLACK_BOT_TOKEN", "is missing; the app's page in Slack shows it (xoxb-…)"))
    if "slack" in named and secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        what = "is missing (Socket Mode); or set AMENDS_SLACK_SIGNING_SECRET for HTTP"
        found.append(("AMENDS_SLACK_APP_TOKEN", what))
    if found:
        raise SettingsError([Problem(name, "environment", what) for name, what in found])


def web_without_store(settings: Settings) -> WebPart:
    """What is answered while the database is away at a start: that we live, are not ready, and how to complain.

    The platforms hear 503 and bring it again.
    """

    async def ready() -> tuple[bool, Mapping[str, Any]]:
        return False, {"store": False, "figures": {}}

    async def metrics() -> str:
        return render_metrics_without_store()

    texts = load_texts(settings.languages, settings.texts_folder, own=settings.own_names)
    page = partial(public_page, rulebooks(settings), texts)
    return WebPart(settings, page=page, ready=ready, figures=metrics)


class Application:
    """One running process of the product, or the named parts of it.

    `stop` finishes what was begun; whatever was not is a row and goes on after the next start.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        parts: tuple[str, ...] = PARTS,
        pace: SendIntervals | None = None,
    ) -> None:
        self.settings, self.store, self.parts = settings, store, parts
        self.rulebooks: Rulebooks = rulebooks(settings)
        self.rules: Rulebook = self.rulebooks.own
        require_secrets(settings, parts)
        pace = pace or SendIntervals()
        self.metrics = Metrics()
        folder = settings.texts_folder
        self.texts = load_texts(settings.languages, folder, own=settings.own_names)
        self.staff_texts = load_texts(
            (settings.organisation.staff_language,), folder, domain=STAFF, own=settings.own_names
        )
        # The scheduler speaks on both sides; a process that only hears one needs nothing of the other.
        self._telegram: TelegramPart | None = None
        self._slack: SlackPart | None = None
        if {"telegram", "scheduler"} & set(parts):
            self._telegram = TelegramPart(
                settings, store, self.texts, paced=pace.telegram, metrics=self.metrics
            )
        if {"slack", "scheduler"} & set(parts):
            self._slack = SlackPart(
                settings, store, self.texts, self.staff_texts, pace=pace.slack, metrics=self.metrics
            )
        holder = self._telegram.holder if self._telegram is not None else ""
        self._in_force = RulesInForce(store, self.rulebooks, holder)
        self._proposing = ProposalHandler(store, languages=settings.languages)
        page = partial(public_page, self.rulebooks, self.texts)
        self._web = WebPart(settings, page=page, ready=self._condition, figures=self._figures)
        self._tasks: list[asyncio.Task[None]] = []
        self.performing: Worker | None = None

    async def start(self) -> None:
        """Start every part; raises what makes a start impossible (an address that is taken).

        With DatabaseAway nothing was begun: call it again.
        """
        store = self.store
        await store.in_thread(self._prepare)
        await self._in_force.begin()
        if "web" in self.parts:
            await self._web.begin(self._hooks())
        if self._telegram is not None:
            await self._telegram.begin(listens="telegram" in self.parts)
        if self._slack is not None:
            await self._slack.begin(listens="slack" in self.parts)
        if "scheduler" in self.parts:
            sides = [side for side in (self._telegram, self._slack) if side is not None]
            performers = self._performers()
            self.performing = Worker(
                store,
                performers,
                [tuple(one.performers()) for one in sides],
                reckoning=tuple(self._proposing.performers()),
                told=partial(self.metrics.increment, "duties_performed_total"),
            )
            store.on_commit(self.performing.nudge)
            self._tasks.append(asyncio.create_task(self.performing.run(), name="performing"))
            self._ticks = ticking(
                store,
                kinds=tuple(performers),
                purges=self.settings.privacy.purge,
                learning=learning(self.settings),
                besides=self._besides,
            )
            self._ticks.start()
        log.info("started", parts=list(self.parts))

    def _prepare(self) -> None:
        """What the record must know before anything is heard or done; SealBroken where it is of another key."""
        self.store.read(require_key)
        if not self.store.is_shared:
            # Another process at the same database may hold what it is sending at this moment.
            self.store.write(free_leases)
        if "scheduler" in self.parts:
            schedule_first_training(self.store, self._besides())

    def _besides(self) -> str:
        """What a training run would learn from besides the record."""
        return besides(learning(self.settings), self.settings.languages, own_examples(self.settings))

    def _hooks(self) -> Mapping[str, Hook]:
        """The platforms' routes, of the parts that hear in this process."""
        found: dict[str, Hook] = {}
        if self._telegram is not None and "telegram" in self.parts:
            found.update(self._telegram.hooks())
        if self._slack is not None and "slack" in self.parts:
            found.update(self._slack.hooks())
        return found

    def _performers(self) -> Mapping[str, Handler]:
        store, sides = self.store, (self._telegram, self._slack)
        speaking = {
            kind: one for side in sides if side is not None for kind, one in side.performers().items()
        }
        return {
            **acting(store),
            **mornings(store),
            **housekeeping(store, retention=retention(self.settings)),
            **training(
                store,
                languages=self.settings.languages,
                learning=learning(self.settings),
                own=partial(own_examples, self.settings),
            ),
            **self._proposing.performers(),
            **speaking,
        }

    async def ready(self) -> Parts:
        """Which parts can do their work now."""
        found = {"store": await self._store_answers()}
        if self._telegram is not None and "telegram" in self.parts:
            found["telegram"] = self._telegram.is_well()
        if self._slack is not None and "slack" in self.parts:
            found["slack"] = await self._slack.is_well()
        return found

    async def _condition(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether this process can do its work, and the figures behind it."""
        parts, body = await self._of_store(lambda parts: readiness(self.store, parts, self._gauges()))
        return all(parts.values()), body

    async def _figures(self) -> str:
        _, body = await self._of_store(
            lambda parts: render_metrics(self.store, parts, self.metrics, self._gauges())
        )
        return body

    async def _of_store(self, tell: Callable[[Parts], Told]) -> tuple[Parts, Told]:
        """What is told of the store, or without it where it does not answer in time; and which parts are well."""
        parts = await self.ready()
        if parts["store"]:
            try:
                async with asyncio.timeout(STORE_ANSWERS_IN):
                    return parts, await self.store.in_reader_thread(tell, parts)
            except (TimeoutError, DatabaseUnavailable):
                log.warning("store_away", why="it went silent")
                parts = {**parts, "store": False}
        return parts, tell(parts)

    def _gauges(self) -> Mapping[str, float]:
        telegram = self._telegram.gauges() if self._telegram is not None and "telegram" in self.parts else {}
        slack = self._slack.gauges() if self._slack is not None and "slack" in self.parts else {}
        return {**telegram, **slack}

    async def _store_answers(self) -> bool:
        try:
            async with asyncio.timeout(STORE_ANSWERS_IN):
                await self.store.aread(next_due)
                if self.store.writes_fail:
                    # Read it can be, and nothing of what is said to us be kept: is that still so?
                    await self.store.awrite(try_writing)
        except Exception:
            log.exception("store_away")
            return False
        return True

    async def failed(self) -> None:
        """Return when a part ended by itself: the process must then end and be started again."""
        sides = (self._telegram, self._slack)
        watched = [*self._tasks, *(task for side in sides if side is not None for task in side.tasks)]
        if not watched:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def idle(self) -> None:
        """Return when nothing due is left to do (for the demo's clock and stories)."""
        if self.performing is not None:
            await self.performing.idle()

    async def is_idle(self) -> bool:
        """True when nothing is due nor being done at this moment."""
        return self.performing is None or await self.performing.is_idle()

    async def stop(self) -> None:
        """Hear nothing new, finish what was begun, close the lines."""
        self._in_force.end()
        sides = [side for side in (self._telegram, self._slack) if side is not None]
        # Side by side: each may take its three seconds, and what was begun must have some, too.
        await asyncio.gather(self._web.end(), *(side.hush() for side in sides))
        if self.performing is not None:
            self._ticks.shutdown(wait=False)
            self.performing.stop()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for side in sides:
            await side.end()
        self._proposing.close()
