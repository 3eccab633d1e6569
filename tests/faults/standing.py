"""Both stand-ins on one port, and what the product must know of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.faults.slack import Slack
from tests.faults.telegram import Telegram


@dataclass
class Platforms:
    """A Telegram and a Slack that count."""

    telegram: Telegram = field(default_factory=Telegram)
    slack: Slack = field(default_factory=Slack)
    port: int = 0

    def env(self, *, telegram: int | None = None, slack: int | None = None, life: int = 0) -> dict[str, str]:
        """The product's variables for us, or for proxies in front of us at these ports.

        Each life of a process has an address of its own: what a killed one had sent may reach us after its death.
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
    """Serve both."""
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
