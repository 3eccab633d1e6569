"""The Web API fails while presses would still come: what staff must see is right within seconds of its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from amends.runtime import slack as part
from amends.runtime.metrics import Metrics
from amends.runtime.slack import SlackPart
from amends.settings.loading import load
from bots.texts.loading import STAFF
from bots.texts.loading import load_catalogues as load_texts
from scheduler import worker
from scheduler.worker import Worker
from store.outbox.failed import list_failed
from store.store import Store
from tests.edges.desk import Desk
from tests.edges.product import Product, until
from tests.faults.platforms import Platforms, platforms

TRIAGE = "C0000001"
HTTP = {"AMENDS_SLACK_SIGNING_SECRET": "signs"}


def _part(far: Platforms, folder: Path, store: Store, *, over_http: bool) -> SlackPart:
    env = Product(folder, far.env() | (HTTP if over_http else {}), learnt=False).env
    if over_http:
        del env["AMENDS_SLACK_APP_TOKEN"]
    settings = load(folder / "amends.toml", env)
    staff_texts = load_texts(settings.languages, domain=STAFF)
    return SlackPart(
        settings, store, load_texts(settings.languages), staff_texts, pace=0.0, metrics=Metrics()
    )


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_card_that_waits_for_slack_is_posted_as_soon_as_slack_takes_calls_again(
    usual_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over_http: bool
) -> None:
    monkeypatch.setattr(part, "RECONNECT_SECONDS", 0.1)
    # As after a long outage: by itself the next try is minutes away.
    monkeypatch.setattr(worker, "retry_delay", lambda *_: worker.MAX_RETRY_SECONDS)
    async with platforms() as far:
        slack = _part(far, tmp_path, usual_store, over_http=over_http)
        await slack.start(receives=True)
        await until(slack.is_healthy)
        performing = Worker(usual_store, slack.handlers())
        running = asyncio.create_task(performing.run())
        far.slack.instead = lambda method: web.Response(status=503, text="no")
        desk = Desk(usual_store)
        desk.receive()
        desk.pass_card_delay()
        performing.nudge()
        await until(lambda: bool(usual_store.read(list_failed)))
        before = far.slack.posts(TRIAGE)
        far.slack.instead = lambda method: None
        # Nobody writes, nobody presses: it must find out by itself.
        await until(lambda: bool(far.slack.posts(TRIAGE)), lambda: usual_store.read(list_failed), seconds=10)
        performing.stop()
        await running
        await slack.stop_receiving()
        await slack.close()

    assert before == []
    assert usual_store.read(list_failed) == []


async def test_a_line_that_slack_closed_is_down_in_the_figures_until_it_stands_again(
    usual_store: Store, tmp_path: Path
) -> None:
    def up() -> bool:
        return slack.gauges().get("slack_socket_up") == 1.0

    async with platforms() as far:
        slack = _part(far, tmp_path, usual_store, over_http=False)
        await slack.start(receives=True)
        await until(up)
        far.slack.instead = lambda method: web.Response(status=503, text="no")
        await far.slack.closes_lines()
        await until(lambda: not up(), seconds=10)
        far.slack.instead = lambda method: None
        await until(up, seconds=20)
        await slack.stop_receiving()
        await slack.close()
