"""Dates explained in Slack with the real app: reachable from the card and from the open complaint."""

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
from tests.edges.slack_office import ALICE, AUDREY, BURAK, Office, open_office

# These tests depend on SQL: they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def reads(office: Office, what: str) -> int:
    query = select(func.count()).select_from(READS).where(READS.c.what == what)
    number: int = office.store.read(lambda tx: tx.connection.execute(query).scalar_one())
    return number


async def test_explaining_dates_from_the_card_is_not_recorded_as_a_read(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Dates explained")
    text = (await alice.opened("Dates explained")).text

    assert "Rule acknowledgement: " in text
    assert "Starts Tue 3 Nov 2026, 10:00 (Europe/London)." in text
    assert "Zzyzx" not in text
    assert reads(office, "open") == 0


async def test_the_open_complaint_also_explains_its_dates(office: Office) -> None:
    ref = office.proposed()
    audrey = office.staff(AUDREY)
    await office.reads(AUDREY, ref)
    await audrey.presses(audrey.modal, "Dates explained")

    assert "Rule acknowledgement: " in (await audrey.opened("Dates explained")).text
    assert reads(office, "open") == 1


async def test_a_member_with_a_conflict_of_interest_does_not_see_the_dates(office: Office) -> None:
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
    attempts = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])

    assert burak.modal is None
    assert (BURAK, "open") in attempts
