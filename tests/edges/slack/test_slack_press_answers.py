"""A press in a channel is answered at once and privately, without the queue; forms say at which field they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.client.block_kit import Block
from bots.slack.views.refusals import owner_buttons
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.outbox.failed import list_failed
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import (
    ALICE,
    ASSESSMENT,
    AUDREY,
    BURAK,
    MONA,
    TRIAGE,
    Office,
    open_office,
)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def test_a_refusal_is_shown_although_nothing_of_the_queue_is_done(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref, AUDREY)
    await office.stop_worker()
    audrey = office.staff(AUDREY)
    await audrey.presses(card, "Assess")

    assert "Your role does not allow this" in await office.private_answer(AUDREY)
    assert office.sim.calls("chat.postEphemeral") == []
    (call,) = office.sim.calls("response_url")
    assert (call.arguments["response_type"], call.arguments["replace_original"]) == ("ephemeral", False)


async def test_an_expired_response_url_is_replaced_by_a_direct_message(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock, response_url_seconds=-1.0) as office:
        ref = office.proposed()
        audrey = office.staff(AUDREY)
        await audrey.presses(await office.card(ref, AUDREY), "Assess")
        await office.sim.until(lambda: bool(audrey.direct_messages))

        assert f"{ref}: Your role does not allow this" in audrey.direct_messages[-1].text
        assert audrey.ephemerals == []


async def test_a_person_who_is_not_in_the_channel_gets_a_direct_message_and_no_manager_an_alarm(
    office: Office,
) -> None:
    ref = office.proposed()
    card = await office.card(ref, AUDREY)
    audrey = office.staff(AUDREY)
    await audrey.leaves(TRIAGE)
    before = len(office.staff(MONA).direct_messages)
    await audrey.presses(card, "Assess")
    await office.sim.until(lambda: bool(audrey.direct_messages))
    await office.idle()

    assert "Your role does not allow this" in audrey.direct_messages[-1].text
    assert len(office.staff(MONA).direct_messages) == before
    assert office.store.read(list_failed) == []


async def test_a_private_message_for_a_person_outside_the_channel_becomes_a_direct_message(
    office: Office,
) -> None:
    """As the figures of a command, and what a former release left in the queue."""
    payload = {"channel": TRIAGE, "user": AUDREY, "text": "The figures", "thread": None, "blocks": None}
    await office.staff(AUDREY).leaves(TRIAGE)
    await office.desk.schedule("tell:1", "tell", payload=payload)
    await office.idle()

    assert [message.text for message in office.staff(AUDREY).direct_messages] == ["The figures"]
    assert office.store.read(list_failed) == []


async def owned_by_burak(office: Office) -> str:
    ref = office.owned(BURAK)
    burak = office.store.read(load_actor, BURAK)
    criteria = {name: int(value) if value.isdecimal() else value for name, value in ASSESSMENT.items()}
    office.store.write(act, ref, Verb.ASSESS, burak, criteria, {})
    await office.idle()
    return ref


async def test_who_does_not_own_a_complaint_can_ask_the_owner_from_the_refusal(office: Office) -> None:
    ref = await owned_by_burak(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    text = await office.private_answer(ALICE)
    await alice.presses(alice.ephemerals[-1], "Ask the owner")
    await alice.presses(alice.ephemerals[0], "Ask the owner")
    await office.sim.until(lambda: "Asked" in alice.ephemerals[-1].text)
    await office.idle()
    requests = [card for card in office.staff(BURAK).direct_messages if "asks you about" in card.text]

    assert f"Only the owner (<@{BURAK}>) or a manager can do this: Resolve." in text
    assert [request.buttons for request in requests] == [["Resolve", "Open"]]
    await office.staff(BURAK).presses(requests[0], "Resolve")
    assert (await office.staff(BURAK).opened("Resolve")).callback_id == "resolve"


async def test_a_handler_asks_a_manager_to_take_over(office: Office) -> None:
    ref = await owned_by_burak(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    await office.private_answer(ALICE)
    await alice.presses(alice.ephemerals[-1], "Ask to take over")
    await office.idle()
    request = office.staff(MONA).direct_messages[-1]

    assert office.store.read(load_case, ref).owner == BURAK
    assert f"<@{ALICE}> asks to take over {ref} from <@{BURAK}>" in request.text
    await office.staff(MONA).presses(request, "Assign")
    await office.submits(MONA, "Assign", {"owner": ALICE})
    assert office.store.read(load_case, ref).owner == ALICE


async def test_a_manager_takes_over_and_the_former_owner_is_informed(office: Office) -> None:
    ref = await owned_by_burak(office)
    mona = office.staff(MONA)
    await office.desk.schedule(
        "ask", "message", payload={"member": MONA, "text": "x", "blocks": take_over_row(office, ref)}
    )
    await office.idle()
    await mona.presses(mona.direct_messages[-1], "Take over")
    await office.idle()

    assert office.store.read(load_case, ref).owner == MONA
    assert f"<@{MONA}> took over {ref} from you." in office.staff(BURAK).direct_messages[-1].text


def take_over_row(office: Office, ref: str) -> list[Block]:
    case = office.store.read(load_case, ref)
    actor = office.store.read(load_actor, MONA)
    return owner_buttons(case, "resolve", actor, office.desk.texts, office.store.now())


async def test_a_complaint_without_an_owner_offers_take_before_the_acts_of_an_owner(office: Office) -> None:
    ref = await owned_by_burak(office)
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, ref, Verb.ESCALATE, mona, {}, {"reason": "Too much for us"})
    card = await office.card(ref)

    assert "Take" in card.buttons
    assert not {"Resolve", "Decide", "Close"} & set(card.buttons)


async def test_the_opened_complaint_offers_only_what_its_reader_may_do(office: Office) -> None:
    ref = await owned_by_burak(office)
    offered = {}
    for member in (ALICE, BURAK, AUDREY):
        if member == BURAK:
            await office.staff(member).presses(await office.card(ref, member), "Open")
            modal = await office.staff(member).opened("Open")
        else:
            modal = await office.reads(member, ref)
        offered[member] = set(modal.buttons) & {"Resolve", "Investigate"}

    assert offered == {ALICE: {"Investigate"}, BURAK: {"Resolve", "Investigate"}, AUDREY: set()}


async def test_of_all_who_press_one_button_at_once_one_acts_and_the_others_are_informed(
    office: Office,
) -> None:
    """How fast this is for fifty people is measured by `python -m benchmarks presses`."""
    ref, people = office.proposed(), (ALICE, BURAK, MONA)
    card = await office.card(ref)
    await asyncio.gather(*(office.staff(member).presses(card, "Take") for member in people))
    owner = office.store.read(load_case, ref).owner
    others = [member for member in people if member != owner]
    answers = [await office.private_answer(member) for member in others]
    events = office.store.read(load_history, ref)

    assert owner in people
    assert sum(event.verb is Verb.ASSIGN for event in events) == 1
    assert all(answers)
    assert [office.staff(member).ephemerals for member in people if member == owner] == [[]]
