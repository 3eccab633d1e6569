"""After an outage of Slack's Web API, cards and metrics are right again within seconds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from amends.runtime import slack as part
from amends.runtime.metrics import Metrics
from amends.runtime.slack import SlackPart
from amends.settings.settings_file import load
from bots.texts.catalogues import STAFF
from bots.texts.catalogues import load_catalogues as load_texts
from scheduler import worker
from scheduler.worker import Worker
from store.outbox.failed import list_failed
from store.store import Store
from tests.edges.desk import Desk
from tests.edges.product import Product, until
from tests.faults.platforms import Platforms, platforms

TRIAGE = "C0000001"
HTTP = {"AMENDS_SLACK_SIGNING_SECRET": "signs"}


def _part(platform: Platforms, folder: Path, store: Store, *, over_http: bool) -> SlackPart:
    env = Product(folder, platform.env() | (HTTP if over_http else {}), learnt=False).env
    if over_http:
        del env["AMENDS_SLACK_APP_TOKEN"]
    settings = load(folder / "amends.toml", env)
    staff_texts = load_texts(settings.languages, domain=STAFF)
    return SlackPart(
        settings, store, load_texts(settings.languages), staff_texts, pace=0.0, metrics=Metrics()
    )


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_card_that_waits_for_slack_is_posted_as_soon_as_slack_is_back(
    usual_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over_http: bool
) -> None:
    monkeypatch.setattr(part, "RECONNECT_SECONDS", 0.1)
    # As after a long outage: without a signal, the next attempt is minutes away.
    monkeypatch.setattr(worker, "retry_delay", lambda *_: worker.MAX_RETRY_SECONDS)
    async with platforms() as platform:
        slack = _part(platform, tmp_path, usual_store, over_http=over_http)
        await slack.start(receives=True)
        await until(slack.is_healthy)
        card_worker = Worker(usual_store, slack.handlers())
        running = asyncio.create_task(card_worker.run())
        platform.slack.instead = lambda method: web.Response(status=503, text="no")
        desk = Desk(usual_store)
        desk.receive()
        desk.pass_card_delay()
        card_worker.nudge()
        await until(lambda: bool(usual_store.read(list_failed)))
        before = platform.slack.posts(TRIAGE)
        platform.slack.instead = lambda method: None
        # No message or press reveals that Slack is back: the part must find out on its own.
        await until(
            lambda: bool(platform.slack.posts(TRIAGE)), lambda: usual_store.read(list_failed), seconds=10
        )
        card_worker.stop()
        await running
        await slack.stop_receiving()
        await slack.close()

    assert before == []
    assert usual_store.read(list_failed) == []


async def test_the_metric_shows_a_closed_socket_as_down_until_it_is_connected_again(
    usual_store: Store, tmp_path: Path
) -> None:
    def up() -> bool:
        return slack.gauges().get("slack_socket_up") == 1.0

    async with platforms() as platform:
        slack = _part(platform, tmp_path, usual_store, over_http=False)
        await slack.start(receives=True)
        await until(up)
        platform.slack.instead = lambda method: web.Response(status=503, text="no")
        await platform.slack.closes_lines()
        await until(lambda: not up(), seconds=10)
        platform.slack.instead = lambda method: None
        await until(up, seconds=20)
        await slack.stop_receiving()
        await slack.close()
