"""How good the triage is, beside the plain models of `triage_rivals`, on the same draws in one run.

    python -m benchmarks.triage_quality --data DIR [--draws 3] [--only category,severity,cost] [--dev] [--json]

Each draw holds back a quarter of the train rows and scores on it; with --dev the dev rows are scored instead
(touch them seldom: a set looked at often is no test). The interval beside a figure of ours is of the paired
difference to the plain calibrated SVM, by bootstrap over the scored rows of all draws.
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
from benchmarks.triage_sets import Rows, draws, is_there, read, shortened, unlabelled, written
from triage.embeddings import Encoder, installed_encoder
from triage.evaluation import critical_scores
from triage.example import Example
from triage.figures import (
    accuracy_at,
    calibration_error,
    f1_scores,
    log_loss,
    recall_at_alerts,
)
from triage.pipeline import Model
from triage.severity import rule_grades
from triage.starters import train_starter
from triage.training import ALERT_RATE, PREVALENCE, train

OURS, BARE, ENCODED = "Amends", "Amends, no unlabelled texts", "Amends, encoder"
#: Set: sizes to learn from (None is all), and whether a size counts for each category.
SIZES: dict[str, tuple[tuple[int | None, ...], bool]] = {
    "cfpb": ((0, 50, 500, None), False),
    "banking77": ((10, None), True),
    "shop_synthetic": ((None,), False),
}
SEVERITY_SET = "nhtsa"
RULES, FIRST_DAY = "Amends, rules alone", "Amends on its first day (starter examples, no history)"
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


def interval(of: Figure, ours: np.ndarray, theirs: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """95 % of the paired difference of a figure, over rows drawn anew."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(labels), len(labels))
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

    def scored(self, rows: Rows) -> None:
        self.labels.append(np.array([self.numbers[category] for category in rows.categories]))

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
            row["macro_f1 - SVM"] = ""
            if model not in RIVALS:
                low, high = interval(macro_f1, probabilities, told[SVM], labels)
                row["macro_f1 - SVM"] = f"{low:+.3f} … {high:+.3f}"
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


def compare(
    folder: Path, name: str, *, count: int, on_dev: bool, encoder: Encoder | None
) -> list[dict[str, Any]]:
    sizes, each = SIZES[name]
    own, others = written(name), unlabelled(folder, name)
    found = []
    for size in sizes:
        if size == 0 and not own.texts:
            continue
        scores: Scores | None = None
        # Nothing is drawn where nothing is left out.
        for learnt, asked in draws(
            folder, name, count=1 if size is None and on_dev else count, on_dev=on_dev
        ):
            scores = scores or Scores(sorted({*learnt.categories, *asked.categories}))
            scores.scored(asked)
            rows = shortened(learnt, size, each=each)
            texts, categories = rows.texts + own.texts, rows.categories + own.categories
            for title, make in RIVALS.items():
                begun = time.perf_counter()
                predict, classes = make(texts, categories)
                scores.put(title, predict(asked.texts), classes, time.perf_counter() - begun)
            ways = [(OURS, others, None)]
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


def severity(folder: Path, *, count: int, on_dev: bool) -> list[dict[str, Any]]:
    """Recall of critical cases at 10 % alerts, re-weighted to 6 % critical, by what ranks them."""
    scores: dict[str, list[np.ndarray]] = {}
    truth = []
    first_day = train_starter(("en",))
    for learnt, asked in draws(folder, SEVERITY_SET, count=1 if on_dev else count, on_dev=on_dev):
        truth.append(asked.critical)
        grades = ["critical" if one else "normal" for one in learnt.critical]
        for title, make in RIVALS.items():
            predict, classes = make(learnt.texts, grades)
            scores.setdefault(title, []).append(predict(asked.texts)[:, classes.index("critical")])
        rows = zip(learnt.texts, grades, learnt.critical, strict=True)
        model = train([Example(text, grade, 5 if critical else 2) for text, grade, critical in rows])
        p_critical = critical_of(model, asked.texts)
        scores.setdefault(RULES, []).append(critical_scores(asked.texts, None))
        scores.setdefault(FIRST_DAY, []).append(critical_of(first_day, asked.texts))
        scores.setdefault(OURS, []).append(critical_scores(asked.texts, p_critical))
    found = []
    for title, each in scores.items():
        row: dict[str, Any] = {"ranked by": title, "recall at 10 % alerts": _mean(recall, each, truth)}
        row["auc"] = _mean(auc, each, truth)
        known = title != RULES
        row["ece"] = (
            _mean(lambda s, c: calibration_error(np.c_[1 - s, s], c.astype(int)), each, truth)
            if known
            else ""
        )
        row["recall - SVM"] = ""
        if title == OURS:
            low, high = _recall_interval(each, scores[SVM], truth)
            row["recall - SVM"] = f"{low:+.3f} … {high:+.3f}"
        found.append(row)
    return found


def critical_of(model: Model, texts: Sequence[str]) -> np.ndarray:
    found = model.critical_probabilities(model.matrix(texts), rule_grades(texts))
    assert found is not None
    return found


def recall(scores: np.ndarray, critical: np.ndarray) -> float:
    return recall_at_alerts(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)


def auc(scores: np.ndarray, critical: np.ndarray) -> float:
    high, low = scores[critical][:, None], scores[~critical][None, :]
    return float(((high > low) + 0.5 * (high == low)).mean())


def _mean(of: Figure, scores: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    return float(np.mean([of(each, critical) for each, critical in zip(scores, truth, strict=True)]))


def _recall_interval(
    mine: Sequence[np.ndarray], theirs: Sequence[np.ndarray], truth: Sequence[np.ndarray]
) -> tuple[float, float]:
    random = np.random.default_rng(0)
    found = []
    for _ in range(ROUNDS):
        gains = []
        for a, b, critical in zip(mine, theirs, truth, strict=True):
            rows = random.integers(0, len(critical), len(critical))
            gains.append(recall(a[rows], critical[rows]) - recall(b[rows], critical[rows]))
        found.append(np.mean(gains))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


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
    asked.add_argument("--sets", default=",".join(SIZES))
    asked.add_argument("--dev", action="store_true", help="score on the dev rows")
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    only = set(given.only.split(","))
    console = Console(stderr=given.json, width=130)
    encoder = installed_encoder()
    on = "dev rows" if given.dev else f"held-back train rows, {given.draws} draws"
    result: dict[str, Any] = {}
    for name in given.sets.split(",") if "category" in only else ():
        if not is_there(given.data, name):
            console.print(f"{name}: no {name}_train.csv.gz in {given.data}: left out.")
            continue
        result[name] = compare(given.data, name, count=given.draws, on_dev=given.dev, encoder=encoder)
        show(console, f"Category, {name} ({on}; written examples: {len(written(name).texts)})", result[name])
    there = is_there(given.data, SEVERITY_SET)
    if "severity" in only and there:
        result["severity"] = severity(given.data, count=given.draws, on_dev=given.dev)
        show(console, f"Severity, {SEVERITY_SET} ({on})", result["severity"])
    if "cost" in only:
        long = read(given.data / f"{SEVERITY_SET}_train.csv.gz").texts if there else ()
        result["cost"] = [cost(long)]
        show(console, "Cost, starter model", result["cost"])
        if is_there(given.data, "cfpb"):
            pool = read(given.data / "cfpb_train.csv.gz")
            result["training"] = training(pool, RIVALS[REGRESSION], RIVALS[SVM])
            show(console, "Training on 20,000 long rows", result["training"])
    if given.json:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
