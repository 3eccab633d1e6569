"""The survey after a complaint: it can be ended by words, opens nothing by itself, and bad answers are seen (8.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.dialogue import danger
from bots.dialogue.inputs import TextInput
from complaints.actors import SYSTEM
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import State, Verb
from tests.clauses import clause
from tests.rules.dialogue_play import HANDLER, MANAGER, Play

FAIR = "How easy was it to complain?"


def surveyed(*, started: bool = True) -> Play:
    """A play with a closed complaint whose survey was sent; `started`: the first question was answered."""
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    if started:
        play.writes("5")
        play.writes("4")
    return play


@clause("8.3")
@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
@pytest.mark.parametrize(
    "words",
    [
        "stop",
        "No thanks",
        "No more questions",
        "I do not want to answer these questions",
        "hayır teşekkürler",
        "cevaplamak istemiyorum",
        "Nein danke",
        "ich möchte nicht teilnehmen",
        "no gracias",
        "no quiero responder",
        "I'm done, thank you",
        "no more please",
        "No thanks, I'm too busy",
        "istemem",
        "soru sormayın",
        "Stopp bitte",
        "lass mich in Ruhe",
        "déjame en paz",
        "no tengo tiempo",
    ],
)
def test_words_that_decline_end_the_survey_and_open_no_complaint(words: str, started: bool) -> None:
    play = surveyed(started=started)
    [reply] = play.writes(words)
    assert reply.startswith("All right, no more questions")
    assert len(play.cases) == 1
    assert play.acted[-1].facts["step"] == "skipped"
    receipt = play.writes("My street lamp is broken.")[0]
    assert "Your reference is" in receipt
    assert play.texts_of(play.ref) == {"description": "My street lamp is broken."}


@pytest.mark.parametrize(
    "words",
    [
        "The bus did not stop at Mill Road again",
        "Not enough hot water again today",
        "No time was given for the visit",
        "Your fitter told me to leave me alone",
        "Der Bus hat am Schluss einfach gewendet",
        "No tengo tiempo de esperar, el autobús no vino",
        "Otobüs durakta durmadı, dur dedim",
        "Bu faturayı ödemek istemiyorum, yanlış",
    ],
)
def test_a_complaint_with_a_word_of_refusal_in_it_is_a_comment_on_the_open_question(words: str) -> None:
    for started, question in ((False, "q3"), (True, "q1")):
        play = surveyed(started=started)
        play.writes(words)
        assert play.texts_of(play.ref)[question] == words
        assert len(play.cases) == 1
        # The survey goes on.
        play.writes("3")
        assert play.acted[-1].facts["score"] == 3


def test_a_score_with_its_scale_answers_the_first_question() -> None:
    play = surveyed(started=False)
    play.writes("4 out of 5")
    assert len(play.cases) == 1
    assert play.acted[-1].facts["score"] == 4


@pytest.mark.parametrize("words", ["Who reads these answers?", "Bunu kim okuyor?"])
def test_a_question_in_the_survey_goes_to_a_person_and_ours_stays_open(words: str) -> None:
    play = surveyed()
    told, again = play.writes(words)
    assert told.startswith("I cannot answer that myself")
    assert again.startswith(FAIR)
    assert play.texts_of(play.ref)["question"] == words
    assert play.case.survey_concern_at is None


@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
def test_the_cancel_command_ends_the_survey(started: bool) -> None:
    play = surveyed(started=started)
    assert play.commands("cancel")[0].startswith("All right, no more questions")
    assert play.state["step"] == "idle"


@clause("8.3")
@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
def test_words_without_a_score_are_a_comment_and_the_number_is_asked_for_once(started: bool) -> None:
    play = surveyed(started=started)
    question = "q1" if started else "q3"
    [number] = play.writes("It went smoothly and everybody was kind")
    assert number.startswith("Thank you, I have noted that. Which number from 1 to 5 fits best?")
    assert play.texts_of(play.ref)[question] == "It went smoothly and everybody was kind"
    play.presses("4")
    assert (play.acted[-1].facts["question"], play.acted[-1].facts["score"]) == (question, 4)
    # Later words are a comment on their question, and the next one follows.
    assert "Which number" not in play.writes("Somebody rang me back")[0]
    assert len(play.cases) == 1
    assert play.case.survey_concern_at is None


@clause("8.3")
@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
@pytest.mark.parametrize(
    ("words", "score"),
    [
        ("4, quicker than I thought", 4),
        ("a five", 5),
        ("eher 2", 2),
        ("vier von fünf", 4),
        ("beş", 5),
        ("dört yıldız", 4),
        ("5 üzerinden 3", 3),
        ("le doy un cuatro", 4),
        ("waited 2 weeks, so 3", 3),
    ],
)
def test_a_score_is_taken_wherever_it_is_in_the_words(words: str, score: int, started: bool) -> None:
    play = surveyed(started=started)
    question = "q1" if started else "q3"
    [reply, *_] = play.writes(words)
    survey = next(act for act in reversed(play.acted) if act.verb is Verb.SURVEY)
    assert (survey.facts["question"], survey.facts["score"]) == (question, score)
    if " " in words:
        # The words are kept, and the person sees what was understood.
        assert play.texts_of(play.ref)[question] == words
        assert reply.endswith(
            f"I understood {score} out of 5. If that is wrong, press the right number there."
        )
    assert len(play.cases) == 1


@pytest.mark.parametrize(
    "words",
    [
        "3 or 4",
        "8 out of 10",
        "I rang 3 times",
        "3 weeks without a word",
        "No one came",
        "2 of your men were here",
    ],
)
def test_a_number_that_is_no_clear_score_is_asked_for(words: str) -> None:
    play = surveyed()
    play.writes(words)
    assert "score" not in play.acted[-1].facts
    assert play.texts_of(play.ref)["q1"] == words


def test_the_rest_of_a_burst_after_the_last_answer_opens_no_complaint() -> None:
    play = surveyed()
    for _ in range(3):
        play.presses("3")
    assert play.writes("Answer the telephone, please.") == ["Thank you. That helps us do better."]
    assert play.writes("And be there on Sundays, too") == []
    assert play.texts_of(play.ref)["q6"] == "Answer the telephone, please.\n\nAnd be there on Sundays, too"
    play.now += timedelta(minutes=5)
    assert "Your reference is" in play.writes("My street lamp is broken.")[0]


def test_another_order_in_an_answer_offers_a_new_complaint_and_opens_none() -> None:
    play = Play()
    ref = play.files_a_complaint("My order 4471203 came broken on Monday.")
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    play.writes("And where does order 5582917 stay, it was due a week ago")
    assert play.replies[-1].buttons == (("take_up",), ("new_complaint",))
    assert play.case.survey_concern_at is not None
    assert len(play.cases) == 1
    play.presses("new_complaint")
    assert "5582917" in play.texts_of(play.ref)["description"]
    assert len(play.cases) == 2


def test_a_question_of_staff_comes_before_the_survey_that_was_there_before_it() -> None:
    play = surveyed()
    other = play.files_another_complaint()
    play.do(Verb.SURVEY, next(iter(play.cases)), SYSTEM, {"step": "sent"})
    play.state |= {"step": "q1", "ref": next(iter(play.cases)), "survey_until": "2026-11-10T10:00:00+00:00"}
    play.now += timedelta(minutes=1)
    play.do(Verb.ASK, other, HANDLER, {"needed_by": "2026-11-10"}, {"text": "Which tap?"})
    play.writes("The one in the kitchen.")
    assert (play.acted[-1].verb, play.acted[-1].ref) == (Verb.ANSWER, other)


@pytest.mark.parametrize("typed", ["3/5", "3.", "3 of 5"])
def test_a_score_may_be_typed_with_its_scale(typed: str) -> None:
    play = surveyed()
    play.writes(typed)
    assert play.acted[-1].facts["score"] == 3


@clause("8.3")
@pytest.mark.parametrize(
    "answer", ["1", "2", "Your man was rude and the meter is still broken!"], ids=["lowest", "low", "words"]
)
def test_a_bad_answer_is_shown_to_staff_and_the_person_is_offered_more(answer: str) -> None:
    play = surveyed()
    replies = play.writes(answer)
    assert replies[-1].startswith("I am sorry that it was so bad.")
    assert play.replies[-1].buttons == (("take_up",), ("new_complaint",))
    assert len(play.cases) == 1
    kinds = {obligation.kind for obligation in current_obligations(play.case)}
    assert "survey_concern" in kinds
    # The offer is made once.
    assert not [reply for reply in play.writes("1") if reply.startswith("I am sorry")]


def test_an_act_of_staff_ends_the_concern() -> None:
    play = surveyed()
    play.writes("1")
    play.do(Verb.NOTE, play.ref, MANAGER, {}, {"text": "We spoke."})
    assert play.case.survey_concern_at is None


def test_the_words_of_the_survey_are_the_reason_for_taking_it_up_again() -> None:
    play = surveyed()
    play.writes("The meter is still broken!")
    # The offer was the question: nothing is asked a second time.
    assert play.presses("take_up")[0].startswith(f"{play.ref} is open again.")
    assert play.case.state is State.INVESTIGATING
    assert play.acted[-1].words == {"reason": "The meter is still broken!"}


def test_a_new_complaint_begins_with_the_words_of_the_survey() -> None:
    play = surveyed()
    play.writes("The meter is still broken!")
    assert "Your reference is" in play.presses("new_complaint")[0]
    assert len(play.cases) == 2
    assert play.texts_of(play.ref) == {"description": "The meter is still broken!"}


def test_without_words_the_reason_is_asked() -> None:
    play = surveyed()
    play.writes("1")
    assert play.presses("take_up")[0].startswith(f"What is new about {play.ref}")
    play.writes("The meter still shows too much.")
    assert play.case.state is State.INVESTIGATING
    assert play.state["step"] == "idle"


def test_after_the_reopening_window_only_a_new_complaint_is_offered() -> None:
    play = surveyed()
    play.now += timedelta(days=1)
    play.writes("4")
    play.cases[play.ref] = play.case
    play.state["survey_until"] = "2099-01-01T00:00:00+00:00"
    play.now += timedelta(days=400)
    play.writes("1")
    assert play.replies[-1].buttons == (("new_complaint",),)
    play.presses("new_complaint")
    assert play.state["step"] == "fresh"


@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
def test_words_long_after_the_last_question_are_a_new_complaint(started: bool) -> None:
    play = surveyed(started=started)
    play.now += timedelta(days=8)
    assert "Your reference is" in play.writes("My street lamp is broken.")[0]


def test_a_complaint_before_the_first_answer_is_kept_and_offered_as_a_new_one() -> None:
    play = surveyed(started=False)
    words = "My street lamp is broken since Monday."
    assert play.writes(words)[-1].startswith("I am sorry that it was so bad.")
    assert play.texts_of(play.ref)["q3"] == words
    assert play.case.survey_concern_at is not None
    assert len(play.cases) == 1
    assert "Your reference is" in play.presses("new_complaint")[0]
    assert play.texts_of(play.ref) == {"description": words}


def test_a_refusal_ends_the_survey_although_a_newer_complaint_is_open() -> None:
    play = surveyed(started=False)
    surveyed_ref = play.ref
    play.files_another_complaint()
    assert play.writes("bu soruları istemiyorum")[0].startswith("All right, no more questions")
    assert play.acted[-1].ref == surveyed_ref


@pytest.mark.parametrize("started", [True, False], ids=["in the survey", "before its first answer"])
@pytest.mark.parametrize(
    "words",
    [
        "No thanks, my street lamp is broken",
        "No thanks, the bus left early",
        "No thanks. My kitchen tap is leaking and nobody has come to look at it since Friday last week",
        "Leave me alone, your man was rude to me",
        "Hayır teşekkürler, faturam yanlış geldi",
        "Nein danke, aber mein Zähler ist kaputt",
        "No gracias, mi contador está roto",
    ],
)
def test_a_complaint_after_a_refusal_ends_the_survey_and_is_offered_as_a_new_one(
    words: str, started: bool
) -> None:
    play = surveyed(started=started)
    first = play.ref
    ended, *offer = play.writes(words)
    assert ended.startswith(f"All right, no more questions about {first}.")
    assert [text.startswith("I am sorry that it was so bad.") for text in offer] == [True]
    assert len(play.cases) == 1
    play.presses("new_complaint")
    assert play.texts_of(play.ref) == {"description": words}


def test_a_refusal_and_the_same_matter_again_offer_to_take_it_up_again() -> None:
    play = surveyed()
    ended, offer = play.writes("No thanks, it started again")
    assert ended.startswith("All right")
    assert f"Should {play.ref} be taken up again" in offer


def test_praise_after_a_refusal_is_kept_as_an_answer() -> None:
    play = surveyed()
    assert len(play.writes("No thanks, you were great and very helpful")) == 1
    assert play.texts_of(play.ref)["q1"] == "No thanks, you were great and very helpful"
    assert len(play.cases) == 1


def test_a_place_in_the_survey_is_no_answer_to_it() -> None:
    play = surveyed()
    [again] = play.receives(TextInput("51.507200, -0.127600", "77", play.now, is_place=True))
    assert again.startswith(FAIR)
    assert not {"q1", "q6"} & set(play.texts_of(play.ref))
    assert play.texts_of(play.ref)["addition"] == "51.507200, -0.127600"


def test_a_question_about_danger_that_nobody_answered_does_not_swallow_the_survey() -> None:
    play = surveyed(started=False)
    play.state |= {"step": danger.STEP, "ref": next(iter(play.cases))}
    play.writes("3")

    assert (play.acted[-1].verb, play.acted[-1].facts["score"]) == (Verb.SURVEY, 3)
