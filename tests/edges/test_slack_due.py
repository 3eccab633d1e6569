"""Dates explained in Slack, by the real app: one press from the card and from the opened complaint."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from complaints.vocabulary import Verb
from store.cases.act import act
from store.people.staff import load_actor
from store.store import Store
from store.tables import ATTEMPTS, READS
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, AUDREY, BURAK, Office, office_of

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


def reads(office: Office, what: str) -> int:
    query = select(func.count()).select_from(READS).where(READS.c.what == what)
    found: int = office.store.read(lambda tx: tx.connection.execute(query).scalar_one())
    return found


async def test_one_choice_on_the_card_explains_the_dates_and_is_no_read(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Dates explained")
    shown = (await alice.opened("Dates explained")).text

    assert "Rule ack: " in shown
    assert "Starts Tue 3 Nov 2026, 10:00 (Europe/London)." in shown
    assert "Zzyzx" not in shown
    assert reads(office, "open") == 0


async def test_the_opened_complaint_has_the_same_a_press_away(office: Office) -> None:
    ref = office.proposed()
    audrey = office.staff(AUDREY)
    await audrey.presses(await office.card(ref, AUDREY), "Open")
    await audrey.opened("Open")
    await audrey.presses(audrey.modal, "Dates explained")

    assert "Rule ack: " in (await audrey.opened("Dates explained")).text
    assert reads(office, "open") == 1


async def test_who_is_kept_from_a_complaint_sees_none_of_its_dates(office: Office) -> None:
    ref = office.proposed()
    burak = office.staff(BURAK)
    card = await office.card(ref, BURAK)
    office.store.write(
        act,
        ref,
        Verb.DECLARE_CONFLICT,
        office.store.read(load_actor, BURAK),
        {"who": BURAK},
        {"reason": "A friend"},
    )
    await burak.chooses(card, "More", "Dates explained")
    await office.idle()
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    tried = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])

    assert burak.modal is None
    assert (BURAK, "open") in tried
