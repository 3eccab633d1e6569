"""A child is not addressed formally, whatever the organisation's form of address is (4.3)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bots.letters.composer import Composer, preview
from bots.letters.letter import Letter
from bots.texts.catalogues import load_catalogues
from complaints.actors import SYSTEM
from complaints.vocabulary import Flag, Verb
from tests.clauses import clause
from tests.rules.dialogue_play import ASSESSED, HANDLER, MANAGER, START, TEXTS, Play

#: A child's story, what is formal in the language, and what its informal texts have.
CHILDREN = {
    "de": (
        "Ich bin 13 und Ihr Fahrer hat mich angeschrien",
        r"\b(Sie|Ihnen|Ihre?[mnrs]?)\b",
        r"\b(du|dir|dein)",
    ),
    "es": ("Tengo 13 años y el chofer me gritó", r"\b([Uu]sted|[Ll]e|[Ss]us?)\b", r"\b([Tt]e|[Tt]us?)\b"),
    "tr": ("13 yaşındayım, şoför bana bağırdı", r"(iniz|ınız|unuz|ünüz|\b[Ss]iz)", r"([^n]izin|[^n]in\b)"),
}
ADULTS = {
    "de": "Der Fahrer hat mich gestern im Bus angeschrien",
    "es": "El chofer me gritó ayer en el autobús",
    "tr": "Şoför dün otobüste bana bağırdı",
}


def read_by(play: Play, language: str) -> list[str]:
    """What the person reads from the story to the decision, in the chat and in letters."""
    play.do(Verb.ACKNOWLEDGE, play.ref, SYSTEM, {"level": 1})
    written = [*play.commands("status"), *play.commands("mydata"), *play.commands("human")]
    play.do(Verb.ASSIGN, play.ref, HANDLER, {"owner": HANDLER.id})
    play.do(Verb.ASSESS, play.ref, MANAGER, {**ASSESSED, "severity": 4, "safety": 2})
    decided: dict[str, Any] = {"issues": [], "finding": "upheld", "cause_class": "single"}
    for form, words in (("reply", {"text": "…"}), ("resolve", {"done": "…"})):
        written.append(preview(form, play.case, decided, words, texts=TEXTS, now=START, language=language))
    letter = Letter(play.case, TEXTS.to(child=Flag.MINOR in play.case.flags), language)
    progress = Composer(letter, play.events[play.ref], lambda seq: {}, play.now).compose("progress", {})
    assert progress is not None
    return [*written, progress.text]


@clause("4.3")
@pytest.mark.parametrize("language", CHILDREN)
def test_a_child_is_addressed_informally_from_the_first_answer_to_the_letters(language: str) -> None:
    story, formal, informal = CHILDREN[language]
    play = Play(language=language)
    read = [*play.writes(story), *read_by(play, language)]
    assert [text for text in read if re.search(formal, text)] == []
    assert any(re.search(informal, text) for text in read)


@pytest.mark.parametrize("language", ADULTS)
def test_an_adult_is_addressed_formally(language: str) -> None:
    play = Play(language=language)
    read = [*play.writes(ADULTS[language]), *read_by(play, language)]
    assert any(re.search(CHILDREN[language][1], text) for text in read)
    assert Flag.MINOR not in play.case.flags


def test_who_says_to_be_an_adult_is_addressed_formally_again() -> None:
    play = Play(language="de")
    play.writes(CHILDREN["de"][0])
    assert "deine" in play.commands("status")[0]
    play.cases[play.ref] = replace(play.case, adult=True, flags=play.case.flags - {Flag.MINOR})
    assert "Ihre Beschwerde" in play.commands("status")[0]


def test_a_desk_that_is_informal_already_has_one_form_of_address() -> None:
    texts = load_catalogues(["de"], address="informal")
    assert texts.to(child=True) is texts
