"""How cards are drawn under load: tried once, the pressed card first, one drawing for many changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots.slack.client import slack_limits
from bots.slack.client.slack_limits import RateLimitWait
from bots.slack.job_handlers import job_handlers
from bots.slack.jobs import case_posts as card_jobs
from complaints.obligations.kinds import SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.outbox.claim import claim, count_claimable
from store.outbox.complete import Completed, Outcome, RateLimited, complete
from store.outbox.rate_limit import EvenlySpaced, pause_sending
from store.outbox.rows import insert_redraw
from store.people.staff import load_actor
from store.slack_posts import list_posts, record_posted
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, MONA, TRIAGE, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def _note(office: Office, ref: str, text: str) -> None:
    office.store.write(act, ref, Verb.NOTE, office.store.read(load_actor, ALICE), {}, {"text": text})


@pytest.mark.on_both
async def test_posts_that_only_waited_for_their_rate_limit_are_not_searched_for(office: Office) -> None:
    await office.stop_worker()
    refs = [office.owned(ALICE) for _ in range(3)]
    jobs = job_handlers(office.desk, office.client, interval=0.5)
    office.store.write(pause_sending, EvenlySpaced(f"slack:{TRIAGE}", 0.5), 20.0)
    cards = office.store.write(claim, ("card",), 9, 60)
    assert {type(await jobs["card"](card)) for card in cards} == {RateLimited}

    unlimited = job_handlers(office.desk, office.client, interval=0)
    posted = [await unlimited["card"](card) for card in cards]
    assert set(posted) == {Completed()}
    assert {str(office.store.read(list_posts, ref)[0].ts) for ref in refs} == {
        post.ts for post in office.staff(ALICE).channel(TRIAGE).posts
    }
    # The first events have no line of their own, and only the oldest line of each thread is claimed.
    lines, waited = office.store.write(claim, ("thread",), 9, 60), list[Outcome]()
    while lines and not waited:
        outcomes = [(line, await jobs["thread"](line)) for line in lines]
        waited = [outcome for _, outcome in outcomes if isinstance(outcome, RateLimited)]
        for line, outcome in outcomes:
            if outcome == Completed():
                office.store.write(complete, line.id)
        lines = lines if waited else office.store.write(claim, ("thread",), 9, 60)
    assert lines != []
    assert {await unlimited["thread"](line) for line in lines} == {Completed()}
    assert office.sim.calls("conversations.history") == []
    assert office.sim.calls("conversations.replies") == []


async def test_a_post_that_slack_refused_is_not_searched_for(office: Office) -> None:
    await office.stop_worker()
    office.proposed()
    jobs = job_handlers(office.desk, office.client, interval=0)
    (card,) = office.store.write(claim, ("card",), 9, 60)
    office.sim.fail_next("chat.postMessage", error="ratelimited", retry_after=1)
    await jobs["card"](card)
    await jobs["card"](card)

    assert len(office.staff(ALICE).channel(TRIAGE).cards) == 1
    assert office.sim.calls("conversations.history") == []


@pytest.mark.on_both
async def test_a_post_without_an_answer_is_searched_for_once_while_it_waits_for_its_slot(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.stop_worker()
    office.proposed()
    jobs = job_handlers(office.desk, office.client, interval=0)
    (card,) = office.store.write(claim, ("card",), 9, 60)
    post = office.client.chat_postMessage

    async def answers(failure: Exception) -> None:
        async def fail(**_: Any) -> Any:
            raise failure

        monkeypatch.setattr(office.client, "chat_postMessage", fail)
        await jobs["card"](card)

    await answers(TimeoutError())
    await answers(RateLimitWait(7.0))
    await answers(RateLimitWait(7.0))
    # Each of the last two is an attempt of which nothing is known, because it failed in the call itself.
    searched = len(office.sim.calls("conversations.history"))
    monkeypatch.setattr(office.client, "chat_postMessage", post)
    assert await jobs["card"](card) == Completed()

    assert searched == 2
    assert len(office.staff(ALICE).channel(TRIAGE).cards) == 1


@pytest.mark.on_both
async def test_a_pressed_card_is_drawn_through_the_press_without_a_call_of_the_rate_limited_method(
    office: Office,
) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    await office.staff(ALICE).presses(card, "Take")
    shown = await office.card(ref)

    assert [post.ts for post in office.staff(ALICE).channel(TRIAGE).cards] == [card.ts] == [shown.ts]
    assert f"<@{ALICE}>" in shown.text or "Alice" in shown.text
    assert office.sim.calls("chat.update") == []
    assert len(office.sim.calls("response_url")) == 1
    assert office.store.read(list_posts, ref)[0].shown_version == office.store.read(load_case, ref).version


async def test_a_form_draws_the_card_through_the_press_that_opened_it(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)

    assert "Assessed" in (await office.card(ref)).text
    assert office.sim.calls("chat.update") == []


async def test_where_the_address_of_a_press_is_refused_the_obligation_draws_the_card(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock, response_url_uses=0) as office:
        ref = office.proposed()
        await office.staff(ALICE).presses(await office.card(ref), "Take")
        taken = await office.card(ref)
        await office.acts(ALICE, "Note", ref, {"text": "Called"})

        assert "Take" not in taken.buttons
        version = office.store.read(load_case, ref).version
        assert office.store.read(list_posts, ref)[0].shown_version == version
        assert office.sim.calls("response_url") == []
        assert len(office.sim.calls("chat.update")) >= 2


async def test_a_press_that_another_process_overtook_has_the_card_drawn_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    replace = card_jobs.replace_original

    async def overtaken(client: Any, url: str, *message: Any) -> bool:
        _note(office, ref, "Called")
        version = office.store.read(load_case, ref).version
        await office.store.awrite(record_posted, ref, "card", card.ts, version, 9)
        return await replace(client, url, *message)

    monkeypatch.setattr(card_jobs, "replace_original", overtaken)
    await office.staff(ALICE).presses(card, "Take")
    await office.card(ref)

    assert len(office.sim.calls("chat.update")) == 1


@pytest.mark.on_both
async def test_many_changes_of_a_card_are_one_drawing(office: Office) -> None:
    ref = office.proposed()
    await office.card(ref)
    await office.stop_worker()
    for number in range(5):
        _note(office, ref, f"Call {number}")
        office.store.write(insert_redraw, ref, f"test:{number}", priority=SendPriority.NOTICE)
    jobs = job_handlers(office.desk, office.client, interval=0)
    (first, *_) = [
        entry for entry in office.store.write(claim, ("card", "redraw"), 20, 60) if entry.kind == "redraw"
    ]
    assert await jobs["redraw"](first) == Completed()
    after = len(office.sim.calls("chat.update"))

    assert after == 1
    assert office.store.read(count_claimable, ("card", "redraw")) == 0
    assert office.store.read(list_posts, ref)[0].shown_version == office.store.read(load_case, ref).version


async def test_a_card_that_becomes_restricted_while_it_waits_for_its_slot_is_not_drawn_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = office.proposed()
    await office.card(ref)
    await office.stop_worker()
    _note(office, ref, "Called")
    jobs = job_handlers(office.desk, office.client, interval=0.01)
    card = office.store.write(claim, ("card",), 9, 60)[-1]

    async def restrict_meanwhile(self: Any, method: str, *_: Any) -> None:
        if method == "chat.update":
            mona = office.store.read(load_actor, MONA)
            await office.store.awrite(act, ref, Verb.RESTRICT, mona, {}, {"reason": "It names a colleague"})

    monkeypatch.setattr(slack_limits.SlackRateLimiter, "wait", restrict_meanwhile)
    await jobs["card"](card)

    assert office.sim.calls("chat.update") == []
    assert office.staff(ALICE).channel(TRIAGE).cards == []
    assert office.store.read(load_case, ref).restricted
