"""The app's home: lists with counts, pages, the next action as a button, and only complaints the member may know of.

Tests marked `on_both` depend on SQL and run on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.views.home import FAILED_ROWS, SECTIONS, home_view
from bots.slack.views.home import ROWS_OF_EACH as FEW
from complaints.vocabulary import Verb
from simulator.screen import Modal
from store.cases.act import act
from store.cases.read import open_case
from store.people.staff import load_actor, record_absence
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, BURAK, MONA, TUGBA, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def home(office: Office, member: str) -> Modal:
    await office.idle()
    await office.client.views_publish(user_id=member, view=await home_view(office.desk, member))
    view = office.staff(member).home
    assert view is not None
    return view


async def investigated(office: Office) -> str:
    ref = office.proposed()
    office.store.write(open_case, ref, office.store.read(load_actor, ALICE), "open")
    facts = ASSESSMENT | {
        "issues": [],
        "severity": 2,
        "safety": 0,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
    }
    office.store.write(act, ref, Verb.ASSESS, office.store.read(load_actor, ALICE), facts)
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    office.store.write(act, ref, Verb.INVESTIGATE, office.store.read(load_actor, ALICE), evidence)
    return ref


def decide(office: Office, ref: str, amount: str) -> None:
    facts = {
        "issues": [{"finding": "upheld"}],
        "remedies": [{"type": "refund", "amount": amount, "currency": "GBP", "needs_acceptance": False}],
        "others_affected": "none",
        "cause_class": "single",
    }
    words = {"issues.0.reasons": "We erred.", "remedies.0.text": "Back", "root_cause": "A typing error"}
    office.store.write(act, ref, Verb.RESPOND, office.store.read(load_actor, ALICE), facts, words)


async def test_a_decision_waiting_for_approval_is_listed_for_those_who_may_approve_it(office: Office) -> None:
    ref = await investigated(office)
    decide(office, ref, "500.00")
    mona, alice = await home(office, MONA), await home(office, ALICE)

    assert "Waiting for you as second person (1)" in mona.text
    assert "Waiting for you as second person" not in alice.text
    await office.staff(MONA).presses(mona, "Approve", value=ref)
    assert "We erred." in (await office.staff(MONA).opened("Approve")).text


async def test_a_remedy_is_listed_for_verification_by_members_who_did_not_carry_it_out(
    office: Office,
) -> None:
    ref = await investigated(office)
    decide(office, ref, "20.00")
    await office.idle()
    done = {"remedy": "0", "done_at": "2026-11-03T10:00:00Z"}
    office.store.write(act, ref, Verb.REMEDY_DONE, office.store.read(load_actor, ALICE), done)

    assert "for you to verify (1)" in (await home(office, BURAK)).text
    assert "for you to verify" not in (await home(office, ALICE)).text


@clause("4.7")
@pytest.mark.on_both
async def test_a_restricted_complaint_is_not_counted_for_members_who_may_not_know_of_it(
    office: Office,
) -> None:
    ref = office.proposed(category="staff_conduct", restricted=True)

    assert "Without an owner (0)" in (await home(office, ALICE)).text
    assert ref in (await home(office, MONA)).text
    assert "Without an owner (1)" in (await home(office, TUGBA)).text


@clause("C")
@pytest.mark.on_both
async def test_a_member_with_a_conflict_of_interest_sees_the_complaint_in_no_list(office: Office) -> None:
    ref = office.proposed()
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, ref, Verb.DECLARE_CONFLICT, mona, {"who": BURAK}, {"reason": "A neighbour"})

    assert ref in (await home(office, ALICE)).text
    assert "Without an owner (0)" in (await home(office, BURAK)).text


@pytest.mark.on_both
async def test_a_long_list_is_shown_page_by_page(office: Office) -> None:
    refs = [office.receive(f"Matter number {n} with the bill") for n in range(FEW + 3)]
    first = await home(office, ALICE)
    await office.staff(ALICE).presses(first, "3 more…")
    await office.sim.until(lambda: "All lists" in office.staff(ALICE).home.buttons)
    page = office.staff(ALICE).home
    both = [sum(ref in text for ref in refs) for text in (first.text, page.text)]
    await office.staff(ALICE).presses(page, "All lists")
    await office.sim.until(lambda: "All lists" not in office.staff(ALICE).home.buttons)

    assert len(refs) - both[1] == 0
    assert f"Without an owner ({len(refs)})" in office.staff(ALICE).home.text


async def test_an_action_from_the_home_updates_the_home_at_once(office: Office) -> None:
    ref = office.proposed()
    view = await home(office, ALICE)
    alice = office.staff(ALICE)
    await alice.presses(view, "Assess", value=ref)
    await alice.opened("Assess")
    await alice.fills(ASSESSMENT)
    await alice.submits()
    await office.idle()

    assert "Yours, by what is due next (1)" in alice.home.text
    assert "Without an owner (0)" in alice.home.text


async def test_a_deputy_sees_the_complaints_of_an_absent_person_and_opens_one(office: Office) -> None:
    ref = office.owned(BURAK)
    assert "As deputy" not in (await home(office, ALICE)).text
    until = office.store.now() + timedelta(days=3)
    office.store.write(record_absence, BURAK, until, ALICE)
    view = await home(office, ALICE)

    assert "As deputy (1)" in view.text
    assert "overdue ·" not in view.text
    await office.staff(ALICE).presses(view, "Open", value=ref)
    assert ref in (await office.staff(ALICE).opened()).text


async def test_a_full_home_stays_within_a_hundred_blocks(office: Office) -> None:
    for n in range(FEW + 1):
        ref = office.proposed(f"Matter number {n} with the bill")
        office.store.write(act, ref, Verb.ASSIGN, office.store.read(load_actor, MONA), {"owner": MONA})
    for n in range(FEW + 1):
        office.receive(f"Other matter number {n}")
    office.clock.go_on(days=30)
    view = await home(office, MONA)

    assert len(view.blocks) <= 100
    # A heading with its line and the button for more of each list, title, buttons, figures, and what failed.
    assert len(SECTIONS) * (2 * FEW + 3) + 3 + 2 + FAILED_ROWS <= 100
    assert f"*{2 * FEW + 2}* open · *{2 * FEW + 2}* overdue" in view.text
    assert f"Overdue ({2 * FEW + 2})" in view.text
