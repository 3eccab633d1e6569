"""The quality of triage, compared with the plain models of `triage_rivals` on the same draws in one run.

    python -m benchmarks.triage_quality --data DIR [--draws 3] [--only category,severity,cost] [--dev] [--json]
    python -m benchmarks.triage_quality --only category --sets own:tr,own:de [--sizes 100,200,all]
    python -m benchmarks.triage_quality --only category --data DIR --sets each

`--sets` are names of sets in DIR (file names: see `triage_sets`; columns are found by their usual names), `each` for
all sets in it, or `own:` and a language for this repository's texts in that language.

Each draw holds back a quarter of the train rows and scores on it; with --dev the dev rows are scored instead (use
them rarely: a set that is used often is no longer a test). The intervals next to the figures of Amends are of the
paired difference to the plain calibrated SVM, by bootstrap over the scored texts. A text that several draws held back
is drawn with all its predictions, because they are not independent. For log-loss, below zero is better. Severity is
cross-validated over train and dev rows together, once per draw (`triage_severity`).
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
from benchmarks.triage_sets import (
    LabelledTexts,
    draws,
    is_there,
    learnt,
    names,
    shortened,
    unlabelled,
    written,
)
from benchmarks.triage_severity import SEVERITY_SET, severity
from triage.encoder import Encoder, installed_encoder
from triage.example import Example
from triage.learning.training import train
from triage.model.prediction_metrics import accuracy_at, calibration_error, f1_scores, log_loss

OURS, BARE, ENCODED = "Amends", "Amends, no unlabelled texts", "Amends, encoder"
#: By set: the numbers of rows to learn from (None is all), and whether they are per category.
SIZES: dict[str, tuple[tuple[int | None, ...], bool]] = {
    "cfpb": ((0, 50, 500, None), False),
    "banking77": ((10, None), True),
    "shop_synthetic": ((None,), False),
}
#: For all other sets.
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
    figure: Figure, product: np.ndarray, baseline: np.ndarray, labels: np.ndarray, texts: Sequence[str]
) -> tuple[float, float]:
    """95 % interval of the paired difference of a figure: a bootstrap over texts, each with its rows of all draws."""
    random = np.random.default_rng(0)
    rows_of: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows_of.setdefault(text, []).append(row)
    row_groups = [np.array(rows) for rows in rows_of.values()]
    differences = []
    for _ in range(ROUNDS):
        rows = np.concatenate(
            [row_groups[group] for group in random.integers(0, len(row_groups), len(row_groups))]
        )
        differences.append(figure(product[rows], labels[rows]) - figure(baseline[rows], labels[rows]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


class Scores:
    """The probabilities of each model over the scored rows of all draws."""

    def __init__(self, categories: Sequence[str]) -> None:
        self.numbers = {category: number for number, category in enumerate(categories)}
        self.by_model: dict[str, list[np.ndarray]] = {}
        self.seconds: dict[str, list[float]] = {}
        self.labels: list[np.ndarray] = []
        self.texts: list[str] = []

    def scored(self, rows: LabelledTexts) -> None:
        self.labels.append(np.array([self.numbers[category] for category in rows.categories]))
        self.texts += rows.texts

    def put(self, model: str, probabilities: np.ndarray, classes: Sequence[str], seconds: float) -> None:
        wide = np.full((len(probabilities), len(self.numbers)), 1e-7)
        wide[:, [self.numbers[category] for category in classes]] = probabilities
        self.by_model.setdefault(model, []).append(wide / wide.sum(axis=1, keepdims=True))
        self.seconds.setdefault(model, []).append(seconds)

    def table(self, **labels_: Any) -> list[dict[str, Any]]:
        labels = np.concatenate(self.labels)
        all_probabilities = {model: np.concatenate(parts) for model, parts in self.by_model.items()}
        table = []
        for model, probabilities in all_probabilities.items():
            row = {**labels_, "model": model} | {
                name: figure(probabilities, labels) for name, figure in FIGURES.items()
            }
            row["seconds"] = float(np.mean(self.seconds[model]))
            for name in ("macro_f1", "log_loss"):
                row[f"{name} - SVM"] = ""
                if model not in RIVALS:
                    low, high = interval(
                        FIGURES[name], probabilities, all_probabilities[SVM], labels, self.texts
                    )
                    row[f"{name} - SVM"] = f"{low:+.3f} … {high:+.3f}"
            table.append(row)
        return table


def train_product(
    rows: LabelledTexts, written_rows: LabelledTexts, unlabelled_texts: Sequence[str], encoder: Encoder | None
) -> Any:
    """Train on real rows and written examples, as the product does."""
    examples = [Example(text, category) for text, category in zip(rows.texts, rows.categories, strict=True)]
    examples += [
        Example(text, category, written=True)
        for text, category in zip(written_rows.texts, written_rows.categories, strict=True)
    ]
    return train(examples, unlabelled=unlabelled_texts, encoder=encoder)


def sizes_of(name: str, sizes: str | None) -> tuple[tuple[int | None, ...], bool]:
    """The sizes to learn from and whether they are per category: those requested, or the set's own."""
    if sizes is None:
        return SIZES.get(name, (OTHER_SIZES, False))
    return tuple(None if size == "all" else int(size) for size in sizes.split(",")), False


def compare(
    folder: Path,
    name: str,
    *,
    sizes: tuple[int | None, ...],
    per_category: bool,
    count: int,
    on_dev: bool,
    encoder: Encoder | None,
) -> list[dict[str, Any]]:
    written_rows, unlabelled_texts = written(name), unlabelled(folder, name)
    table = []
    for size in sizes:
        if size == 0 and not written_rows.texts:
            continue
        scores: Scores | None = None
        # With all rows and the dev set every draw is the same: one is enough.
        for train_rows, scored_rows in draws(
            folder, name, count=1 if size is None and on_dev else count, on_dev=on_dev
        ):
            scores = scores or Scores(sorted({*train_rows.categories, *scored_rows.categories}))
            scores.scored(scored_rows)
            rows = shortened(train_rows, size, per_category=per_category)
            texts, categories = rows.texts + written_rows.texts, rows.categories + written_rows.categories
            for title, make in RIVALS.items():
                started = time.perf_counter()
                predict, classes = make(texts, categories)
                scores.put(title, predict(scored_rows.texts), classes, time.perf_counter() - started)
            variants: list[tuple[str, tuple[str, ...], Encoder | None]] = [(OURS, unlabelled_texts, None)]
            variants += [(BARE, (), None)] if unlabelled_texts and len(texts) < 2_000 else []
            variants += [(ENCODED, unlabelled_texts, encoder)] if encoder is not None else []
            for title, texts_used, encoder_used in variants:
                started = time.perf_counter()
                model = train_product(rows, written_rows, texts_used, encoder_used)
                scores.put(
                    title,
                    model.predict_proba(scored_rows.texts),
                    model.categories,
                    time.perf_counter() - started,
                )
        if scores is not None:
            label = "all" if size is None else f"{size} each" if per_category else str(size)
            table += scores.table(rows=label)
    return table


def show(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for key, value in rows[0].items():
        table.add_column(key, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the gzip CSVs")
    parser.add_argument("--draws", type=int, default=3, help="draws of each size")
    parser.add_argument("--only", default="category,severity,cost")
    parser.add_argument("--sets", default=",".join(SIZES), help="names, own:<language>, or each")
    parser.add_argument("--sizes", help="rows to learn from, such as 500,5000,all, instead of the set's own")
    parser.add_argument("--dev", action="store_true", help="score on the dev rows")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    only = set(options.only.split(","))
    console = Console(stderr=options.json, width=150)
    encoder = installed_encoder()
    scored_on = "dev rows" if options.dev else f"held-back train rows, {options.draws} draws"
    result: dict[str, Any] = {}
    set_names = names(options.data) if options.sets == "each" else options.sets.split(",")
    for name in set_names if "category" in only else ():
        if not is_there(options.data, name, on_dev=options.dev):
            console.print(
                f"{name}: no {'dev' if options.dev else 'train'} rows of it in {options.data}: left out."
            )
            continue
        sizes, per_category = sizes_of(name, options.sizes)
        result[name] = compare(
            options.data,
            name,
            sizes=sizes,
            per_category=per_category,
            count=options.draws,
            on_dev=options.dev,
            encoder=encoder,
        )
        show(
            console,
            f"Category, {name} ({scored_on}; written examples: {len(written(name).texts)})",
            result[name],
        )
    has_severity_set = is_there(options.data, SEVERITY_SET)
    if "severity" in only and has_severity_set:
        result["severity"] = severity(options.data, repeats=options.draws, on_dev=options.dev)
        show(
            console,
            f"Severity, {SEVERITY_SET} ({scored_on if options.dev else 'cross-validated'})",
            result["severity"],
        )
    if "cost" in only:
        long = learnt(options.data, SEVERITY_SET).texts if has_severity_set else ()
        result["cost"] = [cost(long)]
        show(console, "Cost, starter model", result["cost"])
        if is_there(options.data, "cfpb"):
            pool = learnt(options.data, "cfpb")
            result["training"] = training(pool, RIVALS[REGRESSION], RIVALS[SVM])
            show(console, "Training on 20,000 long rows", result["training"])
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
