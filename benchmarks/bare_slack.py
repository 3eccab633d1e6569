"""A slack-bolt app that answers each press at once and stores nothing: the ceiling of `benchmarks.presses`."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient


async def answer(url: str) -> None:
    """Acknowledge and replace the pressed message until killed; later presses of the same button get a notice."""
    logging.disable(logging.WARNING)
    client, taken = AsyncWebClient("bot", base_url=f"{url}/api/"), set[str]()

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0000001", bot_token="bot")

    app = AsyncApp(name="bare", client=client, authorize=authorize)

    @app.action(re.compile(""))
    async def take(ack: Any, action: Any, respond: Any) -> None:
        await ack()
        if action["value"] in taken:
            await respond("Taken already.", response_type="ephemeral", replace_original=False)
        else:
            taken.add(action["value"])
            await respond("Taken", replace_original=True)

    handler = AsyncSocketModeHandler(app, "app", web_client=client)
    await handler.start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(answer(sys.argv[1]))
