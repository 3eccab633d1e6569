"""A complaint about staff is posted in no channel where the person complained about is a member (4.7, C)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.slack.staff_sync import StaffEntry, sync_staff
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import list_members, load_member
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
    open_office,
)

# These tests depend on SQL: they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def leave(office: Office, member: str, channel: str) -> None:
    """Remove this member from the channel."""
    office.sim.world.slack.channels[channel].members.discard(member)


def is_posted(office: Office, member: str, channel: str, ref: str) -> bool:
    return any(ref in card.text for card in office.staff(member).channel(channel).cards if not card.gone)


@clause("C")
async def test_a_complaint_about_a_handler_is_posted_only_in_the_restricted_channel(office: Office) -> None:
    ref = office.receive(subjects=(BURAK,))
    await office.idle()

    assert is_posted(office, MONA, RESTRICTED, ref)
    assert office.staff(ALICE).channel(TRIAGE).cards == []
    assert [text for text in office.texts(BURAK) if ref in text] == []


@clause("4.7")
async def test_a_complaint_about_a_member_of_every_channel_is_sent_once_privately_to_top_management(
    office: Office,
) -> None:
    ref = office.receive(subjects=(MONA,))
    await office.idle()
    office.add(ref, "I was crying")
    await office.idle()

    assert not is_posted(office, TUGBA, RESTRICTED, ref)
    assert not is_posted(office, TUGBA, EXECUTIVE, ref)
    assert (
        len([text for text in office.texts(TUGBA) if "is shown in none of them" in text and ref in text]) == 1
    )
    assert [text for text in office.texts(MONA) if ref in text] == []


async def test_a_complaint_about_a_manager_is_handled_in_the_executive_channel_if_they_are_not_in_it(
    office: Office,
) -> None:
    leave(office, MONA, EXECUTIVE)
    ref = office.receive(subjects=(MONA,))
    card = await office.card(ref, TUGBA, EXECUTIVE)

    assert card.buttons[:2] == ["Receipt", "Assess"]
    assert not is_posted(office, TUGBA, RESTRICTED, ref)
    office.store.write(act, ref, Verb.NOTE, await office.desk.actor(TUGBA), {}, {"text": "Called her."})
    await office.idle()
    assert any("Note" in line.text for line in card.thread)


async def test_the_card_is_removed_from_a_channel_when_a_member_of_it_is_named_later(office: Office) -> None:
    ref = office.receive(subjects=(BURAK,))
    await office.idle()
    before = is_posted(office, MONA, RESTRICTED, ref)
    office.add(ref, "It was the manager, too", subjects=(MONA,))
    await office.idle()

    assert before
    assert not is_posted(office, TUGBA, RESTRICTED, ref)


async def test_aliases_line_manager_and_deputy_come_from_the_settings(office: Office) -> None:
    entries = {BURAK: StaffEntry(aliases=("Bo",), line=MONA, deputy=ALICE), TUGBA: StaffEntry(line=MONA)}
    roles = {Role.HANDLER: (ALICE, BURAK), Role.MANAGER: (MONA,)}
    await sync_staff(office.client, office.desk, roles, entries=entries)
    members = {member.id: member for member in office.store.read(list_members)}

    assert (members[BURAK].line, members[BURAK].deputy) == (MONA, ALICE)
    assert "Bo" in members[BURAK].aliases
    # A member without a role may still be named in a complaint.
    assert members[TUGBA].roles == frozenset()
    assert office.store.read(load_case, office.receive(subjects=(BURAK,))).denied == {BURAK, MONA}


async def test_a_deputy_of_the_settings_who_handles_no_complaints_is_a_problem_and_does_not_count(
    office: Office,
) -> None:
    roles = {Role.HANDLER: (ALICE,), Role.INTAKE: (BURAK,), Role.MANAGER: (MONA,)}
    result = await sync_staff(office.client, office.desk, roles, entries={ALICE: StaffEntry(deputy=BURAK)})
    alice = office.store.read(load_member, ALICE)

    assert result.problems == (f"{BURAK}: handles no complaints, so is no deputy of {ALICE}",)
    assert alice is not None
    assert alice.deputy is None
