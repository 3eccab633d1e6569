"""What a message is: something other than a complaint only when certain (3)."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.intent import COMPLAINT, KINDS, SURE, classify_intent

STARTERS = sorted(
    file.name.removesuffix(".csv")
    for file in resources.files("triage").joinpath("starter").iterdir()
    if file.name.endswith(".csv")
)
ROWS = list(csv.DictReader((Path(__file__).parent / "intents.csv").open(encoding="utf-8")))


def recall(kind: str) -> float:
    """The share of messages of a kind that are recognised as such."""
    mine = [row for row in ROWS if row["kind"] == kind]
    return sum(classify_intent(row["text"]).kind == kind for row in mine) / len(mine)


def test_at_least_97_percent_of_complaints_are_recognised() -> None:
    assert recall(COMPLAINT) >= 0.97


@pytest.mark.parametrize("kind", KINDS[1:])
def test_at_least_60_percent_of_each_other_kind_are_recognised(kind: str) -> None:
    assert recall(kind) >= 0.6


def test_the_list_contains_every_kind_in_every_language() -> None:
    counts = Counter((row["language"], row["kind"]) for row in ROWS)
    assert {language for language, _ in counts} == {"en", "tr", "de", "es"}
    assert min(counts.values()) >= 4
    assert len(counts) == 4 * len(KINDS)


@pytest.mark.parametrize("language", STARTERS)
def test_the_starter_examples_are_complaints(language: str) -> None:
    file = resources.files("triage").joinpath("starter", f"{language}.csv")
    texts = [row["text"] for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    assert sum(classify_intent(text).kind == COMPLAINT for text in texts) / len(texts) >= 0.97


def test_a_cue_of_dissatisfaction_outweighs_thanks() -> None:
    kind = classify_intent("Thank you so much, wonderful, excellent, great team! The tap still drips.")
    assert kind.kind == COMPLAINT
    assert "waiting" in kind.because


def test_a_sign_of_harm_is_a_complaint_in_any_wording() -> None:
    kind = classify_intent("Could you tell me what to do, my kitchen is on fire?")
    assert (kind.kind, kind.because) == (COMPLAINT, ("sign.fire",))


def test_shouting_is_a_complaint() -> None:
    assert classify_intent("HOW OFTEN DO I HAVE TO WRITE?").kind == COMPLAINT
    assert classify_intent("How often do the trams run??").because == ("shouting",)


def test_a_long_story_without_cues_is_a_complaint() -> None:
    assert classify_intent(
        "How does the lamp by the door go on? " + "The dog ran past the blue gate. " * 12
    ).because == ("doubt",)


def test_a_doubtful_text_is_a_complaint_with_doubt_as_its_reason() -> None:
    for text in ("", "hello", "12 Mill Lane", "🔥", "The driver and the dog."):
        assert classify_intent(text).kind == COMPLAINT
        assert classify_intent(text).because == ("doubt",)


def test_praise_by_negation_is_praise() -> None:
    assert classify_intent("I have never had such friendly advice. Thank you!").kind == "praise"
    assert classify_intent("I have never had such bad advice. Thank you!").kind == COMPLAINT


TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from([row["text"] for row in ROWS]), max_size=4).map(" ".join),
)


@given(TEXTS)
def test_any_text_gets_a_kind_a_probability_and_coded_reasons(text: str) -> None:
    intent_found = classify_intent(text)
    assert intent_found.kind in KINDS
    assert 0 <= intent_found.probability <= 1
    assert intent_found.kind == COMPLAINT or intent_found.probability >= SURE
    assert intent_found.because
    assert all(not any(letter.isspace() for letter in name) for name in intent_found.because)


@given(TEXTS)
def test_a_text_with_a_complaint_in_it_is_a_complaint(text: str) -> None:
    assert classify_intent(f"{text}\nMy order is broken.").kind == COMPLAINT


@pytest.mark.parametrize(
    "piece", ["ich möchte a ", "nie a ", "thank you ", "a", "no ", "param ", "?"], ids=range(7)
)
def test_a_text_of_100_000_characters_is_processed(piece: str) -> None:
    assert classify_intent(piece * (100_000 // len(piece))).kind in KINDS
