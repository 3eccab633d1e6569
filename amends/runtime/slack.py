"""Slack as a part of the desk: the app, its line, and who the staff are (roles, looked up again)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from starlette.requests import Request
from starlette.responses import Response

from amends.clause_count import lines as clause_lines
from amends.errors import OutsideFailed
from amends.runtime.metrics import Metrics
from amends.runtime.slack_connections import Lines
from amends.settings import Settings
from bots.letters import preview
from bots.letters.composer import read_out
from bots.priority_lock import ShutdownWait
from bots.recovery import Recovering
from bots.slack.app import build_app
from bots.slack.client.client import make_client
from bots.slack.client.errors import error_of, status_of
from bots.slack.client.http import PATH, handler
from bots.slack.client.rate_limit import RateLimitedTask, RateLimitWait, SlackRateLimiter, rate_limited
from bots.slack.client.socket import (
    SlackUnresponsive,
    close,
    connect,
    is_healthy,
    is_up,
    last_pong_age,
    watch,
)
from bots.slack.context import SlackContext, StaffChannels
from bots.slack.jobs.post import SlackUnavailable
from bots.slack.jobs.registry import job_handlers
from bots.slack.staff_sync import StaffEntry, StaffSync, sync_staff
from bots.slack.texts import StaffTexts
from bots.texts.texts import Texts
from complaints.obligations.kinds import SendPriority
from scheduler.worker import Handler
from store.database.errors import DatabaseUnavailable
from store.outbox.complete import end_retry_pauses
from store.slack.posts import sweep_cards
from store.store import Store

#: Roles that come from channels or groups are looked up this often; at every act the store's table decides.
SYNC_SECONDS = 240.0
#: Slack away at the start: the complainant's side goes on, and we knock again.
KNOCK_SECONDS = 5.0

#: What Slack cannot do while it answers other calls is tried again no sooner than so, and ever later.
FREED_APART = 5.0

#: Errors that knocking again does not mend: the installer must.
FINAL = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "missing_scope"})

REMEDY = (
    "look at AMENDS_SLACK_BOT_TOKEN, AMENDS_SLACK_APP_TOKEN and the app's scopes; `amends check` tells more"
)
AWAY = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, RateLimitWait)

Hook = Callable[[Request], Awaitable[Response]]
Made = TypeVar("Made")

log = structlog.get_logger(__name__)


class SlackPart:
    """The staff's side of a running desk."""

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
        self._lines = Lines(store, metrics)
        self._desk = SlackContext(
            store=store,
            texts=StaffTexts(staff_texts, settings.organisation.staff_language),
            channels=StaffChannels(
                triage=settings.slack.triage_channel,
                restricted=settings.slack.restricted_channel,
                executive=settings.slack.executive_channel,
            ),
            preview=partial(preview, texts=texts),
            read_out=partial(read_out, texts=texts),
            clauses=partial(clause_lines, store, settings),
        )
        self._recovering = Recovering(
            self._free_waits,
            lambda failed: isinstance(failed, SlackUnavailable),
            apart=FREED_APART,
            answered=lambda: self._client.answered_calls,
        )
        self._waiting = ShutdownWait()
        speaking = job_handlers(self._desk, self._client, interval=pace, shutdown=self._waiting)
        self._performers = self._recovering.watched(speaking)
        self._line: AsyncSocketModeHandler | None = None
        self._handler: Hook | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self, *, listens: bool) -> None:
        """Make the line where this process listens, and keep the roles; Slack may be away meanwhile."""
        hearing = self._listen() if listens else self._only_speak()
        self.tasks.append(asyncio.create_task(hearing, name="slack"))
        self.tasks.append(asyncio.create_task(self._knock(), name="slack-knocking"))

    async def _only_speak(self) -> None:
        await self._sync_roles()
        await self._keep_roles()

    async def _listen(self) -> None:
        """Knock until Slack answers, then watch the line; ends only where a new start is needed."""
        app = await self._when_it_answers(self._build, first=True)
        if self._settings.secrets.slack_app_token is None:
            await self._sync_roles()
            self._handler = handler(app)
            await self._keep_roles()
            return
        # Who may act is known before the first press can come.
        await self._sync_roles()
        connecting = partial(connect, app, self._settings.secrets.slack_app_token, on_frame=self._lines.heard)
        self._line = await self._when_it_answers(connecting)
        await asyncio.gather(self._watch(self._line), self._keep_roles(), self._lines.keep())

    async def _watch(self, line: AsyncSocketModeHandler) -> None:
        """A deaf line ends the process; a Slack that is away does not: the line comes back by itself."""
        while True:
            try:
                await watch(line, on_recovery=self._again)
            except SlackUnresponsive as deaf:
                if await self._answers():
                    raise OutsideFailed(str(deaf)) from deaf
                log.warning("slack_away", why="no answer")

    async def _knock(self) -> None:
        """While nobody is there for what we owe, ask for ourselves: every duty may be waiting out its pause."""
        while True:
            await self._recovering.away.wait()
            await asyncio.sleep(KNOCK_SECONDS)
            if await self._answers():
                await self._recovering.got_through()

    async def _answers(self) -> bool:
        try:
            await self._client.auth_test()
        except AWAY:
            return False
        return True

    async def _build(self) -> AsyncApp:
        return await build_app(
            self._desk, self._client, signing_secret=self._settings.secrets.slack_signing_secret
        )

    async def _when_it_answers(self, ask: Callable[[], Awaitable[Made]], *, first: bool = False) -> Made:
        """Ask again while Slack is away.

        A token that Slack refuses at the first word of a start ends the process: the installer is there.
        Later it does not: complainants go on being heard while somebody mends it.
        """
        failures = 0
        while True:
            try:
                made = await ask()
                if failures:
                    await self._again()
                return made
            except SlackApiError as refused:
                why = error_of(refused) or f"status {status_of(refused)}"
                if first and why in FINAL:
                    raise OutsideFailed(f"Slack refuses us ({why}): {REMEDY}") from refused
                if (status_of(refused) or 200) >= 500:
                    log.warning("slack_away", why=why)
                else:
                    log.error("slack_refused", why=why, remedy=REMEDY)
            except AWAY as away:
                log.warning("slack_away", why=type(away).__name__)
            except DatabaseUnavailable as away:
                log.warning("database_away", why=str(away))
            failures += 1
            await asyncio.sleep(KNOCK_SECONDS)

    async def _again(self) -> None:
        """Slack is back: what waits for its next try need not wait out its pause."""
        try:
            await self._free_waits()
        except DatabaseUnavailable as away:
            # The pauses end by themselves.
            log.warning("database_away", why=str(away))

    async def _free_waits(self) -> None:
        await self._desk.store.awrite(end_retry_pauses, tuple(self._performers))
        await self._desk.store.awrite(sweep_cards)

    async def _keep_roles(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            await self._sync_roles()

    async def _sync_roles(self) -> None:
        synced = await self._when_it_answers(self._sync)
        for problem in synced.problems:
            log.warning("role_unclear", why=problem)

    async def _sync(self) -> StaffSync:
        settings = self._settings
        pacer = SlackRateLimiter(self._desk.store, self._pace)
        # A call for each person of staff: nobody waits for it.
        with rate_limited(
            RateLimitedTask(pacer, SendPriority.BULK, patience=SYNC_SECONDS) if self._pace > 0 else None
        ):
            return await sync_staff(
                self._client,
                self._desk,
                settings.roles.as_mapping(),
                on_call=settings.on_call.people,
                entries={
                    one.id: StaffEntry(aliases=one.aliases, line=one.line, deputy=one.deputy)
                    for one in settings.staff
                },
            )

    def performers(self) -> Mapping[str, Handler]:
        """The performers of the kinds that staff see."""
        return self._performers

    def hooks(self) -> Mapping[str, Hook]:
        """The route of HTTP mode, where it is configured; 503 until Slack has answered once."""
        if not self._settings.secrets.slack_over_http:
            return {}

        async def called(request: Request) -> Response:
            if self._handler is None:
                return Response(status_code=503)
            return await self._handler(request)

        return {PATH: called}

    async def is_well(self) -> bool:
        """Listening, and the line answers."""
        if self._line is not None:
            return await is_healthy(self._line)
        return self._handler is not None

    def gauges(self) -> Mapping[str, float]:
        """What an operator wants to see of this part, by the names of `/metrics`."""
        if self._line is None:
            return {}
        told = {
            "slack_socket_up": float(is_up(self._line)),
            "slack_socket_connections": float(self._lines.connections),
        }
        age = last_pong_age(self._line)
        return told if age is None else {**told, "slack_last_pong_age_seconds": age}

    async def hush(self) -> None:
        """Take no more presses, and let no duty wait for its place any more."""
        self._waiting.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._line is not None:
            await close(self._line)
            self._line = None

    async def end(self) -> None:
        """Close what sends."""
        session = self._client.session
        if session is not None and not session.closed:
            await session.close()
