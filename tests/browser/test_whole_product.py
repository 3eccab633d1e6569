"""One complaint from its first words to its survey, on the real product, by what people see and press alone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from amends.demo.run import STORY_BEGINS, staged
from tests.browser.hands import Hands

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORY = "My water bill shows the same payment taken twice this month, please look at it."
DONE = "We sent the second payment back to your card today."
CAUSE = "The payment file was read twice."
#: The survey's questions in the order in which they are asked; a sixth, in free words, comes last.
QUESTIONS = (
    "Were you treated fairly and with respect?",
    "What do you say to the outcome?",
    "How easy was it to complain?",
    "How well were you kept informed?",
    "What do you say to the time it took?",
)
#: More acts than this for one small complaint would be too much to ask of the people at both ends.
MOST_ACTS = 40
#: The survey has come when so many days have passed since the closing.
DAYS_TO_SURVEY = 4


async def _complains(hands: Hands) -> str:
    """Anna files her complaint; the reference that she was told."""
    await hands.add_customer("Anna", "English")
    await hands.write(STORY)
    await hands.hears("Your reference is")
    await hands.press("Done")
    await hands.hears("Where did it happen")
    await hands.write("Account 8841207, on 3 November")
    await hands.hears("What would put this right")
    await hands.press("Money back")
    await hands.hears("This is what I wrote down")
    await hands.press("Send")
    await hands.hears("We have your complaint")
    told = await hands.phone.get_by_role("article").filter(has_text="Your reference is").last.inner_text()
    found = re.search(r"\b\w{3}-\w{3}-\w{2}\b", told)
    assert found, told
    return found.group()


async def _assesses(hands: Hands, ref: str) -> None:
    """Alice takes it and assesses it: everything but safety is proposed."""
    await expect(hands.card(ref)).to_contain_text("Proposed: Money")
    await hands.press_on(ref, "Take")
    await expect(hands.card(ref)).not_to_contain_text("nobody yet")
    await hands.open_from(ref, "Assess")
    await expect(hands.modal).to_contain_text(STORY)
    await hands.choose("Safety: choose it yourself", "0 – nobody is in danger")
    await hands.confirm("Save")
    await expect(hands.modal).to_have_count(0)
    await expect(hands.card(f"{ref} · Assessed")).to_be_visible()


async def _resolves(hands: Hands, ref: str) -> None:
    """Alice puts it right and sees the letter before it leaves."""
    await hands.open_from(ref, "Resolve")
    await hands.fill("What was done to put it right", DONE)
    await hands.choose("Finding", "Upheld")
    await hands.fill("Root cause", CAUSE)
    await hands.choose("How far does the cause reach?", "Single: this case alone")
    await hands.fill("How was it agreed with the complainant?", "She asked for the money back herself.")
    await hands.choose("Are others affected?", "Nobody else")
    await hands.confirm("Preview")
    await expect(hands.modal).to_contain_text("The complainant will read exactly this:")
    await expect(hands.modal).to_contain_text(DONE)
    await hands.confirm("Send")
    await hands.hears(DONE)


async def _closes(hands: Hands, ref: str) -> None:
    await hands.open_from(ref, "Close")
    await hands.confirm("Save")
    await hands.hears("is now closed")
    await expect(hands.card(f"{ref} · Closed")).to_be_visible()


async def _answers_the_survey(hands: Hands) -> None:
    await hands.hears("Six short, easy questions")
    for question in QUESTIONS:
        await hands.hears(question)
        await hands.press("5")
    await hands.hears("What should we do better?")
    await hands.press("Skip")
    await hands.hears("Thank you. That helps us do better.")


async def test_a_complaint_is_filed_put_right_closed_and_surveyed_in_at_most_forty_acts(page: Page) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        hands = Hands(page)

        ref = await _complains(hands)
        await hands.move_clock("+1 h")
        await _assesses(hands, ref)
        await _resolves(hands, ref)
        await hands.press("I accept")
        await expect(hands.card(ref).get_by_role("button", name="Close", exact=True)).to_be_visible()
        await _closes(hands, ref)
        for _ in range(DAYS_TO_SURVEY):
            await hands.move_clock("+1 day")
        await _answers_the_survey(hands)

        assert len(hands.acts) <= MOST_ACTS
        assert stage.simulator.breaches == []
