"""Absence of a member: who deputises, and how their complaints are moved to another member.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.slack.staff_sync import sync_staff
from bots.slack.views.home import home_view
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Role, Verb
from simulator.screen import FormRefused, Modal
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.people.staff import load_actor, load_member, record_absence
from store.proof.hash_chain import list_instance_events
from store.rulebooks import load_current_rulebook, use_rulebooks
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, AUDREY, BURAK, MONA, ROLES, TRIAGE, TUGBA, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def asks(office: Office, member: str, words: str) -> str:
    before = len(office.staff(member).ephemerals)
    await office.staff(member).runs(f"/complaints {words}", channel=TRIAGE)
    await office.idle()
    return "\n".join(message.text for message in office.staff(member).ephemerals[before:])


def messages(office: Office, member: str) -> list[str]:
    return [message.text for message in office.staff(member).direct_messages]


@pytest.mark.on_both
@clause("4.9")
async def test_moving_five_complaints_records_five_acts_and_sends_one_message(office: Office) -> None:
    refs = [office.owned(ALICE) for _ in range(5)]
    await office.idle()
    before = len(messages(office, BURAK))
    mona = office.staff(MONA)
    await mona.runs(f"/complaints move <@{ALICE}> <@{BURAK}>", channel=TRIAGE)
    preview = await mona.opened("Move complaints")
    preview_text = preview.text
    await mona.submits()
    await office.idle()
    last = [office.store.read(load_history, ref)[-1] for ref in refs]

    assert all(ref in preview_text for ref in refs)
    assert [(event.verb, event.by, event.facts["owner"]) for event in last] == [
        (Verb.ASSIGN, MONA, BURAK)
    ] * 5
    assert len({event.facts["batch"] for event in last}) == 1
    (notice,) = messages(office, BURAK)[before:]
    assert "gave you 5 complaints" in notice
    assert all(ref in notice for ref in refs)
    assert f"Moved to <@{BURAK}>: 5" in messages(office, MONA)[-1]


async def test_a_complaint_the_new_owner_may_not_handle_is_listed_and_not_moved(office: Office) -> None:
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


async def test_a_complaint_that_changed_its_owner_meanwhile_is_not_moved_and_reported(office: Office) -> None:
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


@clause("4.9")
async def test_managers_read_once_of_an_owner_who_left_and_can_move_the_complaints(office: Office) -> None:
    refs = [office.owned(BURAK) for _ in range(2)]
    hidden, tugba = office.owned(BURAK), office.store.read(load_actor, TUGBA)
    office.store.write(act, hidden, Verb.DECLARE_CONFLICT, tugba, {"who": MONA}, {"reason": "A neighbour"})
    office.owned(ALICE)
    await office.idle()
    before = len(messages(office, MONA))
    for _ in range(2):
        await sync_staff(office.client, office.desk, {**ROLES, Role.HANDLER: (ALICE,)}, on_call=(MONA,))
        await office.idle()
    notices = messages(office, MONA)[before:]
    mona = office.staff(MONA)
    home = await home_view(office.desk, MONA)
    await mona.runs(f"/complaints move <@{BURAK}> <@{ALICE}>", channel=TRIAGE)
    preview = (await mona.opened("Move complaints")).text
    await mona.submits()
    await office.idle()

    assert len(notices) == 1
    assert f"<@{BURAK}> handles no complaints any more and still owns 2 open ones" in notices[0]
    assert [text for text in messages(office, ALICE) if "any more" in text] == []
    assert "Without an owner (2)" in str(home)
    assert all(ref in preview for ref in refs)
    assert hidden not in preview
    assert [office.store.read(load_case, ref).owner for ref in refs] == [ALICE, ALICE]


@clause("4.9")
async def test_a_handler_takes_the_complaint_of_an_owner_who_left(office: Office) -> None:
    ref = office.owned(BURAK)
    await office.idle()
    await sync_staff(office.client, office.desk, {**ROLES, Role.HANDLER: (ALICE,)}, on_call=(MONA,))
    await office.idle()
    card = await office.card(ref)
    assert "nobody now (before: " in card.text
    await office.staff(ALICE).presses(card, "Take")
    await office.idle()

    assert office.store.read(load_case, ref).owner == ALICE
    assert "nobody now" not in (await office.card(ref)).text


async def test_a_handler_may_not_move_complaints(office: Office) -> None:
    office.owned(BURAK)

    assert "manager" in await asks(office, ALICE, f"move <@{BURAK}> <@{ALICE}>")


async def test_complaints_can_be_moved_only_to_a_member_who_handles_complaints(office: Office) -> None:
    office.owned(ALICE)
    await office.idle()
    mona = office.staff(MONA)
    await mona.runs("/complaints move", channel=TRIAGE)
    await mona.opened("Many at once")
    await mona.fills({"from": ALICE, "to": "U0000004"})

    with pytest.raises(FormRefused, match="handles no"):
        await mona.submits()


@clause("4.9")
async def test_a_manager_gives_a_whole_list_to_one_person_from_the_home(office: Office) -> None:
    unowned, other = office.proposed(), office.owned(ALICE)
    await office.idle()
    mona = office.staff(MONA)
    await office.client.views_publish(user_id=MONA, view=await home_view(office.desk, MONA))
    assert mona.home is not None
    await mona.presses(mona.home, "Many at once…")
    await mona.opened("Many at once")
    await mona.fills({"list": "unassigned", "to": BURAK})
    preview = await mona.submits()
    assert preview is not None
    assert unowned in preview.text
    assert other not in preview.text
    await mona.submits()
    await office.idle()
    assert [office.store.read(load_case, ref).owner for ref in (unowned, other)] == [BURAK, ALICE]


@clause("6.4")
async def test_an_absence_entered_in_the_home_begins_on_its_first_day(office: Office) -> None:
    mona = office.staff(MONA)
    await office.client.views_publish(user_id=MONA, view=await home_view(office.desk, MONA))
    assert mona.home is not None
    await mona.presses(mona.home, "Absence")
    await mona.opened("Absence")
    today = office.store.now().date()
    first, back = today + timedelta(days=2), today + timedelta(days=5)
    await mona.fills(
        {"member": ALICE, "since": first.isoformat(), "until": back.isoformat(), "deputy": BURAK}
    )
    await mona.submits()
    alice = office.store.read(load_member, ALICE)
    assert alice is not None
    assert not alice.is_away(office.store.now())
    assert alice.is_away(office.store.now() + timedelta(days=3))
    assert office.store.read(load_actor, BURAK).stands_in_for == frozenset()
    office.clock.go_on(days=3)
    assert office.store.read(load_actor, BURAK).stands_in_for == {ALICE}
    facts = office.store.read(list_instance_events, "absence")[0]["facts"]
    assert (facts["member"], facts["by"], facts["since"][:10]) == (ALICE, MONA, first.isoformat())


async def absence_form(office: Office, member: str) -> Modal:
    person = office.staff(member)
    await office.client.views_publish(user_id=member, view=await home_view(office.desk, member))
    assert person.home is not None
    await person.presses(person.home, "Absence")
    return await person.opened("Absence")


async def enters(office: Office, member: str, **values: str) -> str:
    await absence_form(office, member)
    await office.staff(member).fills(values)
    await office.staff(member).submits()
    modal = office.staff(member).modal
    assert modal is not None
    answer = modal.text
    await office.staff(member).closes()
    return answer


@clause("6.4")
async def test_the_form_lists_the_absences_of_the_desk_and_ends_or_removes_one(office: Office) -> None:
    mona = office.staff(MONA)
    answer = await enters(office, ALICE, since="2026-12-20", until="2027-01-04", deputy=BURAK)
    await enters(office, ALICE, until="2026-11-05")
    await enters(office, BURAK, until="2026-11-06")
    own = (await absence_form(office, ALICE)).text
    listed = await absence_form(office, MONA)
    all_of_them = listed.text
    await mona.presses(listed, "Remove")
    await office.sim.until(lambda: mona.modal and "Remove" not in mona.modal.buttons)
    assert mona.modal is not None
    left = mona.modal.text
    await mona.presses(mona.modal, "End now")
    await office.sim.until(lambda: mona.modal and mona.modal.buttons.count("End now") == 1)
    member = office.store.read(load_member, ALICE)

    assert "away from Sun 20 Dec 2026 to Sun 3 Jan 2027 and back on Mon 4 Jan 2027" in answer
    assert "Tue 3 Nov 2026 to Wed 4 Nov 2026, deputy: –" in own
    assert f"Sun 20 Dec 2026 to Sun 3 Jan 2027, deputy: <@{BURAK}>" in own
    assert f"<@{BURAK}>*" not in own
    assert f"<@{BURAK}>*" in all_of_them
    assert "20 Dec" not in left
    assert "3 Nov" in left
    assert member is not None
    assert not member.is_away(office.store.now())
    assert not member.is_away(datetime(2026, 12, 23, tzinfo=UTC))


async def test_a_deputy_who_handles_no_complaints_is_refused_in_the_form_and_the_command(
    office: Office,
) -> None:
    await absence_form(office, ALICE)
    await office.staff(ALICE).fills({"until": "2026-11-09", "deputy": AUDREY})
    with pytest.raises(FormRefused, match="handles no complaints") as refused:
        await office.staff(ALICE).submits()
    await office.staff(ALICE).closes()
    answer = await asks(office, ALICE, f"away until 2026-11-09 deputy <@{AUDREY}>")
    office.store.write(record_absence, ALICE, office.store.now() + timedelta(days=5), AUDREY)

    assert "deputy" in str(refused.value)
    assert "handles no complaints" in answer
    assert office.store.read(load_actor, AUDREY).stands_in_for == frozenset()


@clause("7.3")
async def test_a_closed_day_counts_for_new_complaints_and_survives_a_start_and_opens_again(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    before = office.store.read(load_case, ref)
    day = office.store.now().date() + timedelta(days=1)
    mona = office.staff(MONA)
    await closes(office, {"day": day.isoformat(), "name": "Stocktaking"})
    office.store.write(use_rulebooks, Rulebooks(before.rules))
    in_force = office.store.read(load_current_rulebook).calendar
    assert office.store.read(load_case, ref).targets == before.targets
    assert in_force.closures[day] == "Stocktaking"
    assert day not in in_force.by_law.holidays
    assert office.store.read(load_case, office.proposed()).rules.calendar.closures == in_force.closures
    event = office.store.read(list_instance_events, "close_day")[0]
    assert event["facts"] == {"day": day.isoformat(), "name": "Stocktaking", "by": MONA}
    with pytest.raises(FormRefused):
        await closes(office, {"day": office.store.now().date().isoformat(), "name": "Late"})
    await mona.closes()
    await closes(office, {"day": day.isoformat(), "open_again": ["yes"]})
    assert day not in office.store.read(load_current_rulebook).calendar.holidays


async def closes(office: Office, values: dict[str, Any]) -> None:
    mona = office.staff(MONA)
    await office.client.views_publish(user_id=MONA, view=await home_view(office.desk, MONA))
    assert mona.home is not None
    await mona.presses(mona.home, "Closed days")
    await mona.opened("Closed days")
    await mona.fills(values)
    await mona.submits()
    await mona.closes()


@clause("7.3")
async def test_one_text_goes_to_all_but_flagged_complaints_and_those_who_wrote_since_the_preview(
    office: Office, clock: FakeClock
) -> None:
    calm, severe, writes = office.proposed(), office.proposed(severity=4), office.proposed()
    await office.idle()
    mona = office.staff(MONA)
    await mona.runs("/complaints move", channel=TRIAGE)
    await mona.opened("Many at once")
    await mona.fills({"list": "unassigned", "to": BURAK, "text": "The pump is repaired."})
    with pytest.raises(FormRefused, match="not both"):
        await mona.submits()
    await mona.fills({"to": None, "language": "en"})
    preview = await mona.submits()
    assert preview is not None
    text = preview.text
    clock.go_on(seconds=5)
    office.add(writes, "And the cellar is flooded.")
    await mona.submits()
    await office.idle()
    last = {ref: office.store.read(load_history, ref) for ref in (calm, severe, writes)}
    informed = {ref for ref, events in last.items() if Verb.INFORM in [event.verb for event in events]}
    assert "The pump is repaired." in text
    assert f"severe 1 ({severe})" in text
    assert informed == {calm}
    assert [event.by for event in last[calm] if event.verb is Verb.INFORM] == [MONA]
    assert writes in messages(office, MONA)[-1]
    assert "Recorded in 1 complaint;" in messages(office, MONA)[-1]


@clause("6.4")
async def test_reminders_of_an_absent_member_go_to_the_deputy_until_the_member_is_back(
    office: Office,
) -> None:
    office.owned(ALICE, severity=4)
    confirmation = await asks(office, ALICE, f"away until 2026-11-09 deputy <@{BURAK}>")
    office.clock.go_on(days=1)
    await office.idle()
    missed_by_alice = [text for text in messages(office, ALICE) if "missed" in text]
    missed_by_burak = [text for text in messages(office, BURAK) if "missed" in text]
    return_message = await asks(office, ALICE, "back")

    assert "back on Mon 9 Nov 2026" in confirmation
    assert "1 open complaint stays" in confirmation
    assert missed_by_alice == []
    assert missed_by_burak != []
    assert "is here again" in return_message


async def test_an_absence_survives_the_sync_of_roles_and_ends_on_its_date(office: Office) -> None:
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
async def test_an_invalid_absence_is_answered_with_the_reason(
    office: Office, words: str, answer: str
) -> None:
    assert answer in await asks(office, ALICE, words)


async def test_the_present_member_with_the_fewest_complaints_is_suggested_as_owner(office: Office) -> None:
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
