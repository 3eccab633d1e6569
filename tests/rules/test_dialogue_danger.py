"""Danger in any state: the emergency number first, no further questions, no false promise of help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.letters import progress
from bots.letters.letter import Letter
from complaints.actors import staff
from complaints.obligations.kinds import SendPriority
from complaints.priorities import priority_of
from complaints.rulebook import OnCall
from complaints.vocabulary import Priority, Role, Verb
from tests.rules.dialogue_play import RULES, TEXTS, Play

GAS = "There is a strong smell of gas in the kitchen now!"


def test_danger_in_the_first_message_is_recorded_and_answered_with_the_number() -> None:
    play = Play()
    [answer] = play.writes(GAS)
    assert answer.startswith(
        "Please call 0800 111 999 now; we are a complaints service and cannot send help. "
        "Leave now, call 0800 111 999 from outside."
    )
    assert f"I am alerting our duty team ({play.ref})." in answer
    assert play.replies[-1].lane is SendPriority.DANGER
    assert play.case.danger_at == play.now
    assert priority_of(play.case) is Priority.P1


def test_questions_stop_until_the_person_is_safe_and_then_continue() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.presses("done")
    play.writes("12 Mill Lane, this morning")
    assert len(play.writes(GAS)) == 1
    assert play.writes("It is getting worse.") == []
    assert play.waits(60) == []
    assert play.writes("i am safe, continue") == [
        "What would put this right? Choose one, or write it in your own words."
    ]
    assert "It is getting worse." in play.words


def test_danger_within_the_first_messages_stops_the_first_question() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.writes(GAS)
    assert play.waits(60) == []
    assert play.presses("safe")[0].startswith("Where did it happen")


def test_danger_outside_a_form_opens_a_new_complaint() -> None:
    play = Play()
    first = play.files_a_complaint()
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert play.ref != first


def test_one_danger_word_is_enough() -> None:
    play = Play(rules=replace(RULES, danger=(replace(RULES.danger[0], signs=("kaçak",), number="187"),)))
    assert play.writes("Kaçak!")[0].startswith("Please call 187 now")
    assert len(play.cases) == 1


def test_danger_in_a_survey_answer_is_recorded_too() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.state = {**play.state, "step": "q6", "ref": ref}
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert play.cases[ref].danger_at is not None


def test_danger_in_an_edit_counts() -> None:
    play = Play()
    play.writes("The engineer left.", source="10")
    assert play.edits("10", GAS)[0].startswith("Please call 0800 111 999 now")


def test_without_on_call_cover_the_answer_says_when_staff_read_it() -> None:
    play = Play(rules=replace(RULES, on_call=OnCall()))
    play.now += timedelta(hours=10)
    [answer] = play.writes(GAS)
    assert "Nobody here reads this until 4 November 2026, 09:00." in answer
    assert "alerting" not in answer


@pytest.mark.parametrize("text", ["I want to kill myself", "Kendimi öldürmek istiyorum"])
def test_self_harm_has_its_own_number_and_text(text: str) -> None:
    play = Play()
    [answer] = play.writes(text)
    assert "116 123" in answer


def test_a_denied_danger_is_no_danger() -> None:
    play = Play()
    assert "Your reference is" in play.writes("There was no smell of gas, nobody was hurt.")[0]


def test_a_repeated_danger_sign_is_not_answered_again() -> None:
    play = Play()
    play.writes(GAS)
    assert play.writes("Still a strong smell of gas in the kitchen!") == []


def test_the_receipt_of_a_danger_is_confirmed_by_role_only_afterwards() -> None:
    play = Play()
    play.writes(GAS)
    play.do(Verb.RECEIPT, play.ref, staff("U2", Role.ON_CALL))
    letter = Letter(play.case, TEXTS, "en")
    assert progress.danger_seen(letter, "on_call") == f"{play.ref}: the person on call has seen it."
