"""Written examples: the starter examples of this project and an organisation's own.

The starter examples (`triage/starter`, one CSV file per language) give a model on the first day. An organisation adds
a few sentences for each of its own categories, in one CSV file per language next to its settings. Both are part of
every training: while real rows are few, nothing improves a model more (docs/triage.md, "Cold start").
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import ExampleTable, ReadingOptions, read_examples
from triage.csv.reader import RefusedRow
from triage.defaults import PIPELINE
from triage.encoder import FINGERPRINT, installed_encoder, is_installed
from triage.errors import UnreadableTable
from triage.example import Example

if TYPE_CHECKING:
    from triage.model.pipeline import Model

CATEGORIES = (
    "supply", "service", "goods", "guarantee", "refusal", "information", "money", "contract", "compensation",
    "handling", "staff_conduct", "privacy", "safety", "discrimination", "other",
)  # fmt: skip
"""The default categories: ISO 10002 annex D, regrouped."""

ENOUGH_EXAMPLES = 6
"""Examples of a category from which on a model can propose it usefully (docs/triage.md, "Cold start")."""

_OWN_COLUMNS = ColumnNames("text", "category", "severity")
_OWN_HEADER = "text,category,severity"


def starter_languages() -> tuple[str, ...]:
    folder = resources.files("triage").joinpath("starter")
    return tuple(sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".csv")))


def starter_examples(languages: Sequence[str] | None = None) -> list[Example]:
    """The starter examples of these languages; by default of all. A language without a file has none."""
    examples: list[Example] = []
    for language in starter_languages() if languages is None else languages:
        if language not in starter_languages():
            continue
        table = read_examples(
            _starter_file(language).read_bytes(),
            columns=ColumnNames(severity="severity"),
            categories=CATEGORIES,
        )
        examples += [
            Example(row.text, row.category, row.severity, language, written=True) for row in table.examples
        ]
    return examples


def train_starter(languages: Sequence[str] | None = None) -> Model:
    """Train the first model from the starter examples alone; takes ten seconds on one core.

    `languages` default to all that have a starter file. Languages without a file are ignored; where none of them has
    one, the English examples are used.
    """
    return _train_once(_with_starters(languages))


def starter_version(languages: Sequence[str] | None = None) -> str:
    """16 hexadecimal digits that change whenever `train_starter` may make another model."""
    content = [PIPELINE.encode(), FINGERPRINT.encode() if is_installed() else b""]
    for language in _with_starters(languages):
        content += [language.encode(), _starter_file(language).read_bytes()]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in content)).hexdigest()[:16]


def _with_starters(languages: Sequence[str] | None) -> tuple[str, ...]:
    """Those of the languages that have a starter file; English where none of them has. None means all."""
    available = starter_languages()
    wanted = available if languages is None else languages
    return tuple(language for language in wanted if language in available) or ("en",)


def _starter_file(language: str) -> Traversable:
    return resources.files("triage").joinpath("starter", f"{language}.csv")


@lru_cache(maxsize=4)
def _train_once(languages: tuple[str, ...]) -> Model:
    # Imported here: a desk reads examples without loading SciPy.
    from triage.learning.training import train

    return train(starter_examples(languages), encoder=installed_encoder())


@dataclass(frozen=True, slots=True)
class OwnExamples:
    """An organisation's own examples; by file name, the rows refused and why a file could not be read at all."""

    examples: tuple[Example, ...]
    refused: Mapping[str, tuple[RefusedRow, ...]]
    unreadable: Mapping[str, str]

    def few(self, categories: Collection[str]) -> dict[str, int]:
        """Those of `categories` with fewer examples than a model needs, and how many they have."""
        counts = dict.fromkeys(categories, 0)
        for example in self.examples:
            if example.category in counts:
                counts[example.category] += 1
        return {category: count for category, count in counts.items() if count < ENOUGH_EXAMPLES}


def organisation_examples(folder: Path, categories: Collection[str]) -> OwnExamples:
    """Read every `<language>.csv` of a folder; a missing folder has no examples.

    `categories` are all that a complaint may have, the default ones and the organisation's own; rows of other
    categories are refused. Lines that begin with # are comments.
    """
    examples: list[Example] = []
    refused: dict[str, tuple[RefusedRow, ...]] = {}
    unreadable: dict[str, str] = {}
    for file in sorted(folder.glob("*.csv")) if folder.is_dir() else ():
        try:
            table = _read_own_file(file, categories)
        except UnreadableTable as error:
            unreadable[file.name] = str(error)
            continue
        examples += [replace(row, language=file.stem.lower(), written=True) for row in table.examples]
        if table.refused:
            refused[file.name] = table.refused
    return OwnExamples(tuple(examples), refused, unreadable)


def _read_own_file(file: Path, categories: Collection[str]) -> ExampleTable:
    table = read_examples(
        file,
        columns=_OWN_COLUMNS,
        categories=categories,
        options=ReadingOptions(languages=(file.stem.lower(),), comments=True),
    )
    if table.unlabelled:
        unlabelled = RefusedRow(0, f"{len(table.unlabelled)} rows have no category")
        return replace(table, refused=(*table.refused, unlabelled))
    return table


def example_file(categories: Mapping[str, str]) -> str:
    """The template of a file of own examples; `categories` maps codes to their names."""
    lines = [
        "# Examples of your own categories, one complaint a line, as people would write it to you: short,",
        "# with their mistakes, each from another point of view. Never use a real complaint with a person's name.",
        (
            f"# Write at least {ENOUGH_EXAMPLES} for each category, better 15, "
            "then remove the # at the start of the line."
        ),
        "# Severity is 1 to 5 (4 and 5: people may be harmed) and may stay empty. Put the text in quotation",
        "# marks if it contains a comma. `amends check` reads this file and says what is wrong.",
        "# The examples are part of every training, together with what is learned from your assessments.",
        _OWN_HEADER,
    ]
    for code, name in categories.items():
        lines += ["#", f"# {code}: {' '.join(name.split())}"]
        lines += [f'#"",{code},2'] * ENOUGH_EXAMPLES
    return "\n".join(lines) + "\n"
