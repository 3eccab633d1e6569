"""`amends check` names a bot whose chats have topics."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from amends.checks import _telegram
from simulator import Simulator


@pytest.mark.parametrize("enabled", [True, False])
async def test_the_check_warns_when_threaded_mode_is_on(enabled: bool) -> None:
    async with Simulator() as sim:
        sim.world.telegram.topics_enabled = enabled
        secrets = SimpleNamespace(
            telegram_token=sim.bot_token, telegram_api_url=sim.telegram_url, telegram_webhook_url=None
        )
        settings = cast(Any, SimpleNamespace(secrets=secrets))
        warned = [
            finding.subject
            for finding in [found async for found in _telegram(settings)]
            if finding.mark == "warn"
        ]
    assert warned == (["Telegram topics"] if enabled else [])
