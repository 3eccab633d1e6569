"""What the desk reads today in texts whose writers had seen neither its rules nor its examples (README.md)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

from complaints.hazards import HAZARD_OF_KIND
from triage.matching import LANGUAGES
from triage.reader.danger import read_danger
from triage.safety.signs import find_signs

Row = Mapping[str, str]
FOLDER = Path(__file__).parent
#: The rules of each harm; the others have its name.
RULES = {
    "injury": {"injury", "injury_now", "crash"},
    "violence": {"violence", "violence_now"},
    "minor_affected": {"minor_affected", "minor_mentioned", "child_writing"},
    "vulnerable_person": {"vulnerable_person", "vulnerable_in_need"},
    "medical_need": {"medical_need", "medical_emergency"},
    "unsafe_thing": {"unsafe_thing", "hazard", "fire", "fire_reported", "gas_smell", "electric_shock"},
}
LEVELS = {"plain", "oblique", "lookalike", "ordinary"}


def rows(part: str, name: str) -> list[Row]:
    with (FOLDER / part / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def measured(name: str) -> list[Row]:
    return [row for language in LANGUAGES for row in rows("measure", f"{name}_{language}")]


def share_read(harms: list[Row]) -> float:
    """The share of these texts in which a rule of the harm that they are about fired."""
    names = [
        {sign.rule.removesuffix("_possible").removesuffix("_past") for sign in find_signs(row["text"])}
        for row in harms
    ]
    return sum(
        not RULES.get(row["about"], {row["about"]}).isdisjoint(fired)
        for row, fired in zip(harms, names, strict=True)
    ) / len(harms)


def test_half_of_stated_harm_is_read_in_plain_words_and_little_without_them() -> None:
    stated = [row for row in measured("harm") if row["about"] in row["harms"].split()]
    assert share_read([row for row in stated if row["level"] == "plain"]) >= 0.46
    assert share_read([row for row in stated if row["level"] == "oblique"]) >= 0.04


def test_a_fifth_of_the_texts_that_only_sound_like_harm_is_read_as_it() -> None:
    alike = [row for row in measured("harm") if row["level"] == "lookalike"]
    assert share_read([row for row in alike if row["about"] not in row["harms"].split()]) <= 0.22


def test_a_sixth_of_the_outages_without_harm_is_asked_about_danger() -> None:
    harmless = [row for row in measured("supply") if not row["harms"] and int(row["severity"]) <= 3]
    signs = [read_danger(row["text"], find_signs(row["text"])) for row in harmless]
    alarms = [any(sign.danger or sign.look for sign in of_text) for of_text in signs]
    assert sum(alarms) / len(alarms) <= 0.17


def test_every_danger_in_an_outage_is_asked_about_or_pages() -> None:
    in_danger = [row["text"] for row in measured("supply") if row["danger"]]
    assert all(
        any(sign.danger or sign.look for sign in read_danger(text, find_signs(text))) for text in in_danger
    )


@pytest.mark.parametrize(("part", "language"), product(("learn", "measure"), LANGUAGES))
def test_every_text_has_its_labels(part: str, language: str) -> None:
    for row in (*rows(part, f"harm_{language}"), *rows(part, f"supply_{language}")):
        assert row["level"] in LEVELS
        assert 1 <= int(row["severity"]) <= 5
        assert row["text"].strip()
    if part == "learn":
        assert {row["kind"] for row in rows(part, f"danger_{language}")} <= set(HAZARD_OF_KIND)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["harm", "supply"])
def test_no_text_is_both_learned_and_measured(name: str, language: str) -> None:
    learned = {row["text"] for row in rows("learn", f"{name}_{language}")}
    assert not learned & {row["text"] for row in rows("measure", f"{name}_{language}")}
