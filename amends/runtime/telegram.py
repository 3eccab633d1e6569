"""The copy of a person's data, as the chat hands it over (8.1): the same archive as `amends privacy export`.

Telegram as a part of the desk: hearing by polling or webhook, and speaking.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

import structlog
from telegram.error import InvalidToken

from amends.documents.labels import load_labels
from amends.keys import button_secrets
from amends.privacy.data_export import archive
from amends.retention import retention
from amends.runtime.metrics import Metrics
from amends.runtime.names import name_of_holder
from amends.runtime.web import Hook
from amends.settings import Settings
from bots.priority_lock import ShutdownWait
from bots.recovery import Recovering
from bots.telegram.application import build_application
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.jobs import LARGEST_COPY_BYTES, CopyOf, performers
from bots.telegram.polling import Poller
from bots.telegram.profile import introduce
from bots.telegram.sending import nobody_there
from bots.telegram.updates import ALLOWED
from bots.telegram.webhook import PATH, webhook
from bots.texts.texts import Texts
from scheduler.worker import Handler
from store.outbox.complete import end_retry_pauses
from store.outbox.outcomes import Outcome, Retry
from store.outbox.rows import SPEAKING
from store.store import Store
from store.values import Obligation

NAME = "mydata.zip"
#: Room for the record itself beside the files, which are named where they do not fit.
_RECORD = 2 * 1024 * 1024


def copies(settings: Settings, store: Store) -> CopyOf:
    """What makes the copy: by person and language, its name and bytes; that it was given out is recorded."""
    own, kept = settings.organisation, retention(settings)
    labels = load_labels(settings.languages, own.timezone, settings.texts_folder, own=settings.own_names)

    def copy_of(person: str, language: str) -> tuple[str, bytes]:
        largest = LARGEST_COPY_BYTES - _RECORD
        return NAME, archive(store, person, labels, language=language, largest=largest, retention=kept)

    return copy_of


#: Telegram away at the start: the staff's side goes on, and we knock again.
KNOCK_SECONDS = 5.0
#: A batch of updates is finished in this time, or it comes again after the next start.
HUSH_SECONDS = 3.0

log = structlog.get_logger(__name__)


class TelegramPart:
    """The complainant's side of a running desk."""

    def __init__(
        self, settings: Settings, store: Store, texts: Texts, *, paced: bool, metrics: Metrics
    ) -> None:
        secrets = settings.secrets
        self._secrets, self._store, self._texts = secrets, store, texts
        self._app = build_application(
            str(secrets.telegram_token),
            secrets.telegram_api_url,
            told=partial(metrics.increment, "platform_calls_total", "telegram"),
        )
        buttons = Buttons(*button_secrets(settings))
        self._intake = Intake(self._app, store, buttons, texts)
        self._intake.told = metrics.record_intake
        self._waiting = ShutdownWait()
        speaking = performers(
            self._app,
            store,
            self._intake,
            buttons,
            texts,
            paced=paced,
            copy_of=copies(settings, store),
            told=partial(metrics.increment, "messages_total"),
            waiting=self._waiting,
        )
        self._performers = Recovering(self._again, nobody_there).watched(speaking, SPEAKING)
        #: Under this name it polls: on PostgreSQL one replica does, and another takes over.
        self.holder = name_of_holder()
        self._registered = False
        self._poller: Poller | None = None
        self._begun = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self, *, listens: bool) -> None:
        """Hear, where this process listens; Telegram may be away meanwhile."""
        self.tasks.append(asyncio.create_task(self._run(listens=listens), name="telegram"))

    async def _run(self, *, listens: bool) -> None:
        while not self._begun.is_set():
            try:
                await self._app.initialize()
                self._begun.set()
            except InvalidToken:
                log.error("telegram_refuses_the_token", remedy="set AMENDS_TELEGRAM_TOKEN as @BotFather says")
                await asyncio.sleep(KNOCK_SECONDS)
            except Exception as away:  # noqa: BLE001  # whatever the other side answers, we knock again
                log.warning("telegram_away", why=type(away).__name__)
                await asyncio.sleep(KNOCK_SECONDS)
        if not listens:
            # It speaks for as long as the process lives: a task that ends would end the desk.
            await asyncio.Event().wait()
        await introduce(self._app, self._texts)
        if self._secrets.telegram_webhook_url is not None:
            await self._call_us()
            return
        await self._hear_by_polling()
        holder = self.holder if self._store.is_shared else None
        self._poller = Poller(self._app, self._store, self._intake, holder=holder, recovered=self._again)
        await self._poller.run()

    async def _hear_by_polling(self) -> None:
        """A webhook that stands would keep every update from us; what waits with Telegram stays.

        Where it cannot be taken away, polling itself says so, again and again (a conflict).
        """
        try:
            await self._app.bot.delete_webhook(drop_pending_updates=False)
        except Exception as wrong:  # noqa: BLE001  # a courtesy: it must not keep us from hearing
            log.warning("webhook_not_deleted", why=type(wrong).__name__)

    async def _call_us(self) -> None:
        """Register the webhook, as often as it takes, then stay."""
        while True:
            try:
                await self._app.bot.set_webhook(
                    str(self._secrets.telegram_webhook_url),
                    secret_token=self._secrets.telegram_webhook_secret,
                    allowed_updates=list(ALLOWED),
                    drop_pending_updates=False,
                )
            except Exception as away:  # noqa: BLE001  # whatever the other side answers, we knock again
                log.warning("webhook_not_set", why=type(away).__name__)
                await asyncio.sleep(KNOCK_SECONDS)
            else:
                self._registered = True
                await asyncio.Event().wait()

    async def _again(self) -> None:
        """Telegram is back: what waits for its next try need not wait out its pause."""
        await self._store.awrite(end_retry_pauses, tuple(self._performers))

    def performers(self) -> Mapping[str, Handler]:
        """The performers of the kinds that complainants hear."""
        return {kind: self._when_begun(perform) for kind, perform in self._performers.items()}

    def _when_begun(self, perform: Handler) -> Handler:
        """Before Telegram has answered once, nothing can be said; at a start it answers within moments."""

        async def performed(owed: Obligation) -> Outcome:
            try:
                await asyncio.wait_for(self._begun.wait(), KNOCK_SECONDS)
            except TimeoutError:
                return Retry("Telegram is away", KNOCK_SECONDS)
            return await perform(owed)

        return performed

    def hooks(self) -> Mapping[str, Hook]:
        """The webhook's route, where it is configured."""
        if self._secrets.telegram_webhook_url is None:
            return {}
        return {PATH: webhook(self._intake, str(self._secrets.telegram_webhook_secret))}

    def is_well(self) -> bool:
        """Begun, and where we poll, the last good answer is young.

        Where we are called it does not matter which process told Telegram our address: out of rotation, we would miss
        the calls. That nobody could is a figure to alarm on.
        """
        return self._begun.is_set() and (self._poller is None or self._poller.is_well())

    def gauges(self) -> Mapping[str, float]:
        """What an operator wants to see of this part, by the names of `/metrics`."""
        if self._secrets.telegram_webhook_url is not None:
            return {"telegram_webhook_registered": float(self._registered)}
        if self._poller is None:
            return {}
        told = {"telegram_polls": float(self._poller.polls)}
        if self._poller.last_good is not None and self._poller.polls:
            told["telegram_last_poll_age_seconds"] = time.monotonic() - self._poller.last_good
        return told

    async def hush(self) -> None:
        """Ask for no more updates, finish the batch that came, and let no duty wait for its place any more."""
        self._waiting.stop()
        if self._poller is not None:
            self._poller.stop()
            await asyncio.wait(self.tasks, timeout=HUSH_SECONDS)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def end(self) -> None:
        """Close what sends."""
        if self._begun.is_set():
            await self._app.shutdown()
