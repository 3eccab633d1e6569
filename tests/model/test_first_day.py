"""Gates on what the first day proposes beside a category: intent and severity, on texts written apart.

`heldout_intents.csv` and `heldout_severity.csv` hold hard ones on purpose: a polite complaint without the word,
praise with a "but", "fire TV", "no one was hurt". Nobody who writes cues, signs or starters reads them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.made_once import starter_model
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


def test_a_complaint_is_seldom_taken_for_anything_else() -> None:
    complaints = [row for row in INTENTS if row["intent"] == COMPLAINT]
    kept = sum(classify_intent(row["text"]).kind == COMPLAINT for row in complaints)
    assert kept / len(complaints) >= 0.83


def test_what_is_none_is_often_recognised() -> None:
    others = [row for row in INTENTS if row["intent"] != COMPLAINT]
    found = sum(classify_intent(row["text"]).kind == row["intent"] for row in others)
    assert found / len(others) >= 0.45


def proposed(model: Model, language: str, *, critical: bool) -> Iterator[bool]:
    """Whether each of these is proposed as critical."""
    for row in SEVERITIES:
        if row["language"] == language and (int(row["severity"]) >= CRITICAL) is critical:
            yield propose(model, row["text"]).severity >= CRITICAL


@pytest.mark.parametrize(("language", "caught"), [("en", 0.8), ("tr", 0.75), ("de", 0.7), ("es", 0.85)])
def test_most_critical_cases_are_caught_on_the_first_day(model: Model, language: str, caught: float) -> None:
    found = list(proposed(model, language, critical=True))
    assert len(found) == 20
    assert sum(found) / len(found) >= caught


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_only_sounds_dangerous_is_seldom_raised(model: Model, language: str) -> None:
    raised = list(proposed(model, language, critical=False))
    assert len(raised) == 20
    # Such texts are where the model doubts, and in doubt the graver category counts until a person has looked.
    assert sum(raised) / len(raised) <= 0.35
