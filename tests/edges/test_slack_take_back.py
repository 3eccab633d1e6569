"""A letter of staff waits ten seconds in which its sender can take it back; its targets are open until it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.listeners.forms import TAKE_BACK_SECONDS
from complaints.errors import NotAllowed, OutOfOrder
from complaints.event_facts import HELD
from complaints.vocabulary import State, Target, Verb
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.cases.staff_letters import take_back
from store.outbox.claim import claim
from store.outbox.complete import complete, release
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, RESOLVED, RESOLVED_WORDS, SECOND, Desk, refused
from tests.edges.slack_office import ALICE, ASSESSMENT, Office, open_office
from tests.edges.slack_office import RESOLVED as RESOLVED_FORM


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def previewed(office: Office, label: str, ref: str, values: dict[str, str]) -> None:
    """Alice fills in the form of the card and sends its letter."""
    alice, card = office.staff(ALICE), await office.card(ref)
    await (alice.presses(card, label) if label in card.buttons else alice.chooses(card, "More", label))
    await office.submits(ALICE, "", values)
    await alice.submits()
    await office.sim.until(lambda: bool(alice.ephemerals), timeout=10)


def verbs(office: Office, ref: str) -> list[Verb]:
    return [event.verb for event in office.store.read(load_history, ref)]


async def test_a_decision_is_taken_back_in_time_and_the_complaint_is_as_before(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    before = office.store.read(load_case, ref)
    await previewed(office, "Resolve", ref, RESOLVED_FORM)
    alice = office.staff(ALICE)
    offer = alice.ephemerals[-1]
    assert "leaves in 10 seconds" in offer.text
    case = office.store.read(load_case, ref)
    assert case.state is State.DECIDED
    assert {target.met_at for target in case.current_targets() if target.target is Target.DECIDE} == {None}

    await alice.presses(offer, "Take back")
    await office.sim.until(lambda: "is taken back. Nothing was sent" in alice.ephemerals[-1].text, timeout=10)
    # The form starts with what was taken back, so that a mistake is mended and not typed again.
    await alice.presses(alice.ephemerals[-1], "Resolve")
    assert (await alice.opened("Resolve")).values["done"] == RESOLVED_FORM["done"]
    await alice.closes()
    await office.until(office.clock.at + timedelta(minutes=1))

    case = office.store.read(load_case, ref)
    assert (case.state, case.decisions, case.remedies) == (before.state, (), ())
    assert case.target(Target.DECIDE) == before.target(Target.DECIDE)
    assert Verb.COMMUNICATE_DECISION not in verbs(office, ref)
    assert "Resolve" in (await office.card(ref)).buttons


async def test_a_reply_that_has_left_cannot_be_taken_back_and_counts_from_then(office: Office) -> None:
    ref = office.owned(ALICE)
    await previewed(office, "Reply", ref, {"text": "We look into it."})
    written_at = office.clock.at
    assert not office.store.read(load_case, ref).contacted

    await office.until(written_at + timedelta(seconds=TAKE_BACK_SECONDS))
    case = office.store.read(load_case, ref)
    assert case.last_contact_at == written_at + timedelta(seconds=TAKE_BACK_SECONDS)
    first_action = case.target(Target.FIRST_ACTION)
    assert first_action is not None
    assert first_action.met_at == case.last_contact_at

    alice = office.staff(ALICE)
    await alice.presses(alice.ephemerals[-1], "Take back")
    await office.sim.until(lambda: "too late" in alice.ephemerals[-1].text, timeout=10)
    assert Verb.TAKE_BACK not in verbs(office, ref)


@pytest.mark.on_both
def test_a_letter_that_a_worker_claimed_is_not_taken_back(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    sent = desk.act(ref, Verb.REPLY, facts={HELD: 10}, words={"text": "Hello", "letter": "Hello"})
    alice, seq = desk.actor(HANDLER), sent.event.seq
    while earlier := store.write(claim, ["acknowledge", "dates"], 1, 60):
        store.write(complete, earlier[0].id)
    assert store.write(claim, ["letter"], 1, 60) == []
    clock.go_on(seconds=10)
    (obligation,) = store.write(claim, ["letter"], 1, 60)

    error = refused(lambda: store.write(take_back, ref, seq, alice), OutOfOrder)
    assert isinstance(error, OutOfOrder)
    assert error.code == "already_sent"
    assert store.read(load_history, ref)[-1].verb is Verb.REPLY

    # The rate limit had no slot: it has not left, so it can still be taken back, by its sender alone.
    store.write(release, obligation.id, 1.0)
    refused(lambda: store.write(take_back, ref, seq, desk.actor(SECOND)), NotAllowed)
    store.write(take_back, ref, seq, alice)
    clock.go_on(seconds=60)
    assert store.write(claim, ["letter"], 1, 60) == []
    refused(lambda: store.write(take_back, ref, seq, alice), OutOfOrder)


def test_a_decision_that_others_worked_on_is_not_taken_back(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed()
    sent = desk.act(ref, Verb.RESOLVE, facts={**RESOLVED, HELD: 10}, words=RESOLVED_WORDS)
    desk.act(ref, Verb.REPLY, SECOND, words={"text": "Hello"})
    take = lambda: usual_store.write(take_back, ref, sent.event.seq, desk.actor(HANDLER))  # noqa: E731
    error = refused(take, OutOfOrder)
    assert isinstance(error, OutOfOrder)
    assert error.code == "worked_on"


def test_a_taken_back_question_waits_for_nothing(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed()
    facts = {"needed_by": "2026-11-10", HELD: 10}
    question = desk.act(ref, Verb.ASK, facts=facts, words={"text": "Which day?"})
    assert desk.case(ref).asked_at is None
    usual_store.write(take_back, ref, question.event.seq, usual_store.read(load_actor, HANDLER))
    case = desk.case(ref)
    assert (case.asked_at, case.target(Target.WAITING), case.unsent) == (None, None, ())
    usual_store.write(act, ref, Verb.NOTE, desk.actor(HANDLER), {}, {"text": "We ring instead."})


async def test_a_warning_about_contact_is_taken_back_and_a_limit_waits_for_its_delivery(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    alice, warning = office.staff(ALICE), {"text": "Please write without names."}
    await previewed(office, "Warn about contact", ref, warning)
    assert "leaves in 10 seconds" in alice.ephemerals[-1].text
    assert "Limit contact" not in (await office.card(ref)).options("More")
    await alice.presses(alice.ephemerals[-1], "Take back")
    await office.sim.until(lambda: "is taken back. Nothing was sent" in alice.ephemerals[-1].text, timeout=10)
    await office.until(office.clock.at + timedelta(minutes=1))
    assert office.store.read(load_case, ref).conduct.warned_at is None

    await alice.presses(alice.ephemerals[-1], "Warn about contact")
    assert (await alice.opened("Warn about contact")).values["text"] == warning["text"]
    await alice.submits()
    await alice.submits()
    await office.until(office.clock.at + timedelta(seconds=TAKE_BACK_SECONDS))
    case = office.store.read(load_case, ref)
    assert (case.conduct.warned_at, case.contacted) == (office.clock.at, False)
    assert "Limit contact" in (await office.card(ref)).options("More")
