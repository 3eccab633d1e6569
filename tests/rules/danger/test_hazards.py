"""The table of hazards: every sentence has its sources and languages, and nothing in it permits."""

from __future__ import annotations

import pytest

from complaints.hazards import (
    DO,
    HAZARD_OF_KIND,
    HAZARDS,
    NEVER,
    NUMBERS,
    SENTENCES,
    TEXT_NUMBERS,
    call_number,
    deadliest_first,
    sentences,
    table_hash,
    text_number,
)
from triage.facts.danger_talk import _patterns, read_danger_message

LANGUAGES = {"en", "de", "es", "tr"}
#: What would let somebody do something.
PERMITS = (
    "you may", "you can", "safe to", "ihr dürft", "sie dürfen", "sie können", "puede ", "serbest", "bilirsiniz",
)  # fmt: skip


def test_every_sentence_has_every_language_and_an_address_for_each_country() -> None:
    for row in SENTENCES:
        assert set(row.text) == LANGUAGES, row.id
        assert row.source, row.id
        assert all(address.startswith(("http://", "https://")) for address in row.source.values()), row.id
        assert row.role in (DO, NEVER), row.id
        assert row.hazard in {hazard.name for hazard in HAZARDS}, row.id
    assert len({row.id for row in SENTENCES}) == len(SENTENCES)
    assert all(set(row.text) == LANGUAGES for row in TEXT_NUMBERS)
    assert all(row.source for row in (*NUMBERS, *TEXT_NUMBERS))


def test_no_sentence_permits_anything() -> None:
    texts = [(row.id, text.casefold()) for row in SENTENCES for text in row.text.values()]
    assert [(id_, words) for id_, text in texts for words in PERMITS if words in text] == []


def test_every_act_that_is_forbidden_can_be_recognised_in_a_question() -> None:
    acts = {act for row in SENTENCES for act in row.acts} | {act for hazard in HAZARDS for act in hazard.no}
    assert {act for act in acts if f"acts.{act}" not in _patterns()} == set()


@pytest.mark.parametrize(
    ("kinds", "hazard"),
    [
        # Never "stay with the person" where current may flow.
        (("injury", "electric"), "electricity"),
        (("medical", "gas"), "gas"),
        (("electric", "fire"), "fire"),
        (("violence", "injury"), "violence"),
        (("poisoning", "medical"), "poison"),
    ],
)
def test_the_deadlier_hazard_speaks(kinds: tuple[str, ...], hazard: str) -> None:
    spoken = deadliest_first(HAZARD_OF_KIND[kind].name for kind in kinds)
    assert spoken
    assert spoken[0].name == hazard


def test_a_country_without_a_source_has_the_number_alone() -> None:
    assert sentences("gas", "IE", DO) == ()
    assert call_number("gas", "IE") is None
    assert text_number("gas", "CH", "de") is None


def test_a_person_who_cannot_speak_gets_the_way_of_the_country() -> None:
    assert "999" in str(text_number("gas", "GB", "en"))
    assert text_number("self_harm", "US", "en") == "Text 988, day or night."


def test_the_hash_names_what_is_said_in_these_countries_only() -> None:
    assert table_hash(frozenset({"GB"})) == table_hash(frozenset({"GB"}))
    assert len({table_hash(frozenset(countries)) for countries in (("GB",), ("DE",), ("GB", "DE"))}) == 3


def test_despair_violence_and_children_page_without_a_question() -> None:
    assert {hazard.name for hazard in HAZARDS if hazard.unasked} == {"self_harm", "violence", "child"}
    assert {hazard.name for hazard in HAZARDS if hazard.discreet} == {"violence", "stalking"}
    assert HAZARD_OF_KIND["electric"].name == "electricity"


@pytest.mark.parametrize(
    ("text", "asks", "acts"),
    [
        ("shall I relight the boiler?", True, {"relight"}),
        ("is it ok if i go back in for the cat", True, {"enter"}),
        ("sollen wir ihn wegziehen", True, {"touch", "pull_out"}),
        ("¿entro a por el gato?", True, {"enter"}),
        ("kediyi almak için içeri gireyim mi", True, {"enter"}),
        ("it is getting worse", False, set()),
    ],
)
def test_a_question_about_an_act_is_recognised_in_every_language(
    text: str, asks: bool, acts: set[str]
) -> None:
    message = read_danger_message(text)
    assert message.asks is asks
    assert acts & message.acts == acts or not acts


@pytest.mark.parametrize(
    "text",
    [
        "shall we get out?", "should I call an ambulance?", "Sollen wir raus?",
        "¿bajamos a la calle por las escaleras?",
        "Hastaneye götürmek gerekir mi", "should we not touch him?",
    ],
)  # fmt: skip
def test_a_question_for_what_is_right_is_never_one_that_gets_a_no(text: str) -> None:
    message = read_danger_message(text)
    assert message.asks
    assert message.asks_the_right or not message.acts
