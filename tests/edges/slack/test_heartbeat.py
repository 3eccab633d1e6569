"""The heartbeat to a service outside: only while the desk really works, and never a reason for it to end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from amends.runtime.alerts import send_heartbeats
from amends.runtime.slack import LISTENER
from amends.settings.sections import OnCallSettings
from amends.settings.settings_file import parse_settings
from amends.wiring import Application
from simulator import Simulator
from store.database.errors import DatabaseUnavailable
from store.database.leases import record_listener
from store.store import Store
from tests.edges.product import KEY, SETTINGS, until
from tests.edges.running.test_alerts import alerting_service


async def beats(path: str, *works: bool | Exception) -> tuple[list[str], list[str], int]:
    """The outcomes and the reasons in the log of one beat for each of these answers, and how many calls arrived."""
    answers, outcomes = iter(works), list[str]()

    async def is_working() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with alerting_service() as service:
        # Faster than the settings accept.
        own = OnCallSettings.model_construct(heartbeat=service.url + path, heartbeat_every=0, timeout=2)
        with capture_logs() as lines:
            beating = asyncio.create_task(send_heartbeats(own, is_working, outcomes.append))
            await until(lambda: len(outcomes) >= len(works))
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
        assert not any(service.url in str(line) for line in lines)
    count = len(works)
    return outcomes[:count], [line["why"] for line in lines][:count], len(service.bodies)


async def test_a_heartbeat_is_sent_only_while_the_desk_works() -> None:
    outcomes, reasons, calls = await beats("/ok", True, False, DatabaseUnavailable("away"), True)
    assert outcomes == ["ok", "withheld", "withheld", "ok"]
    assert reasons[:2] == ["the desk does not work", "DatabaseUnavailable"]
    assert calls == 2


async def test_a_heartbeat_that_fails_is_logged_and_the_next_is_tried() -> None:
    outcomes, reasons, calls = await beats("/broken", True, True)
    assert (outcomes, reasons, calls) == (["failed", "failed"], ["HTTP 500", "HTTP 500"], 2)


async def test_a_desk_works_if_it_writes_claims_and_receives_from_both_platforms_in_any_process(
    tmp_path: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator() as sim:
        secrets = {
            "AMENDS_SECRET_KEY": KEY,
            "AMENDS_TELEGRAM_TOKEN": sim.bot_token,
            "AMENDS_TELEGRAM_API_URL": sim.telegram_url,
            "AMENDS_SLACK_BOT_TOKEN": sim.slack_bot_token,
            "AMENDS_SLACK_APP_TOKEN": sim.slack_app_token,
            "AMENDS_SLACK_API_URL": sim.slack_url,
        }
        own = f"{SETTINGS}\n[triage]\nretrain_after = 0\n"
        settings = parse_settings(own, tmp_path / "amends.toml", secrets)
        desk = Application(settings, sqlite_store, parts=("telegram", "scheduler"))
        await desk.start()
        try:
            await until(lambda: desk._telegram is not None and desk._telegram.is_healthy())
            await until(lambda: desk.worker is not None and desk.worker.is_claiming)
            without_slack = await desk._works()
            sqlite_store.write(record_listener, LISTENER, "another process", 60.0)
            async with asyncio.timeout(30):
                # The first poll may not be answered yet.
                while not (works := await desk._works()):
                    await asyncio.sleep(0.02)
            monkeypatch.setattr("scheduler.worker.CLAIM_MAX_AGE_SECONDS", 0.0)
            without_claims = await desk._works()
        finally:
            await desk.stop()
    assert (without_slack, works, without_claims) == (False, True, False)
