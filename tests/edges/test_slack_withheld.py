"""A complaint about staff against the simulated Slack: it stands in no channel where they are (4.7, C)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.slack.staff_sync import StaffEntry, sync_staff
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import list_members
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import (
    ALICE,
    BURAK,
    EXECUTIVE,
    MONA,
    RESTRICTED,
    TRIAGE,
    TUGBA,
    Office,
    office_of,
)

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


def leaves(office: Office, member: str, channel: str) -> None:
    """This person is in the channel no longer."""
    office.sim.world.slack.channels[channel].members.discard(member)


def seen(office: Office, member: str, channel: str, ref: str) -> bool:
    """Does a post of this complaint stand there?"""
    return any(ref in one.text for one in office.staff(member).channel(channel).cards if not one.gone)


@clause("C")
async def test_one_about_a_handler_stands_in_the_restricted_channel_alone(office: Office) -> None:
    ref = office.receive(subjects=(BURAK,))
    await office.idle()

    assert seen(office, MONA, RESTRICTED, ref)
    assert office.staff(ALICE).channel(TRIAGE).cards == []
    assert [one for one in office.texts(BURAK) if ref in one] == []


@clause("4.7")
async def test_one_about_a_member_of_every_channel_is_told_to_the_top_in_private_once(office: Office) -> None:
    ref = office.receive(subjects=(MONA,))
    await office.idle()
    office.add(ref, "I was crying")
    await office.idle()

    assert not seen(office, TUGBA, RESTRICTED, ref)
    assert not seen(office, TUGBA, EXECUTIVE, ref)
    assert len([one for one in office.texts(TUGBA) if "stands in none of them" in one and ref in one]) == 1
    assert [one for one in office.texts(MONA) if ref in one] == []


async def test_where_only_the_executive_channel_is_free_of_them_it_is_worked_there(office: Office) -> None:
    leaves(office, MONA, EXECUTIVE)
    ref = office.receive(subjects=(MONA,))
    card = await office.card(ref, TUGBA, EXECUTIVE)

    assert card.buttons[:2] == ["Receipt", "Assess"]
    assert not seen(office, TUGBA, RESTRICTED, ref)
    office.store.write(act, ref, Verb.NOTE, await office.desk.actor(TUGBA), {}, {"text": "Called her."})
    await office.idle()
    assert any("Note" in one.text for one in card.thread)


async def test_somebody_named_later_loses_the_card_that_stood_there(office: Office) -> None:
    ref = office.receive(subjects=(BURAK,))
    await office.idle()
    before = seen(office, MONA, RESTRICTED, ref)
    office.add(ref, "It was the manager, too", subjects=(MONA,))
    await office.idle()

    assert before
    assert not seen(office, TUGBA, RESTRICTED, ref)


async def test_the_settings_say_other_names_the_line_and_who_stands_in(office: Office) -> None:
    said = {BURAK: StaffEntry(aliases=("Bo",), line=MONA, deputy=ALICE), TUGBA: StaffEntry(line=MONA)}
    roles = {Role.HANDLER: (ALICE, BURAK), Role.MANAGER: (MONA,)}
    await sync_staff(office.client, office.desk, roles, entries=said)
    known = {one.id: one for one in office.store.read(list_members)}

    assert (known[BURAK].line, known[BURAK].deputy) == (MONA, ALICE)
    assert "Bo" in known[BURAK].aliases
    # Who handles nothing is still somebody whom a complaint may name.
    assert known[TUGBA].roles == frozenset()
    assert office.store.read(load_case, office.receive(subjects=(BURAK,))).denied == {BURAK, MONA}
