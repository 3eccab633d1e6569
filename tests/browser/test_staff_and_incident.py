"""A complaint about a member of staff, and an incident of several complaints, by what people see and press alone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from amends.demo.run import STORY_BEGINS, staged
from tests.browser.hands import Hands
from tests.clauses import clause

pytestmark = pytest.mark.asyncio(loop_scope="session")

RESTRICTED = "complaints-restricted"
TRIAGE = "complaints"
RUDE = "Your colleague Burak laughed at me on the phone and hung up when I asked about my bill."
DRY = "There is no water in the whole of Mill Lane since six this morning."
LINE = "We know that there is no water in Mill Lane and are looking for the burst pipe."
MENDED = "The pipe is mended. Let the tap run for a minute before you drink."


async def _told(hands: Hands) -> str:
    """The reference that the phone in front of us shows last."""
    await hands.hears("Your reference is")
    told = await hands.phone.get_by_role("article").filter(has_text="Your reference is").last.inner_text()
    found = re.search(r"\b\w{3}-\w{3}-\w{2}\b", told)
    assert found, told
    return found.group()


async def _complains(hands: Hands, name: str, story: str) -> str:
    await hands.add_customer(name, "English")
    await hands.write(story)
    return await _told(hands)


@clause("C")
async def test_a_complaint_about_staff_is_seen_by_others_only_and_decided_after_they_were_heard(
    page: Page,
) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        hands = Hands(page)
        ref = await _complains(hands, "Anna", RUDE)
        await hands.press("Done")
        await hands.move_clock("+1 h")

        await hands.sit_as("Burak")
        await hands.go_to(TRIAGE)
        await expect(hands.card(ref)).to_have_count(0)
        await hands.sit_as("Mona")
        await hands.go_to(RESTRICTED)
        await expect(hands.card(ref)).to_be_visible()

        await hands.open_from(ref, "Assess")
        await expect(hands.modal).to_contain_text(RUDE)
        await hands.choose("Category", "Staff conduct")
        await hands.choose("Severity: harm or loss, actual or possible", "2 – minor loss or delay")
        await hands.choose("Safety: choose it yourself", "0 – nobody is in danger")
        await hands.confirm("Save")
        await expect(hands.modal).to_have_count(0)
        await expect(hands.card(f"{ref} · Assessed")).to_be_visible()

        await hands.open_from(ref, "Investigate")
        for one in (
            "The complainant was heard",
            "Records were checked",
            "The person complained about was heard",
        ):
            await hands.choose("What has been gathered", one)
        now = await _moment(hands)
        for label in ("told", "heard"):
            await hands.fill(f"When was the person complained about {label}?", now)
        await hands.fill("When were they offered support?", now)
        await hands.confirm("Save")
        await expect(hands.modal).to_have_count(0)

        await hands.open_from(ref, "Decide")
        await hands.choose("Finding", "Upheld")
        await hands.fill("Reasons for this finding", "The recording shows that the call was ended by us.")
        await hands.choose("Are others affected?", "Nobody else")
        await hands.fill("Root cause", "A full queue on one telephone.")
        await hands.choose("How far does the cause reach?", "Single: this case alone")
        await hands.confirm("Preview")
        await expect(hands.modal).to_contain_text("The complainant will read exactly this:")
        await hands.confirm("Send")
        await hands.hears("the call was ended by us")

        await hands.sit_as("Burak")
        await hands.go_to(TRIAGE)
        await expect(hands.card(ref)).to_have_count(0)
        assert stage.simulator.breaches == []


async def _moment(hands: Hands) -> str:
    """The clock above the page, as a date and time field takes it."""
    shown = await hands.page.get_by_role("group", name="Clock").get_by_role("time").get_attribute("datetime")
    assert shown is not None
    return shown[:16]


async def test_an_incident_asks_newcomers_whether_it_is_theirs_and_one_act_tells_them_all(page: Page) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        hands = Hands(page)
        first = await _complains(hands, "Anna", DRY)
        await hands.press("Done")
        await hands.move_clock("+1 h")
        await expect(hands.card(first)).to_be_visible()

        await hands.choose_on(first, "More", "Incident")
        await hands.fill("What is it, in a few words?", "No water in Mill Lane")
        await hands.fill("Public line, English", LINE)
        await hands.fill("Words by which the bot knows it, English (commas between)", "no water, dry")
        await hands.confirm("Save")
        await expect(hands.modal).to_have_count(0)
        await expect(hands.card("Incident 1")).to_contain_text(LINE)

        await _complains(hands, "Grace", "No water at our house in Mill Lane, the tap is dry.")
        await hands.press("Done")
        await hands.hears("Is it this?")
        await hands.press("Yes")
        await hands.hears("We have your complaint")
        await expect(hands.card("Incident 1")).to_contain_text("2")

        await hands.open_from("Incident 1", "Update all")
        await hands.fill("Text to all, English", MENDED)
        await hands.confirm("Preview")
        await expect(hands.modal).to_contain_text("This goes to 2 complainants")
        await hands.confirm("Send")
        await hands.hears(MENDED)
        await hands.take_phone_of("Anna")
        await hands.hears(MENDED)
        await expect(hands.card("Incident 1")).to_contain_text("sent 2")
        assert stage.simulator.breaches == []
