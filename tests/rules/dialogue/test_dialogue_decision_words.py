"""Words after a decision: they lead to the buttons and are never an answer by themselves (7.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.dialogue.buttons import REPLY
from complaints.vocabulary import Flag, State, Verb
from tests.rules.dialogue_play import Play

ACCEPTING = """
    That sounds fair, thank you
    I am happy with that
    OK I accept that
    fair enough
    Yes
    Einverstanden
    Das ist in Ordnung, danke
    Estoy de acuerdo con eso
    Me parece justo
    tamam kabul
    Kararınızı makul buldum
    Kabul ediyorum, teşekkürler
"""
REJECTING = """
    I don't accept this
    no, that is not right
    That isn't what happened
    This is unacceptable
    No
    Ich bin nicht einverstanden
    Das akzeptiere ich nicht, das ist unfair
    No estoy conforme
    No me parece justo
    Bunu kabul etmiyorum
    Bu doğru değil
    Kararınıza itiraz ediyorum
"""
THANKS = ("ok thanks", "Thank you very much", "tamam teşekkürler", "Vielen Dank", "muchas gracias")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def decided(language: str = "en") -> Play:
    """A play whose complaint has a decision that waits for an answer."""
    play = Play(language=language)
    play.files_a_complaint()
    play.staff_resolve()
    play.now += timedelta(hours=3)
    return play


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("words", [*lines(ACCEPTING), *lines(REJECTING)])
def test_words_that_answer_a_decision_are_kept_and_answered_with_its_buttons(
    words: str, language: str
) -> None:
    play = decided(language)
    [answer] = play.writes(words)
    accepts = words in lines(ACCEPTING)
    assert play.replies[-1].template == ("reply.accept_words" if accepts else "reply.disagree_words")
    assert play.replies[-1].buttons == REPLY
    assert answer
    assert play.case.reply is None
    assert play.case.state is not State.DISAGREED
    assert play.texts_of(play.ref)["addition"] == words
    assert Flag.QUESTION_OPEN in play.case.flags
    choice = "accept" if accepts else "disagree"
    play.presses(choice)
    assert play.acted[-1].verb is (Verb.ACCEPT if accepts else Verb.DISAGREE)


@pytest.mark.parametrize("words", THANKS)
def test_thanks_after_a_decision_are_no_acceptance_and_show_the_buttons(words: str) -> None:
    play = decided()
    [answer] = play.writes(words)
    assert answer.startswith("Thank you for your message. Our decision on")
    assert play.replies[-1].buttons == REPLY
    assert play.case.reply is None


def test_thanks_without_a_decision_are_answered_as_before() -> None:
    play = Play()
    play.files_a_complaint()
    assert play.writes("ok thanks")[0].startswith("Thank you for your message. Your complaint")


def test_reasons_are_not_asked_again_after_the_press_and_may_be_a_new_complaint_instead() -> None:
    play = decided()
    play.writes("I do not accept this because the fitter never came and your letter says that he did")
    assert play.replies[-1].buttons == (*REPLY, ("new",))
    [answer] = play.presses("disagree")
    assert "what you wrote is noted" in answer
    assert "What should we look at again?" not in answer
    play = decided()
    play.writes("The bus stop sign at Mill Road is wrong, that is not right for people who are blind")
    [receipt] = play.presses("new")
    assert f"Your reference is {play.ref}" in receipt


def test_a_second_message_of_the_same_answer_is_kept_without_a_second_question() -> None:
    play = decided()
    ref = play.ref
    play.writes("I don't accept this")
    assert play.writes("It is simply not fair") == []
    assert "not fair" in play.texts_of(ref)["addition"]


@pytest.mark.parametrize(
    "words", ["I accept if you pay by Friday", "Kabul ederim, eğer cuma günü öderseniz", "When do you come?"]
)
def test_a_condition_or_a_question_goes_to_a_person(words: str) -> None:
    play = decided()
    assert "A person reads it and answers here" in play.writes(words)[0]
    assert play.replies[-1].template == "added.answer"
    assert play.case.reply is None
    assert Flag.QUESTION_OPEN in play.case.flags


def test_danger_in_such_words_comes_first() -> None:
    play = decided()
    assert "0800 111 999" in play.writes("No, that is not right, there is a smell of gas now!")[0]
