"""Detection rates on held-out texts: harm as people describe it, and harmless texts that sound similar.

`safety_heldout.csv` has two of every nine texts that were collected before the rules were examined. Do not extend a
rule after reading them. The rules find most of the harm, so rates are tested. The certain cases are in
`safety_signs.csv`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from triage.safety.signs import LANGUAGES, find_signs

ROWS = list(csv.DictReader(Path(__file__).with_name("safety_heldout.csv").open(encoding="utf-8")))
#: A sign of severity 3 is enough for these kinds, because their rules give no more. Others need 4 or 5.
SEVERITY_3_KINDS = ("legal_action", "minor", "vulnerable")


def share(language: str, way: str) -> float:
    """The share of these texts in which a sign of sufficient severity was found."""
    mine = [row for row in ROWS if (row["language"], row["way"]) == (language, way)]
    floors = [3 if row["about"] in SEVERITY_3_KINDS else 4 for row in mine]
    return sum(
        any(sign.severity >= floor for sign in find_signs(row["text"]))
        for row, floor in zip(mine, floors, strict=True)
    ) / len(mine)


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_grave_harm_is_detected_in_held_out_texts(language: str) -> None:
    assert share(language, "grave") >= 0.8


@pytest.mark.parametrize(("language", "raised"), [("en", 0.2), ("tr", 0.06), ("de", 0.09), ("es", 0.14)])
def test_few_harmless_held_out_texts_give_a_sign(language: str, raised: float) -> None:
    assert share(language, "harmless") <= raised


def test_every_language_has_enough_grave_and_harmless_texts() -> None:
    for language in LANGUAGES:
        ways = [row["way"] for row in ROWS if row["language"] == language]
        assert min(ways.count("grave"), ways.count("harmless")) >= 36
