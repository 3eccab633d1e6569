"""The starter examples: complaints written for this project, so that the first day has a model.

They lie as plain files in `triage/starter`, one per language, may be edited, and stay in every training set
for ever: among few real rows they are worth more than anything else (docs/triage.md, "Cold start").

An organisation's own examples: plain files beside its settings, one per language, kept in every training.

A handful of sentences for each of its own categories gives a first useful model; they stay when history and
confirmed assessments come, for among few real rows nothing is worth more (docs/triage.md, "Cold start").
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from triage.csv.columns import ColumnNames
from triage.csv.examples import ExampleTable, ReadingOptions, read_examples
from triage.csv.reader import RefusedRow
from triage.errors import UnreadableTable
from triage.example import Example
from triage.learning.training import PIPELINE, train
from triage.model.pipeline import Model

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
        table = read_examples(
            _starter_file(language).read_bytes(),
            columns=ColumnNames(severity="severity"),
            categories=CATEGORIES,
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
    return _trained(_with_starters(languages), seed)


def starter_version(languages: Sequence[str] | None = None) -> str:
    """A name of the model that `train_starter` makes: another one whenever the model may be another."""
    content = [PIPELINE.encode()]
    for language in _with_starters(languages):
        content += [language.encode(), _starter_file(language).read_bytes()]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in content)).hexdigest()[:16]


def _with_starters(languages: Sequence[str] | None) -> tuple[str, ...]:
    """Those of the languages that have a starter file, None for all; English where none has."""
    available = starter_languages()
    wanted = available if languages is None else languages
    return tuple(language for language in wanted if language in available) or ("en",)


def _starter_file(language: str) -> Traversable:
    return resources.files("triage").joinpath("starter", f"{language}.csv")


@lru_cache(maxsize=4)
def _trained(languages: tuple[str, ...], seed: int) -> Model:
    """The same examples give the same model, so a process makes it once."""
    return train(starter_examples(languages), seed=seed)


ENOUGH = 6
"""Examples of a category from which on a model is worth asking (docs/triage.md, "Cold start")."""

_COLUMNS = ColumnNames("text", "category", "severity")
_HEADER = "text,category,severity"


@dataclass(frozen=True, slots=True)
class OwnExamples:
    """What the files hold, by file name: the rows refused, and why a file could not be read at all."""

    examples: tuple[Example, ...]
    refused: Mapping[str, tuple[RefusedRow, ...]]
    unreadable: Mapping[str, str]

    def few(self, categories: Collection[str]) -> dict[str, int]:
        """Those of `categories` with fewer examples than a model needs, and how many they have."""
        counts = dict.fromkeys(categories, 0)
        for example in self.examples:
            if example.category in counts:
                counts[example.category] += 1
        return {category: count for category, count in counts.items() if count < ENOUGH}


def organisation_examples(folder: Path, categories: Collection[str]) -> OwnExamples:
    """Read every `<language>.csv` of `folder`; a folder that is not there holds none.

    `categories` are all that a complaint may have, ours and the organisation's own; rows of others are
    refused. Lines that begin with # are comments.
    """
    examples: list[Example] = []
    refused: dict[str, tuple[RefusedRow, ...]] = {}
    unreadable: dict[str, str] = {}
    for file in sorted(folder.glob("*.csv")) if folder.is_dir() else ():
        try:
            table = _read(file, categories)
        except UnreadableTable as wrong:
            unreadable[file.name] = str(wrong)
            continue
        examples += [replace(one, language=file.stem.lower(), written=True) for one in table.examples]
        if table.refused:
            refused[file.name] = table.refused
    return OwnExamples(tuple(examples), refused, unreadable)


def _read(file: Path, categories: Collection[str]) -> ExampleTable:
    table = read_examples(
        file,
        columns=_COLUMNS,
        categories=categories,
        options=ReadingOptions(languages=(file.stem.lower(),), comments=True),
    )
    if table.unlabelled:
        lines = RefusedRow(0, f"{len(table.unlabelled)} rows have no category")
        return replace(table, refused=(*table.refused, lines))
    return table


def example_file(categories: Mapping[str, str]) -> str:
    """An example file to be filled in; `categories` are codes and what they are called."""
    lines = [
        "# Examples of your own categories, one complaint a line, as people would write it to you: short,",
        "# with their mistakes, each from another point of view. Never a real complaint with somebody's name.",
        f"# Write at least {ENOUGH} for each category, better 15, then take away the # before the line.",
        "# Severity is 1 to 5 (4 and 5: somebody may be harmed) and may stay empty. Quotation marks round",
        "# the text are needed where it has a comma. `amends check` reads this file and says what is wrong.",
        "# The examples stay in every training, beside what is learnt from your assessments.",
        _HEADER,
    ]
    for code, name in categories.items():
        lines += ["#", f"# {code}: {' '.join(name.split())}"]
        lines += [f'#"",{code},2'] * ENOUGH
    return "\n".join(lines) + "\n"
