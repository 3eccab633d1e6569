"""Is it this? A known incident is asked about once; everybody keeps a complaint of their own."""

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


def outage(**more: Any) -> Incident:
    told: dict[str, Any] = {
        "line": {"en": LINE, "tr": "Kuzeyde su olmadığını biliyoruz."},
        "words": {"en": ("no water", "tap"), "tr": ("su yok",)},
    }
    return Incident(7, START, START, "U1", **(told | more))


def play(*incidents: Incident, **more: Any) -> Play:
    return Play(incidents=incidents or (outage(),), **more)


def told(one: Play, text: str = "There is no water since six this morning.") -> list[str]:
    one.writes(text)
    return one.waits(21)


def test_a_story_that_fits_is_asked_about_before_any_other_question() -> None:
    one = play()

    assert told(one) == [
        f"We know of something that this may be part of. Is it this?\n\n{LINE}",
    ]
    assert one.said[-1].buttons == (("yes", "yes_more"), ("no",))


def test_a_story_that_fits_no_incident_goes_on_as_ever() -> None:
    one = play()
    told(one, "My bill is twice as high as last month.")

    assert [LINE in one.text(each) for each in one.said] == [False, False]
    assert one.state["step"] == "where"


def test_yes_joins_ends_the_questions_and_tells_what_is_known() -> None:
    one = play()
    told(one)
    (heard,) = one.presses("yes")

    assert LINE in heard
    assert (one.case.incident, one.case.second_issue, one.case.form_open) == (7, False, False)
    assert one.acted[-2].verb is Verb.LINK
    assert one.state["step"] == "idle"


def test_yes_and_more_joins_and_goes_on_with_the_questions() -> None:
    one = play()
    told(one)
    heard = one.presses("yes_more")

    assert (one.case.incident, one.case.second_issue, one.case.form_open) == (7, True, True)
    assert len(heard) == 2
    assert one.state["step"] == "where"


def test_no_joins_nothing_and_is_not_asked_again_for_this_incident() -> None:
    one = play()
    told(one)
    one.presses("no")
    first = one.case
    one.waits(3600)
    one.commands("complain")
    heard = told(one, "Again there is no water in the house at all.")

    assert first.incident is None
    assert all(LINE not in text for text in heard)


@pytest.mark.parametrize(("language", "typed"), [("en", "yes"), ("en", "Yes."), ("tr", "Evet")])
def test_the_answer_may_be_typed(language: str, typed: str) -> None:
    one = play(language=language)
    told(one, "Sabahtan beri su yok evde" if language == "tr" else "There is no water since six.")
    one.writes(typed)

    assert one.case.incident == 7


def test_turkish_words_are_known_with_their_endings() -> None:
    one = play(outage(words={"tr": ("elektrik kesinti",)}), language="tr")
    (heard,) = told(one, "Elektrik kesintisinden beri asansör çalışmıyor.")

    assert "Kuzeyde su olmadığını biliyoruz." in heard


def test_an_incident_without_words_is_asked_about_whatever_the_story_says() -> None:
    (heard,) = told(play(outage(words={})), "My bill is twice as high as last month.")

    assert LINE in heard


def test_an_incident_without_a_public_line_asks_nobody() -> None:
    one = play(outage(line={}))
    told(one)

    assert one.state["step"] == "where"


def test_each_complaint_is_asked_about_once() -> None:
    one = play()
    told(one)
    one.presses("no")
    one.writes("12 Mill Lane, yesterday")
    one.presses("skip")
    one.presses("change")
    one.presses("story")
    one.writes("There is really no water.")
    one.presses("done")

    assert [LINE in one.text(each) for each in one.said].count(True) == 1


def test_a_second_press_changes_nothing() -> None:
    one = play()
    told(one)
    asked = one.said[-1]
    one.presses("yes", asked)
    acts = len(one.acted)

    assert one.presses("yes", asked) == []
    assert len(one.acted) == acts


def test_the_button_still_joins_after_the_form_was_filed_as_it_stands() -> None:
    one = play()
    told(one)
    asked, ref = one.said[-1], one.ref
    one.now += timedelta(minutes=31)
    one.do(Verb.END_FORM, ref, staff("system", Role.SYSTEM), {"because": "silence"})
    one.presses("yes", asked)

    assert one.case.incident == 7


def test_yes_to_what_ended_meanwhile_goes_on_as_any_complaint() -> None:
    one = play()
    told(one)
    one.incidents = ()
    heard = one.presses("yes")

    assert one.case.incident is None
    assert "That is over as far as we know" in heard[0]
    assert one.state["step"] == "where"


def test_danger_goes_first_and_the_question_comes_back() -> None:
    one = play()
    one.writes("There is no water and it smells of gas in the kitchen!")
    first = one.waits(21)
    heard = one.presses("safe")

    assert all(LINE not in text for text in first)
    assert any(LINE in text for text in heard)


def test_whoever_staff_joined_before_is_not_asked() -> None:
    one = play()
    one.writes("There is no water since six this morning.")
    one.do(Verb.LINK, one.ref, ALICE, {"relation": "same_incident", "incident": 7})

    assert all(LINE not in text for text in one.waits(21))


def test_status_tells_what_is_known() -> None:
    one = play()
    told(one)
    one.presses("yes")
    (heard,) = one.commands("status")

    assert f"What we know: {LINE}" in heard
