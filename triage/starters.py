"""The starter examples: complaints written for this project, so that the first day has a model.

They lie as plain files in `triage/starter`, one per language, may be edited, and stay in every training set
for ever: among few real rows they are worth more than anything else (`triage.md`, cold start).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from triage.csv.columns import ColumnNames
from triage.csv.examples import read_examples
from triage.example import Example
from triage.pipeline import Model
from triage.training import train

CATEGORIES = (
    "supply", "service", "goods", "guarantee", "refusal", "information", "money", "contract", "compensation",
    "handling", "staff_conduct", "privacy", "safety", "discrimination", "other",
)  # fmt: skip
"""The default categories, ISO 10002 annex D regrouped."""


def starter_languages() -> tuple[str, ...]:
    """The languages that have a starter file."""
    folder = resources.files("triage").joinpath("starter")
    return tuple(sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".csv")))


def starter_examples(languages: Sequence[str] | None = None) -> list[Example]:
    """The starter examples of these languages, None for all; a language without a file has none."""
    found: list[Example] = []
    for language in starter_languages() if languages is None else languages:
        if language not in starter_languages():
            continue
        file = resources.files("triage").joinpath("starter", f"{language}.csv")
        table = read_examples(
            file.read_bytes(), columns=ColumnNames(severity="severity"), categories=CATEGORIES
        )
        found += [
            Example(row.text, row.category, row.severity, language, written=True) for row in table.examples
        ]
    return found


def train_starter(languages: Sequence[str] | None = None, *, seed: int = 0) -> Model:
    """The first model, from the starter examples alone: a few seconds on one core.

    None is every language that has a starter file. Languages without one are served by those that have one;
    with none of them, by English.
    """
    wanted = starter_languages() if languages is None else languages
    return _trained(
        tuple(language for language in wanted if language in starter_languages()) or ("en",), seed
    )


@lru_cache(maxsize=4)
def _trained(languages: tuple[str, ...], seed: int) -> Model:
    """The same examples give the same model, so a process makes it once."""
    return train(starter_examples(languages), seed=seed)
