"""One complaint from its first message to its survey, on the real product, by what people see and press alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from amends.demo.run import STORY_BEGINS, staged
from tests.browser.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORY = "My water bill shows the same payment taken twice, please look at it."
DONE = "We sent the second payment back to your card today."
CAUSE = "The payment file was read twice."
#: The survey's questions in order; a sixth, with a free answer, comes last.
QUESTIONS = (
    "Did we treat you fairly and with respect?",
    "How satisfied are you with the outcome?",
    "How easy was it to complain?",
    "How well did we keep you informed?",
    "How do you feel about the time it took?",
)
#: A small complaint must need no more clicks and fields than this, on both sides together.
MAX_ACTS = 40
#: Days from the closing to the survey.
DAYS_TO_SURVEY = 4


async def _file_complaint(person: Person) -> str:
    """Anna files her complaint; returns its reference."""
    await person.add_customer("Anna", "English")
    await person.write(STORY)
    await person.sees_message("Your reference is")
    await person.press("Done")
    await person.sees_message("Where did it happen")
    await person.write("Account 8841207, on 3 November")
    await person.sees_message("What would put this right")
    await person.press("Money back")
    await person.sees_message("This is what I wrote down")
    await person.press("Send")
    await person.sees_message("We have your complaint")
    return await person.reads_reference()


async def _assess(person: Person, ref: str) -> None:
    """Alice takes it and assesses it: everything but safety is proposed."""
    await expect(person.card(ref)).to_contain_text("Proposed: Money")
    await person.press_on_card(ref, "Take")
    await expect(person.card(ref)).not_to_contain_text("nobody yet")
    await person.open_form(ref, "Assess")
    await expect(person.modal).to_contain_text(STORY)
    await person.choose("Safety: choose it yourself", "0 – nobody is in danger")
    await person.confirm("Save")
    await expect(person.modal).to_have_count(0)
    await expect(person.card(f"{ref} · Assessed")).to_be_visible()


async def _resolve(person: Person, ref: str) -> None:
    """Alice resolves it and sees the letter before it is sent."""
    await person.open_form(ref, "Resolve")
    await person.fill("What was done to put it right", DONE)
    await person.fill("Amount, with a decimal point; or “none”", "none")
    await person.choose("Finding", "Upheld")
    await person.fill("Root cause", CAUSE)
    await person.choose("How far does the cause reach?", "Single: this case alone")
    await person.fill("How was it agreed with the complainant?", "She asked for the money back herself.")
    await person.choose("Are others affected?", "Nobody else")
    await person.confirm("Preview")
    await expect(person.modal).to_contain_text("The complainant will read exactly this:")
    await expect(person.modal).to_contain_text(DONE)
    await person.confirm("Send")
    await person.sees_message(DONE)


async def _close(person: Person, ref: str) -> None:
    await person.open_form(ref, "Close")
    await person.confirm("Preview")
    await person.confirm("Send")
    await person.sees_message("is now closed")
    await expect(person.card(f"{ref} · Closed")).to_be_visible()


async def _answer_survey(person: Person) -> None:
    await person.sees_message("May we ask six short questions")
    for question in QUESTIONS:
        await person.sees_message(question)
        await person.press("5")
    await person.sees_message("What should we do better?")
    await person.press("Skip")
    await person.sees_message("Thank you. That helps us do better.")


async def test_a_complaint_is_filed_resolved_closed_and_surveyed_in_at_most_forty_actions(page: Page) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        person = Person(page)

        ref = await _file_complaint(person)
        await person.move_clock("+1 h")
        await _assess(person, ref)
        await _resolve(person, ref)
        await person.press("I accept")
        await expect(person.card(ref).get_by_role("button", name="Close", exact=True)).to_be_visible()
        await _close(person, ref)
        for _ in range(DAYS_TO_SURVEY):
            await person.move_clock("+1 day")
        await _answer_survey(person)

        assert len(person.acts) <= MAX_ACTS
        assert stage.simulator.breaches == []
