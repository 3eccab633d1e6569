"""Slack as a part of the desk: the app, its line, and who the staff are (roles, looked up again and again)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from starlette.requests import Request
from starlette.responses import Response

from amends.settings import Problem, Settings, SettingsError
from bots.letters import preview
from bots.slack.app import build_app
from bots.slack.client import make_client
from bots.slack.desk import Desk as StaffDesk
from bots.slack.desk import Places
from bots.slack.http import PATH, handler
from bots.slack.performers import performers
from bots.slack.socket import close, connect, is_well, watch
from bots.slack.staff import sync_staff
from bots.slack.voice import Voice
from bots.texts.texts import Texts
from scheduler.performing import Perform
from store.open import Store

#: Roles that come from channels or groups are looked up this often; at every act the store's table decides.
SYNC_SECONDS = 240.0
#: Slack away at the start: the complainant's side goes on, and we knock again.
KNOCK_SECONDS = 5.0

log = structlog.get_logger(__name__)


class SlackPart:
    """The staff's side of a running desk."""

    def __init__(
        self, settings: Settings, store: Store, texts: Texts, staff_texts: Texts, *, pace: float
    ) -> None:
        secrets = settings.secrets
        if secrets.slack_bot_token is None:
            raise SettingsError([Problem("AMENDS_SLACK_BOT_TOKEN", "environment", "is missing")])
        self._settings, self._pace = settings, pace
        self._client = make_client(secrets.slack_bot_token, secrets.slack_api_url)
        self._desk = StaffDesk(
            store=store,
            voice=Voice(staff_texts.say, settings.organisation.staff_language),
            places=Places(
                triage=settings.slack.triage_channel,
                restricted=settings.slack.restricted_channel,
                executive=settings.slack.executive_channel,
            ),
            preview=partial(preview, texts=texts),
        )
        self._line: AsyncSocketModeHandler | None = None
        self._hook: Callable[[Request], Awaitable[Response]] | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self._listens = False
