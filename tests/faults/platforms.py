"""The fake Telegram and the fake Slack on one port, and the environment variables that point to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.faults.slack import Slack
from tests.faults.telegram import Telegram


@dataclass
class Platforms:
    """The fake Telegram and the fake Slack."""

    telegram: Telegram = field(default_factory=Telegram)
    slack: Slack = field(default_factory=Slack)
    port: int = 0

    def env(self, *, telegram: int | None = None, slack: int | None = None, life: int = 0) -> dict[str, str]:
        """Return the product's variables for the fakes, or for proxies in front of them at these ports.

        Each process has its own address (`life`): messages of a killed process may still arrive later.
        """
        return {
            "AMENDS_TELEGRAM_TOKEN": "1:t",
            "AMENDS_TELEGRAM_API_URL": f"http://127.0.0.1:{telegram or self.port}/life{life}",
            "AMENDS_SLACK_BOT_TOKEN": "bot/token",
            "AMENDS_SLACK_APP_TOKEN": "app=token",
            "AMENDS_SLACK_API_URL": f"http://127.0.0.1:{slack or self.port}/api/",
        }


@asynccontextmanager
async def platforms() -> AsyncIterator[Platforms]:
    """Serve both fakes on a free port."""
    both = Platforms()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", r"/life{life:\d+}/bot{token:[^/]+}/{method}", both.telegram.serve)
    app.router.add_route("*", "/api/{method}", both.slack.serve)
    app.router.add_get("/line", both.slack.line)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    both.port = runner.addresses[0][1]
    try:
        yield both
    finally:
        await runner.cleanup()
