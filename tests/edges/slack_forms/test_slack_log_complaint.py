"""Complaints without a chat, in Slack: logged by staff, answered by phone or letter, and moved to a chat by a code.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bots.slack.listeners.log_complaint import open_from_shortcut
from bots.slack.payloads import LOG_AGAIN, ButtonPress
from bots.slack.responses import OpenView
from bots.slack.staff_sync import sync_staff
from complaints.identifiers import find_reference
from complaints.vocabulary import Role, State, Verb
from simulator.screen import FormRefused
from simulator.slack.block_kit import view_problems
from store.cases.export import export_record
from store.cases.read import load_case, load_history
from store.record.load import load_complaint_text
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
    open_office,
)

CALLED: Mapping[str, Any] = {
    "channel": "phone",
    "description": "Zzyzx: the meter was read wrong.",
    "name": "Anna Zzyzx",
    "phone": "+44 20 7946 0018",
    "language": "en",
}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
#: Burak only takes calls.
ROLES = {
    Role.HANDLER: (ALICE,),
    Role.MANAGER: (MONA,),
    Role.TOP_MANAGEMENT: (TUGBA,),
    Role.AUDITOR: (AUDREY,),
    Role.INTAKE: (BURAK,),
}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        await sync_staff(opened.client, opened.desk, ROLES, on_call=(MONA,))
        yield opened


def refs(office: Office) -> list[str]:
    query = select(COMPLAINTS.c.ref)
    return list(office.store.read(lambda tx: tx.connection.execute(query).scalars().all()))


async def log_call(office: Office, member: str = BURAK, *, read_out: bool = True, **more: Any) -> str:
    """Log a phone call and return the reference shown in the text to read out."""
    await office.staff(member).shortcut("log_complaint")
    await office.staff(member).opened("log_complaint")
    await office.staff(member).fills({**CALLED, **more})
    notice = await office.staff(member).submits()
    assert notice is not None
    ref = find_reference(notice.text) or ""
    if read_out:
        await office.staff(member).submits()
    await office.idle()
    return ref


async def proposed(office: Office, ref: str) -> str:
    """Record a proposal, so that the card is posted."""
    office.propose(ref)
    await office.idle()
    return ref


@pytest.mark.on_both
@clause("7.2")
async def test_the_member_who_logs_a_call_reads_out_the_acknowledgement(office: Office) -> None:
    ref = await log_call(office)
    case = office.store.read(load_case, ref)
    acknowledged = office.store.read(load_history, ref)[-1]
    assert (case.channel, case.language, case.state) == ("phone", "en", State.RECEIVED)
    assert (acknowledged.verb, acknowledged.by, acknowledged.role) == (Verb.ACKNOWLEDGE, BURAK, Role.INTAKE)
    assert office.staff(BURAK).modal is None
    office.clock.go_on(minutes=30)
    await office.idle()
    assert "to be told" not in " ".join(office.texts(MONA))


async def test_the_text_to_read_out_is_shown_and_slack_accepts_the_view(office: Office) -> None:
    ref = await log_call(office, read_out=False)
    modal = office.staff(BURAK).modal
    assert modal is not None
    assert f"Read out about {ref}: logged" in modal.text
    assert view_problems(modal.view.content, "modal") == []
    assert office.store.read(load_case, ref).acks == {}


async def test_a_manager_is_asked_without_personal_words_when_the_acknowledgement_was_not_read_out(
    office: Office,
) -> None:
    ref = await log_call(office, read_out=False)
    await office.staff(BURAK).closes()
    office.clock.go_on(minutes=16)
    await office.idle()
    requests = [text for text in office.texts(MONA) if "tell the complainant by phone" in text]
    assert len(requests) == 1
    assert ref in requests[0]
    assert "Zzyzx" not in requests[0]


async def test_errors_are_reported_at_their_fields_and_the_form_stays_open(office: Office) -> None:
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


async def test_a_slack_message_is_logged_with_its_words_and_its_time(office: Office) -> None:
    # A message has the time of the workspace, which no test sets.
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    post = await office.staff(ALICE).says(TRIAGE, "A customer at the desk: the tap & the sink leak")
    await office.staff(ALICE).message_shortcut("log_from_message", post)
    modal = await office.staff(ALICE).opened("log_complaint")
    inputs = {
        block["block_id"]: block["element"] for block in modal.view.content["blocks"] if "element" in block
    }
    assert inputs["description"]["initial_value"] == "A customer at the desk: the tap & the sink leak"
    assert inputs["received_at"]["initial_date_time"] == int(float(post.ts)) // 60 * 60
    await office.staff(ALICE).fills({"channel": "counter"})
    await office.staff(ALICE).submits()
    assert office.store.read(load_case, refs(office)[0]).channel == "counter"


@clause("7.2")
async def test_a_message_longer_than_a_field_is_logged_whole_and_searched_for_danger(office: Office) -> None:
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    alice = office.staff(ALICE)
    words = (
        "The meter is wrong and nobody comes. " * 170 + "WE SMELL GAS in the kitchen. Jane, jane@example.net"
    )
    post = await alice.says(TRIAGE, words)
    await alice.message_shortcut("log_from_message", post)
    modal = await alice.opened("log_complaint")
    assert view_problems(modal.view.content, "modal") == []
    parts = [modal.values[path] for path in ("description", "description.1", "description.2")]
    assert "".join(parts) == words
    assert "in 3 parts" in modal.text
    await alice.fills(
        {"channel": "email", "description": f"Forwarded by the shop. {parts[0]}"[:3000].rstrip()}
    )
    await alice.submits()
    ref = refs(office)[0]
    text = str(office.store.read(load_complaint_text, ref))
    assert "comes. WE SMELL GAS in the kitchen. Jane, jane@example.net" in text
    assert "Forwarded by the shop. The meter" in text
    assert [sign.kind.partition(".")[0] for sign in office.store.read(load_case, ref).signs] == ["gas"]


async def test_the_form_says_what_is_missing_of_a_message_that_is_longer_than_all_fields(
    office: Office,
) -> None:
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    alice = office.staff(ALICE)
    post = await alice.says(TRIAGE, "x" * 45_123)
    await alice.message_shortcut("log_from_message", post)
    modal = await alice.opened("log_complaint")
    assert view_problems(modal.view.content, "modal") == []
    assert "its last 123 characters" in modal.text


@clause("7.2")
async def test_a_letter_is_logged_with_its_scan_its_signature_and_who_gets_the_answer(office: Office) -> None:
    burak = office.staff(BURAK)
    await burak.shortcut("log_complaint")
    modal = await burak.opened("log_complaint")
    assert view_problems(modal.view.content, "modal") == []
    await burak.fills({
        **CALLED, "channel": "letter", "where_and_when": "Water meter, Mill Lane", "amount": "84.50",
        "currency": "gbp", "order_ref": "INV-20991", "address": "3 Mill Lane, Leeds", "signed": ["yes"],
        "representative": "Ines Roth, 9 High Street, Leeds", "answer_by": "letter", "answer_to": "representative",
        "immediate_action": "Closed the valve.", "received_by": ALICE, "happened_on": "2026-01-05",
    })  # fmt: skip
    burak.attaches("Scans and other files", ("letter.pdf", PDF))
    await burak.submits()
    await office.idle()
    ref = refs(office)[0]
    record = office.store.read(export_record, ref)
    assert [(file["kind"], file["name"], file["state"]) for file in record["files"]] == [
        ("document", "letter.pdf", "fetched")
    ]
    assert (record["recipient_staff"], record["signed_by_hand"], record["happened_on"]) == (
        ALICE, True, "2026-01-05"
    )  # fmt: skip
    assert "3 Mill Lane, Leeds" in str(record["people"])
    assert [event.verb for event in office.store.read(load_history, ref)][:2] == [Verb.RECEIVE, Verb.NOTE]
    assert office.store.read(load_case, ref).amount_requested == 8450
    await burak.closes()
    office.clock.go_on(minutes=16)
    await proposed(office, ref)
    assert any("tell the representative by letter" in text for text in office.texts(MONA))
    await office.staff(MONA).presses(await office.card(ref), "Open")
    assert "To: Ines Roth, 9 High Street, Leeds" in (await office.staff(MONA).opened("open")).text


async def test_an_answer_to_a_representative_needs_the_name_and_an_amount_its_currency(
    office: Office,
) -> None:
    burak = office.staff(BURAK)
    await burak.shortcut("log_complaint")
    await burak.opened("log_complaint")
    await burak.fills({**CALLED, "answer_to": "representative"})
    with pytest.raises(FormRefused) as refused:
        await burak.submits()
    await burak.fills({"representative": "Ines Roth", "amount": "5", "currency": ""})
    with pytest.raises(FormRefused) as no_currency:
        await burak.submits()
    assert list(refused.value.errors) == ["representative"]
    assert list(no_currency.value.errors) == ["currency"]


async def test_a_letter_without_an_address_is_refused_at_its_field(office: Office) -> None:
    await office.staff(BURAK).shortcut("log_complaint")
    await office.staff(BURAK).opened("log_complaint")
    await office.staff(BURAK).fills({**CALLED, "answer_by": "letter"})
    with pytest.raises(FormRefused) as refused:
        await office.staff(BURAK).submits()
    assert list(refused.value.errors) == ["address"]
    assert "needs a postal address" in refused.value.errors["address"]


async def test_the_files_of_a_shared_message_are_offered(office: Office) -> None:
    shared = {"is_share": True, "is_msg_unfurl": True, "ts": "1762168000.000100", "text": "It leaks."}
    picture, scan = {"id": "F1", "name": "tap.jpg", "size": 9}, {"id": "F2", "name": "letter.pdf", "size": 7}
    message = {"text": "", "files": [scan], "attachments": [{**shared, "files": [picture, scan]}]}
    press = ButtonPress(LOG_AGAIN, "log", ALICE, "1.trigger", message=message)
    opened = await open_from_shortcut(press, await office.desk.actor(ALICE), office.desk)
    assert isinstance(opened, OpenView)
    assert view_problems(opened.view, "modal") == []
    offered = next(block for block in opened.view["blocks"] if block.get("block_id") == "message_files")
    names = [option["text"]["text"] for option in offered["element"]["initial_options"]]
    assert names == ["letter.pdf", "tap.jpg"]
    assert [file["id"] for file in json.loads(opened.view["private_metadata"])["files"]] == ["F2", "F1"]


async def test_a_forwarded_email_fills_in_who_wrote_it(office: Office) -> None:
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    words = (
        "From: Petra Quill <mailto:petra.quill@example.net|petra.quill@example.net>\n"
        "To: <mailto:desk@example.org|desk@example.org>\n\nDear Ms Smith, order no. 448812 came late.\n"
        "Call me: 020 7946 0991.\nKind regards\nP. Quill"
    )
    post = await office.staff(ALICE).says(TRIAGE, words)
    await office.staff(ALICE).message_shortcut("log_from_message", post)
    modal = await office.staff(ALICE).opened("log_complaint")
    inputs = {
        block["block_id"]: block["element"] for block in modal.view.content["blocks"] if "element" in block
    }
    filled = {name: inputs[name].get("initial_value") for name in ("name", "phone", "email", "order_ref")}
    assert filled == {
        "name": "Petra Quill", "phone": "020 7946 0991", "email": "petra.quill@example.net", "order_ref": "448812",
    }  # fmt: skip


@clause("7.2")
async def test_complaints_that_a_colleague_forwards_are_of_the_people_who_wrote_them(office: Office) -> None:
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    alice = office.staff(ALICE)
    for name, email in (("Jane Doe", "jane@x.example"), ("Omar Khan", "omar@y.example")):
        words = (
            "From: Burak Demir <burak@northwind.example>\nSubject: Fwd: complaint\n\nPlease log this, thanks\n\n"
            f"-- Forwarded --\nFrom: {name} <{email}>\nSubject: complaint\n\nMy meter reading was wrong."
        )
        await alice.message_shortcut("log_from_message", await alice.says(TRIAGE, words))
        modal = await alice.opened("log_complaint")
        assert (modal.values["name"], modal.values["email"]) == (name, email)
        assert "Check that they are the complainant" in modal.text
        await alice.fills({"channel": "email"})
        await alice.submits()
        await alice.closes(all=True)
    first, second = [office.store.read(load_case, ref).complainant for ref in refs(office)]
    assert first != second


async def test_the_language_of_the_words_is_chosen_where_the_desk_has_it(office: Office) -> None:
    office.clock.at = datetime.now(UTC) + timedelta(minutes=1)
    alice = office.staff(ALICE)
    chosen = []
    for words in (
        "Müşteri yazdı: faturam iki kez kesilmiş, lütfen düzeltin. 0532 123 45 67",
        "Le compteur est faux et personne ne vient depuis deux semaines.",
        "Ok",
    ):
        await alice.message_shortcut("log_from_message", await alice.says(TRIAGE, words))
        chosen.append((await alice.opened("log_complaint")).values["language"])
        await alice.closes(all=True)
    assert chosen == ["tr", "en", "en"]


async def test_the_command_opens_the_same_form(office: Office) -> None:
    await office.staff(BURAK).runs("/complaints log")
    assert (await office.staff(BURAK).opened("log_complaint")).title == "Log a complaint"


async def test_an_auditor_may_not_log_a_complaint_and_the_attempt_is_recorded(office: Office) -> None:
    await office.staff(AUDREY).shortcut("log_complaint")
    modal = await office.staff(AUDREY).opened("notice")
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    rows = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert "role" in modal.text
    assert rows == [(AUDREY, "log_complaint")]


@clause("4.7")
async def test_intake_staff_see_the_stage_but_no_words_after_identifying_the_caller(office: Office) -> None:
    ref = await log_call(office)
    burak = office.staff(BURAK)
    await burak.runs(f"/complaints show {ref.lower()}")
    await burak.opened("stage")
    await burak.fills({"proof": "Somebody Else"})
    with pytest.raises(FormRefused) as refused:
        await burak.submits()
    await burak.fills({"proof": "020 7946 0018"})
    stage = await burak.submits()
    query = select(READS.c.by, READS.c.what)
    reads = office.store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert list(refused.value.errors) == ["proof"]
    assert stage is not None
    assert "Received" in stage.text
    assert "decision by" in stage.text
    assert "Zzyzx" not in stage.text
    assert reads == [(BURAK, "stage")]


async def test_intake_staff_may_add_a_note_but_not_open_the_complaint(office: Office) -> None:
    ref = await log_call(office)
    burak = office.staff(BURAK)
    await burak.runs(f"/complaints show {ref}")
    await burak.opened("stage")
    await burak.fills({"proof": "Anna Zzyzx"})
    stage = await burak.submits()
    assert stage is not None
    await burak.presses(stage, "Note")
    await office.submits(BURAK, "note", {"text": "Called again, wants a letter."})
    assert office.store.read(load_history, ref)[-1].verb is Verb.NOTE
    card = await office.card(await proposed(office, ref), BURAK)
    await burak.presses(card, "Open")
    await office.idle()
    assert await office.private_answer(BURAK) != ""


async def test_an_unknown_reference_is_refused(office: Office) -> None:
    burak = office.staff(BURAK)
    await burak.runs("/complaints show A7K-M3Q-9T")
    await burak.opened("stage")
    await burak.fills({"proof": "Anna"})
    with pytest.raises(FormRefused) as refused:
        await burak.submits()
    assert "reference" in refused.value.errors["proof"]


@clause("4.3")
async def test_the_code_for_telegram_is_shown_once_and_never_posted(office: Office) -> None:
    ref = await proposed(office, await log_call(office, ALICE))
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Code for Telegram")
    notice = await alice.opened("notice")
    code = re.search(r"\b\d{8}\b", notice.text)
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
async def test_a_complaint_is_handled_by_letter_and_phone_until_it_is_closed(office: Office) -> None:
    ref = await proposed(
        office, await log_call(office, ALICE, answer_by="letter", address="3 Mill Lane, Leeds")
    )
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    requests = [
        text for text in office.texts(ALICE) if "tell the complainant by letter: the decision" in text
    ]
    await office.staff(ALICE).presses(await office.card(ref), "Open")
    modal = await office.staff(ALICE).opened("open")
    text = modal.text
    await office.staff(ALICE).closes()
    now = int(office.store.now().timestamp())
    answer = {"given_at": now, "by_whom": "Herself, on the phone"}
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "decision", **answer})
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "accept", **answer})
    await office.acts(ALICE, "Close", ref, {"root_cause": "Read twice", "cause_class": "single"})
    assert len(requests) == 1
    assert "To be told by letter" in text
    assert f"Read out about {ref}: decision" in text
    assert office.store.read(load_case, ref).state is State.CLOSED
    await office.acts(ALICE, "Heard or told by voice", ref, {"what": "letter", **answer})
    messages = office.store.read(export_record, ref)["messages"]
    assert {message["state"] for message in messages if message["direction"] == "out"} == {"told"}


async def test_an_answer_that_is_not_possible_yet_is_not_offered(office: Office) -> None:
    ref = await proposed(office, await log_call(office, ALICE))
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Heard or told by voice")
    modal = await alice.opened("given")
    field = next(block for block in modal.view.content["blocks"] if block.get("block_id") == "what")
    values = {option["value"] for option in field["element"]["options"]}
    assert values == {"withdraw", "letter"}


async def test_only_managers_who_may_read_a_restricted_complaint_are_asked_to_contact_the_complainant(
    office: Office,
) -> None:
    ref = await log_call(office, description="Burak was rude to me.", read_out=False)
    office.clock.go_on(minutes=16)
    await office.idle()
    assert office.store.read(load_case, ref).restricted
    assert [text for text in office.texts(MONA) if ref in text and "tell the complainant" in text] != []
    assert [text for text in office.texts(ALICE) if ref in text] == []
    assert (await office.card(ref, MONA, RESTRICTED)).text != ""


async def test_danger_in_a_logged_call_pages_staff_at_once(office: Office) -> None:
    ref = await log_call(office, description="There is a strong smell of gas in the hall.", read_out=False)
    assert [text for text in office.texts(MONA) if ref in text and "anger" in text] != []
    assert (await office.card(ref, MONA, EXECUTIVE)).text != ""
