"""Many complaints at once: a long list takes several rounds, and nobody gets the same letter twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots.slack.batches import bulk_acts
from complaints.vocabulary import Verb
from simulator.screen import FormRefused, Modal
from store.cases.read import load_case, load_history
from store.cases.staff_letters import take_back_one_of_many
from store.people.staff import load_actor
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, BURAK, MONA, TRIAGE, TUGBA, Office, open_office

REPAIRED = {"list": "open", "text": "The pump is repaired.", "language": "en"}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def previews(office: Office, values: dict[str, Any], member: str = MONA) -> Modal:
    """This person fills in the form; returns the preview."""
    await office.idle()
    colleague = office.staff(member)
    await colleague.runs("/complaints move", channel=TRIAGE)
    await colleague.opened("Many at once")
    await colleague.fills(values)
    preview = await colleague.submits()
    assert preview is not None
    return preview


async def sends(office: Office, values: dict[str, Any]) -> str:
    """Mona sends what she previewed; returns the text of the preview."""
    text = (await previews(office, values)).text
    await office.staff(MONA).submits()
    await office.idle()
    await office.staff(MONA).closes(all=True)
    return text


def count_acts(office: Office, refs: list[str], verb: Verb) -> list[int]:
    return [sum(event.verb is verb for event in office.store.read(load_history, ref)) for ref in refs]


async def test_a_second_round_of_one_text_goes_on_with_those_who_have_no_letter_yet(
    office: Office, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(bulk_acts, "MAX_MOVED", 2)
    severe = [office.owned(ALICE, severity=4) for _ in range(3)]
    calm = [office.owned(ALICE) for _ in range(3)]
    first = await sends(office, REPAIRED)
    second = await sends(office, REPAIRED)

    assert "goes to 2" in first
    assert "1 more: send this first, then the same again for the rest" in first
    assert "goes to 1 complainant" in second
    assert "has this letter already 2" in second
    assert "more: " not in second
    assert count_acts(office, calm, Verb.INFORM) == [1, 1, 1]
    assert count_acts(office, severe, Verb.INFORM) == [0, 0, 0]

    # Another text is another letter, and so is the same text some days later.
    assert "goes to 2" in (await previews(office, {**REPAIRED, "text": "The water is clean."})).text
    await office.staff(MONA).closes(all=True)
    clock.go_on(days=4)
    assert "goes to 2" in (await previews(office, REPAIRED)).text


async def test_a_text_that_two_people_previewed_and_sent_reaches_each_person_once(office: Office) -> None:
    ref = office.owned(ALICE)
    tugba = office.staff(TUGBA)
    assert "goes to 1 complainant" in (await previews(office, REPAIRED, TUGBA)).text
    await sends(office, REPAIRED)
    await tugba.submits()
    await office.idle()
    assert count_acts(office, [ref], Verb.INFORM) == [1]
    assert any(f"{ref}: has this letter already" in message.text for message in tugba.direct_messages)


async def test_a_second_round_of_moving_goes_on_with_the_complaints_that_stayed_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_acts, "MAX_MOVED", 2)
    refs = [office.owned(ALICE) for _ in range(3)]
    first = await sends(office, {"list": "open", "to": BURAK})
    await sends(office, {"list": "open", "to": BURAK})
    assert "1 more: move these first" in first
    assert {office.store.read(load_case, ref).owner for ref in refs} == {BURAK}


async def takes_back(office: Office) -> str:
    """Mona presses *Take back* in her private message; returns the answer."""
    mona = office.staff(MONA)
    offer = next(message for message in reversed(mona.direct_messages) if "Take back" in message.buttons)
    before = len(mona.ephemerals)
    await mona.presses(offer, "Take back")
    await office.sim.until(lambda: len(mona.ephemerals) > before, timeout=10)
    return mona.ephemerals[-1].text


@pytest.mark.on_both
@clause("7.3")
async def test_all_letters_of_one_text_are_taken_back_with_one_press_before_they_leave(
    office: Office,
) -> None:
    refs = [office.owned(ALICE) for _ in range(3)]
    await sends(office, REPAIRED)
    assert [len(office.store.read(load_case, ref).unsent) for ref in refs] == [1, 1, 1]

    assert await takes_back(office) == "3 letters are taken back and were not sent."
    assert "3 letters are taken back" in await takes_back(office)
    await office.passes_ten_seconds()
    assert count_acts(office, refs, Verb.TAKE_BACK) == [1, 1, 1]
    assert count_acts(office, refs, Verb.DELIVER) == [0, 0, 0]

    # What was taken back is no letter that they have.
    assert "goes to 3" in await sends(office, REPAIRED)
    await office.passes_ten_seconds()
    assert count_acts(office, refs, Verb.DELIVER) == [1, 1, 1]
    assert "0 letters are taken back" in (answer := await takes_back(office))
    assert "too late for 3 letters" in answer


async def test_a_letter_that_its_job_has_not_recorded_yet_is_never_recorded_once_all_are_taken_back(
    office: Office,
) -> None:
    refs = [office.owned(ALICE) for _ in range(2)]
    preview = await previews(office, REPAIRED)
    draft = json.loads(preview.view.content["private_metadata"])["draft"]
    by = office.store.read(load_actor, MONA)
    # The press comes between the letters of the job.
    office.store.write(take_back_one_of_many, refs[1], draft, f"bulk_inform:{draft}", by)
    mona = office.staff(MONA)
    await mona.submits()
    await office.idle()
    await mona.closes(all=True)
    assert count_acts(office, refs, Verb.INFORM) == [1, 0]
    assert any("Recorded in 1 complaint;" in message.text for message in mona.direct_messages)
    assert "1 letter is taken back" in await takes_back(office)


async def test_a_text_that_nobody_can_get_names_the_reasons_with_their_numbers(office: Office) -> None:
    for severity in (2, 2, 4):
        office.owned(ALICE, severity=severity)
    preview = await previews(office, {**REPAIRED, "text": "Pompa onarıldı.", "language": "tr"})
    assert "Nobody on this list can get this text." in preview.text
    assert "in another language 2" in preview.text
    assert "severe 1" in preview.text
    assert "incident" not in preview.text
    assert not preview.view.content.get("submit")


async def test_moving_from_a_person_to_the_same_person_says_that_they_are_the_same(office: Office) -> None:
    office.owned(MONA)
    for source in (MONA, None):
        with pytest.raises(FormRefused, match="source and recipient are the same"):
            await previews(office, {"list": "mine", "from": source, "to": MONA})
        await office.staff(MONA).closes(all=True)


async def test_moving_a_list_of_several_owners_names_no_single_source(office: Office) -> None:
    office.owned(ALICE)
    assert f"*1* goes to <@{BURAK}>:" in await sends(office, {"list": "open", "to": BURAK})
    assert f"<@{MONA}> gave you 1 complaint:" in office.staff(BURAK).direct_messages[-1].text


@clause("6.4")
async def test_the_preview_of_a_move_warns_that_its_recipient_is_away(office: Office) -> None:
    office.owned(ALICE)
    assert "is away" not in (await previews(office, {"list": "open", "to": BURAK})).text
    await office.staff(MONA).closes(all=True)
    await office.staff(MONA).runs(
        f"/complaints away <@{BURAK}> until 2026-11-24 deputy <@{TUGBA}>", channel=TRIAGE
    )
    text = (await previews(office, {"list": "open", "to": BURAK})).text
    assert f"<@{BURAK}> is away up to and including Mon 23 Nov 2026" in text
    assert f"reminders go to <@{TUGBA}>" in text
