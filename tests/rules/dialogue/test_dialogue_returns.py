"""A matter that comes back after the closing: it is offered to be taken up again (7.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.dialogue.buttons import AFTER_CLOSING
from complaints.vocabulary import CloseCode, Flag, State, Verb
from tests.rules.dialogue_play import MANAGER, Play

RETURNS = """
    it started again
    The same again
    It is back
    Still not fixed!
    Nothing has changed.
    The water is brown again since this morning, as it was on Monday
    yine başladı
    Aynı sorun devam ediyor
    hâlâ düzelmedi
    schon wieder
    Immer noch nicht repariert
    otra vez lo mismo
    Sigue sin funcionar
"""


def closed(language: str = "en") -> Play:
    play = Play(language=language)
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.now += timedelta(days=2)
    return play


@pytest.mark.parametrize("words", [line.strip() for line in RETURNS.strip().splitlines()])
def test_a_matter_that_comes_back_is_offered_to_be_taken_up_again(words: str) -> None:
    play = closed()
    ref = play.ref
    [answer] = play.writes(words)
    assert f"Should {ref} be taken up again" in answer
    assert play.replies[-1].buttons == AFTER_CLOSING
    assert len(play.cases) == 1
    # A person reads the words even if nothing is pressed.
    assert Flag.QUESTION_OPEN in play.case.flags
    [done] = play.presses("take_up")
    assert done.startswith(f"{ref} is open again.")
    assert play.case.state is State.INVESTIGATING
    assert play.acted[-1].words == {"reason": words}


def test_the_offer_speaks_turkish_and_its_button_may_be_typed() -> None:
    play = closed("tr")
    assert "yeniden ele alınsın mı" in play.writes("yine başladı")[0]
    assert "yeniden açıldı" in play.writes("Yeniden ele alın")[0]
    assert play.case.is_open


def test_further_messages_of_the_same_burst_are_part_of_the_reason() -> None:
    play = closed()
    play.writes("it started again")
    assert play.writes("Worse than before, to be honest with you") == []
    play.presses("take_up")
    assert play.acted[-1].words == {"reason": "it started again\n\nWorse than before, to be honest with you"}


def test_the_words_may_be_a_new_complaint() -> None:
    play = closed()
    first = play.ref
    play.writes("My bus is late again")
    [receipt] = play.presses("new")
    assert f"Your reference is {play.ref}" in receipt
    assert play.ref != first
    assert play.texts_of(play.ref) == {"description": "My bus is late again"}
    assert not play.cases[first].is_open


def test_a_second_press_changes_nothing() -> None:
    play = closed()
    play.writes("it started again")
    button = play.replies[-1]
    play.presses("take_up", message=button)
    assert play.presses("take_up", message=button) == [f"{play.ref} is open. Write here to add to it."]
    assert play.case.reopened == 1


@pytest.mark.parametrize(
    "words",
    [
        "Now the bill is wrong, too.",
        "My tram from the market to the hospital was late again this morning",
        "I smell gas again in the kitchen!",
    ],
)
def test_another_matter_or_a_danger_is_a_new_complaint(words: str) -> None:
    play = closed()
    play.writes(words)
    assert len(play.cases) == 2


def test_after_the_window_the_words_are_a_new_complaint() -> None:
    play = closed()
    play.now += timedelta(days=400)
    assert "Your reference is" in play.writes("it started again")[0]


def test_a_withdrawn_complaint_can_come_back_too() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.commands("withdraw")
    play.presses("yes")
    assert play.cases[ref].close_code is CloseCode.WITHDRAWN
    play.writes("It started again")
    play.presses("take_up")
    assert play.cases[ref].is_open
