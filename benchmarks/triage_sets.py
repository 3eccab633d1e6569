"""The labelled sets of `DATA`: gzip CSVs `<set>_train`, `<set>_dev`, `<set>_unlabelled`, and the draws from them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HELD_OUT = 0.25
"""The share of the train rows that a draw holds back to score on; the dev rows stay untouched by it."""
WRITTEN = Path(__file__).with_name("written")


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


def is_there(folder: Path, name: str) -> bool:
    return (folder / f"{name}_train.csv.gz").is_file()


def read(file: Path) -> Rows:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return Rows(
        tuple(row["text"] for row in rows),
        tuple(row["label_category"] for row in rows),
        np.array([row["label_severity"] == "critical" for row in rows], dtype=bool),
    )


def unlabelled(folder: Path, name: str) -> tuple[str, ...]:
    file = folder / f"{name}_unlabelled.csv.gz"
    return read(file).texts if file.is_file() else ()


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
    train = read(folder / f"{name}_train.csv.gz")
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(train.texts))
        if on_dev:
            yield train.at(order), read(folder / f"{name}_dev.csv.gz")
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
