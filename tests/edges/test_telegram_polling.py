"""Who polls, and what is said when polling fails (docs/design.md, "Telegram")."""

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
from tests.edges.telegram_line import Line, line

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def unpolled(usual_store: Store) -> AsyncIterator[Line]:
    async with Simulator() as sim, line(sim, usual_store, polls=False) as running:
        yield running


def poller(desk: Line, holder: str) -> Poller:
    """One replica's poller."""
    return Poller(desk.app, desk.store, desk.intake, holder=holder, timeout=1)


async def test_of_two_replicas_one_polls_and_the_other_takes_over(unpolled: Line) -> None:
    one, other = poller(unpolled, "one"), poller(unpolled, "other")
    tasks = [asyncio.create_task(one.run())]
    await unpolled.tells()
    tasks.append(asyncio.create_task(other.run()))
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert other.last_good is None
    one.stop()
    await tasks[0]
    await unpolled.sim.customer("Anna").says("It is cold, too.")
    await unpolled.settled()
    other.stop()
    await tasks[1]
    assert unpolled.sim.world.calls.to_method("getUpdates") == []
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 3


async def test_a_leader_that_died_is_followed_once_its_short_lease_ran_out(
    unpolled: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert polling.LEASE_SECONDS + polling.LOOK_SECONDS < 10
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.3)
    one, other = poller(unpolled, "one"), poller(unpolled, "other")
    dies = asyncio.create_task(one.run())
    await unpolled.tells()
    follows = asyncio.create_task(other.run())
    await asyncio.sleep(1.5)
    assert other.last_good is None
    # As a kill would have it: nothing is let go.
    dies.cancel()
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 2
    other.stop()
    await follows


async def test_a_lead_is_lost_in_time_though_the_database_keeps_the_question(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.2)
    lead, lost, answers = polling.LeaderLease(usual_store, "one"), asyncio.Event(), threading.Event()
    assert await lead.acquire()

    def silent(*given: object) -> None:
        answers.wait()

    with monkeypatch.context() as broken:
        broken.setattr(polling, "acquire_leadership", silent)
        keeping = asyncio.create_task(lead.keep_renewed(lost.set))
        await lost.wait()
        answers.set()
        keeping.cancel()
    assert not lead.is_held


async def test_a_leader_that_cannot_renew_breaks_off_its_question_before_another_asks(
    unpolled: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(polling, "RENEW_SECONDS", 0.2)
    one = Poller(unpolled.app, unpolled.store, unpolled.intake, holder="one", timeout=25)
    task = asyncio.create_task(one.run())
    await unpolled.tells()

    def away(*given: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as broken, capture_logs() as said:
        broken.setattr(polling, "acquire_leadership", away)
        await until(lambda: any(one["event"] == "telegram_lead_lost" for one in said))
        await asyncio.sleep(0.2)
        assert one._request is not None
        assert one._request.cancelled()
    await unpolled.sim.customer("Anna").says("And it smells.")
    await unpolled.settled()
    assert len(unpolled.store.read(export_record, unpolled.ref)["texts"]) == 2
    one.stop()
    await task


async def test_a_poller_is_well_once_it_had_an_answer(unpolled: Line) -> None:
    one = poller(unpolled, "one")
    assert not one.is_well()
    task = asyncio.create_task(one.run())
    await unpolled.tells()
    assert one.is_well()
    one.stop()
    await task


class _Asked:
    """Telegram, as far as the poller asks it."""

    def __init__(self, *batches: list[dict[str, Any]]) -> None:
        self.bot, self.batches, self.offsets = self, list(batches), list[int]()

    async def do_api_request(self, _: str, *, api_kwargs: dict[str, Any], **__: Any) -> list[dict[str, Any]]:
        """The next batch."""
        self.offsets.append(api_kwargs["offset"])
        return self.batches.pop(0)

    async def take(self, _: dict[str, Any]) -> None:
        """Everything is taken."""


async def test_after_six_days_without_an_update_the_offset_is_forgotten_and_never_sooner(
    usual_store: Store, clock: FakeClock
) -> None:
    far: Any = _Asked([{"update_id": 700}], [], [], [{"update_id": 5}], [])
    one = Poller(far, usual_store, far, clock=lambda: clock().timestamp())
    for hours in (0, 6 * 24 - 1, 1, 24, 24):
        clock.go_on(hours=hours)
        await one._poll_once()

    assert far.offsets == [0, 701, 0, 0, 6]


@pytest.mark.parametrize(
    ("wrong", "event", "least"),
    [
        (Conflict("terminated by other getUpdates request"), "telegram_conflict", 3.0),
        (InvalidToken("no"), "telegram_refuses_the_token", TOKEN_WAIT),
        (RetryAfter(7), "telegram_asks_for_a_pause", 7.0),
        (NetworkError("Bad Gateway"), "telegram_unreachable", 0.5),
        (BadRequest("strange"), "telegram_unreachable", 0.5),
        (RuntimeError("somebody's words"), "updates_not_taken", 0.5),
    ],
)
def test_each_failure_is_said_in_plain_words_and_waited_out(
    wrong: Exception, event: str, least: float
) -> None:
    with capture_logs() as said:
        assert wait_after(wrong, 1) >= least
    assert [one["event"] for one in said] == [event]
    assert "somebody's words" not in str(said)


def test_the_wait_grows_to_a_few_seconds_and_no_further() -> None:
    waits = [wait_after(NetworkError("down"), failures) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[-1] == MAX_RETRY_WAIT
