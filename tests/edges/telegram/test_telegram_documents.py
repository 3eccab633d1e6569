"""What complainants get besides plain messages: promised dates that can be tapped, long letters and forms as PDFs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from amends.documents.labels import load_labels
from bots.telegram.sending import MAX_CAPTION_LENGTH, date_entities, telegram_length
from complaints.vocabulary import Target, Verb
from simulator import Simulator
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import load_case, open_case
from store.people.staff import load_actor
from store.store import Store
from tests.edges import pdf
from tests.edges.desk import ASSESSED, HANDLER
from tests.edges.telegram_desk import TelegramDesk, telegram_desk

LABELS = load_labels(("en", "tr"), "Europe/London")


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store, labels=LABELS) as running:
        yield running


def entities(desk: TelegramDesk) -> list[dict[str, Any]]:
    """The marks of dates in the newest message of the bot, each with the text that it covers."""
    (chat,) = desk.sim.world.telegram.chats.values()
    message = [message for message in chat if message.outgoing][-1]
    units = message.text.encode("utf-16-le")
    return [
        entity
        | {
            "text": units[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode(
                "utf-16-le"
            )
        }
        for entity in message.entities
        if entity["type"] == "date_time"
    ]


def test_the_offsets_of_dates_are_utf_16_units() -> None:
    (mark,) = date_entities("😡 by Monday.", {"Monday": 1_796_299_200}) or []
    assert (mark.offset, mark.length) == (6, 6)
    assert mark.to_dict()["unix_time"] == 1_796_299_200
    assert date_entities("Nothing promised.", {"Monday": 1}) is None


async def test_the_promised_date_of_a_letter_and_of_a_reply_can_be_tapped(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    decide = desk.store.read(load_case, ref).target(Target.DECIDE)
    assert decide is not None
    (mark,) = entities(desk)
    assert f"answers by {mark['text']} at the latest" in anna.heard[-1]
    assert mark["unix_time"] == int(decide.promised_due.timestamp())
    await anna.says("/human")
    await desk.settled()
    (mark,) = entities(desk)
    reply = desk.store.read(load_case, ref).target(Target.REPLY)
    assert reply is not None
    assert anna.heard[-1].endswith(f"You get the answer by {mark['text']}.")
    assert mark["unix_time"] == int(reply.promised_due.timestamp())


async def test_a_refused_date_mark_costs_no_word_of_the_message(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.sim.fail_next("sendMessage", status=400, error="Bad Request: can't parse entities")
    await anna.says("/status")
    await desk.settled()
    assert anna.heard[-1].startswith(f"{ref}, received")
    assert entities(desk) == []


async def test_a_long_letter_is_a_pdf_and_begins_in_the_chat(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    text = "Dear Anna,\n\n" + "We looked at every *single* meter reading. " * 200
    alice = desk.store.read(load_actor, "U1")
    desk.store.write(act, ref, Verb.REPLY, alice, {}, {"text": text, "letter": text})
    await desk.settled()
    [(name, data)] = anna.documents()
    assert name == f"{ref}.pdf"
    assert pdf.words(data).count("We looked at every *single* meter reading.") == 200
    assert "it is attached as a PDF. It begins:\n\nDear Anna," in anna.heard[-1]
    assert telegram_length(anna.heard[-1]) <= MAX_CAPTION_LENGTH


async def test_a_long_decision_is_summed_up_in_the_chat_with_its_buttons(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    alice = desk.store.read(load_actor, "U1")
    desk.store.write(open_case, ref, alice, "case")
    desk.store.write(act, ref, Verb.ASSIGN, alice, {"owner": HANDLER})
    desk.store.write(act, ref, Verb.ASSESS, alice, ASSESSED)
    facts = {"finding": "partly", "cause_class": "single", "others_affected": "none"}
    words = {"done": "We flushed the pipe. " * 300, "cause": "Old pipe.", "agreed_how": "By phone."}
    desk.store.write(act, ref, Verb.RESOLVE, alice, facts, words)
    await desk.settled()
    assert anna.heard[-1].startswith(
        f"{ref}: our decision is attached as a PDF. In short:\n\nYou are partly right"
    )
    assert "within 20 working days" in anna.heard[-1]
    assert anna.buttons == ["I accept", "I disagree", "I have a question"]
    assert pdf.words(anna.documents()[0][1]).count("flushed") == 300


async def test_the_complaint_comes_as_a_form_with_only_the_persons_own_words(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    alice = desk.store.read(load_actor, "U1")
    desk.store.write(act, ref, Verb.NOTE, alice, {}, {"text": "Calls often."})
    await anna.presses(f"{ref} as a PDF")
    await desk.settled()
    [(name, data)] = anna.documents()
    assert name == f"{ref}.pdf"
    assert pdf.conformance(data) == ("3", "A", "1")
    text = pdf.words(data)
    assert all(part in text for part in ("Your complaint", ref, "4. Problem", "this counts as a signature"))
    assert "Calls often" not in text
    reads = desk.store.read(export_record, ref)["reads"]
    assert [(read["by"], read["what"]) for read in reads] == [("complainant", "file")]
