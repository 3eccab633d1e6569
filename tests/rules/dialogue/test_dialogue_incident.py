"""A known incident is asked about once; every person keeps a complaint of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.actors import staff
from complaints.incidents import Incident
from complaints.vocabulary import Role, Verb
from tests.rules.dialogue_play import START, Play

LINE = "We know of no water in the north."
ALICE = staff("U1", Role.HANDLER)


def an_outage(**more: Any) -> Incident:
    fields: dict[str, Any] = {
        "line": {"en": LINE, "tr": "Kuzeyde su olmadığını biliyoruz."},
        "words": {"en": ("no water", "tap"), "tr": ("su yok",)},
    }
    return Incident(7, START, START, "U1", **(fields | more))


def a_play(*incidents: Incident, **more: Any) -> Play:
    return Play(incidents=incidents or (an_outage(),), **more)


def answers_to(talk: Play, text: str = "There is no water since six this morning.") -> list[str]:
    talk.writes(text)
    return talk.waits(21)


def test_a_matching_story_is_asked_about_the_incident_first() -> None:
    talk = a_play()

    assert answers_to(talk) == [
        f"We know of something that this may be part of. Is it this?\n\n{LINE}",
    ]
    assert talk.replies[-1].buttons == (("yes", "yes_more"), ("no",))


def test_a_story_that_matches_no_incident_continues_with_the_questions() -> None:
    talk = a_play()
    answers_to(talk, "My bill is twice as high as last month.")

    assert [LINE in talk.text(reply) for reply in talk.replies] == [False, False]
    assert talk.state["step"] == "help"


def test_yes_joins_the_incident_ends_the_questions_and_gives_the_public_line() -> None:
    talk = a_play()
    answers_to(talk)
    (answer,) = talk.presses("yes")

    assert LINE in answer
    assert (talk.case.incident, talk.case.second_issue, talk.case.form_open) == (7, False, False)
    assert talk.acted[-2].verb is Verb.LINK
    assert talk.state["step"] == "idle"


def test_yes_and_more_joins_the_incident_and_continues_the_questions() -> None:
    talk = a_play()
    answers_to(talk)
    answers = talk.presses("yes_more")

    assert (talk.case.incident, talk.case.second_issue, talk.case.form_open) == (7, True, True)
    assert len(answers) == 2
    assert talk.state["step"] == "help"


def test_no_joins_nothing_and_is_not_asked_again_for_this_incident() -> None:
    talk = a_play()
    answers_to(talk)
    talk.presses("no")
    first = talk.case
    talk.waits(3600)
    talk.commands("complain")
    answers = answers_to(talk, "Again there is no water in the house at all.")

    assert first.incident is None
    assert all(LINE not in text for text in answers)


@pytest.mark.parametrize(("language", "typed"), [("en", "yes"), ("en", "Yes."), ("tr", "Evet")])
def test_the_answer_may_be_typed(language: str, typed: str) -> None:
    talk = a_play(language=language)
    answers_to(talk, "Sabahtan beri su yok evde" if language == "tr" else "There is no water since six.")
    talk.writes(typed)

    assert talk.case.incident == 7


def test_turkish_incident_words_match_with_their_endings() -> None:
    talk = a_play(an_outage(words={"tr": ("elektrik kesinti",)}), language="tr")
    (answer,) = answers_to(talk, "Elektrik kesintisinden beri asansör çalışmıyor.")

    assert "Kuzeyde su olmadığını biliyoruz." in answer


def test_an_incident_without_words_is_asked_about_for_every_story() -> None:
    (answer,) = answers_to(a_play(an_outage(words={})), "My bill is twice as high as last month.")

    assert LINE in answer


def test_an_incident_without_a_public_line_is_not_asked_about() -> None:
    talk = a_play(an_outage(line={}))
    answers_to(talk)

    assert talk.state["step"] == "help"


def test_each_complaint_is_asked_once() -> None:
    talk = a_play()
    answers_to(talk)
    talk.presses("no")
    talk.writes("12 Mill Lane, yesterday")
    talk.presses("skip")
    talk.presses("change")
    talk.presses("story")
    talk.writes("There is really no water.")
    talk.presses("done")

    assert [LINE in talk.text(reply) for reply in talk.replies].count(True) == 1


def test_a_second_press_changes_nothing() -> None:
    talk = a_play()
    answers_to(talk)
    question = talk.replies[-1]
    talk.presses("yes", question)
    acts = len(talk.acted)

    assert talk.presses("yes", question) == []
    assert len(talk.acted) == acts


def test_the_button_still_joins_after_the_form_ended() -> None:
    talk = a_play()
    answers_to(talk)
    question, ref = talk.replies[-1], talk.ref
    talk.now += timedelta(minutes=31)
    talk.do(Verb.END_FORM, ref, staff("system", Role.SYSTEM), {"because": "silence"})
    talk.presses("yes", question)

    assert talk.case.incident == 7


def test_yes_to_an_ended_incident_continues_as_any_complaint() -> None:
    talk = a_play()
    answers_to(talk)
    talk.incidents = ()
    answers = talk.presses("yes")

    assert talk.case.incident is None
    assert "That is over as far as we know" in answers[0]
    assert talk.state["step"] == "help"


def test_danger_comes_first_and_the_incident_question_afterwards() -> None:
    talk = a_play()
    talk.writes("There is no water and it smells of gas in the kitchen!")
    first = talk.waits(21)
    answers = talk.presses("safe")

    assert all(LINE not in text for text in first)
    assert any(LINE in text for text in answers)


def test_a_complaint_that_staff_joined_already_is_not_asked() -> None:
    talk = a_play()
    talk.writes("There is no water since six this morning.")
    talk.do(Verb.LINK, talk.ref, ALICE, {"relation": "same_incident", "incident": 7})

    assert all(LINE not in text for text in talk.waits(21))


def test_status_gives_the_public_line_of_the_incident() -> None:
    talk = a_play()
    answers_to(talk)
    talk.presses("yes")
    (answer,) = talk.commands("status")

    assert f"What we know: {LINE}" in answer
