"""Delivery status: a complaint shows what the channel reported of each notice; failures alert managers (7.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.listeners.case_buttons import retry_obligation
from bots.slack.payloads import ButtonPress
from complaints.actors import SYSTEM
from complaints.errors import NotAllowed
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, record_sent, record_unsent
from store.outbox.claim import claim
from store.outbox.complete import Outcome, Rescheduled, fail, reschedule, retry
from store.outbox.deliveries import list_deliveries, list_failed_obligations
from store.outbox.failed import FailureReason, give_up_obligation, list_failed, retry_failed
from store.people.staff import load_actor
from store.store import Store
from store.values import DeliveryStatus, MessageState, Obligation
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk
from tests.edges.slack.test_slack_home import home
from tests.edges.slack_office import ALICE, MONA, Office, open_office
from tests.rules.slack_cases import voice


def fates(store: Store, ref: str) -> list[tuple[str, str, str | None]]:
    deliveries = store.read(list_deliveries, ref)
    return [(delivery.kind, delivery.status.value, delivery.reason) for delivery in deliveries]


def claim_kind(store: Store, kind: str) -> Obligation:
    (obligation,) = store.write(claim, [kind], 1, 60)
    return obligation


def send(store: Store, obligation: Obligation) -> int:
    return store.write(
        begin_sending,
        obligation,
        "Sealed words.",
        template=obligation.kind,
        language="en",
        ref=obligation.ref,
    )


@pytest.fixture
def ref(store: Store) -> str:
    """A complaint whose acknowledgement is due now."""
    ref = Desk(store).receive()
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    return ref


@clause("7.3")
def test_a_notice_that_the_channel_accepted_is_delivered(store: Store, ref: str) -> None:
    obligation = claim_kind(store, "acknowledge")
    store.write(record_sent, send(store, obligation), "1", completes=obligation.id)

    assert fates(store, ref) == [("acknowledge", "delivered", None)]
    (delivery,) = store.read(list_deliveries, ref)
    assert (delivery.at, delivery.uncertain_since, delivery.is_notice) == (store.now(), None, True)


def test_an_uncertain_notice_that_was_resent_shows_both_times(
    store: Store, clock: FakeClock, ref: str
) -> None:
    obligation = claim_kind(store, "acknowledge")
    first = store.now()
    store.write(record_unsent, send(store, obligation), MessageState.UNCERTAIN, "no answer")
    store.write(retry, obligation.id, 0.0, "no answer")
    between = fates(store, ref)
    clock.go_on(minutes=2)
    again = claim_kind(store, "acknowledge")
    store.write(record_sent, send(store, again), "2", completes=again.id)
    (delivery,) = store.read(list_deliveries, ref)

    assert between == [("acknowledge", "trying", "no_answer")]
    assert (delivery.status, delivery.uncertain_since, delivery.at) == (
        DeliveryStatus.SENT_AGAIN,
        first,
        first + timedelta(minutes=2),
    )


def test_the_card_is_redrawn_for_a_first_failure_and_a_new_reason_but_not_for_each_attempt(
    store: Store, ref: str
) -> None:
    redraws = []
    for why in ("unreachable", "unreachable", "unreachable", "flood"):
        store.write(retry, claim_kind(store, "acknowledge").id, 0.0, why)
        redraws.append(len(store.write(claim, ["redraw"], 9, 60)))

    assert redraws == [1, 0, 0, 1]


def test_a_notice_that_was_not_delivered_shows_why(store: Store, ref: str) -> None:
    obligation = claim_kind(store, "acknowledge")
    store.write(
        record_unsent, send(store, obligation), MessageState.FAILED, "blocked", completes=obligation.id
    )

    assert fates(store, ref) == [("acknowledge", "not_delivered", "blocked")]


def test_a_notice_waiting_for_the_end_of_quiet_hours_shows_until_when(store: Store, ref: str) -> None:
    obligation = claim_kind(store, "acknowledge")
    until = store.now() + timedelta(hours=8)
    store.write(reschedule, obligation.id, until, "quiet hours")
    (delivery,) = store.read(list_deliveries, ref)

    assert (delivery.status, delivery.at) == (DeliveryStatus.WAITING, until)


def test_a_failed_notice_is_listed_until_a_person_handles_it(store: Store, ref: str) -> None:
    obligation = claim_kind(store, "acknowledge")
    store.write(fail, obligation.id, "Telegram refuses this message: chat is strange")
    given_up = fates(store, ref)
    listed = store.read(list_failed_obligations, store.read(load_actor, MANAGER))
    store.write(retry_failed, obligation.id)
    again = claim_kind(store, "acknowledge")
    tried = fates(store, ref)
    store.write(fail, again.id, "refused")
    store.write(give_up_obligation, again.id, FailureReason.DONE_OTHERWISE)

    assert given_up == [("acknowledge", "given_up", "other")]
    assert [(row.number, row.ref, row.kind) for row in listed] == [(obligation.id, ref, "acknowledge")]
    assert tried == []
    assert fates(store, ref) == [("acknowledge", "ended", None)]
    assert store.read(list_failed_obligations, store.read(load_actor, MANAGER)) == ()


def test_failed_obligations_are_shown_only_to_members_who_may_open_the_complaint(
    store: Store, ref: str
) -> None:
    store.write(fail, claim_kind(store, "acknowledge").id, "refused")
    store.write(act, ref, Verb.RESTRICT, store.read(load_actor, MANAGER), {}, {"reason": "x"})

    assert store.read(list_failed_obligations, store.read(load_actor, SECOND)) == ()
    assert store.read(list_failed_obligations, store.read(load_actor, HANDLER)) == ()
    assert len(store.read(list_failed_obligations, store.read(load_actor, MANAGER))) == 1


def test_the_exported_record_has_the_delivery_status_without_any_text(store: Store, ref: str) -> None:
    obligation = claim_kind(store, "acknowledge")
    store.write(record_sent, send(store, obligation), "1", completes=obligation.id)
    (delivery,) = store.read(export_record, ref)["deliveries"]

    assert delivery == {
        "obligation": obligation.id,
        "kind": "acknowledge",
        "state": "delivered",
        "at": "2026-11-03T10:00:00Z",
        "reason": None,
        "uncertain_at": None,
    }


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


@clause("7.3")
async def test_the_card_shows_the_delivery_of_a_letter_even_if_no_event_followed(
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


async def test_a_manager_can_retry_a_failed_obligation_and_a_handler_cannot(office: Office) -> None:
    store, ref = office.store, office.proposed()
    await office.idle()

    async def wait_for_chat(obligation: Obligation) -> Outcome:
        # Without the complainant's side the letter waits.
        return Rescheduled(store.now() + timedelta(hours=1), "no chat")

    office.worker._handlers["acknowledge"] = wait_for_chat
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    (row,) = store.read(list_failed, everything=True, kind="acknowledge", ref=ref)
    store.write(fail, row["id"], "refused")
    card = (await office.card(ref)).text
    managers_home, handlers_home = await home(office, MONA), await home(office, ALICE)
    managers_text, handlers_text = managers_home.text, handlers_home.text
    press = ButtonPress("outbox.retry", str(row["id"]), ALICE, "t")
    with pytest.raises(NotAllowed):
        await retry_obligation(press, store.read(load_actor, ALICE), office.desk)
    unchanged = store.read(list_failed, kind="acknowledge")
    assert str(row["id"]) in {
        block["accessory"].get("value") for block in managers_home.blocks if "accessory" in block
    }
    await office.staff(MONA).presses(managers_home, voice().text("stuck.retry"), value=str(row["id"]))
    await office.sim.until(lambda: "Given up" not in managers_home.text, timeout=10)

    assert "Acknowledgement given up 10:00" in card
    assert "Given up: somebody must look" in managers_text
    assert "Given up" not in handlers_text
    assert [failed["state"] for failed in unchanged] == ["failed"]
    assert store.read(list_failed, kind="acknowledge") == []
    assert "Given up" not in managers_home.text
