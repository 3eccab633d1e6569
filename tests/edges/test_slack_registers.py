"""Registers in Slack: lists and entries from the home, acts, reminders, and what was changed for complainants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from complaints.errors import NotAllowed
from complaints.vocabulary import Verb
from simulator.colleague import StaffMember
from simulator.screen import Modal
from store.cases.act import act
from store.people.staff import load_actor
from store.proof.hash_chain import list_instance_events
from store.registers import act_on_entry, add_entry, list_entries, load_entry
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, BURAK, MONA, Office, open_office

ACTION = {
    "what": "Read each meter twice",
    "source": "idea",
    "category": "money",
    "owner": ALICE,
    "due": "2026-12-01",
}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def opened_register(office: Office, member: str, register: str, title: str) -> StaffMember:
    """This member at the list of a register, chosen in the home."""
    colleague = office.staff(member)
    await colleague.opens_home()
    await office.sim.until(lambda: colleague.home is not None and "Records" in colleague.home.text, timeout=5)
    assert colleague.home is not None
    await colleague.chooses(colleague.home, "home.register", register)
    await colleague.opened(title)
    return colleague


async def filled(office: Office, colleague: StaffMember, button: str, values: dict[str, Any]) -> Modal:
    """The view after this button's form was filled in and submitted."""
    await colleague.presses(colleague.modal, button)
    await office.sim.until(
        lambda: colleague.modal is not None and colleague.modal.callback_id == "register", timeout=5
    )
    await colleague.fills(values)
    saved = await colleague.submits()
    assert saved is not None
    return saved


async def test_an_idea_is_accepted_done_and_its_owner_reminded(office: Office) -> None:
    burak = await opened_register(office, BURAK, "improvement", "Improvements")
    assert "New entry" not in burak.modal.buttons
    entry = await filled(office, burak, "Suggest an idea", {"what": "Longer hours on Monday"})
    assert "Longer hours on Monday" in entry.text
    assert "Proposed" in entry.text
    assert "Accept" not in entry.buttons

    mona = await opened_register(office, MONA, "improvement", "Improvements")
    await mona.presses(mona.modal, "Open")
    await office.sim.until(lambda: mona.modal.callback_id == "register_entry", timeout=5)
    entry = await filled(office, mona, "Accept", {"owner": ALICE, "due": "2026-12-01"})
    assert "Tue 1 Dec 2026" in entry.text

    at = office.clock.at.replace(month=11, day=25, hour=12)
    await office.until(at)
    assert any("improvement-1 is due on Tue 1 Dec 2026" in text for text in office.texts(ALICE))

    alice = await opened_register(office, ALICE, "improvement", "Improvements")
    await alice.presses(alice.modal, "Open")
    await office.sim.until(lambda: alice.modal.callback_id == "register_entry", timeout=5)
    entry = await filled(
        office, alice, "Done",
        {"changed": "We open at 8.", "done_on": "2026-11-24", "effect_days": "30"},
    )  # fmt: skip
    assert "We open at 8." in entry.text
    saved = office.store.read(load_entry, "improvement-1")
    assert [(done.act, done.by) for done in saved.acts] == [
        ("suggest", BURAK),
        ("accept", MONA),
        ("done", ALICE),
    ]
    logged = office.store.read(list_instance_events, "register")
    assert [event["facts"]["entry"] for event in logged] == [
        "improvement-1.3",
        "improvement-1.2",
        "improvement-1.1",
    ]
    assert "hours" not in str(logged)


async def test_the_effect_is_counted_and_the_owner_informed(office: Office) -> None:
    mona = office.store.read(load_actor, MONA)
    for _ in range(12):
        ref = office.receive()
        office.store.write(act, ref, Verb.ASSESS, mona, dict(ASSESSMENT))
    facts = {name: value for name, value in ACTION.items() if name != "what"}
    office.store.write(add_entry, "improvement", "add", mona, facts, {"what": "Twice"})
    office.clock.go_on(seconds=86_400)
    done_on = (office.clock.at).date().isoformat()
    office.store.write(
        act_on_entry,
        "improvement-1",
        "done",
        mona,
        {"done_on": done_on, "effect_days": "30"},
        {"changed": "x"},
    )
    await office.until(office.clock.at + timedelta(days=33))
    entry = office.store.read(load_entry, "improvement-1")
    assert (entry.state, entry.facts["before"], entry.facts["after"]) == ("effective", 12, 0)
    assert any("12 in the 30 days before, 0 in the 30 days after" in text for text in office.texts(ALICE))


async def test_a_complaint_opens_an_action_about_itself_and_hides_itself_from_others(office: Office) -> None:
    ref = office.owned(ALICE)
    card, alice = await office.card(ref), office.staff(ALICE)
    await alice.chooses(card, "More", "Improvement action")
    await office.sim.until(
        lambda: alice.modal is not None and alice.modal.callback_id == "register", timeout=5
    )
    await alice.fills({"what": "Say when a bill is an estimate"})
    entry = await alice.submits()
    assert entry is not None
    assert ref in entry.text
    (saved,) = office.store.read(list_entries, "improvement")
    assert (saved.refs, saved.facts["category"], saved.state) == ((ref,), "money", "proposed")

    office.store.write(
        act, ref, Verb.RESTRICT, office.store.read(load_actor, MONA), {"subject": BURAK}, {"reason": "x"}
    )
    burak = await opened_register(office, BURAK, "improvement", "Improvements")
    await burak.presses(burak.modal, "Open")
    await office.sim.until(lambda: burak.modal.callback_id == "register_entry", timeout=5)
    assert ref not in burak.modal.text
    with pytest.raises(NotAllowed):
        office.store.write(
            act_on_entry, saved.code, "cancel", office.store.read(load_actor, BURAK), {}, {"reason": "x"}
        )


async def test_an_overturned_decision_opens_an_action(office: Office) -> None:
    mona, ref = office.store.read(load_actor, MONA), office.owned(ALICE)
    office.store.write(act, ref, Verb.NOTIFY_EXTERNAL, mona, {"event": "notified"}, {"body": "Ombudsman"})
    final = {"event": "final", "overturned": "yes"}
    office.store.write(act, ref, Verb.CONCLUDE_EXTERNAL, mona, final, {"body": "Ombudsman", "outcome": "x"})
    (entry,) = office.store.read(list_entries, "improvement")
    assert (entry.facts["source"], entry.refs, entry.state, entry.last.by) == (
        "overturned",
        (ref,),
        "proposed",
        "system",
    )
    assert entry.due is not None
    assert not entry.words
