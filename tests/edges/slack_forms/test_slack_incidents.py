"""Incidents in Slack: opened from a complaint's card, joined, updated for all with a preview, and ended.

Tests marked `on_both` depend on SQL and run on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from complaints.actions.intake import message_facts
from complaints.case_values import RecordedSign
from complaints.vocabulary import Verb
from simulator.screen import Card, FormRefused, Modal
from store.cases.act import act as store_act
from store.cases.incident_acts import schedule_incident_update
from store.cases.read import load_case, load_history, open_case
from store.cases.receive_message import receive_message
from store.custody.verify import verify
from store.database.leases import acquire_leadership, release_leadership
from store.incidents import folds_card, list_open_incidents, load_incident, load_incident_history
from store.people.staff import load_actor
from store.record.load import load_event_words
from store.store import Store
from store.tables import ATTEMPTS
from store.values import Chat, Conversation, DialogueTurn, PlannedAct
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, AUDREY, BURAK, EXECUTIVE, MONA, TRIAGE, Office, open_office
from tests.edges.store.test_store_incidents import an_update

OUTAGE = {
    "which": "new",
    "what": "No water in the north",
    "area": "North",
    "line.en": "We know of no water in the north.",
    "line.tr": "Kuzeyde su olmadığını biliyoruz.",
    "signs.en": "no water, dry tap",
}
TEXT = {"text.en": "The pipe is mended: let the tap run for a minute."}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as office:
        yield office


def receive_from(office: Office, number: int, language: str = "en", *signs: RecordedSign, **more: str) -> str:
    """Store a complaint of another complainant and return its reference."""

    def step(talk: Conversation) -> DialogueTurn:
        facts = message_facts(field="description", has_words=True, signs=signs) | more
        act = PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": "No water since six"})
        return DialogueTurn(state={}, acts=(act,), language=language)

    chat = Chat("telegram", str(72000 + number), language, "Zzyzx")
    ref = office.store.write(receive_message, f"tg:crowd:{number}", chat, step).refs[0]
    office.propose(ref)
    return ref


async def incident_card(office: Office, member: str = ALICE) -> Card:
    """The card of the newest incident."""
    await office.idle()
    cards = [card for card in office.staff(member).channel(TRIAGE).cards if card.text.startswith("Incident")]
    return cards[-1]


async def open_incident(office: Office, ref: str) -> None:
    """Alice opens an incident from this complaint's card."""
    await office.acts(ALICE, "Incident", ref, OUTAGE)


async def join(office: Office, ref: str) -> None:
    await office.staff(ALICE).presses(await incident_card(office), "Join")
    await office.submits(ALICE, "Join", {"other_ref": ref})


async def previewed_update(office: Office, texts: dict[str, str]) -> Modal | None:
    """Alice fills the update to all of the incident, and sees the preview."""
    alice = office.staff(ALICE)
    await alice.presses(await incident_card(office), "Update all")
    await alice.opened("Update all")
    await alice.fills(texts)
    return await alice.submits()


def update_text(office: Office, ref: str) -> str:
    """The text of the update that was sent about this complaint."""
    event = next(event for event in office.store.read(load_history, ref) if event.verb is Verb.INFORM)
    return office.store.read(load_event_words, ref, event.seq)["text"]


async def redraw_card(office: Office, clock: FakeClock) -> None:
    """Let enough time pass for an act on all to leave and for the card to be redrawn."""
    await office.passes_ten_seconds()
    clock.go_on(seconds=6)
    office.worker.nudge()
    await office.idle()


@pytest.mark.on_both
async def test_an_incident_opened_from_a_complaints_card_gets_its_own_card(
    office: Office, clock: FakeClock
) -> None:
    ref = receive_from(office, 1)
    await open_incident(office, ref)
    await redraw_card(office, clock)
    card = await incident_card(office)

    assert "No water in the north" in card.text
    assert "We know of no water in the north." in card.text
    assert card.buttons == ["Update all", "Decide all", "Join", "Edit", "End"]
    assert office.store.read(load_case, ref).incident == 1
    assert "Belongs to incident 1" in (await office.card(ref)).text
    assert "Zzyzx" not in card.text


@pytest.mark.on_both
async def test_a_first_card_that_another_process_may_be_posting_is_not_posted_by_this_one(
    office: Office, clock: FakeClock
) -> None:
    office.store.write(acquire_leadership, "incident_card/1", "another", 20)
    await open_incident(office, receive_from(office, 1))
    await redraw_card(office, clock)
    cards_before = [card for card in office.staff(ALICE).channel(TRIAGE).cards if "We know of" in card.text]
    office.store.write(release_leadership, "incident_card/1", "another")
    await redraw_card(office, clock)

    assert cards_before == []
    assert "No water in the north" in (await incident_card(office)).text


async def test_a_new_incident_needs_a_description(office: Office) -> None:
    ref = receive_from(office, 1)
    with pytest.raises(FormRefused) as refused:
        await office.acts(ALICE, "Incident", ref, {"which": "new"})

    assert set(refused.value.errors) == {"what"}
    assert office.store.read(list_open_incidents) == []


@pytest.mark.on_both
async def test_complaints_join_by_reference_or_from_their_own_card_and_are_counted(
    office: Office, clock: FakeClock
) -> None:
    first, second, third = (receive_from(office, n) for n in range(3))
    await open_incident(office, first)
    await join(office, second)
    await office.acts(ALICE, "Incident", third, {"which": "1"})
    await redraw_card(office, clock)

    assert {office.store.read(load_case, ref).incident for ref in (first, second, third)} == {1}
    assert "Received 3" in (await incident_card(office)).text


async def test_a_link_to_the_same_incident_opens_one_for_both(office: Office, clock: FakeClock) -> None:
    first, second = receive_from(office, 1), receive_from(office, 2)
    await office.acts(ALICE, "Link", first, {"relation": "same_incident", "other_ref": second})
    await redraw_card(office, clock)
    card = await incident_card(office)

    assert [office.store.read(load_case, ref).incident for ref in (first, second)] == [1, 1]
    assert "Received 2" in card.text
    assert "asks nobody" in card.text


async def test_an_auditor_may_not_open_an_incident_and_the_attempt_is_recorded(office: Office) -> None:
    ref = receive_from(office, 1)
    await office.staff(AUDREY).chooses(await office.card(ref, AUDREY), "More", "Incident")
    await office.idle()
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    attempts = office.store.read(lambda tx: tx.connection.execute(query).all())

    assert office.staff(AUDREY).modal is None
    assert [tuple(attempt) for attempt in attempts] == [(AUDREY, "incident")]


@pytest.mark.on_both
async def test_a_complaint_can_leave_the_incident(office: Office, clock: FakeClock) -> None:
    ref = receive_from(office, 1)
    await open_incident(office, ref)
    await office.acts(ALICE, "Incident", ref, {"which": "leave"})

    assert office.store.read(load_case, ref).incident is None


async def test_an_invalid_reference_is_reported_in_the_form(office: Office) -> None:
    await open_incident(office, receive_from(office, 1))
    with pytest.raises(FormRefused) as refused:
        await join(office, "no such thing")

    assert set(refused.value.errors) == {"other_ref"}


@clause("7.3")
@pytest.mark.on_both
async def test_an_update_is_previewed_and_sent_to_every_complainant_without_support_needs(
    office: Office, clock: FakeClock
) -> None:
    vulnerable = RecordedSign("vulnerable.elderly", 2, 0, False, clock())
    refs = [receive_from(office, 1), receive_from(office, 2), receive_from(office, 3, "en", vulnerable)]
    await open_incident(office, refs[0])
    for ref in refs[1:]:
        await join(office, ref)
    preview = await previewed_update(office, TEXT)
    assert preview is not None
    preview_text = preview.text
    updates_before = [
        event for ref in refs for event in office.store.read(load_history, ref) if event.verb is Verb.INFORM
    ]
    await office.staff(ALICE).submits()
    await redraw_card(office, clock)
    batches = [
        [event.facts["batch"] for event in office.store.read(load_history, ref) if event.verb is Verb.INFORM]
        for ref in refs
    ]
    card = (await incident_card(office)).text

    assert "This goes to 2 complainants" in preview_text
    assert "The pipe is mended" in preview_text
    assert f"{refs[2]} (support needed)" in preview_text
    assert updates_before == []
    assert batches == [["1.2"], ["1.2"], []]
    assert "sent 2, waiting 0" in card
    assert f"{refs[2]} (support needed)" in card
    assert office.store.read(verify).first_bad is None


async def test_each_complainant_gets_the_update_in_their_language(office: Office, clock: FakeClock) -> None:
    english, turkish = receive_from(office, 1), receive_from(office, 2, "tr")
    await open_incident(office, english)
    await join(office, turkish)
    preview = await previewed_update(office, {**TEXT, "text.tr": "Boru onarıldı."})
    late = receive_from(office, 3, written_in="pl")
    await office.acts(BURAK, "Incident", late, {"which": "1"})
    await office.staff(ALICE).submits()
    await redraw_card(office, clock)
    letters = [update_text(office, ref) for ref in (english, turkish)]

    assert letters == [TEXT["text.en"], "Boru onarıldı."]
    assert preview is not None
    assert "another language" not in preview.text
    # Nobody confirmed that they may get it in another language.
    assert f"{late} (in another language)" in (await incident_card(office)).text


async def test_an_update_in_another_language_than_the_readers_must_be_confirmed(
    office: Office, clock: FakeClock
) -> None:
    refs = [receive_from(office, 1), receive_from(office, 2, "tr"), receive_from(office, 3, written_in="pl")]
    await open_incident(office, refs[0])
    for ref in refs[1:]:
        await join(office, ref)
    preview = await previewed_update(office, TEXT)
    with pytest.raises(FormRefused) as refused:
        await office.staff(ALICE).submits()
    await office.staff(ALICE).fills({"language_confirmed": ["yes"]})
    await office.staff(ALICE).submits()
    await redraw_card(office, clock)

    assert preview is not None
    assert "1 person who reads Turkish gets this in another language." in preview.text
    assert "1 person who reads Polish gets this in another language." in preview.text
    assert [f"*{name}*, 1 of them" in preview.text for name in ("English", "Turkish", "Polish")] == [True] * 3
    assert set(refused.value.errors) == {"language_confirmed"}
    assert {update_text(office, ref) for ref in refs} == {TEXT["text.en"]}
    assert office.store.read(load_incident_history, 1)[-1].facts["language_confirmed"] is True


async def test_an_update_sent_although_warned_keeps_the_codes_in_the_act(
    office: Office, clock: FakeClock
) -> None:
    await open_incident(office, receive_from(office, 1))
    preview = await previewed_update(office, {"text.en": "We will mend the pipe as soon as we can."})
    await office.staff(ALICE).submits()

    assert preview is not None
    assert "promises something without a date" in preview.text
    assert office.store.read(load_incident_history, 1)[-1].facts["overruled"] == ["promise_without_date"]


async def takes_back(office: Office, member: str) -> str:
    """Press *Take back* in the newest offer of an act on all; the answer."""
    person = office.staff(member)
    await office.sim.until(
        lambda: any("Take back" in shown.buttons for shown in (*person.ephemerals, *person.direct_messages)),
        timeout=10,
    )
    shown = [*person.ephemerals, *person.direct_messages]
    offer = next(message for message in reversed(shown) if "Take back" in message.buttons)
    before = len(person.ephemerals)
    await person.presses(offer, "Take back")
    await office.sim.until(lambda: len(person.ephemerals) > before, timeout=10)
    return person.ephemerals[-1].text


@clause("7.3")
@pytest.mark.on_both
async def test_an_update_to_all_is_taken_back_with_one_press_and_its_form_starts_with_the_text(
    office: Office, clock: FakeClock
) -> None:
    refs = [receive_from(office, number) for number in range(3)]
    await open_incident(office, refs[0])
    for ref in refs[1:]:
        await join(office, ref)
    await redraw_card(office, clock)
    before = [office.store.read(load_case, ref) for ref in refs]
    await previewed_update(office, TEXT)
    await office.staff(ALICE).submits()
    await office.idle()

    answer = await takes_back(office, ALICE)
    assert answer == "3 letters are taken back and were not sent."
    assert await takes_back(office, ALICE) == answer
    await redraw_card(office, clock)
    assert [office.store.read(load_case, ref) for ref in refs] == before
    assert "sent 0, waiting 0, taken back 3" in (await incident_card(office)).text
    # They are left to nobody: their cards stay folded.
    assert all(office.store.read(folds_card, ref, 1) for ref in refs)
    assert office.store.read(verify).first_bad is None

    await office.staff(ALICE).presses(await incident_card(office), "Update all")
    assert (await office.staff(ALICE).opened("Update all")).values["text.en"] == TEXT["text.en"]
    await office.staff(ALICE).submits()
    await office.staff(ALICE).submits()
    await redraw_card(office, clock)
    assert "sent 3, waiting 0" in (await incident_card(office)).text


@pytest.mark.on_both
async def test_an_update_sent_from_the_preview_is_recorded_once(office: Office, clock: FakeClock) -> None:
    ref = receive_from(office, 1)
    await open_incident(office, ref)
    await office.staff(ALICE).presses(await incident_card(office), "Update all")
    await office.staff(ALICE).opened("Update all")
    await office.staff(ALICE).fills(TEXT)
    await office.staff(ALICE).submits()
    await office.staff(ALICE).submits()
    await redraw_card(office, clock)

    assert [event.verb for event in office.store.read(load_history, ref)].count(Verb.INFORM) == 1


async def test_only_the_owner_or_a_manager_may_change_the_incident_and_others_are_refused_privately(
    office: Office,
) -> None:
    await open_incident(office, receive_from(office, 1))
    card = await incident_card(office, BURAK)
    await office.staff(BURAK).presses(card, "End")
    await office.staff(AUDREY).presses(card, "Join")
    await office.idle()

    assert await office.private_answer(BURAK) == "This is for the incident's owner or a manager."
    assert await office.private_answer(AUDREY)
    assert office.store.read(load_incident, 1).is_open


async def test_a_manager_edits_the_incident_and_assigns_another_owner(
    office: Office, clock: FakeClock
) -> None:
    await open_incident(office, receive_from(office, 1))
    await office.staff(MONA).presses(await incident_card(office, MONA), "Edit")
    await office.submits(MONA, "Edit", {"area": "The whole hill", "owner": BURAK})
    await redraw_card(office, clock)

    assert "The whole hill" in (await incident_card(office)).text
    assert office.store.read(load_incident, 1).owner == BURAK
    assert office.store.read(load_incident, 1).words["en"] == ("no water", "dry tap")


async def test_after_the_end_of_an_incident_only_the_decision_is_left(office: Office) -> None:
    await open_incident(office, receive_from(office, 1))
    old = await incident_card(office)
    await office.staff(ALICE).presses(old, "End")
    await office.submits(ALICE, "End", {})
    card = await incident_card(office)

    assert card.buttons == ["Decide all"]
    assert "Ended" in card.text
    assert office.store.read(load_incident, 1).ended_at is not None


async def test_a_deleted_incident_card_is_posted_again(office: Office, clock: FakeClock) -> None:
    first, second = receive_from(office, 1), receive_from(office, 2)
    await open_incident(office, first)
    card = await incident_card(office)
    await office.client.chat_delete(channel=TRIAGE, ts=card.ts)
    await office.acts(ALICE, "Incident", second, {"which": "1"})
    await redraw_card(office, clock)

    assert (await incident_card(office)).ts != card.ts


@clause("5.3")
async def test_top_management_gets_one_card_for_an_incident_and_one_for_every_grave_complaint(
    office: Office, clock: FakeClock
) -> None:
    refs = [receive_from(office, n) for n in range(3)]
    await open_incident(office, refs[0])
    for ref in refs[1:]:
        await join(office, ref)
    criteria = {
        "category": "supply", "severity": 3, "safety": 0, "complexity": 1, "reach": 4, "recurrence": 3,
        "immediate_needed": "no", "issues": [],
    }  # fmt: skip
    alice = office.store.read(load_actor, ALICE)
    for ref, severity in zip(refs, (3, 3, 4), strict=True):
        office.store.write(open_case, ref, alice, "open")
        office.store.write(store_act, ref, Verb.ASSESS, alice, criteria | {"severity": severity}, {})
        await office.idle()
    texts = [card.text for card in office.staff(MONA).channel(EXECUTIVE).cards]

    assert [any(ref in text for text in texts) for ref in refs] == [True, False, True]


@pytest.mark.on_both
async def test_the_card_shows_the_progress_of_an_update(office: Office, clock: FakeClock) -> None:
    ref = receive_from(office, 1)
    await open_incident(office, ref)
    alice = office.store.read(load_actor, ALICE)
    office.store.write(schedule_incident_update, an_update(1, TEXT), alice)
    await redraw_card(office, clock)

    assert "sent 1, waiting 0" in (await incident_card(office)).text
