"""How many statements of danger are found, and how many ordinary complaints raise a false page.

The probes, look-alikes and ordinary complaints were written by people who had not seen the rules. Each probe exists
in all four languages. Never read them to extend a rule: the development examples are in `triage/danger`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from triage.matching import LANGUAGES
from triage.safety.likely import find_likely_signs
from triage.safety.signs import find_signs

Row = Mapping[str, str]
KINDS = ("gas", "fire", "electric", "medical", "injury", "self_harm", "violence")
RECALL = {"explicit": 0.90, "oblique": 0.70}


def rows(name: str) -> list[Row]:
    with Path(__file__).with_name(f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


PROBES, LOOKALIKES, ORDINARY = rows("danger_probes"), rows("danger_lookalikes"), rows("ordinary_complaints")


@cache
def level(text: str) -> str:
    """What a text leads to: a page, a look within the hour, or nothing."""
    signs = (*find_signs(text), *find_likely_signs(text))
    if any(sign.danger for sign in signs):
        return "page"
    return "look" if any(sign.look for sign in signs) else ""


def share(chosen: Iterable[Row], *levels: str) -> float:
    texts = [row["text"] for row in chosen]
    return sum(level(text) in levels for text in texts) / len(texts)


def probes(**values: str) -> list[Row]:
    return [row for row in PROBES if all(row[name] == value for name, value in values.items())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", RECALL)
def test_each_kind_of_danger_leads_to_a_page_or_a_look(kind: str, way: str) -> None:
    assert share(probes(kind=kind, level=way), "page", "look") >= RECALL[way]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", RECALL)
def test_danger_is_found_in_every_language(language: str, way: str) -> None:
    assert share(probes(language=language, level=way), "page", "look") >= RECALL[way]


SPREAD = {"explicit": 0.02, "oblique": 0.03}


@pytest.mark.parametrize("way", RECALL)
def test_the_languages_are_equally_good(way: str) -> None:
    shares = [share(probes(language=language, level=way), "page", "look") for language in LANGUAGES]
    assert max(shares) - min(shares) <= SPREAD[way]


def test_ordinary_complaints_hardly_ever_page_and_seldom_ask_for_a_look() -> None:
    assert share(ORDINARY, "page") <= 0.002
    # Wanted is 0.03: the figure reached must not rise.
    assert share(ORDINARY, "look") <= 0.058


@pytest.mark.parametrize("language", LANGUAGES)
def test_few_lookalikes_page(language: str) -> None:
    mine = [row for row in LOOKALIKES if row["language"] == language]
    assert share(mine, "page") <= 0.10
    assert share(mine, "look") <= 0.30


def test_every_kind_has_enough_probes_in_every_language() -> None:
    assert {len(probes(kind=kind, language=language)) for kind in KINDS for language in LANGUAGES} == {40}
    assert (
        min(len([row for row in LOOKALIKES if row["language"] == language]) for language in LANGUAGES) >= 200
    )
    assert len(ORDINARY) >= 1000
