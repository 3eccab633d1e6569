"""Six kinds of harm in English, Turkish, German and Spanish: stated, supposed, denied and figurative.

In `safety_kinds.csv`, a sentence marked `said` must give a sign, and so must `supposed`, for the kinds where doubt
counts in full. `possible` is harm that did not happen. `denied` and `figurative` sentences give no sign.
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
    """The sentences of a kind. Their test ids are numbers, because a test's name must not contain personal words."""
    chosen = [row for row in SENTENCES if row["kind"] == kind and row["way"] in ways]
    return [
        pytest.param(row["text"], id=f"{row['language']}-{row['way']}-{place}")
        for place, row in enumerate(chosen)
    ]


def signs_of(kind: str, text: str) -> list[Sign]:
    return [sign for sign in find_signs(text) if sign.kind == kind]


def is_detected(kind: str, text: str) -> bool:
    """Whether a sign of this kind is found with at least the severity and safety of its rule."""
    severity, safety, danger = RAISES[kind]
    return any(
        sign.severity >= severity and sign.safety >= safety and sign.danger == danger
        for sign in signs_of(kind, text)
    )


@pytest.mark.parametrize("text", sentences("self_harm", "said", "supposed"))
def test_stated_or_supposed_self_harm_is_detected_in_every_language(text: str) -> None:
    assert is_detected("self_harm", text)


@pytest.mark.parametrize("text", sentences("self_harm", "denied", "figurative"))
def test_denied_or_figurative_self_harm_is_no_sign(text: str) -> None:
    assert signs_of("self_harm", text) == []


@pytest.mark.parametrize("text", sentences("minor", "said", "supposed"))
def test_a_child_at_risk_is_detected_in_every_language(text: str) -> None:
    assert is_detected("minor", text)


@pytest.mark.parametrize("text", sentences("minor", "denied", "figurative"))
def test_a_denied_or_figurative_child_is_no_sign(text: str) -> None:
    assert signs_of("minor", text) == []


@pytest.mark.parametrize("text", sentences("vulnerable", "said", "supposed"))
def test_a_vulnerable_person_is_detected_in_every_language(text: str) -> None:
    assert is_detected("vulnerable", text)


@pytest.mark.parametrize("text", sentences("vulnerable", "denied", "figurative"))
def test_denied_or_figurative_vulnerability_is_no_sign(
    text: str,
) -> None:
    assert signs_of("vulnerable", text) == []


@pytest.mark.parametrize("text", sentences("discrimination", "said", "supposed"))
def test_stated_or_supposed_discrimination_is_detected_in_every_language(text: str) -> None:
    assert is_detected("discrimination", text)


@pytest.mark.parametrize("text", sentences("discrimination", "denied", "figurative"))
def test_denied_discrimination_or_price_discrimination_is_no_sign(text: str) -> None:
    assert signs_of("discrimination", text) == []


@pytest.mark.parametrize("text", sentences("threat", "said"))
def test_a_threat_is_detected_in_every_language(text: str) -> None:
    assert is_detected("threat", text)


@pytest.mark.parametrize("text", sentences("threat", "possible"))
def test_a_threat_that_did_not_happen_counts_as_possible_harm(text: str) -> None:
    assert [(sign.rule, sign.severity, sign.safety) for sign in signs_of("threat", text)] == [
        ("threat_possible", 3, 1)
    ]


@pytest.mark.parametrize("text", sentences("threat", "denied", "figurative"))
def test_a_denied_threat_or_a_threatened_fee_is_no_sign(text: str) -> None:
    assert signs_of("threat", text) == []


@pytest.mark.parametrize("text", sentences("legal_threat", "said", "supposed"))
def test_stated_or_supposed_legal_action_is_detected_in_every_language(text: str) -> None:
    assert is_detected("legal_threat", text)


@pytest.mark.parametrize("text", sentences("legal_threat", "denied", "figurative"))
def test_denied_legal_action_or_another_meaning_is_no_sign(text: str) -> None:
    assert signs_of("legal_threat", text) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_sentences_of_every_sort_in_every_language(kind: str, language: str) -> None:
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
def test_a_negated_arrival_does_not_deny_the_danger_in_any_language(text: str) -> None:
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
def test_a_word_like_but_ends_a_denial_in_german_and_spanish(text: str) -> None:
    assert [sign.rule for sign in find_signs(text)] == ["fire"]


def test_umlauts_and_accents_separate_facts_from_conditionals() -> None:
    assert find_signs("Der Fahrer wurde verletzt")[0].rule == "injury"
    assert find_signs("Der Fahrer wäre verletzt worden")[0].rule == "injury_possible"
    assert find_signs("Der Fahrer waere verletzt worden")[0].rule == "injury_possible"
    assert find_signs("Sí hubo un incendio en casa")[0].rule == "fire_reported"
    assert find_signs("Si hubiera un incendio en casa")[0].rule == "fire_reported_possible"


def test_a_past_and_repaired_danger_is_not_present_in_german_and_spanish() -> None:
    assert [sign.rule for sign in find_signs("Letzten Winter gab es Gasgeruch, er wurde behoben.")] == [
        "gas_smell_past"
    ]
    assert [sign.rule for sign in find_signs("El año pasado hubo una fuga de gas y fue reparada.")] == [
        "gas_smell_past"
    ]
    assert find_signs("Letzte Woche habe ich den Gasgeruch gemeldet und es kam niemand.")[0].danger
    assert find_signs("La semana pasada avisé de la fuga de gas y nadie vino.")[0].danger


def test_a_word_of_doubt_in_one_language_does_not_weaken_a_sign_in_another() -> None:
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
def test_a_quoted_denial_that_the_writer_disputes_does_not_deny_the_danger(text: str) -> None:
    assert [(sign.rule, sign.danger) for sign in find_signs(text)] == [("gas_smell", True)]


def test_a_denial_by_the_writer_counts() -> None:
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
def test_a_conditional_threat_counts_as_a_threat(text: str) -> None:
    assert [(sign.rule, sign.severity) for sign in find_signs(text)] == [("threat", 4)]
