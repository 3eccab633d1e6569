"""Puts all parts of the product together. No other module knows the clock and every package."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from telegram.error import TelegramError

from amends.checkpoints import CheckpointSender
from amends.figures import Threshold, figure_handlers, newest_publication
from amends.public_page import public_page
from amends.reports.report_kinds import KINDS
from amends.retention import erasures_file, list_new_erasures, retention_periods
from amends.runtime import PARTS
from amends.runtime.alerts import AlertJob, send_heartbeats
from amends.runtime.metrics import Metrics, readiness, render_metrics, render_metrics_without_store
from amends.runtime.slack import LISTENER, SlackPart
from amends.runtime.telegram import TelegramPart, ask_username
from amends.runtime.web import Hook, WebPart
from amends.settings import Problem, Settings, SettingsError, rulebook, rulebooks
from amends.settings.field_types import parse_clock
from bots.telegram.polling import LEADER, STANDBY_CHECK_SECONDS
from bots.texts.catalogues import STAFF
from bots.texts.catalogues import load_catalogues as load_texts
from complaints.rulebook import Rulebook, Rulebooks, categories_of
from scheduler.proposals import ProposalHandler
from scheduler.ticks import (
    ScheduledReport,
    act_handlers,
    create_ticks,
    housekeeping_handlers,
    morning_handlers,
    review_handlers,
)
from scheduler.training import LearningSettings, digest_settings, schedule_first_training, training_handlers
from scheduler.worker import Handler, Worker
from store.custody.secret_keys import record_key_use
from store.database.errors import DatabaseUnavailable
from store.database.leases import list_held, try_writing
from store.outbox.complete import end_all_leases, find_next_due
from store.rulebooks import use_rulebooks_when_readable
from store.store import Store
from triage.learning.examples import organisation_examples
from triage.message_kind import load_phrases
from triage.processes.child_process import start_triage
from triage.processes.sentence_vectors import Encode, EncoderProcess

#: In seconds. A store that takes longer to answer is reported as unavailable.
STORE_TIMEOUT_SECONDS = 5.0
#: In seconds. A process with the public page only asks Telegram for the bot's username this often until it answers.
USERNAME_RETRY_SECONDS = 60.0

#: Whether each part can work, by the name of the part.
PartHealth = Mapping[str, bool]
Body = TypeVar("Body")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SendIntervals:
    """How messages are spaced; the demo and tests send faster than the platforms allow.

    `slack` is the number of seconds between two posts to a channel; `telegram` False turns its rate limit off.
    """

    slack: float = 1.0
    telegram: bool = True


def require_secrets(settings: Settings, parts: Iterable[str]) -> None:
    """Raise SettingsError with every secret that these parts need and lack, each with its remedy."""
    secrets, names = settings.secrets, set(parts)
    missing = []
    if {"telegram", "scheduler"} & names and secrets.telegram_token is None:
        missing.append(("AMENDS_TELEGRAM_TOKEN", "is missing; @BotFather gives it"))
    if {"slack", "scheduler"} & names and secrets.slack_bot_token is None:
        missing.append(("AMENDS_SLACK_BOT_TOKEN", "is missing; the app's page in Slack shows it (xoxb-…)"))
    if "slack" in names and secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        remedy = "is missing (Socket Mode); or set AMENDS_SLACK_SIGNING_SECRET for HTTP"
        missing.append(("AMENDS_SLACK_APP_TOKEN", remedy))
    if missing:
        raise SettingsError([Problem(name, "environment", remedy) for name, remedy in missing])


def web_without_store(settings: Settings) -> WebPart:
    """The web part for the time that the database is unavailable at a start: alive, not ready, with the public page.

    Platforms get status 503 and send their update again.
    """

    async def not_ready() -> tuple[bool, Mapping[str, Any]]:
        return False, {"store": False, "figures": {}}

    async def metrics() -> str:
        return render_metrics_without_store()

    texts = load_texts(settings.languages, settings.texts_folder, **settings.wording)
    rules, bot = rulebooks(settings), settings.organisation.bot or None

    def page(country: str | None, languages: Sequence[str]) -> str:
        today = rules.at(datetime.now(UTC))
        return public_page(today, texts, country=country, languages=languages, bot=bot)

    return WebPart(settings, page=page, readiness=not_ready, metrics=metrics)


def learning_settings(settings: Settings) -> LearningSettings:
    triage = settings.triage
    return LearningSettings(
        retrain_after=triage.retrain_after,
        retrain_at=parse_clock(triage.retrain_at),
        wanted_precision=triage.wanted_precision,
        alert_budget=triage.alert_budget,
        encoder=triage.encoder,
    )


def own_examples(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """The organisation's own examples, as a training order contains them; `amends check` reports unreadable files."""
    files = organisation_examples(settings.examples_folder, categories_of(rulebook(settings)))
    return [
        {
            "text": example.text,
            "category": example.category,
            "severity": example.severity,
            "language": example.language,
        }
        for example in files.examples
    ]


class Application:
    """One running process with all parts of the product, or with those named in `parts`.

    `stop` finishes running work. All other work is a row in the database and is done after the next start.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        parts: tuple[str, ...] = PARTS,
        send_intervals: SendIntervals | None = None,
    ) -> None:
        self.settings, self.store, self.parts = settings, store, parts
        self.rulebooks: Rulebooks = rulebooks(settings)
        self.rules: Rulebook = self.rulebooks.own
        require_secrets(settings, parts)
        send_intervals = send_intervals or SendIntervals()
        self.metrics = Metrics()
        folder = settings.texts_folder
        self.texts = load_texts(settings.languages, folder, **settings.wording)
        self.staff_texts = load_texts(
            (settings.organisation.staff_language,), folder, domain=STAFF, own=settings.own_names
        )
        # The scheduler sends on both platforms; a process that only receives on one needs nothing of the other.
        self._telegram: TelegramPart | None = None
        self._slack: SlackPart | None = None
        if {"telegram", "scheduler"} & set(parts):
            self._telegram = TelegramPart(
                settings,
                store,
                self.texts,
                self.rulebooks,
                rate_limited=send_intervals.telegram,
                metrics=self.metrics,
            )
        if {"slack", "scheduler"} & set(parts):
            self._slack = SlackPart(
                settings, store, self.texts, self.staff_texts, pace=send_intervals.slack, metrics=self.metrics
            )
        holder = self._telegram.holder if self._telegram is not None else ""
        self._rules_activation = RulesActivation(store, self.rulebooks, holder)
        self._triage = start_triage()
        self._proposal_handler = ProposalHandler(store, self._triage, languages=settings.languages)
        self._web = WebPart(settings, page=self._page, readiness=self._readiness, metrics=self._metrics_page)
        self._username = settings.organisation.bot or None
        #: The minute in which the newest publication was read, and its figures.
        self._publication: tuple[int, Mapping[str, Any] | None] = (-1, None)
        self._tasks: list[asyncio.Task[None]] = []
        self.worker: Worker | None = None
        self._heartbeat: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start every part. Raises what prevents a start, such as SettingsError if the address is taken.

        UnreadableModel and UnusableEncoder: no danger could be read in a message, or in a complaint that staff log.
        After DatabaseUnavailable nothing is running yet: call it again.
        """
        store = self.store
        await store.in_thread(self._prepare_store)
        await self._rules_activation.start()
        if self._platforms():
            # Imported here: only the running desk loads NumPy. Before the webhook: no message is read without it.
            from triage.reader.acts import act_models
            from triage.reader.danger import danger_reader

            reader = await asyncio.to_thread(danger_reader)
            await asyncio.to_thread(act_models)
            self._reading = asyncio.create_task(self._prepare_reading(reader.encode), name="reading")
        if "web" in self.parts:
            await self._web.start(self._hooks())
            if self._telegram is None and self._username is None and self.settings.secrets.telegram_token:
                self._tasks.append(asyncio.create_task(self._ask_username(), name="username"))
        if self._telegram is not None:
            await self._telegram.start(receives="telegram" in self.parts)
        if self._slack is not None:
            await self._slack.start(receives="slack" in self.parts)
        if "scheduler" in self.parts:
            handlers = self._handlers()
            self.worker = Worker(
                store,
                handlers,
                [tuple(platform.handlers()) for platform in self._platforms()],
                cpu_bound=tuple(self._proposal_handler.handlers()),
                on_result=self._count_result,
            )
            store.on_commit(self.worker.nudge)
            if self.settings.on_call.heartbeat is not None:
                on_sent = partial(self.metrics.increment, "heartbeats_total")
                beating = send_heartbeats(self.settings.on_call, self._works, on_sent)
                self._heartbeat = asyncio.create_task(beating, name="heartbeat")
            self._tasks.append(asyncio.create_task(self.worker.run(), name="worker"))
            self._ticks = create_ticks(
                store,
                kinds=tuple(handlers),
                purges=self.settings.privacy.purge,
                learning=learning_settings(self.settings),
                compute_digest=self._training_digest,
                checkpoint_minutes=self.settings.proof.every_minutes,
                reports=tuple(
                    ScheduledReport(report.kind, report.channel, report.when)
                    for report in self.settings.report
                    if report.kind in KINDS
                ),
            )
            self._ticks.start()
        log.info("started", parts=list(self.parts))

    def _prepare_store(self) -> None:
        """Check the key before the first message arrives. Raises SealBroken if the record has another key."""
        self.store.write(record_key_use)
        if not self.store.is_shared:
            # In a shared database a lease may belong to another process that is sending right now.
            self.store.write(end_all_leases)
        if "scheduler" in self.parts:
            schedule_first_training(self.store, self._training_digest())

    async def _prepare_reading(self, encode: Encode | None) -> None:
        """Load in the background what the first message would load; raises UnusableEncoder for an altered encoder."""
        await asyncio.to_thread(load_phrases)
        if isinstance(encode, EncoderProcess):
            with suppress(BrokenExecutor):
                await asyncio.wrap_future(encode.loading)
        await asyncio.Event().wait()

    def _training_digest(self) -> str:
        """A digest of everything outside the record that a training run learns from."""
        return digest_settings(
            learning_settings(self.settings), self.settings.languages, own_examples(self.settings)
        )

    def _platforms(self) -> list[TelegramPart | SlackPart]:
        return [platform for platform in (self._telegram, self._slack) if platform is not None]

    def _receiving(self) -> list[TelegramPart | SlackPart]:
        """The platforms from which this process receives."""
        platforms = {"telegram": self._telegram, "slack": self._slack}
        return [part for name, part in platforms.items() if part is not None and name in self.parts]

    def _hooks(self) -> Mapping[str, Hook]:
        return {path: hook for platform in self._receiving() for path, hook in platform.hooks().items()}

    def _handlers(self) -> Mapping[str, Handler]:
        store = self.store
        sending = {
            kind: handler for platform in self._platforms() for kind, handler in platform.handlers().items()
        }
        return {
            **act_handlers(store),
            **morning_handlers(store),
            **housekeeping_handlers(
                store,
                retention=retention_periods(self.settings),
                after_purge=self._list_erasures,
                signing_key=self.settings.secrets.signing_key,
                send_checkpoint=CheckpointSender(self.settings, store, self._count_sent).send,
                each_day=self._telegram.set_profile if self._telegram is not None else None,
            ),
            **review_handlers(store, self.settings.case_review.each_month),
            **figure_handlers(
                store,
                [
                    Threshold(limit.figure, limit.above, limit.below, limit.over)
                    for limit in self.settings.threshold
                ],
            ),
            **training_handlers(
                store,
                languages=self.settings.languages,
                learning=learning_settings(self.settings),
                own=partial(own_examples, self.settings),
            ),
            **self._proposal_handler.handlers(),
            "alert": AlertJob(self.settings, store, partial(self.metrics.increment, "alerts_total")).alert,
            **sending,
        }

    def _count_result(self, kind: str, outcome: str) -> None:
        self.metrics.increment("obligations_performed_total", kind, outcome)
        if kind == "checkpoint_post":
            # The attempts of the Slack post: another rate limit or a retry is no failure yet.
            outcomes = {"done": "ok", "given_up": "failed"}
            if outcome in outcomes:
                self._count_sent("slack", outcomes[outcome])

    def _count_sent(self, place: str, outcome: str) -> None:
        self.metrics.increment("checkpoint_sent_total", place, outcome)

    def _list_erasures(self) -> None:
        """A restored backup erases again what is listed; without the list, its own next purge does."""
        try:
            list_new_erasures(self.store, erasures_file(self.settings))
        except OSError:
            log.warning("erasures_not_listed", remedy="let this account write erasures.jsonl")

    async def ready(self) -> PartHealth:
        health = {"store": await self._store_answers()}
        if self._telegram is not None and "telegram" in self.parts:
            health["telegram"] = self._telegram.is_healthy()
        if self._slack is not None and "slack" in self.parts:
            health["slack"] = await self._slack.is_healthy()
        return health

    def _page(self, country: str | None, languages: Sequence[str]) -> str:
        bot = self._username or (self._telegram.username if self._telegram is not None else None)
        # A desk runs over a change of the law.
        today = self.rulebooks.at(self.store.now())
        return public_page(
            today, self.texts, country=country, languages=languages, bot=bot, figures=self._published()
        )

    def _published(self) -> Mapping[str, Any] | None:
        """The newest publication, read once a minute, so that many readers of the page cost nothing."""
        minute = int(time.monotonic() // 60)
        if self._publication[0] != minute:
            with suppress(DatabaseUnavailable):
                self._publication = (minute, newest_publication(self.store))
        return self._publication[1]

    async def _ask_username(self) -> None:
        """Ask Telegram for the bot's username until it answers, then wait: a task that ends would end the process."""
        while self._username is None:
            try:
                self._username = await ask_username(self.settings)
            except TelegramError:
                await asyncio.sleep(USERNAME_RETRY_SECONDS)
        await asyncio.Event().wait()

    async def _readiness(self) -> tuple[bool, Mapping[str, Any]]:
        health, body = await self._render(lambda parts: readiness(self.store, parts, self._gauges()))
        return all(health.values()), body

    async def _metrics_page(self) -> str:
        _, body = await self._render(
            lambda parts: render_metrics(self.store, parts, self.metrics, self._gauges())
        )
        return body

    async def _render(self, render: Callable[[PartHealth], Body]) -> tuple[PartHealth, Body]:
        """The health of the parts, and a body with the store's figures if the store answers in time."""
        health = await self.ready()
        if health["store"]:
            try:
                async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
                    return health, await self.store.in_reader_thread(render, health)
            except (TimeoutError, DatabaseUnavailable):
                log.warning("store_away", why="no answer in time")
                health = {**health, "store": False}
        return health, render(health)

    def _gauges(self) -> Mapping[str, float]:
        return {name: value for platform in self._receiving() for name, value in platform.gauges().items()}

    async def _store_answers(self) -> bool:
        try:
            async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
                await self.store.aread(find_next_due)
                if self.store.writes_fail:
                    # Reading works, but the last write failed: incoming messages could not be stored. Try again.
                    await self.store.awrite(try_writing)
        except Exception:
            log.exception("store_away")
            return False
        return True

    async def _works(self) -> bool:
        """True if this desk can write, handles what is due, and receives from both platforms, in any process."""
        secrets, health = self.settings.secrets, await self.ready()
        async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
            await self.store.awrite(try_writing)
            leases = await self.store.aread(list_held)
        # What this process does not receive, another one must: the leases in the database show that it runs.
        polls = "telegram" in health or LEADER in leases or secrets.telegram_webhook_url is not None
        listens = "slack" in health or LISTENER in leases or secrets.slack_over_http
        receives = polls and listens
        return all(health.values()) and receives and self.worker is not None and self.worker.is_claiming

    async def wait_for_failure(self) -> None:
        """Return or raise when a part ends without being stopped; the process must then end and be restarted."""
        tasks = [*self._tasks, *([self._reading] if self._reading else ())]
        tasks += [task for platform in self._platforms() for task in platform.tasks]
        if not tasks:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def wait_until_idle(self) -> None:
        """Return when nothing due is left to do (for the demo's clock and stories)."""
        if self.worker is not None:
            await self.worker.idle()

    async def is_idle(self) -> bool:
        return self.worker is None or await self.worker.is_idle()

    async def stop(self) -> None:
        self._rules_activation.stop()
        for task in (self._heartbeat, self._reading):
            if task is not None:
                task.cancel()
        # In parallel: each may take three seconds, and running work needs the rest of the time.
        await asyncio.gather(self._web.stop(), *(platform.stop_receiving() for platform in self._platforms()))
        if self.worker is not None:
            self._ticks.shutdown(wait=False)
            self.worker.stop()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for platform in self._platforms():
            await platform.close()
        self._triage.shutdown(wait=False, cancel_futures=True)


class RulesActivation:
    """Puts the rules of this process in force at its start, or later during a rolling restart.

    Until its last polling process has ended, the older release receives messages. It cannot read rules with newer
    fields: if they were in force, it could receive nothing from our start on.
    """

    def __init__(self, store: Store, rulebooks: Rulebooks, holder: str) -> None:
        self._store, self._rulebooks, self._holder = store, rulebooks, holder
        self._waiting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Put the rules in force, or retry in the background until that is possible."""
        if not await self._activate():
            log.warning(
                "rules_wait",
                why="another process receives messages and may be of a release that cannot read these rules",
            )
            self._waiting = asyncio.create_task(self._retry(), name="rules")

    async def _retry(self) -> None:
        in_force = False
        while not in_force:
            await asyncio.sleep(STANDBY_CHECK_SECONDS)
            try:
                in_force = await self._activate()
            except DatabaseUnavailable:
                # Retried below. Until then no process can receive messages either.
                continue
        log.info("rules_in_force")

    async def _activate(self) -> bool:
        return await self._store.awrite(
            use_rulebooks_when_readable, self._rulebooks, lead=LEADER, holder=self._holder
        )

    def stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
