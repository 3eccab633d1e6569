"""What counts as an answer to a question of the form, and what does not (7.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.dialogue.inputs import TextInput
from complaints.vocabulary import Flag, Verb
from tests.clauses import clause
from tests.rules.dialogue_play import Play

WHERE = "Where did it happen, or which order or account is it about, and when?"
HELP = "What would put this right? Choose one, or write it in your own words."


def at_where() -> Play:
    play = Play()
    play.writes("The water has been brown.")
    assert play.presses("done") == [WHERE]
    return play


@clause("7.2")
@pytest.mark.parametrize(
    "question",
    [
        "When will I get an answer?",
        "Do you need my customer number?",
        "what happens next",
        "Ne zaman cevap alırım?",
        "Fotoğraf gönderebilir miyim?",
        "Wie lange dauert das?",
        "Kann ich ein Foto schicken?",
        "¿Cuánto tarda esto?",
        "¿Puedo mandar una foto?",
    ],
)
def test_a_question_typed_into_the_form_goes_to_staff_and_ours_is_asked_again(question: str) -> None:
    play = at_where()
    noted, again = play.writes(question)
    assert "Our team has your question. A person writes to you about it here by " in noted
    assert again == WHERE
    assert play.texts_of(play.ref)["question"] == question
    assert "where_and_when" not in play.texts_of(play.ref)
    assert Flag.QUESTION_OPEN in play.case.flags
    assert play.presses("skip") == [HELP]


@pytest.mark.parametrize("answer", ["12 Mill Lane. When will you come?", "Is it order 4711?"])
def test_an_answer_that_also_asks_is_recorded_and_staff_see_the_question(answer: str) -> None:
    play = at_where()
    assert play.writes(answer) == [HELP]
    assert play.texts_of(play.ref)["where_and_when"] == answer
    assert Flag.QUESTION_OPEN in play.case.flags


@pytest.mark.parametrize("answer", ["last Tuesday, I think?", "Where? At Mill Lane", "when you came"])
def test_an_answer_in_doubt_is_no_question(answer: str) -> None:
    play = at_where()
    assert play.writes(answer) == [HELP]
    assert Flag.QUESTION_OPEN not in play.case.flags


def test_could_you_repair_it_answers_what_would_help() -> None:
    play = at_where()
    play.presses("skip")
    play.writes("Can you please repair it?")
    assert play.case.remedies_requested == ("repair",)


def test_an_old_button_does_not_replace_the_answer_to_the_same_question_asked_later() -> None:
    play = at_where()
    play.presses("skip")
    old = play.replies[-1]
    play.presses("repair")
    play.presses("change")
    play.presses("what_would_help")
    play.presses("apology")
    assert play.presses("money_back", message=old)[0].startswith(
        "You have answered this question since then: Apology."
    )
    assert play.case.remedies_requested == ("apology",)


def test_another_button_under_the_same_question_is_a_new_choice() -> None:
    play = at_where()
    play.presses("skip")
    question = play.replies[-1]
    play.presses("repair")
    play.presses("apology", message=question)
    assert play.case.remedies_requested == ("apology",)


@pytest.mark.parametrize(
    "word", ["Cancel", "stop", "İptal", "Dur", "Abbrechen", "STOPP", "cancelar", "/Stop."]
)
def test_cancel_typed_in_any_language_ends_the_form(word: str) -> None:
    play = at_where()
    [reply] = play.writes(word)
    assert reply.startswith("I will not ask anything more.")
    assert play.acted[-1].verb is Verb.END_FORM
    assert "where_and_when" not in play.texts_of(play.ref)


def test_stop_typed_into_the_story_ends_the_form() -> None:
    play = Play()
    play.writes("The water has been brown.")
    assert play.writes("stop")[0].startswith("I will not ask anything more.")
    assert play.texts_of(play.ref)["description"] == "The water has been brown."


@pytest.mark.parametrize("word", ["Back", "geri", "zurück", "atrás"])
def test_back_typed_in_any_language_asks_the_question_before(word: str) -> None:
    play = at_where()
    assert play.writes("12 Mill Lane, Monday") == [HELP]
    assert play.writes(word) == [WHERE]
    play.writes("13 Mill Lane, Monday")
    assert play.writes("apology")[0].count("Where and when: 13 Mill Lane, Monday") == 1


def test_back_before_the_first_question_leads_to_the_story() -> None:
    play = at_where()
    assert play.writes("back")[0].startswith("Please tell me again")
    assert play.presses("done") == [WHERE]


def a_place(play: Play, text: str = "51.507200, -0.127600") -> list[str]:
    return play.receives(TextInput(text, str(next(play.numbers)), play.now, is_place=True))


@clause("7.2")
def test_a_bare_location_is_the_place_and_words_are_asked_for() -> None:
    play = Play()
    [receipt] = a_place(play)
    assert receipt.startswith("I have noted this place.")
    assert "What went wrong there?" in receipt
    assert play.waits(60) == []
    assert play.presses("done") == ["Tell me in your own words what went wrong."]
    play.writes("The street lamp there has been dark for a month.")
    assert play.presses("done") == [HELP]
    [readback] = play.presses("skip")
    assert "The street lamp there has been dark for a month." in readback
    assert "Where and when: 51.507200, -0.127600" in readback
    assert play.texts_of(play.ref)["description"] == "The street lamp there has been dark for a month."


@pytest.mark.parametrize("text", ["51.5072, -0.1276", "https://maps.app.goo.gl/abc123", "geo:41.01,28.97"])
def test_coordinates_and_links_to_a_map_as_text_are_a_place_too(text: str) -> None:
    play = Play()
    play.writes(text)
    assert play.texts_of(play.ref) == {"where_and_when": text}


@pytest.mark.parametrize("text", ["51.507200, -0.127600", "Town Hall, Market Square (51.5072, -0.1276)"])
def test_a_location_after_the_form_is_kept_and_as_a_new_complaint_it_is_the_place(text: str) -> None:
    play = Play()
    play.files_a_complaint()
    # With two complaints open, the person is asked which one it is about.
    ref = play.files_another_complaint()
    play.now += timedelta(hours=1)
    assert a_place(play, text)[0].endswith("Is it about something else?")
    assert play.texts_of(ref)["addition"] == text
    assert play.presses("new")[0].startswith("I have noted this place.")
    assert play.texts_of(play.ref) == {"where_and_when": text}


def test_a_location_with_words_is_a_story_in_a_new_complaint() -> None:
    play = Play()
    play.files_a_complaint()
    play.files_another_complaint()
    a_place(play)
    play.writes("The lamp here is broken too")
    play.presses("new")
    assert "The lamp here is broken too" in play.texts_of(play.ref)["description"]


def test_a_location_in_the_middle_of_the_form_is_the_place_and_the_question_stays_open() -> None:
    play = Play()
    play.writes("The meter is wrong and I am worried.")
    question = play.presses("done")
    assert a_place(play) == question
    assert play.writes("I fear the bill.") == [HELP]
    assert play.texts_of(play.ref)["where_and_when"] == "51.507200, -0.127600"


@pytest.mark.parametrize(
    ("language", "story", "read_back"),
    [
        (
            "tr",
            "Aldığım süpürge çalışmıyor. Değiştirilmesini ya da 4.500 TL'nin iadesini istiyorum.",
            "Değişim, Para iadesi (4.500 TL)",
        ),
        (
            "tr",
            "Makinemin kapağı kapanmıyor. Onarılmasını ve 350 liranın iadesini istiyorum.",
            "Onarım, Para iadesi (350 lira)",
        ),
        (
            "en",
            "The lamp broke after a day. I want my 1.250 euros back and a new one.",
            "Money back (1.250 euros), Replacement",
        ),
    ],
)
def test_an_amount_with_a_point_ends_no_wish(language: str, story: str, read_back: str) -> None:
    play = Play(language=language)
    play.writes(story)
    play.presses("done")
    assert f": {read_back}\n" in play.presses("skip")[0]


@pytest.mark.parametrize(
    ("language", "story", "number"),
    [
        ("en", "Job 77120: your roofer left tiles in my gutter on 12 October.", "Job 77120"),
        ("tr", "Kursa 20 Ekim'de yazıldım, ders iptal oldu. Kayıt no 55102.", "Kayıt no 55102"),
    ],
)
def test_the_number_of_a_job_or_a_registration_is_read_back(language: str, story: str, number: str) -> None:
    play = Play(language=language)
    play.writes(story)
    play.presses("done")
    assert number in play.presses("skip")[0].partition("\n\n")[2].partition(story)[2]
