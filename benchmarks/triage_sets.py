"""The labelled sets, and the draws from them.

In a folder: `<set>_train.csv`, `<set>_dev.csv` and `<set>_unlabelled.csv`, or one file `<set>.csv`; packed with
gzip or not. `own:tr` are texts of this repository in one language: the starter examples to learn from and draw
from, the ones written apart from them in place of the dev rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triage.csv.columns import ColumnNames
from triage.csv.examples import read_examples
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.model.pipeline import CRITICAL

HELD_OUT = 0.25
"""The share of the train rows that a draw holds back to score on; the dev rows stay untouched by it."""
WRITTEN = Path(__file__).with_name("written")
OWN = "own:"
"""What a set's name begins with that is one language of this repository."""
APART = Path(__file__).parents[1] / "tests" / "model" / "heldout.csv"
_ENDINGS, _BESIDE = (".csv.gz", ".csv"), ("_dev", "_unlabelled")


@dataclass(frozen=True)
class Rows:
    """Texts, categories and whether critical; of one file."""

    texts: tuple[str, ...]
    categories: tuple[str, ...]
    critical: np.ndarray

    def at(self, places: np.ndarray) -> Rows:
        """These rows, in this order."""
        return Rows(
            tuple(self.texts[i] for i in places),
            tuple(self.categories[i] for i in places),
            self.critical[places],
        )


def names(folder: Path) -> tuple[str, ...]:
    """The sets that lie in this folder."""
    found = {_stem(file) for file in folder.glob("*.csv*") if file.name.endswith(_ENDINGS)}
    return tuple(sorted(name.removesuffix("_train") for name in found if not name.endswith(_BESIDE)))


def is_there(folder: Path, name: str, *, on_dev: bool = False) -> bool:
    """Is there something to learn from, and dev rows where they are to be scored?"""
    if name.startswith(OWN):
        return bool(learnt(folder, name).texts)
    parts = ("_train", "") if not on_dev else ("_dev",)
    return any(_file(folder, name + part) is not None for part in parts)


def learnt(folder: Path, name: str) -> Rows:
    """The rows of a set that may be learnt from."""
    if name.startswith(OWN):
        return _rows(starter_examples((name.removeprefix(OWN),)))
    return read(_file(folder, f"{name}_train") or _file(folder, name))


def dev(folder: Path, name: str) -> Rows:
    """The rows of a set that are only scored."""
    if name.startswith(OWN):
        apart = read_examples(APART, columns=ColumnNames(language="language")).examples
        return _rows([one for one in apart if one.language == name.removeprefix(OWN)])
    return read(_file(folder, f"{name}_dev"))


def read(file: Path | None) -> Rows:
    """The labelled rows of a file, its columns found as `amends triage train` finds them."""
    return _rows(() if file is None else read_examples(file).examples)


def unlabelled(folder: Path, name: str) -> tuple[str, ...]:
    """Texts that nobody gave a category."""
    file = _file(folder, f"{name}_unlabelled")
    return () if file is None else read_examples(file).unlabelled


def _rows(examples: Sequence[Example]) -> Rows:
    return Rows(
        tuple(one.text for one in examples),
        tuple(one.category for one in examples),
        np.array([(one.severity or 0) >= CRITICAL for one in examples], dtype=bool),
    )


def _file(folder: Path, stem: str) -> Path | None:
    return next((folder / (stem + one) for one in _ENDINGS if (folder / (stem + one)).is_file()), None)


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".csv")


def written(name: str) -> Rows:
    """Our own written examples of the set's categories; none where we wrote none."""
    file = WRITTEN / f"{name}.csv"
    if not file.is_file():
        return Rows((), (), np.zeros(0, dtype=bool))
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    texts, categories = (tuple(row[key] for row in rows) for key in ("text", "category"))
    return Rows(texts, categories, np.zeros(len(rows), dtype=bool))


def draws(folder: Path, name: str, *, count: int, on_dev: bool) -> Iterator[tuple[Rows, Rows]]:
    """So many times (rows to learn from, rows to score on): a part of the train rows, or the dev rows."""
    train = learnt(folder, name)
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(train.texts))
        if on_dev:
            yield train.at(order), dev(folder, name)
        else:
            cut = round(HELD_OUT * len(order))
            yield train.at(order[cut:]), train.at(order[:cut])


def shortened(rows: Rows, size: int | None, *, each: bool = False) -> Rows:
    """The first `size` rows, or the first `size` of each category; all of them for None."""
    if size is None:
        return rows
    if not each:
        return rows.at(np.arange(min(size, len(rows.texts))))
    kept, seen = [], dict.fromkeys(rows.categories, 0)
    for place, category in enumerate(rows.categories):
        if seen[category] < size:
            seen[category] += 1
            kept.append(place)
    return rows.at(np.array(kept))
