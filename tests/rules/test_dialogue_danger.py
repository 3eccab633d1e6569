"""Danger in any state: the number first, the questions stop, nobody is said to have seen it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.letters import Letter, acknowledgement
from complaints.actors import staff
from complaints.obligations.kinds import SendPriority
from complaints.priorities import priority_of
from complaints.rulebook import OnCall
from complaints.vocabulary import Priority, Role, Verb
from tests.rules.dialogue_play import RULES, TEXTS, Play

GAS = "There is a strong smell of gas in the kitchen now!"


def test_danger_as_the_first_message_is_filed_and_answered_by_the_number_alone() -> None:
    play = Play()
    [answer] = play.writes(GAS)
    assert answer.startswith(
        "Please call 0800 111 999 now; we are a complaints service and cannot send help. "
        "Leave now, call 0800 111 999 from outside."
    )
    assert f"I am alerting our duty team ({play.ref})." in answer
    assert play.said[-1].lane is SendPriority.DANGER
    assert play.case.danger_at == play.now
    assert priority_of(play.case) is Priority.P1


def test_questions_stop_until_the_person_is_safe_and_then_go_on_where_they_were() -> None:
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


def test_danger_within_the_burst_stops_the_first_question() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.writes(GAS)
    assert play.waits(60) == []
    assert play.presses("safe")[0].startswith("Where did it happen")


def test_danger_outside_a_form_is_a_complaint_of_its_own() -> None:
    play = Play()
    first = play.files_a_complaint()
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert play.ref != first


def test_one_word_of_danger_is_enough() -> None:
    play = Play(rules=replace(RULES, danger=(replace(RULES.danger[0], signs=("kaçak",), number="187"),)))
    assert play.writes("Kaçak!")[0].startswith("Please call 187 now")
    assert len(play.cases) == 1


def test_danger_in_the_answer_to_the_survey_pages_too() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.state = {**play.state, "step": "q6", "ref": ref}
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert play.cases[ref].danger_at is not None


def test_danger_in_an_edit_counts() -> None:
    play = Play()
    play.writes("The engineer left.", source="10")
    assert play.edits("10", GAS)[0].startswith("Please call 0800 111 999 now")


def test_without_cover_it_says_until_when_nobody_reads() -> None:
    play = Play(rules=replace(RULES, on_call=OnCall()))
    play.now += timedelta(hours=10)
    [answer] = play.writes(GAS)
    assert "Nobody here reads this until 4 November 2026, 09:00." in answer
    assert "alerting" not in answer


@pytest.mark.parametrize("text", ["I want to kill myself", "Kendimi öldürmek istiyorum"])
def test_self_harm_has_its_own_number_and_words(text: str) -> None:
    play = Play()
    [answer] = play.writes(text)
    assert "116 123" in answer


def test_a_denied_danger_is_none() -> None:
    play = Play()
    assert "Your reference is" in play.writes("There was no smell of gas, nobody was hurt.")[0]


def test_the_same_sign_again_does_not_bury_the_number() -> None:
    play = Play()
    play.writes(GAS)
    assert play.writes("Still a strong smell of gas in the kitchen!") == []


def test_that_somebody_has_seen_it_is_said_by_role_only_after_they_did() -> None:
    play = Play()
    play.writes(GAS)
    play.do(Verb.RECEIPT, play.ref, staff("U2", Role.ON_CALL))
    letter = Letter(play.case, TEXTS, "en")
    assert acknowledgement.danger_seen(letter, "on_call") == f"{play.ref}: the person on call has seen it."
