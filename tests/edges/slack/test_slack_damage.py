"""A complaint with a damaged text stays workable in Slack: what can be read is shown, what cannot is named."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.database.errors import UNREADABLE
from store.people.staff import load_actor
from store.record.load import load_complaint_text
from store.store import Store
from store.tables import TEXTS
from tests.databases import FakeClock
from tests.edges.proof.test_damage import flip_a_bit, lose_events
from tests.edges.slack.test_slack_actions import decision, investigated_complaint
from tests.edges.slack_office import ALICE, ASSESSMENT, MONA, RESOLVED, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def test_the_card_and_the_opened_view_show_what_can_be_read_and_name_what_cannot(
    office: Office,
) -> None:
    ref = office.owned(ALICE, "Lorries pass our school at night.")
    office.add(ref, "The road is closed to them.")
    flip_a_bit(office.store, TEXTS, TEXTS.c.sealed)
    await office.idle()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    view = (await alice.opened("open")).text
    assert "The road is closed to them." in view
    assert "Lorries" not in view
    assert UNREADABLE in view
    assert "A part of this complaint is damaged" in view


async def test_a_complaint_whose_words_are_damaged_can_be_assessed_and_resolved(office: Office) -> None:
    ref = office.owned(ALICE, "Lorries pass our school at night.")
    flip_a_bit(office.store, TEXTS, TEXTS.c.sealed)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    assert office.store.read(load_complaint_text, ref).words == ""
    assert office.store.read(load_case, ref).decision is not None


async def test_a_damaged_proposal_does_not_keep_the_complaint_from_being_opened(office: Office) -> None:
    ref = office.owned(ALICE, "Lorries pass our school at night.")
    flip_a_bit(office.store, TEXTS, TEXTS.c.sealed, -1)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    view = (await alice.opened("open")).text
    assert "Lorries pass our school at night." in view
    assert "is damaged and cannot be read" in view


async def test_a_damaged_decision_is_refused_in_words_and_written_again(office: Office) -> None:
    ref = await investigated_complaint(office)
    await office.acts(ALICE, "Decide", ref, decision("750.00"))
    flip_a_bit(office.store, TEXTS, TEXTS.c.sealed, -1)
    mona = office.staff(MONA)
    await mona.presses(mona.direct_messages[-1], "Approve")
    assert "is damaged and cannot be read, so it cannot be agreed to" in (await mona.opened("Approve")).text

    await mona.fills(agreed="yes")
    assert "A part of this record is damaged" in (await mona.submits()).text
    await office.submits(MONA, "Approve", {"agreed": "no", "reason": "It cannot be read."})
    await office.acts(ALICE, "Decide", ref, decision("20.00"))

    assert office.store.read(load_case, ref).decisions[-1].communicated_at is not None


async def test_a_complaint_opens_although_one_merged_into_it_lost_its_events(office: Office) -> None:
    kept = office.owned(ALICE, "Lorries pass our school at night.")
    merged = office.receive("The same lorries again.")
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, merged, Verb.MERGE, mona, {"other_ref": kept})
    lose_events(office.store, merged)

    opened = office.store.write(open_case, kept, mona, "open")
    assert [(part.ref, part.texts) for part in opened.merged] == [(merged, ())]
    assert opened.damaged == (f"complaints|{merged}|events",)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(kept), "Open")
    view = (await alice.opened("open")).text
    assert "Lorries pass our school at night." in view
    assert "is damaged and cannot be read" in view


async def test_a_complaint_that_lost_its_events_says_so_in_slack(office: Office) -> None:
    ref = office.owned(ALICE, "Lorries pass our school at night.")
    card = await office.card(ref)
    lose_events(office.store, ref)
    await office.staff(ALICE).presses(card, "Open")
    assert "A part of this record is damaged" in await office.private_answer(ALICE)
