"""A complaint about a member of staff, and an incident of several complaints, by what people see and press alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from amends.demo.run import STORY_BEGINS, staged
from complaints.event_facts import TAKE_BACK_SECONDS
from tests.browser.person import Person
from tests.clauses import clause

pytestmark = pytest.mark.asyncio(loop_scope="session")

RESTRICTED = "complaints-restricted"
TRIAGE = "complaints"
RUDE = "Your colleague Burak laughed at me on the phone and hung up when I asked about my bill."
DRY = "There is no water in the whole of Mill Lane since six this morning."
LINE = "We know that there is no water in Mill Lane and are looking for the burst pipe."
MENDED = "The pipe is mended. Let the tap run for a minute before you drink."


async def _last_reference(person: Person) -> str:
    """The last reference that the phone shows."""
    await person.sees_message("Your reference is")
    return await person.reads_reference()


async def _file_complaint(person: Person, name: str, story: str) -> str:
    await person.add_customer(name, "English")
    await person.write(story)
    return await _last_reference(person)


@clause("C")
async def test_a_complaint_about_staff_is_hidden_from_the_person_and_decided_after_their_statement(
    page: Page,
) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        person = Person(page)
        ref = await _file_complaint(person, "Anna", RUDE)
        await person.press("Done")
        await person.move_clock("+1 h")

        await person.act_as("Burak")
        await person.open_place(TRIAGE)
        await expect(person.card(ref)).to_have_count(0)
        await person.act_as("Mona")
        await person.open_place(RESTRICTED)
        await expect(person.card(ref)).to_be_visible()

        await person.open_form(ref, "Assess")
        await expect(person.modal).to_contain_text(RUDE)
        await person.choose("Category", "Staff conduct")
        await person.choose("Severity: harm or loss, actual or possible", "2 – minor loss or delay")
        await person.choose("Safety: choose it yourself", "0 – nobody is in danger")
        await person.confirm("Save")
        await expect(person.modal).to_have_count(0)
        await expect(person.card(f"{ref} · Assessed")).to_be_visible()

        await person.open_form(ref, "Investigate")
        for evidence in (
            "The complainant was heard",
            "Records were checked",
            "The person complained about was heard",
        ):
            await person.choose("What has been gathered", evidence)
        now = await _clock_time(person)
        for label in ("told", "heard"):
            await person.fill(f"When was the person complained about {label}?", now)
        await person.fill("When were they offered support?", now)
        await person.confirm("Save")
        await expect(person.modal).to_have_count(0)

        await person.open_form(ref, "Decide")
        await person.choose("Finding", "Upheld")
        await person.fill("Reasons for this finding", "The recording shows that the call was ended by us.")
        await person.fill(
            "If you uphold something and promise nothing: why is there nothing more to do? "
            "(The complainant reads this.)",
            "The call was made again and finished.",
        )
        await person.choose("Are others affected?", "Nobody else")
        await person.fill("Root cause", "A full queue on one telephone.")
        await person.choose("How far does the cause reach?", "Single: this case alone")
        await person.confirm("Preview")
        await expect(person.modal).to_contain_text("The complainant will read exactly this:")
        await person.confirm("Send")
        await person.sees_message("the call was ended by us")

        await person.act_as("Burak")
        await person.open_place(TRIAGE)
        await expect(person.card(ref)).to_have_count(0)
        assert stage.simulator.breaches == []


async def _clock_time(person: Person) -> str:
    """The page's clock, in the format of a date and time field."""
    datetime = (
        await person.page.get_by_role("group", name="Clock").get_by_role("time").get_attribute("datetime")
    )
    assert datetime is not None
    return datetime[:16]


async def test_an_incident_asks_new_complainants_whether_it_is_theirs_and_one_update_reaches_all(
    page: Page,
) -> None:
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        await page.goto(stage.simulator.url)
        person = Person(page)
        first = await _file_complaint(person, "Anna", DRY)
        await person.press("Done")
        await person.move_clock("+1 h")
        await expect(person.card(first)).to_be_visible()

        await person.choose_on_card(first, "More", "Incident")
        await person.fill("What is it, in a few words?", "No water in Mill Lane")
        await person.fill("Public line, English", LINE)
        await person.fill("Words by which the bot knows it, English (commas between)", "no water, dry")
        await person.confirm("Save")
        await expect(person.modal).to_have_count(0)
        await expect(person.card("Incident 1")).to_contain_text(LINE)

        await _file_complaint(person, "Grace", "No water at our house in Mill Lane, the tap is dry.")
        await person.press("Done")
        await person.sees_message("Is it this?")
        await person.press("Yes")
        await person.sees_message("We have your complaint")
        await expect(person.card("Incident 1")).to_contain_text("2")

        await person.open_form("Incident 1", "Update all")
        await person.fill("Text to all, English", MENDED)
        await person.confirm("Preview")
        await expect(person.modal).to_contain_text("This goes to 2 complainants")
        await person.confirm("Send")
        await expect(person.modal).to_have_count(0)
        await stage.advance(timedelta(seconds=TAKE_BACK_SECONDS))
        await person.sees_message(MENDED)
        await person.switch_to_customer("Anna")
        await person.sees_message(MENDED)
        # The card counts at growing intervals.
        await expect(person.card("Incident 1")).to_contain_text("sent 2", timeout=30_000)
        assert stage.simulator.breaches == []
