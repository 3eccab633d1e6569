"""How good the triage is, beside the plain models of `triage_rivals`, on the same draws in one run.

    python -m benchmarks.triage_quality --data DIR [--draws 3] [--only category,severity,cost] [--dev] [--json]
    python -m benchmarks.triage_quality --only category --sets own:tr,own:de [--sizes 100,200,all]
    python -m benchmarks.triage_quality --only category --data DIR --sets each

`--sets` are names of sets in DIR (`triage_sets` says how files are called; columns are found by their usual names),
`each` all that lie there, `own:` and a language the texts of this repository in that language alone.

Each draw holds back a quarter of the train rows and scores on it; with --dev the dev rows are scored instead
(touch them seldom: a set looked at often is no test). The intervals beside figures of ours are of the paired
difference to the plain calibrated SVM, by bootstrap over the scored texts: one that several draws held back is drawn
with all its answers, for they are not independent. Below zero is better for log-loss. Severity is cross-validated
over train and dev rows together, as often as there are draws (`triage_severity`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.triage_cost import cost, training
from benchmarks.triage_rivals import REGRESSION, RIVALS, SVM
from benchmarks.triage_sets import Rows, draws, is_there, learnt, names, shortened, unlabelled, written
from benchmarks.triage_severity import SEVERITY_SET, severity
from triage.example import Example
from triage.learning.training import train
from triage.model.embeddings import Encoder, installed_encoder
from triage.model.metrics import accuracy_at, calibration_error, f1_scores, log_loss

OURS, BARE, ENCODED = "Amends", "Amends, no unlabelled texts", "Amends, encoder"
#: Set: sizes to learn from (None is all), and whether a size counts for each category.
SIZES: dict[str, tuple[tuple[int | None, ...], bool]] = {
    "cfpb": ((0, 50, 500, None), False),
    "banking77": ((10, None), True),
    "shop_synthetic": ((None,), False),
}
#: Of a set that is not among them.
OTHER_SIZES: tuple[int | None, ...] = (100, 200, None)
ROUNDS = 400
Figure = Callable[[np.ndarray, np.ndarray], float]


def macro_f1(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1 of the categories that occur."""
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    f1 = f1_scores(predicted, labels, probabilities.shape[1])
    return float(np.nan_to_num(f1[np.unique(labels)]).mean())


FIGURES: dict[str, Figure] = {
    "macro_f1": macro_f1,
    "accuracy": lambda p, y: float((p.argmax(axis=1) == y).mean()),
    "log_loss": log_loss,
    "ece": calibration_error,
    "accuracy_at_80": lambda p, y: accuracy_at(p, y, 0.8),
}


def interval(
    of: Figure, ours: np.ndarray, theirs: np.ndarray, labels: np.ndarray, texts: Sequence[str]
) -> tuple[float, float]:
    """95 % of the paired difference of a figure, over texts drawn anew, each with its rows of all draws."""
    random = np.random.default_rng(0)
    rows_of: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows_of.setdefault(text, []).append(row)
    apart = [np.array(rows) for rows in rows_of.values()]
    found = []
    for _ in range(ROUNDS):
        rows = np.concatenate([apart[one] for one in random.integers(0, len(apart), len(apart))])
        found.append(of(ours[rows], labels[rows]) - of(theirs[rows], labels[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


class Scores:
    """Probabilities of each model over the scored rows of all draws."""

    def __init__(self, categories: Sequence[str]) -> None:
        self.numbers = {category: number for number, category in enumerate(categories)}
        self.by_model: dict[str, list[np.ndarray]] = {}
        self.seconds: dict[str, list[float]] = {}
        self.labels: list[np.ndarray] = []
        self.texts: list[str] = []

    def scored(self, rows: Rows) -> None:
        self.labels.append(np.array([self.numbers[category] for category in rows.categories]))
        self.texts += rows.texts

    def put(self, model: str, probabilities: np.ndarray, classes: Sequence[str], seconds: float) -> None:
        wide = np.full((len(probabilities), len(self.numbers)), 1e-7)
        wide[:, [self.numbers[one] for one in classes]] = probabilities
        self.by_model.setdefault(model, []).append(wide / wide.sum(axis=1, keepdims=True))
        self.seconds.setdefault(model, []).append(seconds)

    def table(self, **beside: Any) -> list[dict[str, Any]]:
        labels = np.concatenate(self.labels)
        told = {model: np.concatenate(each) for model, each in self.by_model.items()}
        found = []
        for model, probabilities in told.items():
            row = {**beside, "model": model} | {
                name: of(probabilities, labels) for name, of in FIGURES.items()
            }
            row["seconds"] = float(np.mean(self.seconds[model]))
            for name in ("macro_f1", "log_loss"):
                row[f"{name} - SVM"] = ""
                if model not in RIVALS:
                    low, high = interval(FIGURES[name], probabilities, told[SVM], labels, self.texts)
                    row[f"{name} - SVM"] = f"{low:+.3f} … {high:+.3f}"
            found.append(row)
        return found


def ours(rows: Rows, own: Rows, others: Sequence[str], encoder: Encoder | None) -> Any:
    """Train on real rows and written examples, as the product does."""
    examples = [Example(text, category) for text, category in zip(rows.texts, rows.categories, strict=True)]
    examples += [
        Example(text, category, written=True)
        for text, category in zip(own.texts, own.categories, strict=True)
    ]
    return train(examples, unlabelled=others, encoder=encoder)


def sizes_of(name: str, asked: str | None) -> tuple[tuple[int | None, ...], bool]:
    """Sizes to learn from and whether they are of each category: those asked for, else those of the set."""
    if asked is None:
        return SIZES.get(name, (OTHER_SIZES, False))
    return tuple(None if one == "all" else int(one) for one in asked.split(",")), False


def compare(
    folder: Path,
    name: str,
    *,
    sizes: tuple[int | None, ...],
    each: bool,
    count: int,
    on_dev: bool,
    encoder: Encoder | None,
) -> list[dict[str, Any]]:
    own, others = written(name), unlabelled(folder, name)
    found = []
    for size in sizes:
        if size == 0 and not own.texts:
            continue
        scores: Scores | None = None
        # Nothing is drawn where nothing is left out.
        for known, asked in draws(folder, name, count=1 if size is None and on_dev else count, on_dev=on_dev):
            scores = scores or Scores(sorted({*known.categories, *asked.categories}))
            scores.scored(asked)
            rows = shortened(known, size, each=each)
            texts, categories = rows.texts + own.texts, rows.categories + own.categories
            for title, make in RIVALS.items():
                begun = time.perf_counter()
                predict, classes = make(texts, categories)
                scores.put(title, predict(asked.texts), classes, time.perf_counter() - begun)
            ways: list[tuple[str, tuple[str, ...], Encoder | None]] = [(OURS, others, None)]
            ways += [(BARE, (), None)] if others and len(texts) < 2_000 else []
            ways += [(ENCODED, others, encoder)] if encoder is not None else []
            for title, unassessed, reads in ways:
                begun = time.perf_counter()
                model = ours(rows, own, unassessed, reads)
                scores.put(title, model.read(asked.texts), model.categories, time.perf_counter() - begun)
        if scores is not None:
            told = "all" if size is None else f"{size} each" if each else str(size)
            found += scores.table(rows=told)
    return found


def show(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for key, value in rows[0].items():
        table.add_column(key, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, default=Path("data"), help="folder with the gzip CSVs")
    asked.add_argument("--draws", type=int, default=3, help="draws of each size")
    asked.add_argument("--only", default="category,severity,cost")
    asked.add_argument("--sets", default=",".join(SIZES), help="names, own:<language>, or each")
    asked.add_argument("--sizes", help="rows to learn from, such as 500,5000,all, instead of the set's own")
    asked.add_argument("--dev", action="store_true", help="score on the dev rows")
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    only = set(given.only.split(","))
    console = Console(stderr=given.json, width=150)
    encoder = installed_encoder()
    on = "dev rows" if given.dev else f"held-back train rows, {given.draws} draws"
    result: dict[str, Any] = {}
    wanted = names(given.data) if given.sets == "each" else given.sets.split(",")
    for name in wanted if "category" in only else ():
        if not is_there(given.data, name, on_dev=given.dev):
            console.print(
                f"{name}: no {'dev' if given.dev else 'train'} rows of it in {given.data}: left out."
            )
            continue
        sizes, each = sizes_of(name, given.sizes)
        result[name] = compare(
            given.data,
            name,
            sizes=sizes,
            each=each,
            count=given.draws,
            on_dev=given.dev,
            encoder=encoder,
        )
        show(console, f"Category, {name} ({on}; written examples: {len(written(name).texts)})", result[name])
    there = is_there(given.data, SEVERITY_SET)
    if "severity" in only and there:
        result["severity"] = severity(given.data, repeats=given.draws, on_dev=given.dev)
        show(
            console,
            f"Severity, {SEVERITY_SET} ({on if given.dev else 'cross-validated'})",
            result["severity"],
        )
    if "cost" in only:
        long = learnt(given.data, SEVERITY_SET).texts if there else ()
        result["cost"] = [cost(long)]
        show(console, "Cost, starter model", result["cost"])
        if is_there(given.data, "cfpb"):
            pool = learnt(given.data, "cfpb")
            result["training"] = training(pool, RIVALS[REGRESSION], RIVALS[SVM])
            show(console, "Training on 20,000 long rows", result["training"])
    if given.json:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
