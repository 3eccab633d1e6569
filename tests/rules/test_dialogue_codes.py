"""A code that staff gave: what it opens, what each refusal says, and when eight digits are just words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.dialogue.inputs import CommandInput, TextInput
from complaints.vocabulary import Verb
from store.values import Code, CodeState, DialogueTurn
from tests.clauses import clause
from tests.rules.builders import a_logged_case
from tests.rules.dialogue_play import Play

CODE = "12345678"
LOGGED = a_logged_case().case


def said(turn: DialogueTurn) -> list[str]:
    return [one.template for one in turn.says]


def coming(play: Play, text: str = CODE) -> DialogueTurn:
    return play.turn(TextInput(text, "1", play.now))


@clause("4.3")
@pytest.mark.parametrize("text", [CODE, f" {CODE} "])
def test_the_code_alone_binds_and_says_which_complaint_at_which_stage(text: str) -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    turn = coming(play, text)
    assert [(one.verb, one.ref) for one in turn.acts] == [(Verb.BIND, LOGGED.ref)]
    told = play.text(turn.says[0])
    assert told.startswith(f"{LOGGED.ref} is in this chat now")
    assert "received" in told


def test_the_link_with_the_code_does_the_same_at_any_step() -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    play.writes("The water is brown.")
    turn = play.turn(CommandInput("start", CODE, "2", play.now))
    assert said(turn) == ["bind.found"]
    assert turn.acts[0].verb is Verb.BIND


@pytest.mark.parametrize("state", [one for one in CodeState if one not in (CodeState.FOUND, CodeState.YOURS)])
def test_each_refusal_has_its_own_plain_answer_and_does_nothing(state: CodeState) -> None:
    turn = coming(Play(codes={CODE: Code(state)}))
    assert said(turn) == [f"bind.{state}"]
    assert turn.acts == ()


def test_who_used_it_before_is_told_so() -> None:
    assert said(coming(Play(codes={CODE: Code(CodeState.YOURS, LOGGED)}))) == ["bind.yours"]


def test_eight_digits_beside_an_open_complaint_are_words_unless_they_open_something() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.now += timedelta(hours=1)
    turn = coming(play)
    assert [(one.verb, one.ref) for one in turn.acts] == [(Verb.ADD, ref)]
    play.codes[CODE] = Code(CodeState.FOUND, LOGGED)
    assert [one.verb for one in coming(play).acts] == [Verb.BIND]


def test_an_answer_of_eight_digits_to_a_question_of_ours_is_an_answer() -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    play.writes("The water is brown.")
    play.presses("done")
    assert [one.verb for one in coming(play).acts] == [Verb.ADD]


def test_a_chat_that_chose_no_language_gets_the_one_in_which_it_was_told() -> None:
    turkish = replace(LOGGED, language="tr")
    play = Play(language=None, codes={CODE: Code(CodeState.FOUND, turkish)})
    assert coming(play).language == "tr"
