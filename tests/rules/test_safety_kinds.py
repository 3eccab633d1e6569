"""Six kinds of harm, each in English, Turkish, German and Spanish: said, supposed, denied and meant otherwise.

The sentences lie in `safety_kinds.csv`. What is `said` must be heard, and so must what is `supposed` of a kind
where doubt counts in full; `possible` is harm that did not happen; what is `denied` or `figurative` is none.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from triage.matching import LANGUAGES
from triage.safety.signs import Sign, find_signs

SENTENCES = list(csv.DictReader(Path(__file__).with_name("safety_kinds.csv").open(encoding="utf-8")))
KINDS = ("self_harm", "minor", "vulnerable", "discrimination", "threat", "legal_threat")
RAISES = {
    "self_harm": (5, 3, True),
    "minor": (3, 0, False),
    "vulnerable": (3, 0, False),
    "discrimination": (4, 0, False),
    "threat": (4, 2, False),
    "legal_threat": (3, 0, False),
}


def sentences(kind: str, *ways: str) -> list[object]:
    """The sentences of a kind, numbered: no complainant's words in a test's name."""
    chosen = [row for row in SENTENCES if row["kind"] == kind and row["way"] in ways]
    return [
        pytest.param(row["text"], id=f"{row['language']}-{row['way']}-{place}")
        for place, row in enumerate(chosen)
    ]


def found(kind: str, text: str) -> list[Sign]:
    """The signs of a kind in a text."""
    return [sign for sign in find_signs(text) if sign.kind == kind]


def heard(kind: str, text: str) -> bool:
    """Whether a kind is heard with at least the floors of its rule."""
    severity, safety, danger = RAISES[kind]
    return any(
        sign.severity >= severity and sign.safety >= safety and sign.danger == danger
        for sign in found(kind, text)
    )


@pytest.mark.parametrize("text", sentences("self_harm", "said", "supposed"))
def test_self_harm_is_heard_in_every_language_said_or_supposed(text: str) -> None:
    assert heard("self_harm", text)


@pytest.mark.parametrize("text", sentences("self_harm", "denied", "figurative"))
def test_self_harm_is_not_heard_where_it_is_denied_or_a_figure_of_speech(text: str) -> None:
    assert found("self_harm", text) == []


@pytest.mark.parametrize("text", sentences("minor", "said", "supposed"))
def test_a_child_is_heard_of_in_every_language_said_or_supposed(text: str) -> None:
    assert heard("minor", text)


@pytest.mark.parametrize("text", sentences("minor", "denied", "figurative"))
def test_a_child_is_not_heard_of_where_there_is_none_or_the_word_means_otherwise(text: str) -> None:
    assert found("minor", text) == []


@pytest.mark.parametrize("text", sentences("vulnerable", "said", "supposed"))
def test_a_vulnerable_person_is_heard_of_in_every_language_said_or_supposed(text: str) -> None:
    assert heard("vulnerable", text)


@pytest.mark.parametrize("text", sentences("vulnerable", "denied", "figurative"))
def test_a_vulnerable_person_is_not_heard_of_where_it_is_denied_or_the_word_means_otherwise(
    text: str,
) -> None:
    assert found("vulnerable", text) == []


@pytest.mark.parametrize("text", sentences("discrimination", "said", "supposed"))
def test_discrimination_is_heard_in_every_language_said_or_supposed(text: str) -> None:
    assert heard("discrimination", text)


@pytest.mark.parametrize("text", sentences("discrimination", "denied", "figurative"))
def test_discrimination_is_not_heard_where_it_is_denied_or_of_prices(text: str) -> None:
    assert found("discrimination", text) == []


@pytest.mark.parametrize("text", sentences("threat", "said"))
def test_a_threat_is_heard_in_every_language(text: str) -> None:
    assert heard("threat", text)


@pytest.mark.parametrize("text", sentences("threat", "possible"))
def test_a_threat_that_could_have_been_counts_as_possible_harm(text: str) -> None:
    assert [(sign.rule, sign.severity, sign.safety) for sign in found("threat", text)] == [
        ("threat_possible", 3, 1)
    ]


@pytest.mark.parametrize("text", sentences("threat", "denied", "figurative"))
def test_a_threat_is_not_heard_where_it_is_denied_or_of_a_fee(text: str) -> None:
    assert found("threat", text) == []


@pytest.mark.parametrize("text", sentences("legal_threat", "said", "supposed"))
def test_legal_action_is_heard_in_every_language_said_or_supposed(text: str) -> None:
    assert heard("legal_threat", text)


@pytest.mark.parametrize("text", sentences("legal_threat", "denied", "figurative"))
def test_legal_action_is_not_heard_where_it_is_denied_or_the_word_means_otherwise(text: str) -> None:
    assert found("legal_threat", text) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_tried_in_every_way_in_every_language(kind: str, language: str) -> None:
    ways = [row["way"] for row in SENTENCES if (row["kind"], row["language"]) == (kind, language)]
    assert ways.count("said") >= 2
    assert ways.count("denied") >= 2
    assert ways.count("figurative") >= 2
    assert {"supposed", "possible"} & set(ways)


@pytest.mark.parametrize(
    "text",
    [
        "nobody came about the gas leak",
        "gaz kokusu için kimse gelmedi",
        "niemand kam wegen des Gasgeruchs",
        "wegen des Gasgeruchs kam niemand",
        "nadie vino por la fuga de gas",
    ],
    ids=range(5),
)
def test_that_nobody_came_denies_no_danger_in_any_language(text: str) -> None:
    assert [(sign.rule, sign.danger) for sign in find_signs(text)] == [("gas_smell", True)]


@pytest.mark.parametrize(
    "text",
    [
        "Niemand wurde verletzt, aber im Keller brennt es",
        "Kein Gasgeruch, jedoch brennt es im Keller",
        "No hubo heridos pero hay fuego en la cocina",
        "Nadie resultó herido, sin embargo hay fuego en la cocina",
        "Hay fuego en la cocina aunque no hubo heridos",
    ],
    ids=range(5),
)
def test_a_but_ends_a_denial_in_german_and_spanish(text: str) -> None:
    assert [sign.rule for sign in find_signs(text)] == ["fire"]


def test_an_umlaut_or_an_accent_tells_what_is_so_from_what_would_be() -> None:
    assert find_signs("Der Fahrer wurde verletzt")[0].rule == "injury"
    assert find_signs("Der Fahrer wäre verletzt worden")[0].rule == "injury_possible"
    assert find_signs("Der Fahrer waere verletzt worden")[0].rule == "injury_possible"
    assert find_signs("Sí hubo un incendio en casa")[0].rule == "fire_reported"
    assert find_signs("Si hubiera un incendio en casa")[0].rule == "fire_reported_possible"


def test_what_is_over_and_mended_is_no_present_danger_in_german_and_spanish() -> None:
    assert [sign.rule for sign in find_signs("Letzten Winter gab es Gasgeruch, er wurde behoben.")] == [
        "gas_smell_past"
    ]
    assert [sign.rule for sign in find_signs("El año pasado hubo una fuga de gas y fue reparada.")] == [
        "gas_smell_past"
    ]
    assert find_signs("Letzte Woche habe ich den Gasgeruch gemeldet und es kam niemand.")[0].danger
    assert find_signs("La semana pasada avisé de la fuga de gas y nadie vino.")[0].danger


def test_the_doubt_of_one_language_weakens_no_sign_that_another_language_says() -> None:
    assert find_signs("please come fast gas leak in the hall")[0].danger
    assert find_signs("she falls and is bleeding")[0].danger
    assert find_signs("Er will mich umbringen")[0].danger


@pytest.mark.parametrize(
    "text",
    [
        "You said there is no gas leak. There is.",
        "It is not true that there is no gas leak",
        "gaz kokusu yok dediniz ama hala kokuyor",
        "Sie behaupten, es gibt keinen Gasgeruch",
        "Es stimmt nicht, dass es nicht nach Gas riecht",
        "dicen que no hay fuga de gas",
        "No es cierto que no huele a gas",
    ],
    ids=range(7),
)
def test_a_denial_that_the_writer_does_not_share_denies_no_danger(text: str) -> None:
    assert [(sign.rule, sign.danger) for sign in find_signs(text)] == [("gas_smell", True)]


def test_a_denial_by_the_writer_stands() -> None:
    assert find_signs("I told you there is no gas leak") == ()
    assert find_signs("Your engineer found no gas leak") == ()


@pytest.mark.parametrize(
    "text",
    [
        "If you don't refund me I will kill you",
        "He said if I complain he will break my legs and kill me",
        "Paramı vermezseniz hepinizi öldürürüm",
        "Er sagte, wenn ich nicht zahle, bricht er mir die Beine",
        "me dijo que si hablaba me iba a matar",
    ],
    ids=range(5),
)
def test_a_condition_makes_a_threat_no_supposition(text: str) -> None:
    assert [(sign.rule, sign.severity) for sign in find_signs(text)] == [("threat", 4)]
