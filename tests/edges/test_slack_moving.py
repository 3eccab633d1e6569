"""Somebody is away: who stands in, and their complaints moved to another, each by its own act, told once.

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bots.slack.staff_sync import sync_staff
from complaints.vocabulary import Verb
from simulator.screen import FormRefused
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.people.staff import load_actor, load_member
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, BURAK, MONA, ROLES, TRIAGE, Office, office_of


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


async def asks(office: Office, member: str, words: str) -> str:
    before = len(office.staff(member).ephemerals)
    await office.staff(member).runs(f"/complaints {words}", channel=TRIAGE)
    await office.idle()
    return "\n".join(one.text for one in office.staff(member).ephemerals[before:])


def messages(office: Office, member: str) -> list[str]:
    return [one.text for one in office.staff(member).direct_messages]


@pytest.mark.on_both
@clause("4.9")
async def test_five_complaints_move_by_five_acts_and_one_message(office: Office) -> None:
    refs = [office.owned(ALICE) for _ in range(5)]
    await office.idle()
    before = len(messages(office, BURAK))
    mona = office.staff(MONA)
    await mona.runs(f"/complaints move <@{ALICE}> <@{BURAK}>", channel=TRIAGE)
    preview = await mona.opened("Move complaints")
    shown = preview.text
    await mona.submits()
    await office.idle()
    last = [office.store.read(load_history, ref)[-1] for ref in refs]

    assert all(ref in shown for ref in refs)
    assert [(one.verb, one.by, one.facts["owner"]) for one in last] == [(Verb.ASSIGN, MONA, BURAK)] * 5
    assert len({one.facts["batch"] for one in last}) == 1
    (told,) = messages(office, BURAK)[before:]
    assert "gave you 5 complaints" in told
    assert all(ref in told for ref in refs)
    assert f"Moved to <@{BURAK}>: 5" in messages(office, MONA)[-1]


async def test_what_the_new_owner_may_not_have_stays_and_is_listed(office: Office) -> None:
    stays, moves = office.owned(ALICE), office.owned(ALICE)
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, stays, Verb.DECLARE_CONFLICT, mona, {"who": BURAK}, {"reason": "A neighbour"})
    await office.idle()
    colleague = office.staff(MONA)
    await colleague.runs(f"/complaints move <@{ALICE}> <@{BURAK}>", channel=TRIAGE)
    text = (await colleague.opened("Move complaints")).text
    await colleague.submits()
    await office.idle()

    assert text.index("1 stay") < text.index(stays)
    assert text.index(moves) < text.index("1 stay")
    assert office.store.read(load_case, stays).owner == ALICE
    assert office.store.read(load_case, moves).owner == BURAK


async def test_one_that_somebody_else_took_meanwhile_is_refused_by_name(office: Office) -> None:
    first, second = office.owned(ALICE), office.owned(ALICE)
    await office.idle()
    mona = office.staff(MONA)
    await mona.runs(f"/complaints move <@{ALICE}> <@{BURAK}>", channel=TRIAGE)
    await mona.opened("Move complaints")
    office.store.write(act, first, Verb.ASSIGN, office.store.read(load_actor, MONA), {"owner": MONA})
    await mona.submits()
    await office.idle()

    assert office.store.read(load_case, first).owner == MONA
    assert office.store.read(load_case, second).owner == BURAK
    assert f"{first}: somebody else has it" in messages(office, MONA)[-1]


async def test_a_handler_moves_nobodys_complaints(office: Office) -> None:
    office.owned(BURAK)

    assert "manager" in await asks(office, ALICE, f"move <@{BURAK}> <@{ALICE}>")


async def test_only_somebody_who_handles_can_be_given_complaints(office: Office) -> None:
    office.owned(ALICE)
    await office.idle()
    mona = office.staff(MONA)
    await mona.runs("/complaints move", channel=TRIAGE)
    await mona.opened("Move complaints")
    await mona.fills({"from": ALICE, "to": "U0000004"})

    with pytest.raises(FormRefused, match="handles no"):
        await mona.submits()


@clause("6.4")
async def test_reminders_of_somebody_away_go_to_the_deputy_and_back_again(office: Office) -> None:
    office.owned(ALICE, severity=4)
    told = await asks(office, ALICE, f"away until 2026-11-09 deputy <@{BURAK}>")
    office.clock.go_on(days=1)
    await office.idle()
    while_away = [one for one in messages(office, ALICE) if "missed" in one]
    deputised = [one for one in messages(office, BURAK) if "missed" in one]
    again = await asks(office, ALICE, "back")

    assert "back on Mon 9 Nov 2026" in told
    assert "1 open complaint stays" in told
    assert while_away == []
    assert deputised != []
    assert "is here again" in again


async def test_absence_outlives_a_look_at_the_roles_and_ends_by_itself(office: Office) -> None:
    await asks(office, MONA, f"away <@{ALICE}> until 2026-11-09")
    await sync_staff(office.client, office.desk, ROLES, on_call=(MONA,))
    alice = office.store.read(load_member, ALICE)

    assert alice is not None
    assert alice.is_away(datetime(2026, 11, 8, 23, 59, tzinfo=UTC))
    assert not alice.is_away(datetime(2026, 11, 9, 0, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("away", "no date"),
        ("away until yesterday", "no date"),
        ("away until 2026-11-03", "day of return"),
        ("away until 2030-01-01", "day of return"),
        ("away @nobody until 2026-11-09", "nobody of the staff"),
        ("back @nobody", "nobody of the staff"),
        ("away @Burak until 2026-11-09", "role"),
    ],
)
async def test_what_cannot_be_read_is_said_plainly(office: Office, words: str, answer: str) -> None:
    assert answer in await asks(office, ALICE, words)


async def test_an_ownerless_complaint_is_suggested_to_who_has_the_fewest(office: Office) -> None:
    for _ in range(2):
        office.owned(ALICE)
    ref = office.proposed()
    mona = office.staff(MONA)
    await mona.chooses(await office.card(ref, MONA), "More", "Assign")
    first = (await mona.opened("Assign")).values["owner"]
    await mona.closes()
    await asks(office, MONA, "away @Burak until 2026-11-09")
    await mona.chooses(await office.card(ref, MONA), "More", "Assign")
    second = (await mona.opened("Assign")).values["owner"]

    assert (first, second) == (BURAK, ALICE)
