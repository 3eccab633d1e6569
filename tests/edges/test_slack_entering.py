"""Complaints without a chat, in Slack: logged, told by people, bound by a code; what intake may hear.

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bots.slack.staff_sync import sync_staff
from complaints.identifiers import find_reference
from complaints.vocabulary import Role, State, Verb
from simulator.screen import FormRefused
from simulator.slack.block_kit import view_problems
from store.cases.export import export_record
from store.cases.read import load_case, load_history
from store.store import Store
from store.tables import ATTEMPTS, COMPLAINTS, READS
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import (
    ALICE,
    ASSESSMENT,
    AUDREY,
    BURAK,
    EXECUTIVE,
    MONA,
    RESOLVED,
    RESTRICTED,
    TRIAGE,
    TUGBA,
    Office,
    office_of,
)

CALLED: Mapping[str, Any] = {
    "channel": "phone",
    "description": "Zzyzx: the meter was read wrong.",
    "name": "Anna Zzyzx",
    "phone": "+44 20 7946 0018",
    "language": "en",
}
#: Burak takes calls and does nothing else.
ROLES = {
    Role.HANDLER: (ALICE,),
    Role.MANAGER: (MONA,),
    Role.TOP_MANAGEMENT: (TUGBA,),
    Role.AUDITOR: (AUDREY,),
    Role.INTAKE: (BURAK,),
}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        await sync_staff(opened.client, opened.desk, ROLES, on_call=(MONA,))
        yield opened


def refs(office: Office) -> list[str]:
    query = select(COMPLAINTS.c.ref)
    return list(office.store.read(lambda tx: tx.connection.execute(query).scalars().all()))


async def logged(office: Office, member: str = BURAK, *, tells: bool = True, **more: Any) -> str:
    """Somebody calls; the reference that stands in what is read out."""
    await office.staff(member).shortcut("log_complaint")
    await office.staff(member).opened("log_complaint")
    await office.staff(member).fills({**CALLED, **more})
    told = await office.staff(member).submits()
    assert told is not None
    ref = find_reference(told.text) or ""
    if tells:
        await office.staff(member).submits()
    await office.idle()
    return ref


async def proposed(office: Office, ref: str) -> str:
    """With a proposal its card is posted."""
    office.propose(ref)
    await office.idle()
    return ref


@pytest.mark.on_both
@clause("7.2")
async def test_a_call_is_logged_read_out_and_acknowledged_by_whoever_took_it(office: Office) -> None:
    ref = await logged(office)
    case = office.store.read(load_case, ref)
    acknowledged = office.store.read(load_history, ref)[-1]
    assert (case.channel, case.language, case.state) == ("phone", "en", State.RECEIVED)
    assert (acknowledged.verb, acknowledged.by, acknowledged.role) == (Verb.ACKNOWLEDGE, BURAK, Role.INTAKE)
    assert office.staff(BURAK).modal is None
    office.clock.go_on(minutes=30)
    await office.idle()
    assert "to be told" not in " ".join(office.texts(MONA))


async def test_what_is_read_out_stands_word_for_word_and_slack_takes_the_view(office: Office) -> None:
    ref = await logged(office, tells=False)
    modal = office.staff(BURAK).modal
    assert modal is not None
    assert f"Read out about {ref}: logged" in modal.text
    assert view_problems(modal.view.content, "modal") == []
    assert office.store.read(load_case, ref).acks == {}


async def test_what_was_not_told_at_once_becomes_a_managers_duty_without_a_word_of_it(office: Office) -> None:
    ref = await logged(office, tells=False)
    await office.staff(BURAK).closes()
    office.clock.go_on(minutes=16)
    await office.idle()
    asked = [text for text in office.texts(MONA) if "to be told by phone" in text]
    assert len(asked) == 1
    assert ref in asked[0]
    assert "Zzyzx" not in asked[0]


async def test_errors_stand_at_their_fields_and_keep_the_form(office: Office) -> None:
    await office.staff(BURAK).shortcut("log_complaint")
    await office.staff(BURAK).opened("log_complaint")
    later = int((office.store.now() + timedelta(days=2)).timestamp())
    await office.staff(BURAK).fills({**CALLED, "received_at": later})
    with pytest.raises(FormRefused) as ahead:
        await office.staff(BURAK).submits()
    await office.staff(BURAK).fills({"received_at": int(office.store.now().timestamp()), "phone": "none"})
    with pytest.raises(FormRefused) as phone:
        await office.staff(BURAK).submits()
    assert dict(ahead.value.errors) == {"received_at": "It cannot lie in the future."}
    assert list(phone.value.errors) == ["phone"]
    assert refs(office) == []


async def test_a_message_is_logged_with_its_words_and_its_time(office: Office) -> None:
    # A message has the time of the workspace, which no test sets.
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    post = await office.staff(ALICE).says(TRIAGE, "A customer at the desk: the tap & the sink leak")
    await office.staff(ALICE).message_shortcut("log_from_message", post)
    modal = await office.staff(ALICE).opened("log_complaint")
    shown = {one["block_id"]: one["element"] for one in modal.view.content["blocks"]}
    assert shown["description"]["initial_value"] == "A customer at the desk: the tap & the sink leak"
    assert shown["received_at"]["initial_date_time"] == int(float(post.ts)) // 60 * 60
    await office.staff(ALICE).fills({"channel": "counter"})
    await office.staff(ALICE).submits()
    assert office.store.read(load_case, refs(office)[0]).channel == "counter"


async def test_the_command_opens_the_same_form(office: Office) -> None:
    await office.staff(BURAK).runs("/complaints log")
    assert (await office.staff(BURAK).opened("log_complaint")).title == "Log a complaint"


async def test_an_auditor_is_told_that_logging_is_not_hers_and_the_attempt_stays(office: Office) -> None:
    await office.staff(AUDREY).shortcut("log_complaint")
    modal = await office.staff(AUDREY).opened("notice")
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    rows = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert "role" in modal.text
    assert rows == [(AUDREY, "log_complaint")]


@clause("4.7")
async def test_a_caller_is_known_before_intake_hears_the_stage_and_no_word_is_shown(office: Office) -> None:
    ref = await logged(office)
    burak = office.staff(BURAK)
    await burak.runs(f"/complaints show {ref.lower()}")
    await burak.opened("stage")
    await burak.fills({"proof": "Somebody Else"})
    with pytest.raises(FormRefused) as refused:
        await burak.submits()
    await burak.fills({"proof": "020 7946 0018"})
    told = await burak.submits()
    query = select(READS.c.by, READS.c.what)
    reads = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert list(refused.value.errors) == ["proof"]
    assert told is not None
    assert "Received" in told.text
    assert "decision by" in told.text
    assert "Zzyzx" not in told.text
    assert reads == [(BURAK, "stage")]


async def test_intake_adds_a_note_from_there_and_opens_nothing(office: Office) -> None:
    ref = await logged(office)
    burak = office.staff(BURAK)
    await burak.runs(f"/complaints show {ref}")
    await burak.opened("stage")
    await burak.fills({"proof": "Anna Zzyzx"})
    told = await burak.submits()
    assert told is not None
    await burak.presses(told, "Note")
    await office.submits(BURAK, "note", {"text": "Called again, wants a letter."})
    assert office.store.read(load_history, ref)[-1].verb is Verb.NOTE
    card = await office.card(await proposed(office, ref), BURAK)
    await burak.presses(card, "Open")
    await office.idle()
    assert burak.ephemerals != []


async def test_an_unknown_reference_is_said_to_be_none(office: Office) -> None:
    burak = office.staff(BURAK)
    await burak.runs("/complaints show A7K-M3Q-9T")
    await burak.opened("stage")
    await burak.fills({"proof": "Anna"})
    told = await burak.submits()
    assert told is not None
    assert "reference" in told.text


@clause("4.3")
async def test_the_code_is_shown_once_and_stands_nowhere_in_slack(office: Office) -> None:
    ref = await proposed(office, await logged(office, ALICE))
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Code for Telegram")
    shown = await alice.opened("notice")
    code = re.search(r"\b\d{8}\b", shown.text)
    assert code is not None
    await alice.closes()
    await office.idle()
    assert code[0] not in (await office.card(ref)).text
    assert code[0] not in " ".join(office.texts(ALICE))
    assert office.store.read(load_history, ref)[-1].verb is Verb.BIND


async def test_a_complaint_with_a_chat_offers_no_code(office: Office) -> None:
    card = await office.card(office.proposed())
    with pytest.raises(Exception, match="Code for Telegram"):
        await office.staff(ALICE).chooses(card, "More", "Code for Telegram")


@pytest.mark.on_both
@clause("7.8")
async def test_everything_is_told_by_voice_to_the_end(office: Office) -> None:
    ref = await proposed(office, await logged(office, ALICE, answer_by="letter"))
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    asked = [text for text in office.texts(ALICE) if "to be told by letter: the decision" in text]
    await office.staff(ALICE).presses(await office.card(ref), "Open")
    shown = await office.staff(ALICE).opened("open")
    text = shown.text
    await office.staff(ALICE).closes()
    when = int(office.store.now().timestamp())
    voice = {"given_at": when, "by_whom": "Herself, on the phone"}
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "decision", **voice})
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "accept", **voice})
    await office.acts(ALICE, "Close", ref, {"root_cause": "Read twice", "cause_class": "single"})
    assert len(asked) == 1
    assert "To be told by letter" in text
    assert f"Read out about {ref}: decision" in text
    assert office.store.read(load_case, ref).state is State.CLOSED
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "letter", **voice})
    messages = office.store.read(export_record, ref)["messages"]
    assert {one["state"] for one in messages if one["direction"] == "out"} == {"told"}


async def test_what_cannot_have_been_said_is_not_offered(office: Office) -> None:
    ref = await proposed(office, await logged(office, ALICE))
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Heard or told by voice")
    modal = await alice.opened("given")
    what = next(one for one in modal.view.content["blocks"] if one.get("block_id") == "what")
    values = {one["value"] for one in what["element"]["options"]}
    assert values == {"withdraw", "letter"}


async def test_only_managers_who_may_read_it_are_asked_to_tell_a_restricted_one(office: Office) -> None:
    ref = await logged(office, description="Burak was rude to me.", tells=False)
    office.clock.go_on(minutes=16)
    await office.idle()
    assert office.store.read(load_case, ref).restricted
    assert [text for text in office.texts(MONA) if ref in text and "to be told" in text] != []
    assert [text for text in office.texts(ALICE) if ref in text] == []
    assert (await office.card(ref, MONA, RESTRICTED)).text != ""


async def test_danger_told_on_the_phone_pages_at_once(office: Office) -> None:
    ref = await logged(office, description="There is a strong smell of gas in the hall.", tells=False)
    assert [text for text in office.texts(MONA) if ref in text and "anger" in text] != []
    assert (await office.card(ref, MONA, EXECUTIVE)).text != ""
