"""The other roads on the wire: answers, remedies, no contact, one's data, odd messages; real bot and store.

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.vocabulary import Flag, State, Verb
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import list_cases, load_case, open_case
from store.outbox.failed import list_failed
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER
from tests.edges.telegram_line import Line, line


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[Line]:
    async with Simulator() as sim, line(sim, usual_store) as running:
        yield running


async def press(desk: Line, customer: Customer, *labels: str) -> None:
    """Buttons one after the other."""
    for label in labels:
        await customer.presses(label)
        await desk.settled()


def a_copy(person: str, language: str) -> tuple[str, bytes]:
    """The copy of anybody's data."""
    return "mydata.zip", b"PK everything"


async def with_a_remedy_done(desk: Line) -> tuple[Customer, str]:
    """A decided complaint with one remedy that staff carried out."""
    anna = await desk.tells()
    ref = await desk.signs(anna)
    store, by = desk.store, desk.store.read(load_actor, HANDLER)
    store.write(open_case, ref, by, "case")
    store.write(act, ref, Verb.ASSIGN, by, {"owner": HANDLER})
    store.write(act, ref, Verb.ASSESS, by, ASSESSED)
    store.write(act, ref, Verb.INVESTIGATE, by, {"evidence": ["complainant_heard", "records_checked"]})
    facts = {
        "issues": [{"finding": "upheld"}],
        "remedies": [{"type": "repair"}],
        "others_affected": "none",
        "cause_class": "single",
    }
    words = {"issues.0.reasons": "Old pipe.", "root_cause": "Age.", "letter": "We repair it."}
    store.write(act, ref, Verb.RESPOND, by, facts, words)
    await desk.settled()
    done = {"remedy": 0, "done_at": store.now().isoformat()}
    store.write(act, ref, Verb.REMEDY_DONE, by, done, {"proof": "Job sheet"})
    await desk.settled()
    return anna, ref


async def test_a_remedy_that_was_done_is_asked_about_and_no_opens_it_again(desk: Line) -> None:
    anna, ref = await with_a_remedy_done(desk)
    assert "Is it right?" in anna.heard[-1]
    await press(desk, anna, "No")
    assert anna.heard[-1].startswith("I have noted that. What is not right?")
    await anna.says("It drips as before.")
    await desk.settled()
    case = desk.store.read(load_case, ref)
    assert case.remedies[0].done_at is None
    assert {Flag.REMEDY_REFUSED, Flag.QUESTION_OPEN} <= case.flags


async def test_an_answer_by_reply_to_our_question_belongs_to_that_complaint(desk: Line) -> None:
    anna = await desk.tells()
    first = await desk.signs(anna)
    await anna.says("/complain The bill of October is wrong.")
    await desk.settled()
    await anna.says("/cancel")
    await desk.settled()
    second = next(str(one["ref"]) for one in desk.store.read(list_cases)[0] if one["ref"] != first)
    by = desk.store.read(load_actor, HANDLER)
    desk.store.write(act, first, Verb.ASK, by, {"needed_by": "2026-11-10"}, {"text": "Which tap?"})
    await desk.settled()
    asked = anna.last
    desk.store.write(act, second, Verb.ASK, by, {"needed_by": "2026-11-10"}, {"text": "Which page?"})
    await desk.settled()
    await anna.says("The one in the kitchen.", reply_to=asked)
    await desk.settled()
    waiting = {
        ref: Flag.WAITING_COMPLAINANT in desk.store.read(load_case, ref).flags for ref in (first, second)
    }
    assert waiting == {first: False, second: True}


async def test_who_wants_no_contact_gets_the_acknowledgement_and_nothing_more(
    desk: Line, clock: FakeClock
) -> None:
    anna = await desk.tells(text="The reader was rude to me. I want to stay anonymous.")
    await press(desk, anna, "Done", "Do not contact me", "Skip", "Apology", "Send")
    ref = desk.ref
    acknowledged = len(anna.heard)
    assert anna.heard[-1].startswith(f"We have your complaint {ref}")
    assert (
        desk.store.write(open_case, ref, desk.store.read(load_actor, MANAGER), "case").complainant_name
        is None
    )
    desk.decides(ref)
    await desk.settled()
    clock.go_on(days=20)
    desk.performing.nudge()
    await desk.settled()
    assert len(anna.heard) == acknowledged
    case = desk.store.read(load_case, ref)
    assert case.decision is not None
    assert case.decision.communicated_at is not None
    await anna.says(f"/status {ref}")
    await desk.settled()
    assert anna.heard[-1].endswith("We flushed the pipe.")


@pytest.mark.on_both
async def test_the_relation_and_the_needs_are_rows_of_people(desk: Line) -> None:
    anna = await desk.tells(text="I write for my mother: her water is brown. She is deaf.")
    await press(desk, anna, "Done", "They agreed")
    await anna.says("Write to her in large letters, please")
    await desk.settled()
    record = desk.store.read(export_record, desk.ref)
    roles = {one["role"]: one for one in record["people"]}
    assert set(roles) == {"complainant", "representative", "affected"}
    assert (roles["representative"]["relation"], roles["representative"]["may_receive"]) == (
        "relative",
        False,
    )
    assert record["representative"] == {"relation": "relative", "authority_status": "agreed"}
    given = {"what": "authority", "given_at": desk.store.now().isoformat()}
    by = desk.store.read(load_actor, HANDLER)
    desk.store.write(act, desk.ref, Verb.NOTE, by, given, {"by_whom": "The mother, at the counter"})
    roles = {one["role"]: one for one in desk.store.read(export_record, desk.ref)["people"]}
    assert roles["representative"]["may_receive"] is True
    opened = desk.store.write(open_case, desk.ref, by, "case")
    assert opened.support_needs == "Write to her in large letters, please"


async def test_a_copy_of_ones_data_comes_as_a_file_into_the_chat(usual_store: Store) -> None:
    asked: list[tuple[str, str]] = []

    def copy_of(person: str, language: str) -> tuple[str, bytes]:
        asked.append((person, language))
        return "mydata.zip", b"PK everything"

    async with Simulator() as sim, line(sim, usual_store, copy_of=copy_of) as desk:
        anna = await desk.tells()
        await anna.says("/mydata")
        await desk.settled()
        await press(desk, anna, "Export")
        assert asked == [(desk.store.read(load_case, desk.ref).complainant, "en")]
        assert anna.documents() == [("mydata.zip", b"PK everything")]
        assert anna.heard[-1].startswith("Everything that we keep about you.")


async def test_the_copy_waits_until_it_was_said_that_it_comes(usual_store: Store) -> None:
    async with Simulator() as sim, line(sim, usual_store, copy_of=a_copy) as desk:
        anna = await desk.tells()
        await anna.says("/mydata")
        await desk.settled()
        # Telegram takes the sentence only at its second try: the file does not overtake it.
        sim.fail_next("sendMessage", status=500)
        await anna.presses("Export")
        await desk.settled()
        assert anna.documents() == []
        await sim.until(anna.documents, what="the file", timeout=20)
        assert [one.partition(".")[0] for one in anna.heard[-2:]] == [
            "I am putting together everything that we keep about you",
            "Everything that we keep about you",
        ]


@pytest.mark.on_both
async def test_of_a_copy_that_may_have_arrived_twice_staff_hear_and_the_chat_goes_on(
    usual_store: Store,
) -> None:
    async with Simulator() as sim, line(sim, usual_store, copy_of=a_copy) as desk:
        anna = await desk.tells()
        await anna.says("/mydata")
        await desk.settled()
        sim.fail_next("sendDocument", how="cut_after_accept", times=2)
        await anna.presses("Export")
        await sim.until(
            lambda: any(one["state"] == "failed" for one in desk.store.read(list_failed)), timeout=30
        )
        (stuck,) = desk.store.read(list_failed)
        assert (stuck["kind"], "not known" in str(stuck["why"])) == ("mydata", True)
        await anna.says("/help")
        await desk.settled()
        assert anna.heard[-1] != stuck["why"]
        assert "/status" in anna.heard[-1]


async def test_without_anything_that_copies_the_duty_fails_visibly(desk: Line) -> None:
    anna = await desk.tells()
    await anna.says("/mydata")
    await desk.settled()
    await press(desk, anna, "Export")
    [failed] = [one for one in desk.store.read(list_failed) if one["kind"] == "mydata"]
    assert failed["state"] == "failed"


async def test_what_was_taken_for_something_else_is_restored_by_its_button(desk: Line) -> None:
    anna = await desk.tells(text="My street light is out on Mill Lane.")
    ref = await desk.signs(anna)
    store = desk.store
    store.write(
        act,
        ref,
        Verb.RECLASSIFY,
        store.read(load_actor, HANDLER),
        {"kind": "fault_report"},
        {"reason": "A lamp."},
    )
    store.write(act, ref, Verb.APPROVE, store.read(load_actor, MANAGER), {"agreed": "yes"})
    await desk.settled()
    assert "We dealt with it as something else than a complaint" in anna.heard[-1]
    await press(desk, anna, "It is a complaint")
    assert anna.heard[-1].startswith(f"{ref} is taken up as a complaint.")
    assert store.read(load_case, ref).state is State.INVESTIGATING
