"""Questions that are asked only after a cue in the story, each once and optional (docs/domain.md, section 6,
B)."""

from __future__ import annotations

import pytest

from bots.dialogue.question_table import ORDER, QUESTIONS
from complaints.vocabulary import Flag, Verb
from tests.clauses import clause
from tests.rules.dialogue_play import HANDLER, TEXTS, Play

WHERE = "Where did it happen, or which order or account is it about, and when?"
CUES = [
    ("whom", "I write for my mother: her water is brown.", "You seem to write for someone else."),
    ("whom", "Annem adına yazıyorum, suyu kahverengi.", "You seem to write for someone else."),
    ("effect", "The bill was wrong and I was so upset.", "What has this meant for you?"),
    ("effect", "Faturam yanlış geldi, çok üzüldüm.", "What has this meant for you?"),
    ("needs", "I am deaf and your line only takes calls.", "Would anything make this easier"),
    ("needs", "Görme engelliyim, mektubunuzu okuyamıyorum.", "Would anything make this easier"),
    ("identity", "The reader was rude. Please do not give him my name.", "How may we use your name?"),
    ("identity", "Sayaç okuyan kabaydı, adımı vermeyin.", "How may we use your name?"),
]


@pytest.mark.parametrize(
    ("step", "story", "question"), CUES, ids=[f"{cue[0]}-{n}" for n, cue in enumerate(CUES)]
)
def test_a_cue_in_the_story_asks_its_question_once_and_skip_continues(
    step: str, story: str, question: str
) -> None:
    play = Play(denies=True)
    play.writes(story)
    [question_text] = play.presses("done")
    assert question_text.startswith(question)
    assert play.state["step"] == step
    assert play.presses("skip") == [WHERE]
    assert len([reply for reply in play.replies if reply.template == f"ask.{step}"]) == 1


@pytest.mark.parametrize(
    "story",
    [
        "The water has been brown.",
        "My wife and I have had no post.",
        "The window blind that you sent is broken.",
        "I will never order from you again.",
        "I was not upset, only surprised.",
        "Faturam yanlış geldi.",
    ],
    ids=range(6),
)
def test_without_a_cue_only_place_and_remedy_are_asked(story: str) -> None:
    play = Play(denies=True)
    play.writes(story)
    assert play.presses("done") == [WHERE]


@clause("7.2")
def test_what_the_story_says_is_shown_and_signed_and_not_asked() -> None:
    play = Play(denies=True)
    play.writes("This is the third time that order 4471203 of 3 November came broken. I want a refund.")
    [readback] = play.presses("done")
    assert "Happened before: Yes\n" in readback
    assert "You would like: Money back\n" in readback
    play.presses("send")
    assert play.acted[-1].facts == {"recurrent": "yes"}


def test_an_effect_named_in_the_story_is_not_asked() -> None:
    play = Play(denies=True)
    play.writes("The freezer failed and cost me 240 pounds.")
    assert play.presses("done") == [WHERE]


def test_several_cues_are_asked_in_order_and_read_back() -> None:
    play = Play(denies=True)
    play.writes("It is broken and I am worried; I am deaf.")
    play.presses("done")
    play.writes("I cannot sleep.")
    play.presses("large_print")
    play.writes("Mill Lane")
    [readback] = play.presses("repair")
    assert (
        "What it has meant for you: I cannot sleep.\n"
        "What makes it easier: Large print\nWhere and when: Mill Lane\nYou would like: Repair\n"
    ) in readback


@pytest.mark.parametrize("story", ["I called again about the meter.", "Sürekli yanlış fatura geliyor."])
def test_whether_it_happened_before_is_not_asked_and_can_be_answered_under_change(story: str) -> None:
    play = Play(denies=True)
    play.writes(story)
    assert play.presses("done") == [WHERE]
    play.presses("skip")
    play.presses("skip")
    play.presses("change")
    assert play.presses("happened_before") == ["Has it happened before?"]
    assert "Happened before: Yes" in play.presses("yes")[0]


@clause("4.3")
def test_a_support_need_is_a_flag_and_its_words_are_sealed() -> None:
    play = Play(denies=True)
    play.writes("I am deaf and your line only takes calls.")
    play.presses("done")
    play.writes("Write to me, do not call.")
    assert Flag.SUPPORT_NEED in play.case.flags
    assert "support_needs" not in play.acted[-1].facts
    assert play.texts_of(play.ref)["support_needs"] == "Write to me, do not call."


def test_a_support_need_chosen_by_button_leaves_no_code_in_the_facts() -> None:
    play = Play(denies=True)
    play.writes("I am deaf and your line only takes calls.")
    play.presses("done")
    play.presses("large_print")
    assert Flag.SUPPORT_NEED in play.case.flags
    assert "large_print" not in str(play.acted[-1].facts)


@clause("4.7")
def test_a_complaint_for_another_person_is_flagged_until_authority_is_shown() -> None:
    play = Play(denies=True)
    play.writes("I write for my mother: her water is brown.")
    play.presses("done")
    assert play.presses("agreed") == [WHERE]
    assert play.acted[-1].facts["for_whom"] == "agreed"
    assert play.acted[-1].facts["relation"] == "relative"
    assert Flag.FOR_ANOTHER in play.case.flags
    authority = {"what": "authority", "given_at": play.now.isoformat()}
    play.do(Verb.NOTE, play.ref, HANDLER, authority, {"by_whom": "The mother, by phone"})
    assert Flag.FOR_ANOTHER not in play.case.flags


def test_words_about_another_person_count_as_no_authority_and_for_myself_as_own() -> None:
    play = Play(denies=True)
    play.writes("I write for my mother: her water is brown.")
    play.presses("done")
    play.writes("She knows of it, I think")
    assert Flag.FOR_ANOTHER in play.case.flags
    other = Play(denies=True)
    other.writes("My mother has brown water.")
    other.presses("done")
    other.writes("It's for myself")
    assert Flag.FOR_ANOTHER not in other.case.flags


def test_the_relation_is_asked_when_the_story_does_not_name_it() -> None:
    play = Play(denies=True)
    play.writes("I write on behalf of the old lady next door: her water is brown.")
    play.presses("done")
    assert play.presses("cannot_decide") == ["What is your relationship to the person it is about?"]
    assert play.presses("guardian") == [WHERE]
    assert play.acted[-1].facts["relation"] == "guardian"


def test_choosing_no_contact_is_explained_and_flagged() -> None:
    play = Play(denies=True)
    play.writes("The reader was rude. I want to stay anonymous.")
    play.presses("done")
    explained, following = play.presses("no_contact")
    assert f"/status {play.ref}" in explained
    assert following == WHERE
    assert {Flag.NO_CONTACT, Flag.ANONYMOUS} <= play.case.flags


@clause("4.7")
def test_an_anonymous_complainant_is_flagged_and_may_give_the_name_later() -> None:
    play = Play(denies=True)
    play.writes("The reader was rude. I want to stay anonymous.")
    play.presses("done")
    button = play.replies[-1]
    play.presses("pseudonym")
    assert Flag.ANONYMOUS in play.case.flags
    play.presses("named", message=button)
    assert Flag.ANONYMOUS not in play.case.flags


def test_a_complainant_without_contact_reads_the_decision_by_status() -> None:
    play = Play(denies=True)
    play.writes("The reader was rude. I want to stay anonymous.")
    for choice in ("done", "no_contact", "skip", "skip", "send"):
        play.presses(choice)
    ref = play.staff_resolve()
    play.letters[ref] = "We have spoken to him."
    assert play.commands("status", ref)[-1].endswith("We have spoken to him.")


CHILD = "I am 13. The bus driver shouted at me."


@clause("4.3")
def test_a_child_is_addressed_in_plain_words_and_not_asked_for_an_age_that_it_gave() -> None:
    play = Play(denies=True)
    [receipt] = play.writes(CHILD)
    assert receipt.startswith("We are sorry to hear this. I have written it down.")
    offered, following = play.presses("done")
    assert "a grown-up you trust" in offered
    assert "0800 1111" in offered
    assert following.startswith("What should we do to make it better?")
    assert Flag.MINOR in play.case.flags
    assert Flag.SIGNIFICANT in play.case.flags
    assert "from_13" not in str(play.acted[-1].facts)
    assert play.presses("apology")[0].endswith("to read this with you.\nPrivacy: northwind.example/privacy")


def test_an_adult_age_clears_the_minor_flag() -> None:
    play = Play(denies=True)
    play.writes("I am a child. The bus driver shouted at me.")
    assert play.presses("done")[0].startswith("How old are you?")
    assert play.writes("I am 31, that was a joke") == [WHERE]
    assert Flag.MINOR not in play.case.flags


def test_every_question_has_its_texts_and_labels() -> None:
    for question in QUESTIONS:
        for language in ("en", "tr", "de", "es"):
            assert TEXTS.text(language, f"ask.{question.step}")
            assert TEXTS.text(language, f"readback.{question.step}", text="x")
            assert all(TEXTS.label(language, choice) for choice in question.choices)


def test_place_and_remedy_are_asked_last() -> None:
    assert ORDER[-2:] == ("where", "help")
