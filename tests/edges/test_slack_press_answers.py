"""A press in a channel is answered at once and privately, without the queue; forms say at which field they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator.colleague import StaffMember
from store.outbox.failed import list_failed
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import AUDREY, MONA, TRIAGE, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def shown(office: Office, colleague: StaffMember) -> str:
    """The text of the first private message beneath a card."""
    await office.sim.until(lambda: bool(colleague.ephemerals), timeout=5)
    return colleague.ephemerals[-1].text


async def test_a_refusal_is_shown_although_nothing_of_the_queue_is_done(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref, AUDREY)
    office.worker.stop()
    audrey = office.staff(AUDREY)
    await audrey.presses(card, "Assess")

    assert "Your role does not allow this" in await shown(office, audrey)
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
        await office.sim.until(lambda: bool(audrey.direct_messages), timeout=5)

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
    await office.sim.until(lambda: bool(audrey.direct_messages), timeout=5)
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
