"""An organisation's own examples: plain files beside its settings, one per language, kept in every training.

A handful of sentences for each of its own categories gives a first useful model; they stay when history and
confirmed assessments come, for among few real rows nothing is worth more (`triage.md`, cold start).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from triage.csv.columns import ColumnNames
from triage.csv.examples import ExampleTable, ReadingOptions, read_examples
from triage.csv.reader import RefusedRow
from triage.errors import UnreadableTable
from triage.example import Example

ENOUGH = 6
"""Examples of a category from which on a model is worth asking (`triage.md`, section 4)."""

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
