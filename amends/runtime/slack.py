"""The Slack part of a process: the app, its connection, the handlers that post, and the regular sync of staff."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from starlette.requests import Request
from starlette.responses import Response

from amends.clause_count import clause_lines
from amends.documents.labels import load_labels
from amends.reports.build import build_report, last_days
from amends.reports.formats import report_labels, report_pdf
from amends.reports.report_kinds import KINDS
from amends.runtime import OutsideFailed, unique_holder_name
from amends.runtime.metrics import Metrics
from amends.runtime.programs import file_scanner
from amends.settings import Settings
from bots.letters.composer import compose_read_out, preview
from bots.letters.suggestions import suggested_words
from bots.priority_lock import ShutdownWait
from bots.recovery import RecoveryDetector
from bots.slack.app import build_app
from bots.slack.client.client import make_client, reason_of, status_of
from bots.slack.client.connection import (
    PATH,
    SlackUnresponsive,
    close,
    connect,
    http_handler,
    is_healthy,
    is_up,
    last_pong_age,
    watch,
)
from bots.slack.client.slack_limits import RateLimitedTask, RateLimitWait, SlackRateLimiter, rate_limited
from bots.slack.context import SlackContext, StaffChannels, StaffReports
from bots.slack.job_handlers import job_handlers
from bots.slack.jobs.post import SlackUnavailable
from bots.slack.staff_sync import StaffEntry, StaffSync, sync_staff
from bots.slack.staff_texts import StaffTexts
from bots.texts.texts import Texts
from complaints.obligations.kinds import SendPriority
from reports.document import Report
from reports.tally import Period
from scheduler.worker import Handler
from store.database.errors import DatabaseUnavailable
from store.database.leases import record_listener
from store.outbox.complete import end_retry_pauses
from store.slack_posts import sweep_cards
from store.store import Store
from triage.letters.letter_warnings import load_letter_warnings

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.store import Store

#: In seconds, between two syncs of roles that come from channels or groups. Each action is checked against the store.
SYNC_SECONDS = 240.0
#: If Slack is unavailable, retry this often, in seconds. Complainants can still write until then.
RECONNECT_SECONDS = 5.0
#: In seconds. Slack may refuse one kind of call while it answers others. Pauses of waiting obligations are ended no
#: more often than this, and ever more slowly.
RECOVERY_INTERVAL_SECONDS = 5.0
#: Errors that only the installer can repair; retrying does not help.
FINAL_ERRORS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "missing_scope"})
REMEDY = (
    "check AMENDS_SLACK_BOT_TOKEN, AMENDS_SLACK_APP_TOKEN and the app's scopes; `amends check` shows details"
)
#: In seconds. How long a process counts as connected after its last report, and how often it reports.
REPORT_VALID_SECONDS, REPORT_INTERVAL_SECONDS = 90.0, 30.0
#: Begins the name of the lease by which each connected process reports.
LISTENER = "slack-line"
#: Reasons after which Slack opens no new connection until a person changes the app's settings.
_SWITCHED_OFF = frozenset({"link_disabled"})
_SWITCH_ON = (
    "switch Socket Mode on in the app's settings at Slack, or set AMENDS_SLACK_SIGNING_SECRET for HTTP"
)
UNAVAILABLE = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, RateLimitWait)

Hook = Callable[[Request], Awaitable[Response]]
Result = TypeVar("Result")

log = structlog.get_logger(__name__)


class SlackPart:
    """Slack in one process: receives what staff do, posts what they must see, and knows who they are."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        texts: Texts,
        staff_texts: Texts,
        *,
        pace: float,
        metrics: Metrics,
    ) -> None:
        secrets = settings.secrets
        self._settings, self._pace = settings, pace
        self._client = make_client(str(secrets.slack_bot_token), secrets.slack_api_url)
        self._client.on_result = partial(metrics.increment, "platform_calls_total", "slack")
        self._connections = SlackConnections(store, metrics)
        self._desk = SlackContext(
            store=store,
            texts=StaffTexts(staff_texts, settings.organisation.staff_language),
            channels=StaffChannels(
                triage=settings.slack.triage_channel,
                restricted=settings.slack.restricted_channel,
                executive=settings.slack.executive_channel,
                proof=settings.proof.slack_channel,
            ),
            preview=partial(preview, texts=texts),
            suggest=partial(suggested_words, texts=texts),
            masked_subject=settings.slack.subject == "masked",
            scan=file_scanner(settings.files.scanner),
            read_out=partial(compose_read_out, texts=texts),
            clauses=partial(clause_lines, store, settings),
            reports=staff_reports(store, settings),
        )
        self._recovering = RecoveryDetector(
            self._end_pauses,
            lambda failed: isinstance(failed, SlackUnavailable),
            min_interval=RECOVERY_INTERVAL_SECONDS,
            answer_count=lambda: self._client.answered_calls,
        )
        self._waiting = ShutdownWait()
        handlers = job_handlers(self._desk, self._client, interval=pace, shutdown=self._waiting)
        self._handlers = self._recovering.watch(handlers)
        self._connection: AsyncSocketModeHandler | None = None
        self._http_handler: Hook | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, *, receives: bool) -> None:
        """Sync the staff, and connect if this process receives; Slack may be unavailable for now."""
        main = self._receive() if receives else self._keep_syncing(first_sync=True)
        self.tasks.append(asyncio.create_task(main, name="slack"))
        self.tasks.append(asyncio.create_task(self._watch_for_recovery(), name="slack-recovery"))

    async def _receive(self) -> None:
        """Retry until Slack answers, then watch the connection; ends only if a new start is needed."""
        app = await self._retry_until_available(self._build, is_first=True)
        # The roles must be stored before the first button press can arrive.
        await self._sync_roles()
        if self._settings.secrets.slack_app_token is None:
            self._http_handler = http_handler(app)
            await asyncio.gather(self._keep_syncing(), self._load_warnings())
            return
        connecting = partial(
            connect, app, self._settings.secrets.slack_app_token, on_frame=self._connections.on_frame
        )
        self._connection = await self._retry_until_available(connecting)
        tasks = (self._watch(self._connection), self._keep_syncing(), self._connections.run())
        await asyncio.gather(*tasks, self._load_warnings())

    async def _load_warnings(self) -> None:
        """Load the warnings about letters early: a form has 3 s (Slack), and loading takes 1 to 2 s."""
        await asyncio.to_thread(load_letter_warnings, self._settings.languages)

    async def _watch(self, connection: AsyncSocketModeHandler) -> None:
        """End the process if the connection is dead while Slack answers calls.

        If Slack itself is unavailable the process stays: the library reconnects.
        """
        while True:
            try:
                await watch(connection, on_recovery=self._on_recovery)
            except SlackUnresponsive as error:
                if await self._answers():
                    raise OutsideFailed(str(error)) from error
                log.warning("slack_away", why="no answer")

    async def _watch_for_recovery(self) -> None:
        """While Slack is unavailable, call it regularly: all obligations may be waiting for their next attempt."""
        while True:
            await self._recovering.unavailable.wait()
            await asyncio.sleep(RECONNECT_SECONDS)
            if await self._answers():
                await self._recovering.got_through()

    async def _answers(self) -> bool:
        try:
            await self._client.auth_test()
        except UNAVAILABLE:
            return False
        return True

    async def _build(self) -> AsyncApp:
        return await build_app(
            self._desk, self._client, signing_secret=self._settings.secrets.slack_signing_secret
        )

    async def _retry_until_available(
        self, call: Callable[[], Awaitable[Result]], *, is_first: bool = False
    ) -> Result:
        """The result of the call, retried while Slack is unavailable.

        If Slack refuses the token in the first call of a start, the process ends: the installer is watching.
        Later it does not end: complainants can still write until the token is repaired.
        """
        failures = 0
        while True:
            try:
                result = await call()
                if failures:
                    await self._on_recovery()
                return result
            except SlackApiError as refused:
                why = reason_of(refused)
                if is_first and why in FINAL_ERRORS:
                    raise OutsideFailed(f"Slack refuses the token ({why}): {REMEDY}") from refused
                if (status_of(refused) or 200) >= 500:
                    log.warning("slack_away", why=why)
                else:
                    log.error("slack_refused", why=why, remedy=REMEDY)
            except UNAVAILABLE as unavailable:
                log.warning("slack_away", why=type(unavailable).__name__)
            except DatabaseUnavailable as unavailable:
                log.warning("database_away", why=str(unavailable))
            failures += 1
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _on_recovery(self) -> None:
        try:
            await self._end_pauses()
        except DatabaseUnavailable as unavailable:
            # Each pause also ends when its time is over.
            log.warning("database_away", why=str(unavailable))

    async def _end_pauses(self) -> None:
        await self._desk.store.awrite(end_retry_pauses, tuple(self._handlers))
        await self._desk.store.awrite(sweep_cards)

    async def _keep_syncing(self, *, first_sync: bool = False) -> None:
        if first_sync:
            await self._sync_roles()
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            await self._sync_roles()

    async def _sync_roles(self) -> None:
        result = await self._retry_until_available(self._sync)
        for problem in result.problems:
            log.warning("role_unclear", why=problem)

    async def _sync(self) -> StaffSync:
        settings = self._settings
        limiter = SlackRateLimiter(self._desk.store, self._pace)
        # One call for each member of staff. No one waits for the result, so it gets the lowest priority.
        with rate_limited(
            RateLimitedTask(limiter, SendPriority.BULK, patience=SYNC_SECONDS) if self._pace > 0 else None
        ):
            return await sync_staff(
                self._client,
                self._desk,
                settings.roles.as_mapping(),
                on_call=settings.on_call.people,
                entries={
                    member.id: StaffEntry(
                        member.aliases, member.line, member.deputy, member.categories, member.languages
                    )
                    for member in settings.staff
                },
            )

    def handlers(self) -> Mapping[str, Handler]:
        return self._handlers

    def hooks(self) -> Mapping[str, Hook]:
        """The route of HTTP mode, if that is configured; it answers 503 until Slack has answered a call."""
        if not self._settings.secrets.slack_over_http:
            return {}

        async def receive(request: Request) -> Response:
            if self._http_handler is None:
                return Response(status_code=503)
            return await self._http_handler(request)

        return {PATH: receive}

    async def is_healthy(self) -> bool:
        if self._connection is not None:
            return await is_healthy(self._connection)
        return self._http_handler is not None

    def gauges(self) -> Mapping[str, float]:
        if self._connection is None:
            return {}
        gauges = {
            "slack_socket_up": float(is_up(self._connection)),
            "slack_socket_connections": float(self._connections.connections),
        }
        age = last_pong_age(self._connection)
        return gauges if age is None else {**gauges, "slack_last_pong_age_seconds": age}

    async def stop_receiving(self) -> None:
        """Take no more button presses, and end all waits for a rate limit."""
        self._waiting.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._connection is not None:
            await close(self._connection)
            self._connection = None

    async def close(self) -> None:
        session = self._client.session
        if session is not None and not session.closed:
            await session.close()


class SlackConnections:
    """Compares the Socket Mode connections that Slack counts with the processes that hold one.

    Slack sends each button press to one of the app's connections at random. If a process ends without closing its
    connection, Slack keeps it open for a while. A press sent to it is lost, because Slack never sends a press again.
    """

    def __init__(self, store: Store, metrics: Metrics, *, holder: str | None = None) -> None:
        self._store, self._metrics = store, metrics
        self._holder = holder or unique_holder_name()
        self._is_new = asyncio.Event()
        #: As Slack counted when this process's connection was last opened.
        self.connections = 0

    def on_frame(self, message: Mapping[str, Any]) -> None:
        """Record a frame about the connection itself: `hello` or `disconnect`."""
        if message["type"] == "hello":
            self.connections = int(message.get("num_connections") or 0)
            self._metrics.increment("slack_socket_connects_total")
            self._is_new.set()
            return
        reason = str(message.get("reason") or "unknown")
        self._metrics.increment("slack_socket_disconnects_total", reason)
        if reason in _SWITCHED_OFF:
            log.error("slack_line_switched_off", reason=reason, remedy=_SWITCH_ON)
        else:
            # A refresh, or the warning of one. The library opens the next connection, and Slack keeps events for it.
            log.info("slack_line_renewed", reason=reason)

    async def run(self) -> None:
        """Report this process regularly and compare after each new connection, until cancelled."""
        while True:
            await self.count_ghosts()
            self._is_new.clear()
            try:
                await asyncio.wait_for(self._is_new.wait(), REPORT_INTERVAL_SECONDS)
            except TimeoutError:
                continue

    async def count_ghosts(self) -> int:
        """Connections without a process, as far as is known. Logged after a new connection if there are any."""
        try:
            listening = await self._store.awrite(
                record_listener, LISTENER, self._holder, REPORT_VALID_SECONDS
            )
        except Exception as wrong:  # noqa: BLE001  # an unavailable store is logged elsewhere; counted again soon
            log.warning("slack_lines_not_counted", why=type(wrong).__name__)
            return 0
        ghosts = max(0, self.connections - listening)
        if ghosts and self._is_new.is_set():
            log.warning("slack_ghost_lines", connections=self.connections, processes=listening)
        return ghosts


def staff_reports(store: Store, settings: Settings) -> StaffReports:
    """The reports in the language of staff."""
    organisation = settings.organisation
    labels = load_labels(
        (organisation.staff_language,), organisation.timezone, settings.texts_folder, staff=True,
        own=settings.own_names,
    )  # fmt: skip

    def pdf(report: Report) -> bytes:
        with_names = report_labels(settings, store)
        return report_pdf(report, with_names, organisation=organisation.name, made_at=report.as_of)

    return StaffReports(kinds=tuple(KINDS), texts=labels, build=partial(_build, store, settings), pdf=pdf)


def _build(store: Store, settings: Settings, kind: str, period: Period | None) -> Report:
    now = store.now()
    return build_report(kind, store, settings, period or last_days(now, settings.organisation.timezone), now)
