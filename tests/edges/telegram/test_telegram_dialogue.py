"""Further paths on Telegram: answers, remedies, no contact, a copy of the data; real bot and store.

The subject is what people see and press; test_store_* tests the store on both databases. Tests marked `on_both` also
run on PostgreSQL.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from amends.privacy.data_export import receipt_archive
from complaints.vocabulary import Flag, State, Verb
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import list_cases, load_case, open_case
from store.incidents import open_incident
from store.outbox.failed import list_failed
from store.people.staff import load_actor
from store.proof.log import add_checkpoint
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER
from tests.edges.telegram_desk import TelegramDesk, telegram_desk


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        yield running


async def press(desk: TelegramDesk, customer: Customer, *labels: str) -> None:
    """Press these buttons one after the other."""
    for label in labels:
        await customer.presses(label)
        await desk.settled()


def a_copy(person: str, language: str) -> tuple[str, bytes]:
    """A copy of a person's data."""
    return "mydata.zip", b"PK everything"


async def complaint_with_finished_remedy(desk: TelegramDesk) -> tuple[Customer, str]:
    """A decided complaint with one remedy that staff carried out."""
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    store, actor = desk.store, desk.store.read(load_actor, HANDLER)
    store.write(open_case, ref, actor, "case")
    store.write(act, ref, Verb.ASSIGN, actor, {"owner": HANDLER})
    store.write(act, ref, Verb.ASSESS, actor, ASSESSED)
    store.write(act, ref, Verb.INVESTIGATE, actor, {"evidence": ["complainant_heard", "records_checked"]})
    facts = {
        "issues": [{"finding": "upheld"}],
        "remedies": [{"type": "repair"}],
        "others_affected": "none",
        "cause_class": "single",
    }
    words = {"issues.0.reasons": "Old pipe.", "root_cause": "Age.", "letter": "We repair it."}
    store.write(act, ref, Verb.RESPOND, actor, facts, words)
    await desk.settled()
    done = {"remedy": 0, "done_at": store.now().isoformat()}
    store.write(act, ref, Verb.REMEDY_DONE, actor, done, {"proof": "Job sheet"})
    await desk.settled()
    return anna, ref


async def test_the_complainant_is_asked_about_a_carried_out_remedy_and_no_reopens_it(
    desk: TelegramDesk,
) -> None:
    anna, ref = await complaint_with_finished_remedy(desk)
    assert "Is it right?" in anna.heard[-1]
    await press(desk, anna, "No")
    assert anna.heard[-1].startswith("I am sorry. What is not right?")
    await anna.says("It drips as before.")
    await desk.settled()
    case = desk.store.read(load_case, ref)
    assert case.remedies[0].done_at is None
    assert {Flag.REMEDY_REFUSED, Flag.QUESTION_OPEN} <= case.flags


async def test_a_reply_to_a_question_of_staff_answers_that_complaint(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    first = await desk.complete_form(anna)
    await anna.says("/complain The bill of October is wrong.")
    await desk.settled()
    await anna.says("/cancel")
    await desk.settled()
    second = next(str(row["ref"]) for row in desk.store.read(list_cases)[0] if row["ref"] != first)
    actor = desk.store.read(load_actor, HANDLER)
    desk.store.write(act, first, Verb.ASK, actor, {"needed_by": "2026-11-10"}, {"text": "Which tap?"})
    await desk.settled()
    question = anna.last
    desk.store.write(act, second, Verb.ASK, actor, {"needed_by": "2026-11-10"}, {"text": "Which page?"})
    await desk.settled()
    await anna.says("The one in the kitchen.", reply_to=question)
    await desk.settled()
    waiting = {
        ref: Flag.WAITING_COMPLAINANT in desk.store.read(load_case, ref).flags for ref in (first, second)
    }
    assert waiting == {first: False, second: True}


async def test_a_complainant_who_wants_no_contact_gets_only_the_acknowledgement(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story(text="The reader was rude to me. I want to stay anonymous.")
    await press(desk, anna, "Done", "Do not contact me", "Skip", "Apology", "Send")
    ref = desk.ref
    acknowledged = len(anna.heard)
    assert anna.heard[-1].startswith(f"We have your complaint {ref}")
    assert (
        desk.store.write(open_case, ref, desk.store.read(load_actor, MANAGER), "case").complainant_name
        is None
    )
    desk.resolve(ref)
    await desk.settled()
    clock.go_on(days=20)
    desk.worker.nudge()
    await desk.settled()
    assert len(anna.heard) == acknowledged
    case = desk.store.read(load_case, ref)
    assert case.decision is not None
    assert case.decision.communicated_at is not None
    await anna.says(f"/status {ref}")
    await desk.settled()
    assert anna.heard[-1].endswith("We flushed the pipe.")


@pytest.mark.on_both
async def test_the_relation_and_the_support_needs_are_stored_with_the_people(desk: TelegramDesk) -> None:
    anna = await desk.send_story(text="I write for my mother: her water is brown. She is deaf.")
    await press(desk, anna, "Done", "They agreed")
    await anna.says("Write to her in large letters, please")
    await desk.settled()
    record = desk.store.read(export_record, desk.ref)
    roles = {person["role"]: person for person in record["people"]}
    assert set(roles) == {"complainant", "representative", "affected"}
    assert (roles["representative"]["relation"], roles["representative"]["may_receive"]) == (
        "relative",
        False,
    )
    assert record["representative"] == {"relation": "relative", "authority_status": "agreed"}
    authority = {"what": "authority", "given_at": desk.store.now().isoformat()}
    actor = desk.store.read(load_actor, HANDLER)
    desk.store.write(act, desk.ref, Verb.NOTE, actor, authority, {"by_whom": "The mother, at the counter"})
    roles = {person["role"]: person for person in desk.store.read(export_record, desk.ref)["people"]}
    assert roles["representative"]["may_receive"] is True
    opened = desk.store.write(open_case, desk.ref, actor, "case")
    assert opened.support_needs == "Write to her in large letters, please"


async def test_a_copy_of_ones_data_is_sent_as_a_file_into_the_chat(usual_store: Store) -> None:
    requests: list[tuple[str, str]] = []

    def copy_of(person: str, language: str) -> tuple[str, bytes]:
        requests.append((person, language))
        return "mydata.zip", b"PK everything"

    async with Simulator() as sim, telegram_desk(sim, usual_store, copy_of=copy_of) as desk:
        anna = await desk.send_story()
        await anna.says("/mydata")
        await desk.settled()
        await press(desk, anna, "Export")
        assert requests == [(desk.store.read(load_case, desk.ref).complainant, "en")]
        assert anna.documents() == [("mydata.zip", b"PK everything")]
        assert anna.heard[-1].startswith("Everything that we keep about you.")


async def test_the_copy_is_sent_after_the_message_that_announces_it(usual_store: Store) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store, copy_of=a_copy) as desk:
        anna = await desk.send_story()
        await anna.says("/mydata")
        await desk.settled()
        # Telegram accepts the announcement only at the second attempt: the file must not overtake it.
        sim.fail_next("sendMessage", status=500)
        await anna.presses("Export")
        await desk.settled()
        assert anna.documents() == []
        await sim.until(anna.documents, what="the file", timeout=20)
        assert [text.partition(".")[0] for text in anna.heard[-2:]] == [
            "I am putting together everything that we keep about you",
            "Everything that we keep about you",
        ]


@pytest.mark.on_both
async def test_a_copy_that_may_have_arrived_twice_is_reported_to_staff_and_the_chat_continues(
    usual_store: Store,
) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store, copy_of=a_copy) as desk:
        anna = await desk.send_story()
        await anna.says("/mydata")
        await desk.settled()
        sim.fail_next("sendDocument", how="cut_after_accept", times=2)
        await anna.presses("Export")
        await sim.until(
            lambda: any(row["state"] == "failed" for row in desk.store.read(list_failed)), timeout=30
        )
        (failed,) = desk.store.read(list_failed)
        assert (failed["kind"], "not known" in str(failed["why"])) == ("mydata", True)
        await anna.says("/help")
        await desk.settled()
        assert anna.heard[-1] != failed["why"]
        assert "/status" in anna.heard[-1]


async def test_without_a_copy_function_the_obligation_fails_visibly(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    await anna.says("/mydata")
    await desk.settled()
    await press(desk, anna, "Export")
    [failed] = [row for row in desk.store.read(list_failed) if row["kind"] == "mydata"]
    assert failed["state"] == "failed"


async def test_a_misclassified_complaint_is_restored_by_its_button(desk: TelegramDesk) -> None:
    anna = await desk.send_story(text="My street light is out on Mill Lane.")
    ref = await desk.complete_form(anna)
    store = desk.store
    store.write(
        act,
        ref,
        Verb.RECLASSIFY,
        store.read(load_actor, HANDLER),
        {"kind": "fault_report"},
        {"reason": "A lamp."},
    )
    store.write(open_case, ref, store.read(load_actor, MANAGER), "approve")
    store.write(act, ref, Verb.APPROVE, store.read(load_actor, MANAGER), {"agreed": "yes"})
    await desk.settled()
    assert "We have not treated it as a complaint" in anna.heard[-1]
    await press(desk, anna, "It is a complaint")
    assert anna.heard[-1].startswith(f"{ref} is now treated as a complaint.")
    assert store.read(load_case, ref).state is State.INVESTIGATING


async def test_yes_to_an_incident_is_confirmed_before_the_acknowledgement_which_asks_for_no_signature(
    desk: TelegramDesk,
) -> None:
    words = {"what": "No water", "line.en": "We know of no water.", "signs.en": "no water"}
    desk.store.write(open_incident, desk.store.read(load_actor, HANDLER), {}, words)
    anna = await desk.send_story(text="There is no water since six this morning.")
    await press(desk, anna, "Done")
    await press(desk, anna, "Yes")
    joined, acknowledged = anna.heard[-2:]
    assert "You do not need to answer anything else." in joined
    assert acknowledged.startswith("We have your complaint")
    assert "press Send" not in acknowledged


async def test_words_after_a_decision_lead_to_its_buttons_and_a_closed_matter_to_a_reopening(
    desk: TelegramDesk,
) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.resolve(ref)
    await desk.settled()
    await anna.says("That sounds fair, thank you")
    await desk.settled()
    assert "If you accept our decision, please press the button" in anna.heard[-1]
    assert desk.store.read(load_case, ref).reply is None
    await press(desk, anna, "I accept")
    assert desk.store.read(load_case, ref).reply == "accept"
    store, actor = desk.store, desk.store.read(load_actor, HANDLER)
    store.write(open_case, ref, actor, "case")
    store.write(act, ref, Verb.REPLY, actor, {}, {"text": "We are glad.", "letter": "We are glad."})
    await desk.settled()
    store.write(act, ref, Verb.CLOSE, actor, {"cause_class": "single"}, {"root_cause": "An old pipe."})
    await desk.settled()
    await anna.says("It started again")
    await desk.settled()
    assert f"Should {ref} be taken up again" in anna.heard[-1]
    await press(desk, anna, "Take it up again")
    assert anna.heard[-1].startswith(f"{ref} is open again.")
    assert desk.store.read(load_case, ref).state is State.INVESTIGATING
    assert len(desk.store.read(list_cases)[0]) == 1


async def test_a_receipt_is_offered_under_acknowledgement_decision_and_closing(usual_store: Store) -> None:
    def receipts() -> list[dict[str, Any]]:
        files = [zipfile.ZipFile(io.BytesIO(data)) for _, data in anna.documents()]
        names = [f"receipts/{ref}.json", f"receipts/{ref}.svg", "receipts/key.txt", "verify.html"]
        assert [file.namelist() for file in files] == [names] * len(files)
        return [json.loads(file.read(f"receipts/{ref}.json")) for file in files]

    def receipt_of(ref: str) -> tuple[bytes, bool]:
        return receipt_archive(usual_store, ref, bytes(32))

    label = "Receipt with QR code"
    async with Simulator() as sim, telegram_desk(sim, usual_store, receipt_of=receipt_of) as desk:
        anna = await desk.send_story()
        ref = await desk.complete_form(anna)
        assert anna.buttons == [f"{ref} as a PDF", label]
        await press(desk, anna, label)
        assert "our signed promise" in anna.heard[-1]
        usual_store.write(add_checkpoint, bytes(32))
        await anna.says(label)
        await desk.settled()
        assert "and the proof" in anna.heard[-1]
        desk.resolve(ref)
        await desk.settled()
        assert anna.buttons[-1] == label
        await press(desk, anna, label, "I accept")
        actor = desk.store.read(load_actor, HANDLER)
        desk.store.write(act, ref, Verb.CLOSE, actor, {"code": "resolved"}, {"root_cause": "A fold"})
        await desk.settled()
        assert anna.buttons[-1] == label
        await press(desk, anna, label)
        promise, proof, decided, closed = receipts()
        assert promise["promise"] == proof["promise"]
        assert ("proof" in promise, "proof" in proof, "proof" in decided) == (False, True, False)
        assert json.loads(closed["leaf"])["seq"] == desk.store.read(load_case, ref).version
