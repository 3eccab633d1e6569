"""Templates of letters: managers keep them in the home; a form offers those that fit and fills its field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from complaints.letter_texts import LetterTemplate, unknown_field
from complaints.vocabulary import Verb
from simulator.colleague import StaffMember
from simulator.screen import FormRefused, Modal
from store.cases.read import load_history
from store.cases.staff_letters import list_templates, save_template
from store.proof.hash_chain import list_instance_events
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack.test_slack_actions import assessed_complaint
from tests.edges.slack_office import ALICE, MONA, TUGBA, Office, open_office

TEMPLATE = {
    "name": "Meter read twice", "form": "reply", "language": "en",
    "text": "We look at your meter for {reference}. You hear from us by {answer_by}.",
}  # fmt: skip


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def opened_list(office: Office) -> StaffMember:
    """Mona at the list of templates, which she opens from her home."""
    mona = office.staff(MONA)
    await mona.opens_home()
    await office.sim.until(
        lambda: mona.home is not None and "Letter templates" in mona.home.buttons, timeout=5
    )
    assert mona.home is not None
    await mona.presses(mona.home, "Letter templates")
    await mona.opened("Letter templates")
    return mona


async def opened_form(office: Office, mona: StaffMember, button: str) -> None:
    await mona.presses(mona.modal, button)
    await office.sim.until(lambda: mona.modal is not None and mona.modal.callback_id == "template")


async def saved(office: Office, mona: StaffMember, button: str, values: dict[str, Any]) -> Modal:
    await opened_form(office, mona, button)
    await mona.fills(values)
    preview = await mona.submits()
    assert preview is not None
    assert "You hear from us by Wednesday, 2 December 2026." in preview.text
    listed = await mona.submits()
    assert listed is not None
    return listed


async def test_a_template_fills_the_field_and_its_use_is_counted(office: Office) -> None:
    mona = await opened_list(office)
    listed = await saved(office, mona, "New template", TEMPLATE)
    assert "Version 1 · used 0 times" in listed.text
    await saved(office, mona, "Edit", {"name": "Meter"})
    ((template, _, _),) = office.store.read(list_templates)
    assert (template.code, template.name, template.by) == ("1.2", "Meter", MONA)
    logged = office.store.read(list_instance_events, "save_template")
    assert [entry["facts"]["template"] for entry in logged] == ["1.2", "1.1"]
    assert "meter" not in json.dumps(logged)

    ref = office.owned(ALICE)
    alice, card = office.staff(ALICE), await office.card(ref)
    await (alice.presses(card, "Reply") if "Reply" in card.buttons else alice.chooses(card, "More", "Reply"))
    modal = await alice.opened("Reply")
    await alice.chooses(modal, "template", "1.2")
    await office.sim.until(lambda: alice.modal is not None and ref in str(alice.modal.values))
    preview = await alice.submits()
    assert preview is not None
    assert f"We look at your meter for {ref}. You hear from us by Tuesday, 17 November 2026." in preview.text
    await alice.submits()
    await office.passes_ten_seconds()

    event = next(event for event in office.store.read(load_history, ref) if event.verb is Verb.REPLY)
    assert (event.facts["template"], event.facts["template_edited"]) == ("1.2", False)
    ((_, used, edited),) = office.store.read(list_templates)
    assert (used, edited) == (1, 0)


async def test_a_template_that_somebody_changed_meanwhile_is_not_overwritten(office: Office) -> None:
    mona = await opened_list(office)
    await saved(office, mona, "New template", TEMPLATE)
    await opened_form(office, mona, "Edit")
    ((first, _, _),) = office.store.read(list_templates)
    office.store.write(save_template, replace(first, text="You hear from us by {answer_by}.", by=TUGBA))

    await mona.fills({"name": "Meter"})
    preview = await mona.submits()
    assert preview is not None
    with pytest.raises(FormRefused, match="changed this template meanwhile"):
        await mona.submits()

    ((newest, _, _),) = office.store.read(list_templates)
    assert (newest.version, newest.name, newest.by) == (2, TEMPLATE["name"], TUGBA)


async def test_a_long_list_of_templates_has_pages_with_the_retired_ones_last(office: Office) -> None:
    for number in range(101):
        template = LetterTemplate(
            0,
            0,
            f"Text {number:03d}",
            "reply",
            "en",
            "",
            "",
            "We look at it.",
            MONA,
            office.clock.at,
            number == 0,
        )
        office.store.write(save_template, template)
    mona = await opened_list(office)
    assert mona.modal is not None
    assert "Text 098" in mona.modal.text
    assert "Text 099" not in mona.modal.text

    await mona.presses(mona.modal, "Next page")
    await office.sim.until(lambda: mona.modal is not None and "Text 100" in mona.modal.text)
    assert "Text 000" in mona.modal.text
    assert "Text 098" not in mona.modal.text


async def test_a_template_for_an_outcome_chooses_the_finding(office: Office) -> None:
    mona = await opened_list(office)
    upheld = {
        "name": "Read wrongly",
        "form": "resolve",
        "outcome": "upheld",
        "text": "You hear from us by {answer_by}.",
    }
    await saved(office, mona, "New template", TEMPLATE | upheld)
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    await alice.chooses(await alice.opened("Resolve"), "template", "1.1")
    await office.sim.until(lambda: alice.modal is not None and alice.modal.values.get("done"))
    assert alice.modal.values["finding"] == "upheld"


async def test_the_form_says_if_a_filled_template_is_longer_than_its_field(office: Office) -> None:
    mona = await opened_list(office)
    words = "You hear from us by {answer_by}. "
    await saved(office, mona, "New template", TEMPLATE | {"text": words + "x" * (2999 - len(words))})
    ref = office.owned(ALICE)
    alice, card = office.staff(ALICE), await office.card(ref)
    await (alice.presses(card, "Reply") if "Reply" in card.buttons else alice.chooses(card, "More", "Reply"))
    await alice.chooses(await alice.opened("Reply"), "template", "1.1")
    await office.sim.until(lambda: alice.modal is not None and alice.modal.values.get("text"))
    assert alice.modal is not None
    blocks = alice.modal.view.content["blocks"]
    hints = [block["hint"]["text"] for block in blocks if block.get("hint")]
    assert any("its end is missing" in hint for hint in hints)


async def test_a_handler_changes_no_template_and_an_unknown_field_is_refused(office: Office) -> None:
    alice = office.staff(ALICE)
    await alice.opens_home()
    await office.sim.until(lambda: alice.home is not None)
    assert alice.home is not None
    assert "Letter templates" not in alice.home.buttons

    mona = await opened_list(office)
    await opened_form(office, mona, "New template")
    await mona.fills(TEMPLATE | {"text": "Dear {nickname}"})
    with pytest.raises(FormRefused, match="There is no field nickname"):
        await mona.submits()
    assert office.store.read(list_templates) == []


@pytest.mark.parametrize(
    ("text", "field"), [("{reference}, {received}", None), ("{name}", "name"), ("{", "{"), ("a } b", "}")]
)
def test_only_the_documented_fields_are_accepted(text: str, field: str | None) -> None:
    assert unknown_field(text) == field
