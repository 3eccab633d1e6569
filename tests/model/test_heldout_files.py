"""The held-out texts are well formed, so that a low figure means a worse model and not a mistake in a file.

All were written without reading the starters and the lists of danger signs. Edit them without reading those either.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from complaints.vocabulary import ContactKind
from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import read_examples
from triage.learning.examples import CATEGORIES, starter_examples, starter_languages
from triage.matching import fold

LANGUAGES = ("en", "tr", "de", "es")
INTENTS = {
    ContactKind.COMPLAINT: 12,
    ContactKind.ENQUIRY: 6,
    ContactKind.PRAISE: 4,
    ContactKind.SUGGESTION: 4,
    ContactKind.REQUEST: 4,
}
DANGERS = {
    "self_harm": 3, "minor": 2, "vulnerable": 2, "discrimination": 2, "threat": 2, "legal": 2, "injury": 2,
    "fire": 1, "gas": 1, "electricity": 2, "poisoning": 1,
}  # fmt: skip
LOOKALIKES = {"denied": 6, "hypothetical": 4, "product": 5, "figurative": 5}
FILES = ("heldout.csv", "heldout_intents.csv", "heldout_matters.csv", "heldout_severity.csv")


def rows_of(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def words(row: dict[str, str]) -> int:
    return len(row["text"].split())


def test_every_held_out_row_can_be_read() -> None:
    table = read_examples(
        Path(__file__).with_name("heldout.csv"),
        columns=ColumnNames(language="language", severity="severity"),
        categories=CATEGORIES,
    )
    assert table.refused == ()
    assert len(table.examples) == len(rows_of("heldout.csv"))
    assert all(example.severity in (1, 2, 3, 4, 5) for example in table.examples)


def test_every_language_has_five_texts_of_every_category() -> None:
    counts = Counter((row["language"], row["category"]) for row in rows_of("heldout.csv"))
    assert counts == {(language, category): 5 for language in LANGUAGES for category in CATEGORIES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_held_out_texts_are_short_and_long(language: str) -> None:
    lengths = [words(row) for row in rows_of("heldout.csv") if row["language"] == language]
    assert min(lengths) >= 3
    assert max(lengths) <= 120
    assert sum(length <= 20 for length in lengths) >= 20
    assert sum(length > 40 for length in lengths) >= 6


def test_severity_varies_across_categories() -> None:
    rows = rows_of("heldout.csv")
    severities = {row["severity"] for row in rows}
    assert severities == set("12345")
    assert len({row["category"] for row in rows if row["severity"] in "45"}) >= 6
    assert len({row["category"] for row in rows if row["severity"] in "12"}) >= 10


def test_every_language_has_the_same_number_of_every_intent() -> None:
    counts = Counter((row["language"], row["intent"]) for row in rows_of("heldout_intents.csv"))
    assert counts == {(language, kind): number for language in LANGUAGES for kind, number in INTENTS.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_as_many_texts_only_sound_dangerous_as_are_critical(language: str) -> None:
    rows = [row for row in rows_of("heldout_severity.csv") if row["language"] == language]
    critical = Counter(row["note"] for row in rows if row["severity"] in ("4", "5"))
    harmless = Counter(row["note"] for row in rows if row["severity"] in ("1", "2", "3"))
    assert (critical, harmless) == (DANGERS, LOOKALIKES)
    assert critical.total() + harmless.total() == len(rows)


def test_no_text_is_repeated_in_the_held_out_files() -> None:
    times = Counter(fold(row["text"]).text for name in FILES for row in rows_of(name))
    assert set(times.values()) == {1}


def test_no_held_out_text_of_any_language_is_a_starter() -> None:
    starters = {fold(example.text).text for example in starter_examples(starter_languages())}
    held_out = {fold(row["text"]).text for name in FILES for row in rows_of(name)}
    assert starters
    assert starters & held_out == set()
