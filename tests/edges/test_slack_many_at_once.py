"""Many complaints at once: a long list takes several rounds, and nobody gets the same letter twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots.slack.listeners import move_cases
from complaints.vocabulary import Verb
from simulator.screen import Modal
from store.cases.read import load_case, load_history
from store.store import Store
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


def letters(office: Office, refs: list[str]) -> list[int]:
    events = [office.store.read(load_history, ref) for ref in refs]
    return [sum(event.verb is Verb.INFORM for event in history) for history in events]


async def test_a_second_round_of_one_text_goes_on_with_those_who_have_no_letter_yet(
    office: Office, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(move_cases, "MAX_MOVED", 2)
    severe = [office.owned(ALICE, severity=4) for _ in range(3)]
    calm = [office.owned(ALICE) for _ in range(3)]
    first = await sends(office, REPAIRED)
    second = await sends(office, REPAIRED)

    assert "goes to 2" in first
    assert "1 more: send this first, then the same again for the rest" in first
    assert "goes to 1 complainant" in second
    assert "has this letter already 2" in second
    assert "more: " not in second
    assert letters(office, calm) == [1, 1, 1]
    assert letters(office, severe) == [0, 0, 0]

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
    assert letters(office, [ref]) == [1]
    assert f"{ref}: has this letter already" in tugba.direct_messages[-1].text


async def test_a_second_round_of_moving_goes_on_with_the_complaints_that_stayed_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move_cases, "MAX_MOVED", 2)
    refs = [office.owned(ALICE) for _ in range(3)]
    first = await sends(office, {"list": "open", "to": BURAK})
    await sends(office, {"list": "open", "to": BURAK})
    assert "1 more: move these first" in first
    assert {office.store.read(load_case, ref).owner for ref in refs} == {BURAK}
