"""The Telegram part of a process: receives updates by long polling or webhook, and sends messages to complainants."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

import structlog
from telegram.error import InvalidToken

from amends.documents.labels import Labels, load_labels
from amends.privacy.data_export import archive, receipt_archive
from amends.retention import retention_periods
from amends.runtime import unique_holder_name
from amends.runtime.metrics import Metrics
from amends.runtime.programs import file_scanner, speech_from, translator_from
from amends.runtime.web import Hook
from amends.settings import Settings
from bots.priority_lock import ShutdownWait
from bots.recovery import RecoveryDetector
from bots.telegram.application import build_application, set_profile
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.jobs import LARGEST_COPY_BYTES, CopyOf, ReceiptOf, job_handlers
from bots.telegram.polling import Poller
from bots.telegram.sending import is_telegram_unavailable
from bots.telegram.updates import ALLOWED_UPDATES
from bots.telegram.webhook import PATH, create_endpoint
from bots.texts.texts import Texts
from complaints.rulebook import Rulebooks
from scheduler.worker import Handler
from store.cases.export import export_case, record_read
from store.outbox.complete import Outcome, Retry, end_retry_pauses
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.store import Store
from store.values import Obligation

#: If Telegram is unavailable, retry this often, in seconds. Staff can still work until then.
RECONNECT_SECONDS = 5.0
#: In seconds. A batch of updates that takes longer at a stop is received again after the next start.
STOP_SECONDS = 3.0
_COPY_NAME = "mydata.zip"
#: Bytes of the copy that are left for the record. Files that do not fit into the rest are named in it instead.
_RECORD_BYTES = 2 * 1024 * 1024

log = structlog.get_logger(__name__)


class TelegramPart:
    """Telegram in one process: receives what complainants write, and sends what they must read."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        texts: Texts,
        rulebooks: Rulebooks,
        *,
        rate_limited: bool,
        metrics: Metrics,
    ) -> None:
        secrets = settings.secrets
        self._secrets, self._store, self._texts, self._rulebooks = secrets, store, texts, rulebooks
        self._app = build_application(
            str(secrets.telegram_token),
            secrets.telegram_api_url,
            on_result=partial(metrics.increment, "platform_calls_total", "telegram"),
        )
        buttons = Buttons(*secrets.button_secrets())
        self._intake = Intake(self._app, store, buttons, texts, translator=translator_from(settings))
        self._intake.on_result = metrics.record_intake
        self._waiting = ShutdownWait()
        labels = document_labels(settings)
        handlers = job_handlers(
            self._app,
            store,
            self._intake,
            buttons,
            texts,
            rate_limited=rate_limited,
            copy_of=data_copies(settings, store),
            form_of=partial(complaint_form, store, labels),
            as_pdf=partial(long_letter, store, labels, settings.organisation.name),
            receipt_of=receipts(secrets.signing_key, store),
            scan=file_scanner(settings.files.scanner),
            speech=speech_from(settings.speech),
            on_result=partial(metrics.increment, "messages_total"),
            waiting=self._waiting,
        )
        self._handlers = RecoveryDetector(self._on_recovery, is_telegram_unavailable).watch(
            handlers, SENT_TO_COMPLAINANT
        )
        #: The name under which this process polls. On PostgreSQL only one replica polls; another one can take over.
        self.holder = unique_holder_name()
        self._is_registered = False
        self._poller: Poller | None = None
        self._initialised = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self._profile: asyncio.Task[None] | None = None

    @property
    def username(self) -> str | None:
        """The bot's username, once Telegram has answered."""
        return self._app.bot.username if self._initialised.is_set() else None

    async def start(self, *, receives: bool) -> None:
        """Start sending, and receiving if this process does; Telegram may be unavailable for now."""
        self.tasks.append(asyncio.create_task(self._run(receives=receives), name="telegram"))

    async def _run(self, *, receives: bool) -> None:
        while not self._initialised.is_set():
            try:
                await self._app.initialize()
                self._initialised.set()
            except InvalidToken:
                log.error("telegram_refuses_the_token", remedy="set AMENDS_TELEGRAM_TOKEN as @BotFather says")
                await asyncio.sleep(RECONNECT_SECONDS)
            except Exception as wrong:  # noqa: BLE001  # retried, for every kind of error
                log.warning("telegram_away", why=type(wrong).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)
        if not receives:
            # Nothing more to do here, but the task must not end: that would end the process.
            await asyncio.Event().wait()
        # In the background: incoming messages must not wait for the profile.
        self._profile = asyncio.create_task(self.set_profile(), name="profile")
        if self._secrets.telegram_webhook_url is not None:
            await self._register_webhook()
            return
        await self._delete_webhook()
        holder = self.holder if self._store.is_shared else None
        self._poller = Poller(
            self._app, self._store, self._intake, holder=holder, on_recovery=self._on_recovery
        )
        await self._poller.run()

    async def set_profile(self) -> None:
        """Bring the bot's profile in line with the rules in force now; without Telegram, nothing."""
        if self._initialised.is_set():
            await set_profile(self._app, self._texts, self._rulebooks.at(self._store.now()))

    async def _delete_webhook(self) -> None:
        """Remove a webhook, which would take every update; updates that wait at Telegram are kept.

        If that fails, polling reports the conflict each time.
        """
        try:
            await self._app.bot.delete_webhook(drop_pending_updates=False)
        except Exception as wrong:  # noqa: BLE001  # there may be none: polling must start in any case
            log.warning("webhook_not_deleted", why=type(wrong).__name__)

    async def _register_webhook(self) -> None:
        """Register the webhook, retried until it succeeds, then wait without end."""
        while True:
            try:
                await self._app.bot.set_webhook(
                    str(self._secrets.telegram_webhook_url),
                    secret_token=self._secrets.telegram_webhook_secret,
                    allowed_updates=list(ALLOWED_UPDATES),
                    drop_pending_updates=False,
                )
            except Exception as wrong:  # noqa: BLE001  # retried, for every kind of error
                log.warning("webhook_not_set", why=type(wrong).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                self._is_registered = True
                await asyncio.Event().wait()

    async def _on_recovery(self) -> None:
        await self._store.awrite(end_retry_pauses, tuple(self._handlers))

    def handlers(self) -> Mapping[str, Handler]:
        return {kind: self._once_initialised(handler) for kind, handler in self._handlers.items()}

    def _once_initialised(self, handler: Handler) -> Handler:
        """The handler, which waits until Telegram has answered once: before that nothing can be sent."""

        async def handle(obligation: Obligation) -> Outcome:
            try:
                await asyncio.wait_for(self._initialised.wait(), RECONNECT_SECONDS)
            except TimeoutError:
                return Retry("Telegram is away", RECONNECT_SECONDS)
            return await handler(obligation)

        return handle

    def hooks(self) -> Mapping[str, Hook]:
        if self._secrets.telegram_webhook_url is None:
            return {}
        return {PATH: create_endpoint(self._intake, str(self._secrets.telegram_webhook_secret))}

    def is_healthy(self) -> bool:
        """True if Telegram has answered once and, if this process polls, its last good answer is recent.

        With a webhook it does not matter whether this process registered the address: as an unhealthy one it would
        get no more calls. That no process could register it is a metric to alert on.
        """
        return self._initialised.is_set() and (self._poller is None or self._poller.is_healthy())

    def gauges(self) -> Mapping[str, float]:
        if self._secrets.telegram_webhook_url is not None:
            return {"telegram_webhook_registered": float(self._is_registered)}
        if self._poller is None:
            return {}
        gauges = {"telegram_polls": float(self._poller.is_polling)}
        if self._poller.last_good is not None and self._poller.is_polling:
            gauges["telegram_last_poll_age_seconds"] = time.monotonic() - self._poller.last_good
        return gauges

    async def stop_receiving(self) -> None:
        """Ask for no more updates, finish the current batch, and end all waits for a rate limit."""
        self._waiting.stop()
        if self._poller is not None:
            self._poller.stop()
            await asyncio.wait(self.tasks, timeout=STOP_SECONDS)
        tasks = [*self.tasks, *([self._profile] if self._profile else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        if self._initialised.is_set():
            await self._app.shutdown()


async def ask_username(settings: Settings) -> str:
    """The bot's username, from Telegram. Raises TelegramError."""
    secrets = settings.secrets
    async with build_application(str(secrets.telegram_token), secrets.telegram_api_url).bot as bot:
        return str(bot.username)


def data_copies(settings: Settings, store: Store) -> CopyOf:
    """Makes the copy of a person's data that they get in the chat (8.1): the archive of `amends privacy export`.

    It is called with the person's id and the language, and returns the file's name and bytes. Each copy is recorded.
    """
    periods, labels = retention_periods(settings), document_labels(settings)

    def copy_of(person: str, language: str) -> tuple[str, bytes]:
        largest = LARGEST_COPY_BYTES - _RECORD_BYTES
        data = archive(
            store,
            person,
            labels,
            language=language,
            max_file_bytes=largest,
            retention=periods,
            signing_key=settings.secrets.signing_key,
        )
        return _COPY_NAME, data

    return copy_of


def complaint_form(store: Store, labels: Labels, ref: str, language: str) -> tuple[str, bytes]:
    """The name and the bytes of the PDF form of a complaint for its complainant (Annex B); it is recorded."""
    # Imported at the first use: typesetting loads fonts, and most processes never need it.
    from amends.documents.case_file import case_file
    from amends.documents.typst import as_pdf

    store.write(record_read, [ref], "complainant", "file")
    whole, now = store.read(export_case, ref), store.now()
    document = case_file.complaint_form(whole, labels.in_language(language), made_at=now)
    return f"{ref}.pdf", as_pdf(document, created_at=now)


def long_letter(store: Store, labels: Labels, organisation: str, text: str, language: str, ref: str) -> bytes:
    """A letter that is too long for a message, as a PDF."""
    from amends.documents import complainant_documents
    from amends.documents.typst import as_pdf

    now, in_language = store.now(), labels.in_language(language)
    document = complainant_documents.long_letter(
        text, in_language, organisation=organisation, ref=ref, made_at=now
    )
    return as_pdf(document, created_at=now)


def document_labels(settings: Settings) -> Labels:
    zone = settings.organisation.timezone
    return load_labels(settings.languages, zone, settings.texts_folder, **settings.wording)


def receipts(signing_key: bytes | None, store: Store) -> ReceiptOf | None:
    """Makes the receipt of a complaint (docs/proof.md); None without the key, because it could not be trusted."""
    return None if signing_key is None else lambda ref: receipt_archive(store, ref, signing_key)
