"""What the new verb must do, tested in the copy that has it (test_new_verb.py runs this file there)."""

from __future__ import annotations

from typing import Any

import pytest

from amends.documents.blocks import Edition
from amends.documents.case_file.case_file import case_file
from amends.documents.labels import load_labels
from amends.documents.typst import as_pdf
from bots.letters.composer import preview
from complaints.errors import BadFacts
from complaints.event_facts import HELD
from complaints.forms import WrongFields, read
from complaints.vocabulary import Verb
from store.cases.export import export_case
from store.cases.staff_letters import take_back
from store.store import Store
from tests.edges import pdf
from tests.edges.desk import HANDLER, Desk
from tests.edges.proof.test_privacy_export import exported, person
from tests.rules.dialogue_play import TEXTS

OFFER = Verb("offer_call")
LETTER, NOTE = "We would like to ask about the meter.", "Is the cellar wet?"
FILLED: dict[str, Any] = {"text": LETTER, "call_at": "2027-01-11T10:00:00Z", "to_ask": NOTE}


@pytest.fixture
def desk(sqlite_store: Store) -> Desk:
    return Desk(sqlite_store)


def offered(desk: Desk, ref: str, **more: Any) -> int:
    facts, words = read("offer_call", FILLED)
    letter = preview("offer_call", desk.case(ref), facts, words, texts=TEXTS, now=desk.store.now())
    return desk.act(ref, OFFER, HANDLER, facts | more, words | {"letter": letter}).event.seq


def test_the_form_says_what_it_needs() -> None:
    with pytest.raises(WrongFields) as refused:
        read("offer_call", {"call_at": "tomorrow", "to_ask": NOTE})
    assert refused.value.fields == {"text": "required", "call_at": "not_a_moment"}


def test_a_call_in_the_past_is_refused_at_its_field(desk: Desk) -> None:
    with pytest.raises(BadFacts, match="must lie in the future") as refused:
        desk.act(desk.receive(), OFFER, HANDLER, {"call_at": "2020-01-11T10:00:00Z"}, {"text": LETTER})
    assert refused.value.field == "call_at"


@pytest.mark.parametrize("language", ["en", "de", "es", "tr"])
def test_the_preview_has_the_time_and_not_the_note(desk: Desk, language: str) -> None:
    facts, words = read("offer_call", FILLED)
    case = desk.case(desk.receive())
    letter = preview("offer_call", case, facts, words, texts=TEXTS, now=desk.store.now(), language=language)
    assert [part in letter for part in (LETTER, "2027", "10", NOTE)] == [True, True, True, False]


def test_the_person_gets_the_letter_at_once_and_the_note_when_it_was_checked(desk: Desk) -> None:
    ref = desk.receive()
    offered(desk, ref)
    at_once, checked = (
        exported(desk, person(desk, ref), include_notes=notes)[0]["complaints"][0] for notes in (False, True)
    )
    fields = [{text["field"] for text in data["texts"]} - {"description"} for data in (at_once, checked)]
    assert fields == [{"letter", "text"}, {"letter", "text", "to_ask"}]
    assert at_once["not_included"] == [{"what": "notes", "why": "checked_first"}]


@pytest.mark.parametrize(
    ("edition", "times"), [(Edition.HOUSE, 1), (Edition.OMBUDSMAN, 1), (Edition.SUBJECT, 0)]
)
def test_the_note_is_among_the_exact_words_and_not_for_the_person_complained_about(
    desk: Desk, edition: Edition, times: int
) -> None:
    ref = desk.receive()
    offered(desk, ref)
    labels = load_labels(("en",), "Europe/London", staff=True)
    file = case_file(desk.store.read(export_case, ref), labels, edition, made_at=desk.store.now())
    assert pdf.words(as_pdf(file, created_at=desk.store.now())).count(NOTE) == times


def test_it_is_no_contact_before_it_is_delivered_and_can_be_taken_back(desk: Desk) -> None:
    ref = desk.receive()
    seq = offered(desk, ref, **{HELD: 10})
    assert [letter.event.seq for letter in desk.case(ref).unsent] == [seq]
    desk.store.write(take_back, ref, seq, desk.actor(HANDLER))
    assert (desk.case(ref).unsent, desk.case(ref).last_contact_at) == ((), None)
