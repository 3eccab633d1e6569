"""Thanks and greetings are answered, and never become a complaint."""

from __future__ import annotations

import pytest

from complaints.vocabulary import Flag, Verb
from tests.rules.dialogue_play import MANAGER, Play

THANKS = [
    "Teşekkürler, iyi günler.",
    "Thanks, all good",
    "ok thank you, have a nice day",
    "Danke schön",
    "Vielen Dank, schönen Tag noch!",
    "Muchas gracias, hasta luego",
    "IYI GÜNLER",
]


@pytest.mark.parametrize("words", THANKS)
def test_thanks_after_closing_open_no_complaint_and_are_not_asked_what_went_wrong(words: str) -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    [reply] = play.writes(words)
    assert reply.startswith("Thank you for your message.")
    assert len(play.cases) == 1


@pytest.mark.parametrize("words", THANKS)
def test_a_first_greeting_introduces_the_desk(words: str) -> None:
    play = Play()
    assert "automated complaints assistant" in play.writes(words)[0]
    assert not play.cases


@pytest.mark.parametrize(
    "words", ["Thanks, it is broken again", "Danke für nichts", "Hello, no water", "gracias por nada"]
)
def test_thanks_with_anything_more_are_a_complaint(words: str) -> None:
    play = Play()
    play.writes(words)
    assert len(play.cases) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Thank you so much for everything, you were wonderful",
        "Vielen lieben Dank für die schnelle Antwort",
        "mil gracias por contestar tan rápido, muy amables",
        "Çok teşekkür ederim, ilginiz için sağ olun",
        "Allah razı olsun",
        "bless you love, you are very kind",
    ],
)
def test_thanks_in_more_words_are_kept_and_thanked_and_ask_nothing_of_anybody(words: str) -> None:
    play = Play()
    ref = play.files_a_complaint()
    [reply] = play.writes(words)
    assert reply.startswith("Thank you for your message.")
    assert play.texts_of(ref)["addition"] == words
    play.staff_resolve()
    play.writes(words)
    assert Flag.QUESTION_OPEN not in play.case.flags
    assert len(play.cases) == 1


def test_thanks_in_more_words_after_the_closing_open_no_complaint() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    [reply] = play.writes("Thank you so much for everything, you were wonderful")
    assert reply.startswith("Thank you for your message.")
    assert len(play.cases) == 1
