"""Plain words where a button is expected, and questions outside of the form: each is understood as it is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.dialogue.buttons import CHECK
from complaints.vocabulary import CloseCode, Flag
from tests.rules.dialogue_play import RULES, TEXTS, Play

HELP = "What would put this right? Choose one, or write it in your own words."


@pytest.mark.parametrize(
    "words",
    ["Yes, that is it", "yes", "yes thats right", "ok thank you", "evet doğru", "ja, stimmt", "sí, correcto"],
)
def test_yes_to_the_read_back_is_no_part_of_the_story_and_names_the_button(words: str) -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    play.presses("skip")
    play.presses("skip")
    assert play.writes(words) == [
        "Thank you. Please press Send to sign it, or Change if something is not right."
    ]
    assert play.replies[-1].buttons == CHECK
    assert play.texts_of(play.ref) == {"description": "The water is brown."}
    assert play.case.confirmed_at is None


@pytest.mark.parametrize("words", ["I don't know", "dont know", "Bilmiyorum", "keine Ahnung", "No lo sé."])
def test_i_do_not_know_skips_the_question(words: str) -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    assert play.writes(words) == [HELP]
    [readback] = play.writes(words)
    assert words not in readback


def test_long_words_that_name_no_place_belong_to_the_story() -> None:
    play = Play(denies=True)
    play.writes("The lift is out of order.")
    [question] = play.presses("done")
    assert play.writes("the landlord says that all this is none of his business")[0] == question
    assert "landlord" in play.texts_of(play.ref)["description"]
    assert play.writes("at the market in Leeds") == [HELP]
    assert play.texts_of(play.ref)["where_and_when"] == "at the market in Leeds"


@pytest.mark.parametrize("words", ["Yes please", "evet lütfen", "ja bitte"])
def test_yes_in_other_words_confirms(words: str) -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.commands("withdraw")
    play.writes(words)
    assert play.cases[ref].close_code is CloseCode.WITHDRAWN


def test_words_under_change_are_added_and_only_they_are_read_back() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    play.presses("skip")
    play.presses("skip")
    play.presses("change")
    [changed] = play.writes("it is the hot water only")
    assert "You added: it is the hot water only\n" in changed
    assert "The water is brown." not in changed


@pytest.mark.parametrize("words", ["Should I boil the water?", "Und jetzt?"])
def test_a_question_after_the_form_goes_to_a_person(words: str) -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    [answer] = play.writes(words)
    assert answer == (
        f"I have added this to {ref}. A person reads it and answers here.\n\n"
        "You get the answer by 17:30 on Friday, 6 November 2026."
    )
    assert Flag.QUESTION_OPEN in play.case.flags


def test_without_a_helpline_nobody_is_told_that_somebody_listens_at_any_hour() -> None:
    play = Play(rules=replace(RULES, country="TR"))
    [reply] = play.writes("I want to kill myself")
    assert "somebody listens" not in reply
    assert "Please call 112 now." in reply


def test_a_neighbour_for_whom_somebody_writes_is_the_person_affected() -> None:
    play = Play(denies=True)
    play.writes("My neighbour Mr Ali at 9 Quay Road has no heating since Sunday, he asked me to write.")
    play.presses("done")
    assert Flag.FOR_ANOTHER in play.case.flags


@pytest.mark.parametrize(
    ("language", "story", "what"),
    [
        ("en", "Meter 998877 is running backwards.", "Meter 998877"),
        ("tr", "55123 numaralı paketim gelmedi.", "55123 numaralı paketim"),
    ],
)
def test_what_a_story_does_not_say_of_where_and_when_may_be_added_at_the_read_back(
    language: str, story: str, what: str
) -> None:
    play = Play(language=language)
    play.writes(story)
    assert play.presses("done") == [TEXTS.text(language, "ask.help")]
    [readback] = play.presses("skip")
    assert TEXTS.text(language, "readback.where", text=what) in readback
    assert TEXTS.text(language, "readback.without_day") in readback
    [changed] = play.writes("yesterday")
    assert TEXTS.text(language, "readback.where", text=f"{what}, yesterday") in changed
