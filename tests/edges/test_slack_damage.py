"""A complaint with a damaged text stays workable in Slack: what can be read is shown, what cannot is named."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.cases.read import load_case
from store.database.damage import UNREADABLE
from store.record.load import load_complaint_text
from store.store import Store
from store.tables import TEXTS
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, RESOLVED, Office, open_office
from tests.edges.test_damage import flip_a_bit


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
    assert office.store.read(load_complaint_text, ref) == ""
    assert office.store.read(load_case, ref).decision is not None


async def test_a_damaged_proposal_does_not_keep_the_complaint_from_being_opened(office: Office) -> None:
    ref = office.owned(ALICE, "Lorries pass our school at night.")
    flip_a_bit(office.store, TEXTS, TEXTS.c.sealed, -1)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    view = (await alice.opened("open")).text
    assert "Lorries pass our school at night." in view
    assert "is damaged and cannot be read" in view
