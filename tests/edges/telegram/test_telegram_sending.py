"""Sending while Telegram refuses, limits, fails or does not answer (docs/subsystems/outbox.md, "Telegram").

The subject is what people see and press; test_store_* tests the store on both databases. Tests marked `on_both` also
run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.telegram.sending import telegram_length
from bots.telegram.telegram_limits import MAX_WAIT_SECONDS
from complaints.vocabulary import Flag, State, Verb
from scheduler.worker import LEASE_SECONDS
from simulator import Simulator
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, load_contact
from store.cases.read import load_case
from store.outbox.claim import claim
from store.outbox.complete import NO_ANSWER_AGAIN, end_retry_pauses
from store.outbox.deliveries import list_deliveries
from store.outbox.failed import list_failed
from store.people.staff import load_actor, sync_staff
from store.store import Store
from store.values import DeliveryStatus
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, STAFF
from tests.edges.obligation_rows import add_what_is_due
from tests.edges.telegram_desk import TelegramDesk, telegram_desk

AGAIN = "(You may have had this already; it is sent again to be sure.)"


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        yield running


def states(desk: TelegramDesk, ref: str) -> list[str]:
    """The state of every message that was sent."""
    messages = desk.store.read(export_record, ref)["messages"]
    return [message["state"] for message in messages if message["direction"] == "out"]


async def test_a_message_that_may_have_arrived_is_resent_and_marked(desk: TelegramDesk) -> None:
    desk.sim.fail_next("sendMessage", how="cut_after_accept")
    anna = desk.sim.customer("Anna")
    await anna.says("The water is brown.")
    await anna.hears(AGAIN)
    assert len([text for text in anna.heard if "Your reference is" in text]) == 2
    await desk.settled()
    assert states(desk, desk.ref) == ["uncertain", "sent"]


async def test_a_message_that_may_have_arrived_twice_is_not_resent_when_telegram_is_back(
    desk: TelegramDesk,
) -> None:
    desk.sim.fail_next("sendMessage", how="cut_after_accept", times=2)
    anna = desk.sim.customer("Anna")
    await anna.says("The water is brown.")
    await desk.sim.until(lambda: bool(waiting(desk)), what="two copies sent")
    desk.store.write(end_retry_pauses, ("say",))
    await desk.settled()
    assert len([text for text in anna.heard if "Your reference is" in text]) == 2
    assert len(waiting(desk)) == 1


def waiting(desk: TelegramDesk) -> list[object]:
    """Obligations whose message may have arrived twice."""
    return [row["id"] for row in desk.store.read(list_failed) if row["why"] == NO_ANSWER_AGAIN]


async def test_after_a_502_the_message_is_resent_without_a_mark(desk: TelegramDesk) -> None:
    desk.sim.fail_next("sendMessage", how="html_502")
    anna = desk.sim.customer("Anna")
    await anna.says("The water is brown.")
    await anna.hears("Your reference is")
    assert AGAIN not in "".join(anna.heard)


async def test_a_retry_after_of_telegram_is_obeyed(desk: TelegramDesk) -> None:
    desk.sim.fail_next("sendMessage", status=429, retry_after=1)
    anna = desk.sim.customer("Anna")
    await anna.says("The water is brown.")
    await anna.hears("Your reference is")
    await desk.settled()
    assert states(desk, desk.ref) == ["failed", "sent"]


async def test_a_message_to_a_blocked_chat_counts_as_not_delivered(desk: TelegramDesk) -> None:
    desk.sim.fail_next("sendMessage", status=403)
    await desk.send_story()
    case = desk.store.read(load_case, desk.ref)
    assert Flag.UNREACHABLE in case.flags
    assert case.delivery_failed_at is not None
    assert desk.store.read(load_contact, desk.ref) is None
    assert states(desk, desk.ref) == ["failed"]


@clause("7.3")
async def test_a_reply_blocked_by_the_complainant_is_resent_when_they_return(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    handler = desk.store.read(load_actor, HANDLER)
    anna.blocks()
    for text in ("The valve was replaced.", "Please run the tap."):
        desk.store.write(act, ref, Verb.REPLY, handler, {}, {"text": text, "letter": text})
        await desk.settled()
        clock.go_on(minutes=1)
    assert [
        delivery.status for delivery in desk.store.read(list_deliveries, ref) if delivery.kind == "letter"
    ] == [DeliveryStatus.NOT_DELIVERED] * 2

    before = len(anna.heard)
    anna.unblocks()
    await desk.settled()
    late = "(We wrote this on Tuesday, 3 November 2026 and could not reach you then.)"
    assert anna.heard[before:] == [
        f"{late}\n\nThe valve was replaced.",
        f"{late}\n\nPlease run the tap.",
    ]
    statuses = [
        delivery.status for delivery in desk.store.read(list_deliveries, ref) if delivery.kind == "letter"
    ]
    assert statuses == [DeliveryStatus.NOT_DELIVERED] * 2 + [DeliveryStatus.DELIVERED] * 2
    await anna.says("Thank you, it runs clear.")
    await desk.settled()
    assert sum("Please run the tap." in text for text in anna.heard) == 1


async def test_a_message_that_telegram_refuses_is_listed_as_failed(desk: TelegramDesk) -> None:
    desk.sim.fail_next("sendMessage", status=400, error="Bad Request: message text is strange")
    await desk.send_story()
    [failed] = [row for row in desk.store.read(list_failed) if row["state"] == "failed"]
    assert (failed["kind"], failed["why"]) == (
        "say",
        "Telegram refuses this message: Message text is strange",
    )


async def test_the_reply_time_starts_when_telegram_accepts_the_decision(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.resolve(ref)
    await desk.settled()
    assert anna.heard[-1] == "We flushed the pipe."
    assert anna.buttons == ["I accept", "I disagree", "I have a question"]
    decision = desk.store.read(load_case, ref).decision
    assert decision is not None
    assert decision.communicated_at is not None
    await anna.presses("I accept")
    await desk.settled()
    assert desk.store.read(load_case, ref).reply == "accept"


@pytest.mark.on_both
async def test_a_decision_waits_for_the_end_of_the_quiet_hours(desk: TelegramDesk, clock: FakeClock) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    clock.go_on(hours=12)
    desk.resolve(ref)
    await desk.settled()
    assert anna.heard[-1] != "We flushed the pipe."
    assert desk.store.read(load_case, ref).state is State.DECIDED
    clock.go_on(hours=10)
    desk.worker.nudge()
    await desk.settled()
    assert anna.heard[-1] == "We flushed the pipe."


async def test_the_notice_of_an_outside_review_waits_for_the_end_of_the_quiet_hours(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.store.write(sync_staff, [person for person in STAFF if person.id in (HANDLER, MANAGER)])
    clock.go_on(hours=12)
    for member in (HANDLER, MANAGER):
        desk.store.write(
            act,
            ref,
            Verb.DECLARE_CONFLICT,
            desk.store.read(load_actor, member),
            {"who": member},
            {"reason": "A relative"},
        )
    assert desk.store.read(load_case, ref).no_reviewer_left
    at_night = len(anna.heard)
    await desk.settled()
    assert len(anna.heard) == at_night
    clock.go_on(hours=10)
    desk.worker.nudge()
    await desk.settled()
    assert len(anna.heard) == at_night + 1


async def test_replies_to_the_person_are_sent_in_quiet_hours(desk: TelegramDesk, clock: FakeClock) -> None:
    clock.go_on(hours=12)
    anna = await desk.send_story()
    await desk.complete_form(anna)
    assert anna.heard[-1].startswith("We have your complaint")


async def test_a_letter_too_long_for_a_message_is_sent_as_a_file(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    text = "We looked at every single meter reading. " * 200
    desk.store.write(
        act, ref, Verb.REPLY, desk.store.read(load_actor, "U1"), {}, {"text": text, "letter": text}
    )
    await desk.settled()
    [(name, data)] = anna.documents()
    assert (name, data.decode()) == (f"{ref}.txt", text)
    assert anna.heard[-1] == f"{ref}: our letter is attached, as it is too long for a message."


async def test_an_unfinished_form_is_filed_and_acknowledged_with_a_button_to_send_it(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story()
    clock.go_on(minutes=31)
    desk.worker.nudge()
    await desk.settled()
    assert "It is filed as you wrote it. If you like, press Send to sign it." in anna.heard[-1]
    assert anna.buttons == ["Send", f"{desk.ref} as a PDF"]
    await anna.presses("Send")
    await desk.settled()
    assert desk.store.read(load_case, desk.ref).confirmed_at == clock.at


async def test_a_survey_that_may_have_arrived_is_not_sent_twice(desk: TelegramDesk, clock: FakeClock) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    await anna.says(f"/withdraw {ref}")
    await desk.settled()
    await anna.presses("Yes")
    await desk.settled()
    desk.sim.fail_next("sendMessage", how="cut_after_accept")
    clock.go_on(days=3, minutes=1)
    desk.worker.nudge()
    await desk.settled()
    assert len([text for text in anna.heard if "has ended" in text]) == 1
    assert [row for row in desk.store.read(list_failed, everything=True) if row["kind"] == "survey"] == []
    record = desk.store.read(export_record, ref)
    assert states(desk, ref)[-1] == "uncertain"
    assert [row["step"] for row in record["survey"]] == ["sent"]


@pytest.mark.on_both
async def test_a_survey_interrupted_by_a_restart_is_recorded_as_sent(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    await anna.says(f"/withdraw {ref}")
    await desk.settled()
    await anna.presses("Yes")
    await desk.settled()
    clock.go_on(days=3, minutes=1)
    store = desk.store
    add_what_is_due(store)
    [survey] = store.write(claim, ("survey",), 1, 0.0)
    store.write(begin_sending, survey, "words", template="survey", language="en", ref=ref)
    desk.worker.nudge()
    await desk.settled()
    assert [text for text in anna.heard if "has ended" in text] == []
    assert states(desk, ref)[-1] == "uncertain"
    assert [row["step"] for row in store.read(export_record, ref)["survey"]] == ["sent"]


def test_message_length_is_counted_as_telegram_counts() -> None:
    assert (telegram_length("abc"), telegram_length("😀")) == (3, 2)


def test_no_rate_limit_wait_is_longer_than_a_lease() -> None:
    assert timedelta(seconds=MAX_WAIT_SECONDS) < timedelta(seconds=LEASE_SECONDS)
