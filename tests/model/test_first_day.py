"""Minimum figures for intent and severity on the first day, on texts written separately.

`heldout_intents.csv` and `heldout_severity.csv` are hard on purpose: a polite complaint without the word, praise with
a "but", "fire TV", "no one was hurt". Do not read them while writing cues, signs or starters.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared_models import starter_model
from triage.intent import COMPLAINT, classify_intent
from triage.model.pipeline import CRITICAL, Model
from triage.proposal import propose

LANGUAGES = ("en", "tr", "de", "es")


def rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


INTENTS, SEVERITIES = rows("heldout_intents.csv"), rows("heldout_severity.csv")


@pytest.fixture(scope="module")
def model() -> Model:
    return starter_model(tuple(sorted(LANGUAGES)))


def test_a_complaint_is_rarely_classified_as_something_different() -> None:
    complaints = [row for row in INTENTS if row["intent"] == COMPLAINT]
    kept = sum(classify_intent(row["text"]).kind == COMPLAINT for row in complaints)
    assert kept / len(complaints) >= 0.83


def test_other_intents_are_often_recognised() -> None:
    others = [row for row in INTENTS if row["intent"] != COMPLAINT]
    recognised = sum(classify_intent(row["text"]).kind == row["intent"] for row in others)
    assert recognised / len(others) >= 0.45


def proposed(model: Model, language: str, *, critical: bool) -> Iterator[bool]:
    """Whether each of these texts is proposed as critical."""
    for row in SEVERITIES:
        if row["language"] == language and (int(row["severity"]) >= CRITICAL) is critical:
            yield propose(model, row["text"]).severity >= CRITICAL


@pytest.mark.parametrize(("language", "caught"), [("en", 0.85), ("tr", 0.85), ("de", 0.75), ("es", 0.9)])
def test_most_critical_cases_are_caught_on_the_first_day(model: Model, language: str, caught: float) -> None:
    proposed_critical = list(proposed(model, language, critical=True))
    assert len(proposed_critical) == 20
    assert sum(proposed_critical) / len(proposed_critical) >= caught


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_that_only_sound_dangerous_are_rarely_proposed_as_critical(model: Model, language: str) -> None:
    raised = list(proposed(model, language, critical=False))
    assert len(raised) == 20
    # The model is unsure about such texts, and then the graver category counts until a person decides.
    assert sum(raised) / len(raised) <= 0.3
