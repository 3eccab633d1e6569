"""The labelled sets, and the draws from them.

A folder has `<set>_train.csv`, `<set>_dev.csv` and `<set>_unlabelled.csv`, or one file `<set>.csv`, each with or
without gzip. `own:tr` is this repository's texts in one language: starter examples are the train rows, the separately
written held-out examples are the dev rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import read_examples
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.model.pipeline import CRITICAL

HELD_OUT_SHARE = 0.25
"""The share of the train rows that a draw holds back for scoring; it does not use the dev rows."""
WRITTEN = Path(__file__).with_name("written")
OWN_PREFIX = "own:"
"""The prefix of sets that are this repository's texts in one language."""
HELD_OUT_FILE = Path(__file__).parents[1] / "tests" / "model" / "heldout.csv"
_ENDINGS, _OTHER_PARTS = (".csv.gz", ".csv"), ("_dev", "_unlabelled")


@dataclass(frozen=True)
class LabelledTexts:
    """The rows of one file: texts, categories, and whether each is critical."""

    texts: tuple[str, ...]
    categories: tuple[str, ...]
    critical: np.ndarray

    def at(self, places: np.ndarray) -> LabelledTexts:
        """These rows, in this order."""
        return LabelledTexts(
            tuple(self.texts[i] for i in places),
            tuple(self.categories[i] for i in places),
            self.critical[places],
        )


def names(folder: Path) -> tuple[str, ...]:
    """The names of the sets in this folder."""
    stems = {_stem(file) for file in folder.glob("*.csv*") if file.name.endswith(_ENDINGS)}
    return tuple(sorted(name.removesuffix("_train") for name in stems if not name.endswith(_OTHER_PARTS)))


def is_there(folder: Path, name: str, *, on_dev: bool = False) -> bool:
    """True if there are train rows, or dev rows if these are to be scored."""
    if name.startswith(OWN_PREFIX):
        return bool(learnt(folder, name).texts)
    parts = ("_train", "") if not on_dev else ("_dev",)
    return any(_file(folder, name + part) is not None for part in parts)


def learnt(folder: Path, name: str) -> LabelledTexts:
    """The train rows of a set."""
    if name.startswith(OWN_PREFIX):
        return _rows(starter_examples((name.removeprefix(OWN_PREFIX),)))
    return read(_file(folder, f"{name}_train") or _file(folder, name))


def dev(folder: Path, name: str) -> LabelledTexts:
    """The dev rows of a set, which are only scored."""
    if name.startswith(OWN_PREFIX):
        examples = read_examples(HELD_OUT_FILE, columns=ColumnNames(language="language")).examples
        return _rows([example for example in examples if example.language == name.removeprefix(OWN_PREFIX)])
    return read(_file(folder, f"{name}_dev"))


def read(file: Path | None) -> LabelledTexts:
    """The labelled rows of a file; columns are found as in `amends triage train`."""
    return _rows(() if file is None else read_examples(file).examples)


def unlabelled(folder: Path, name: str) -> tuple[str, ...]:
    """The texts of a set without a category."""
    file = _file(folder, f"{name}_unlabelled")
    return () if file is None else read_examples(file).unlabelled


def _rows(examples: Sequence[Example]) -> LabelledTexts:
    return LabelledTexts(
        tuple(example.text for example in examples),
        tuple(example.category for example in examples),
        np.array([(example.severity or 0) >= CRITICAL for example in examples], dtype=bool),
    )


def _file(folder: Path, stem: str) -> Path | None:
    return next(
        (folder / (stem + ending) for ending in _ENDINGS if (folder / (stem + ending)).is_file()), None
    )


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".csv")


def written(name: str) -> LabelledTexts:
    """The examples in this repository for the set's categories, if there are any."""
    file = WRITTEN / f"{name}.csv"
    if not file.is_file():
        return LabelledTexts((), (), np.zeros(0, dtype=bool))
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    texts, categories = (tuple(row[key] for row in rows) for key in ("text", "category"))
    return LabelledTexts(texts, categories, np.zeros(len(rows), dtype=bool))


def draws(
    folder: Path, name: str, *, count: int, on_dev: bool
) -> Iterator[tuple[LabelledTexts, LabelledTexts]]:
    """`count` pairs of rows to learn from and rows to score: a part of the train rows, or the dev rows."""
    train = learnt(folder, name)
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(train.texts))
        if on_dev:
            yield train.at(order), dev(folder, name)
        else:
            cut = round(HELD_OUT_SHARE * len(order))
            yield train.at(order[cut:]), train.at(order[:cut])


def shortened(rows: LabelledTexts, size: int | None, *, per_category: bool = False) -> LabelledTexts:
    """The first `size` rows, or the first `size` of each category; all rows if `size` is None."""
    if size is None:
        return rows
    if not per_category:
        return rows.at(np.arange(min(size, len(rows.texts))))
    places, counts = [], dict.fromkeys(rows.categories, 0)
    for place, category in enumerate(rows.categories):
        if counts[category] < size:
            counts[category] += 1
            places.append(place)
    return rows.at(np.array(places))
