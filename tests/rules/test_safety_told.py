"""Harm as people tell it, and what only sounds like it: texts written before the rules were looked at.

`safety_told.csv` holds two of every nine of them; nobody widens a rule by reading it. The rules hear most and not
all, so shares are asked for here; what must be heard for certain stands in `safety_signs.csv`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from triage.matching import LANGUAGES
from triage.safety.signs import find_signs

TOLD = list(csv.DictReader(Path(__file__).with_name("safety_told.csv").open(encoding="utf-8")))
#: Named by a sign of severity 3, the floor of their rules; every other grave text by one of 4 or 5.
NAMED = ("legal_action", "minor", "vulnerable")


def share(language: str, way: str) -> float:
    """The share of the texts of a way in which a sign grave enough was found."""
    mine = [row for row in TOLD if (row["language"], row["way"]) == (language, way)]
    floors = [3 if row["about"] in NAMED else 4 for row in mine]
    return sum(
        any(sign.severity >= floor for sign in find_signs(row["text"]))
        for row, floor in zip(mine, floors, strict=True)
    ) / len(mine)


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_grave_harm_is_heard_as_people_tell_it(language: str) -> None:
    assert share(language, "grave") >= 0.8


@pytest.mark.parametrize(("language", "raised"), [("en", 0.2), ("tr", 0.06), ("de", 0.09), ("es", 0.14)])
def test_what_only_sounds_dangerous_is_seldom_raised_by_the_rules(language: str, raised: float) -> None:
    assert share(language, "harmless") <= raised


def test_every_language_tells_of_some_forty_dangers_and_as_many_that_are_none() -> None:
    for language in LANGUAGES:
        ways = [row["way"] for row in TOLD if row["language"] == language]
        assert min(ways.count("grave"), ways.count("harmless")) >= 36
