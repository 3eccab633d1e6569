"""Delivery truth: what the channel told of each notice stands on the complaint, and what was given up calls (7.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.listeners.home import retry_obligation
from bots.slack.payloads import ButtonPress
from complaints.actors import SYSTEM
from complaints.errors import NotAllowed
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, record_sent, record_unsent
from store.outbox.claim import claim
from store.outbox.complete import fail, reschedule, retry
from store.outbox.deliveries import list_deliveries, list_failed_kinds
from store.outbox.failed import FailureReason, give_up_failed, list_failed, retry_failed
from store.people.staff import load_actor
from store.store import Store
from store.values import DeliveryStatus, MessageState, Obligation
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk
from tests.edges.slack_office import ALICE, MONA, Office, office_of
from tests.edges.test_slack_home import home
from tests.rules.slack_cases import voice

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def fates(store: Store, ref: str) -> list[tuple[str, str, str | None]]:
    return [(one.kind, one.fate.value, one.why) for one in store.read(list_deliveries, ref)]


def claimed(store: Store, kind: str) -> Obligation:
    (one,) = store.write(claim, [kind], 1, 60)
    return one


def send(store: Store, owed: Obligation) -> int:
    return store.write(begin_sending, owed, "Sealed words.", template=owed.kind, language="en", ref=owed.ref)


@pytest.fixture
def owed(store: Store) -> str:
    """A complaint whose acknowledgement is owed now."""
    ref = Desk(store).receive()
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    return ref


@clause("7.3")
def test_what_the_channel_accepted_is_delivered(store: Store, owed: str) -> None:
    one = claimed(store, "acknowledge")
    store.write(record_sent, send(store, one), "1", settles=one.id)

    assert fates(store, owed) == [("acknowledge", "delivered", None)]
    (told,) = store.read(list_deliveries, owed)
    assert (told.at, told.first, told.is_notice) == (store.now(), None, True)


def test_one_that_was_uncertain_and_sent_again_says_both_moments(
    store: Store, clock: FakeClock, owed: str
) -> None:
    one = claimed(store, "acknowledge")
    first = store.now()
    store.write(
        record_unsent, send(store, one), MessageState.UNCERTAIN, "no answer", retry_after=0.0, settles=one.id
    )
    between = fates(store, owed)
    clock.go_on(minutes=2)
    again = claimed(store, "acknowledge")
    store.write(record_sent, send(store, again), "2", settles=again.id)
    (told,) = store.read(list_deliveries, owed)

    assert between == [("acknowledge", "trying", "no_answer")]
    assert (told.fate, told.first, told.at) == (
        DeliveryStatus.SENT_AGAIN,
        first,
        first + timedelta(minutes=2),
    )


def test_the_card_is_drawn_for_the_first_failure_and_for_another_reason_not_for_each_try(
    store: Store, owed: str
) -> None:
    drawn = []
    for why in ("unreachable", "unreachable", "unreachable", "flood"):
        store.write(retry, claimed(store, "acknowledge").id, 0.0, why)
        drawn.append(len(store.write(claim, ["redraw"], 9, 60)))

    assert drawn == [1, 0, 0, 1]


def test_what_did_not_arrive_says_why(store: Store, owed: str) -> None:
    one = claimed(store, "acknowledge")
    store.write(record_unsent, send(store, one), MessageState.FAILED, "blocked", settles=one.id)

    assert fates(store, owed) == [("acknowledge", "not_delivered", "blocked")]


def test_what_waits_for_the_end_of_quiet_hours_says_until_when(store: Store, owed: str) -> None:
    one = claimed(store, "acknowledge")
    until = store.now() + timedelta(hours=8)
    store.write(reschedule, one.id, until, "quiet hours")
    (told,) = store.read(list_deliveries, owed)

    assert (told.fate, told.at) == (DeliveryStatus.WAITING, until)


def test_what_was_given_up_stands_until_somebody_takes_it_up(store: Store, owed: str) -> None:
    one = claimed(store, "acknowledge")
    store.write(fail, one.id, "Telegram refuses this message: chat is strange")
    given_up = fates(store, owed)
    stuck = store.read(list_failed_kinds, store.read(load_actor, MANAGER))
    store.write(retry_failed, one.id)
    again = claimed(store, "acknowledge")
    tried = fates(store, owed)
    store.write(fail, again.id, "refused")
    store.write(give_up_failed, again.id, FailureReason.DONE_OTHERWISE)

    assert given_up == [("acknowledge", "given_up", "other")]
    assert [(each.number, each.ref, each.kind) for each in stuck] == [(one.id, owed, "acknowledge")]
    assert tried == []
    assert fates(store, owed) == [("acknowledge", "ended", None)]
    assert store.read(list_failed_kinds, store.read(load_actor, MANAGER)) == ()


def test_what_is_stuck_shows_only_to_whom_its_complaint_is_open(store: Store, owed: str) -> None:
    store.write(fail, claimed(store, "acknowledge").id, "refused")
    store.write(act, owed, Verb.RESTRICT, store.read(load_actor, MANAGER), {}, {"reason": "x"})

    assert store.read(list_failed_kinds, store.read(load_actor, SECOND)) == ()
    assert store.read(list_failed_kinds, store.read(load_actor, HANDLER)) == ()
    assert len(store.read(list_failed_kinds, store.read(load_actor, MANAGER))) == 1


def test_the_record_for_programs_has_it_without_a_word(store: Store, owed: str) -> None:
    one = claimed(store, "acknowledge")
    store.write(record_sent, send(store, one), "1", settles=one.id)
    (told,) = store.read(export_record, owed)["deliveries"]

    assert told == {
        "obligation": one.id,
        "kind": "acknowledge",
        "state": "delivered",
        "at": "2026-11-03T10:00:00Z",
        "reason": None,
        "uncertain_at": None,
    }


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


@clause("7.3")
async def test_the_card_tells_what_became_of_a_letter_though_nothing_of_the_record_moved(
    office: Office,
) -> None:
    ref = office.proposed()
    before = (await office.card(ref)).text
    office.store.write(
        act, ref, Verb.REPLY, office.store.read(load_actor, ALICE), {}, {"text": "x", "letter": "Dear Anna."}
    )
    after = (await office.card(ref)).text

    assert "Letter" not in before
    assert "Letter delivered 10:00" in after
    assert "Dear Anna" not in after


async def test_a_manager_tries_again_what_was_given_up_and_a_handler_does_not(office: Office) -> None:
    store, ref = office.store, office.proposed()
    await office.idle()
    # The complainant's side is away: nobody performs this.
    office.performing._handlers.pop("acknowledge")
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    (owed,) = store.read(list_failed, everything=True, kind="acknowledge", ref=ref)
    store.write(fail, owed["id"], "refused")
    card = (await office.card(ref)).text
    shown, others = await home(office, MONA), await home(office, ALICE)
    before, not_theirs = shown.text, others.text
    press = ButtonPress("outbox.retry", str(owed["id"]), ALICE, "t")
    with pytest.raises(NotAllowed):
        await retry_obligation(press, store.read(load_actor, ALICE), office.desk)
    unchanged = store.read(list_failed, kind="acknowledge")
    assert str(owed["id"]) in {one["accessory"]["value"] for one in shown.blocks if "accessory" in one}
    await office.staff(MONA).presses(shown, voice().text("stuck.retry"), value=str(owed["id"]))
    await office.sim.until(lambda: "Given up" not in shown.text, timeout=10)

    assert "Acknowledgement given up 10:00" in card
    assert "Given up: somebody must look" in before
    assert "Given up" not in not_theirs
    assert [one["state"] for one in unchanged] == ["failed"]
    assert store.read(list_failed, kind="acknowledge") == []
    assert "Given up" not in shown.text
