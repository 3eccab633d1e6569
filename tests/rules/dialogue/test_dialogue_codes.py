"""Codes issued by staff: what they open, how each refusal is answered, and when eight digits are words."""

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


def templates(turn: DialogueTurn) -> list[str]:
    return [reply.template for reply in turn.replies]


def turn_for(play: Play, text: str = CODE) -> DialogueTurn:
    return play.turn(TextInput(text, "1", play.now))


@clause("4.3")
@pytest.mark.parametrize("text", [CODE, f" {CODE} "])
def test_a_code_alone_binds_and_names_the_complaint_and_its_stage(text: str) -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    turn = turn_for(play, text)
    assert (turn.code or "").strip() == CODE
    answer = play.text(turn.replies[0])
    assert answer.startswith(f"{LOGGED.ref} is in this chat now")
    assert "received" in answer


def test_a_link_with_the_code_binds_at_any_step() -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    play.writes("The water is brown.")
    turn = play.turn(CommandInput("start", CODE, "2", play.now))
    assert templates(turn) == ["bind.found"]
    assert turn.code == CODE


@pytest.mark.parametrize(
    "state", [state for state in CodeState if state not in (CodeState.FOUND, CodeState.YOURS)]
)
def test_each_refused_code_has_its_own_answer_and_binds_nothing(state: CodeState) -> None:
    turn = turn_for(Play(codes={CODE: Code(state)}))
    assert templates(turn) == [f"bind.{state}"]
    assert turn.acts == ()
    # The store counts the miss.
    assert turn.code == CODE


def test_a_code_already_used_by_the_person_is_answered_as_theirs() -> None:
    assert templates(turn_for(Play(codes={CODE: Code(CodeState.YOURS, LOGGED)}))) == ["bind.yours"]


def test_with_an_open_complaint_eight_digits_are_words_unless_they_are_a_code() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.now += timedelta(hours=1)
    turn = turn_for(play)
    assert [(act.verb, act.ref) for act in turn.acts] == [(Verb.ADD, ref)]
    play.codes[CODE] = Code(CodeState.FOUND, LOGGED)
    turn = turn_for(play)
    assert (templates(turn), turn.code, turn.acts) == (["bind.found"], CODE, ())


def test_eight_digits_as_the_answer_to_a_form_question_are_an_answer() -> None:
    play = Play(codes={CODE: Code(CodeState.FOUND, LOGGED)})
    play.writes("The water is brown.")
    play.presses("done")
    turn = turn_for(play)
    assert ([act.verb for act in turn.acts], turn.code) == ([Verb.ADD], None)


def test_a_chat_without_a_language_takes_the_language_of_the_complaint() -> None:
    turkish = replace(LOGGED, language="tr")
    play = Play(language=None, codes={CODE: Code(CodeState.FOUND, turkish)})
    assert turn_for(play).language == "tr"
