"""One decision on all complaints of an incident: previewed, approved by a second person, recorded in each.

Tests marked `on_both` depend on SQL and run on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.incidents.incident_decision import decide as decide_one
from complaints import actors
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.case import Case
from complaints.incidents import IncidentAct
from complaints.vocabulary import Role, State, Verb
from simulator.screen import Card, FormRefused
from store.cases.act import act as store_act
from store.cases.batches import DECISION
from store.cases.incident_acts import answer_incident_decision, schedule_incident_update, take_back_from_all
from store.cases.read import load_case, load_history
from store.cases.receive_message import receive_message
from store.custody.verify import verify
from store.incidents import load_incident_decision, load_incident_history, open_incident
from store.outbox.claim import claim
from store.people.staff import load_actor
from store.record.load import load_event_words
from store.store import Store
from store.values import Chat, DialogueTurn, PlannedAct
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_forms.test_slack_incidents import (
    TEXT,
    incident_card,
    receive_from,
    redraw_card,
    takes_back,
)
from tests.edges.slack_office import ALICE, MONA, TUGBA, Office, open_office
from tests.edges.store.test_store_incidents import an_update

FORM = {
    "finding": "upheld",
    "reasons.en": "The pump failed.",
    "type": "compensation",
    "amount": "25",
    "changes.en": "We replace the pump.",
    "category": "supply",
    "recurrence": "3",
    # Enough for the priority that a group of people and this recurrence give.
    "evidence": ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"],
}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as office:
        yield office


async def outage(office: Office, clock: FakeClock, *languages: str) -> list[str]:
    """An incident with a complaint in each of these languages, half an hour after the last message."""
    alice = office.store.read(load_actor, ALICE)
    refs = [receive_from(office, number, language) for number, language in enumerate(languages)]
    office.store.write(open_incident, alice, {}, {"what": "No water"})
    for ref in refs:
        office.store.write(store_act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
        office.store.write(store_act, ref, Verb.LINK, alice, {"relation": "same_incident", "incident": 1})
    clock.go_on(minutes=31)
    office.worker.nudge()
    await redraw_card(office, clock)
    return refs


async def preview(office: Office, **values: object) -> str:
    """Mona fills in the form; the text of the preview."""
    mona = office.staff(MONA)
    await mona.presses(await incident_card(office, MONA), "Decide all")
    await mona.opened("Decide all")
    await mona.fills({**FORM, **values})
    shown = await mona.submits()
    assert shown is not None
    return shown.text


async def decide(office: Office, clock: FakeClock, **values: object) -> None:
    """Mona decides and asks for approval."""
    await preview(office, **values)
    await office.staff(MONA).submits()
    await redraw_card(office, clock)


async def answer(office: Office, clock: FakeClock, **values: str) -> None:
    """Tuğba, of top management, answers from the incident's card."""
    await office.staff(TUGBA).presses(await incident_card(office, TUGBA), "Approve")
    await office.submits(TUGBA, "Approve", values)
    await redraw_card(office, clock)


def case(office: Office, ref: str) -> Case:
    return office.store.read(load_case, ref)


def letter_of(office: Office, ref: str) -> str:
    """The stored letter of the decision on this complaint."""
    event = next(event for event in office.store.read(load_history, ref) if event.verb is Verb.RESPOND)
    return office.store.read(load_event_words, ref, event.seq)["letter"]


def headline(card: Card) -> str:
    return card.text.splitlines()[0]


@clause("7.8")
@pytest.mark.on_both
async def test_a_decision_on_all_is_approved_by_a_second_person_and_recorded_in_each_complaint(
    office: Office, clock: FakeClock
) -> None:
    refs = await outage(office, clock, "en", "tr", "en")
    shown = await preview(office, **{"reasons.tr": "Pompa bozuldu.", "changes.tr": "Pompayı yeniliyoruz."})
    await office.staff(MONA).submits()
    await redraw_card(office, clock)
    waiting = (await incident_card(office)).text
    before = [case(office, ref).state for ref in refs]
    await answer(office, clock, agreed="yes")
    decided = [case(office, ref) for ref in refs]
    events = [event.verb for event in office.store.read(load_history, refs[0])][-5:]
    card = (await incident_card(office)).text

    assert "This decides 3 complaints" in shown
    assert "Each gets 25.00 GBP. Together that is 75.00 GBP." in shown
    assert all(f"Dear Anna, about {ref}" in shown for ref in refs)
    assert "decided 3 complaints at once. A second person must agree." in waiting
    assert before == [State.RECEIVED] * 3
    assert {complaint.state for complaint in decided} == {State.REMEDYING}
    decisions = [complaint.decision for complaint in decided if complaint.decision]
    assert {(decision.by, decision.approved_by) for decision in decisions} == {(MONA, TUGBA)}
    assert {(complaint.category, complaint.severity) for complaint in decided} == {("supply", 2)}
    assert [[remedy.amount for remedy in complaint.remedies] for complaint in decided] == [["25.00"]] * 3
    assert events == [
        Verb.ASSESS, Verb.INVESTIGATE, Verb.RESPOND, Verb.APPROVE, Verb.COMMUNICATE_DECISION,
    ]  # fmt: skip
    assert "The pump failed." in letter_of(office, refs[0])
    assert "Pompa bozuldu." in letter_of(office, refs[1])
    assert "3 of 3 decided" in card
    assert any("Work on incident 1 is done: 3 of 3 decided." in text for text in office.texts(MONA))
    assert office.store.read(verify).first_bad is None


async def test_a_message_after_the_preview_leaves_the_complaint_to_a_person(
    office: Office, clock: FakeClock
) -> None:
    refs = await outage(office, clock, "en", "en")
    await decide(office, clock)
    clock.go_on(seconds=1)
    facts = message_facts(field="addition", has_words=True)
    addition = PlannedAct(Verb.ADD, refs[1], facts, {"addition": "My cellar is flooded too"})
    chat, turn = Chat("telegram", "72001", "en", "Zzyzx"), DialogueTurn(state={}, acts=(addition,))
    office.store.write(receive_message, "tg:later", chat, lambda talk: turn)
    await answer(office, clock, agreed="yes")
    card = (await incident_card(office)).text
    cards = [(await office.card(ref)).text for ref in refs]

    assert ["Owner" in text for text in cards] == [False, True]
    assert [case(office, ref).state for ref in refs] == [State.REMEDYING, State.RECEIVED]
    assert case(office, refs[1]).assessment is None
    assert "1 of 2 decided" in card
    assert f"1 is left to a person: wrote in the meantime 1 ({refs[1]})" in card
    assert any(refs[1] in text for text in office.texts(MONA))


async def test_a_complaint_taken_out_of_the_incident_is_not_decided_with_it(
    office: Office, clock: FakeClock
) -> None:
    refs = await outage(office, clock, "en", "en")
    await decide(office, clock)
    await office.acts(ALICE, "Incident", refs[1], {"which": "leave"})
    await office.staff(TUGBA).presses(await incident_card(office, TUGBA), "Approve")
    form = await office.staff(TUGBA).opened("Approve")
    await office.submits(TUGBA, "Approve", {"agreed": "yes"})
    await redraw_card(office, clock)

    assert "This decides 1 complaint" in form.text
    assert "Together that is 25.00 GBP." in form.text
    assert f"1 is left to a person: left the incident 1 ({refs[1]})" in form.text
    assert [case(office, ref).state for ref in refs] == [State.REMEDYING, State.RECEIVED]
    assert "1 of 2 decided" in (await incident_card(office)).text


async def test_what_is_sent_back_changes_nothing_and_the_form_opens_with_it(
    office: Office, clock: FakeClock
) -> None:
    (ref,) = await outage(office, clock, "en")
    await decide(office, clock)
    await answer(office, clock, agreed="no", reason="Thirty pounds is usual.")
    card = await incident_card(office, MONA)
    await office.staff(MONA).presses(card, "Decide all")
    form = await office.staff(MONA).opened("Decide all")

    assert case(office, ref).state is State.RECEIVED
    assert "sent back the decision" in card.text
    assert "Thirty pounds is usual." in form.text
    assert any("sent back your decision on incident 1" in text for text in office.texts(MONA))


async def test_who_answers_after_another_person_is_told_that_nothing_is_left_to_do(
    office: Office, clock: FakeClock
) -> None:
    await outage(office, clock, "en")
    await decide(office, clock)
    tugba = office.staff(TUGBA)
    await tugba.presses(await incident_card(office, TUGBA), "Approve")
    await tugba.opened("Approve")
    other = actors.staff("U0000099", Role.TOP_MANAGEMENT)
    office.store.write(answer_incident_decision, 1, other, agreed=False, reason="Too much.")
    await tugba.fills({"agreed": "yes"})
    notice = await tugba.submits()

    assert notice is not None
    assert "somebody else has answered" in notice.text
    assert notice.submit_label is None


async def test_only_a_second_person_within_their_limit_approves(office: Office, clock: FakeClock) -> None:
    await outage(office, clock, "en", "en")
    # Two times 1,500 GBP is above a manager's limit of 2,000 GBP.
    await decide(office, clock, amount="1500")
    await office.staff(MONA).presses(await incident_card(office, MONA), "Approve")
    with pytest.raises(FormRefused) as refused:
        await office.submits(MONA, "Approve", {"agreed": "yes"})
    decision = office.store.read(load_incident_decision, 1)

    assert set(refused.value.errors) == {"agreed"}
    assert decision is not None
    assert decision.waits
    assert any("asks you to approve one decision on 2 complaints" in text for text in office.texts(TUGBA))


async def test_a_wrong_currency_is_reported_at_its_field(office: Office, clock: FakeClock) -> None:
    await outage(office, clock, "en")
    with pytest.raises(FormRefused) as refused:
        await preview(office, currency="gbp")

    assert set(refused.value.errors) == {"currency"}


async def test_missing_evidence_for_all_is_reported_at_its_field(office: Office, clock: FakeClock) -> None:
    await outage(office, clock, "en")
    with pytest.raises(FormRefused) as refused:
        await preview(office, evidence=["complainant_heard"])

    assert set(refused.value.errors) == {"evidence"}


async def test_a_handler_may_not_decide_on_all(office: Office, clock: FakeClock) -> None:
    await outage(office, clock, "en")
    await office.staff(ALICE).presses(await incident_card(office), "Decide all")
    # The answer to a press is no obligation: an idle worker does not mean that it was given.
    await office.sim.until(lambda: office.texts(ALICE), what="the press is answered")
    assert office.texts(ALICE)[-1].startswith("Only a manager may do this")


@pytest.mark.on_both
async def test_the_card_of_a_complaint_is_folded_while_its_incident_is_open(
    office: Office, clock: FakeClock
) -> None:
    folded, left = await outage(office, clock, "en", "en")
    short = (await office.card(folded)).text
    buttons = (await office.card(folded)).buttons
    await office.acts(ALICE, "Incident", left, {"which": "leave"})
    whole = (await office.card(left)).text
    await office.staff(ALICE).presses(await incident_card(office), "End")
    await office.submits(ALICE, "End", {})
    after_the_end = (await office.card(folded)).text

    assert buttons == ["Open"]
    assert "Belongs to incident 1" in short
    assert "Owner" not in short
    assert "Owner" in whole
    assert "Owner" in after_the_end


async def test_only_words_that_complainants_read_are_checked_and_what_was_overruled_is_recorded(
    office: Office, clock: FakeClock
) -> None:
    await outage(office, clock, "en")
    internal = "Internal: do not tell the customer, we are liable. Mark should have read the terms."
    plain = await preview(office, root_cause=internal, others_action=internal)
    await office.staff(MONA).submits()
    await office.staff(TUGBA).presses(await incident_card(office, TUGBA), "Approve")
    await office.submits(TUGBA, "Approve", {"agreed": "no", "reason": "Not like this."})
    await redraw_card(office, clock)
    blaming = {"reasons.en": "You should have read the terms."}
    warned = await preview(office, **blaming)
    await office.staff(MONA).submits()
    history = office.store.read(load_incident_history, 1)

    assert "⚠" not in plain
    assert "This blames the person who reads it" in warned
    decisions = [event for event in history if event.act is IncidentAct.DECIDE]
    assert [event.facts.get("overruled") for event in decisions] == [None, ["blaming"]]


@clause("7.8")
@pytest.mark.on_both
async def test_an_approval_of_a_decision_on_all_is_taken_back_and_the_decision_waits_again(
    office: Office, clock: FakeClock
) -> None:
    refs = await outage(office, clock, "en", "en")
    await decide(office, clock)
    before = [case(office, ref) for ref in refs]
    await office.staff(TUGBA).presses(await incident_card(office, TUGBA), "Approve")
    await office.submits(TUGBA, "Approve", {"agreed": "yes"})

    assert await takes_back(office, TUGBA) == "2 letters are taken back and were not sent."
    await redraw_card(office, clock)
    assert [case(office, ref) for ref in refs] == before
    card = await incident_card(office, TUGBA)
    assert "A second person must agree." in card.text
    assert "Approve" in card.buttons

    await answer(office, clock, agreed="yes")
    assert {case(office, ref).state for ref in refs} == {State.REMEDYING}
    assert "2 of 2 decided" in (await incident_card(office)).text


async def test_a_complaint_that_is_being_decided_when_the_approval_is_taken_back_is_decided(
    office: Office, clock: FakeClock
) -> None:
    refs = await outage(office, clock, "en", "en")
    await decide(office, clock)
    store, tugba, delay = office.store, office.store.read(load_actor, TUGBA), timedelta(seconds=10)
    store.write(answer_incident_decision, 1, tugba, agreed=True, delay=delay)
    clock.go_on(seconds=10)
    (claimed,) = store.write(claim, [DECISION], 1, 60)
    assert store.write(take_back_from_all, 1, str(claimed.facts["batch"]), tugba) == (1, 1)
    await decide_one(office.desk, claimed)

    assert [case(office, ref).decision is not None for ref in refs] == [ref == claimed.ref for ref in refs]


async def test_an_update_that_was_not_taken_back_is_not_offered_to_be_written_again(
    office: Office, clock: FakeClock
) -> None:
    await outage(office, clock, "en")
    await decide(office, clock)
    store, tugba, delay = office.store, office.store.read(load_actor, TUGBA), timedelta(hours=1)
    store.write(answer_incident_decision, 1, tugba, agreed=True, delay=delay)
    store.write(schedule_incident_update, an_update(1, TEXT), tugba, delay=delay)
    decision = store.read(load_incident_decision, 1)
    assert decision is not None
    store.write(take_back_from_all, 1, decision.batch, tugba)
    await office.staff(TUGBA).presses(await incident_card(office, TUGBA), "Update all")

    assert not (await office.staff(TUGBA).opened("Update all")).values.get("text.en")
