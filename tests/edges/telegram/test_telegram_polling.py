"""Which process polls Telegram, and what is logged when polling fails (docs/subsystems/intake.md, "Telegram")."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter

from bots.telegram import polling
from bots.telegram.polling import MAX_RETRY_WAIT, TOKEN_WAIT, Poller, wait_after
from simulator import Simulator
from store.cases.export import export_record
from store.database.errors import DatabaseUnavailable
from store.store import Store
from tests.databases import FakeClock
from tests.edges.product import until
from tests.edges.telegram_desk import TelegramDesk, telegram_desk

#: These tests depend on SQL, so they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def unpolled(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store, polls=False) as running:
        yield running


def poller(desk: TelegramDesk, holder: str) -> Poller:
    """The poller of a replica."""
    return Poller(desk.app, desk.store, desk.intake, holder=holder, timeout=1)


async def test_of_two_replicas_one_polls_and_the_other_takes_over(unpolled: TelegramDesk) -> None:
    first, second = poller(unpolled, "one"), poller(unpolled, "other")
    tasks = [asyncio.create_task(first.run())]
    await unpolled.send_story()
    tasks.append(asyncio.create_task(second.run()))
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert second.last_good is None
    first.stop()
    await tasks[0]
    await unpolled.sim.customer("Anna").says("It is cold, too.")
    await unpolled.settled()
    second.stop()
    await tasks[1]
    assert unpolled.sim.world.calls.to_method("getUpdates") == []
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 3


async def test_a_crashed_leader_is_replaced_when_its_short_lease_expires(
    unpolled: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert polling.LEASE_SECONDS + polling.STANDBY_CHECK_SECONDS < 10
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.3)
    first, second = poller(unpolled, "one"), poller(unpolled, "other")
    crashing = asyncio.create_task(first.run())
    await unpolled.send_story()
    following = asyncio.create_task(second.run())
    await asyncio.sleep(1.5)
    assert second.last_good is None
    # As after a kill: nothing is released.
    crashing.cancel()
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 2
    second.stop()
    await following


async def test_leadership_is_lost_in_time_even_if_the_database_does_not_answer(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.2)
    lead, lost, answers = polling.LeaderLease(usual_store, "one"), asyncio.Event(), threading.Event()
    assert await lead.acquire()

    def silent(*arguments: object) -> None:
        answers.wait()

    with monkeypatch.context() as broken:
        broken.setattr(polling, "acquire_leadership", silent)
        keeping = asyncio.create_task(lead.keep_renewed(lost.set))
        await lost.wait()
        answers.set()
        keeping.cancel()
    assert not lead.is_held


async def test_a_leader_that_cannot_renew_cancels_its_poll_before_another_polls(
    unpolled: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.2)
    leader = Poller(unpolled.app, unpolled.store, unpolled.intake, holder="one", timeout=25)
    task = asyncio.create_task(leader.run())
    await unpolled.send_story()

    def away(*arguments: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(polling, "acquire_leadership", away)
        await until(lambda: any(log["event"] == "telegram_lead_lost" for log in logs))
        await asyncio.sleep(0.2)
        assert leader._request is not None
        assert leader._request.cancelled()
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 2
    leader.stop()
    await task


async def test_a_poller_is_healthy_after_its_first_answer(unpolled: TelegramDesk) -> None:
    polling_replica = poller(unpolled, "one")
    assert not polling_replica.is_healthy()
    task = asyncio.create_task(polling_replica.run())
    await unpolled.send_story()
    assert polling_replica.is_healthy()
    polling_replica.stop()
    await task


class _FakeTelegram:
    """The part of Telegram that the poller calls."""

    def __init__(self, *batches: list[dict[str, Any]]) -> None:
        self.bot, self.batches, self.offsets = self, list(batches), list[int]()

    async def do_api_request(self, _: str, *, api_kwargs: dict[str, Any], **__: Any) -> list[dict[str, Any]]:
        """Return the next batch."""
        self.offsets.append(api_kwargs["offset"])
        return self.batches.pop(0)

    async def take(self, _: dict[str, Any]) -> None:
        """Accept every update."""


async def test_the_offset_is_reset_after_six_days_without_an_update_and_not_before(
    usual_store: Store, clock: FakeClock
) -> None:
    fake: Any = _FakeTelegram([{"update_id": 700}], [], [], [{"update_id": 5}], [])
    poller_with_clock = Poller(fake, usual_store, fake, clock=lambda: clock().timestamp())
    for hours in (0, 6 * 24 - 1, 1, 24, 24):
        clock.go_on(hours=hours)
        await poller_with_clock._poll_once()

    assert fake.offsets == [0, 701, 0, 0, 6]


@pytest.mark.parametrize(
    ("error", "event", "least"),
    [
        (Conflict("terminated by other getUpdates request"), "telegram_conflict", 3.0),
        (InvalidToken("no"), "telegram_refuses_the_token", TOKEN_WAIT),
        (RetryAfter(7), "telegram_asks_for_a_pause", 7.0),
        (NetworkError("Bad Gateway"), "telegram_unreachable", 0.5),
        (BadRequest("strange"), "telegram_unreachable", 0.5),
        (RuntimeError("somebody's words"), "updates_not_taken", 0.5),
    ],
)
def test_every_polling_failure_is_logged_in_plain_words_and_followed_by_a_wait(
    error: Exception, event: str, least: float
) -> None:
    with capture_logs() as logs:
        assert wait_after(error, 1) >= least
    assert [log["event"] for log in logs] == [event]
    assert "somebody's words" not in str(logs)


def test_the_wait_grows_to_a_few_seconds_and_no_further() -> None:
    waits = [wait_after(NetworkError("down"), failures) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[-1] == MAX_RETRY_WAIT
