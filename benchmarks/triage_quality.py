"""How good the triage is, beside plain TF-IDF + logistic regression and the plain calibrated SVM in one run.

    python benchmarks/triage_quality.py --data DIR [--sizes 50,500,all] [--json]

DIR holds the gzip CSVs named in `SETS`; what is missing is said and left out. Every model is trained on the
train file and scored on the dev file; "starters off": only the rows of the set are used, none of ours.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
from rich.console import Console
from rich.table import Table
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from triage.artefact import dump, load
from triage.evaluation import critical_scores
from triage.example import Example
from triage.figures import accuracy_at, calibration_error, f1_scores, log_loss, recall_at_alerts
from triage.proposal import propose
from triage.starters import starter_examples, train_starter
from triage.training import ALERT_RATE, PREVALENCE, train

SETS = ("cfpb", "banking77", "shop_synthetic")
SEVERITY_SET = "nhtsa"
Predict = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Texts, categories and whether critical; of one file."""

    texts: list[str]
    categories: list[str]
    critical: np.ndarray


def read(path: Path) -> Rows:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Rows(
        [row["text"] for row in rows],
        [row["label_category"] for row in rows],
        np.array([row["label_severity"] == "critical" for row in rows]),
    )


def ours(train_rows: Rows, *, severity: bool = False) -> tuple[Predict, tuple[str, ...], Any]:
    grades = [5 if one else 2 for one in train_rows.critical] if severity else [None] * len(train_rows.texts)
    rows = zip(train_rows.texts, train_rows.categories, grades, strict=True)
    model = train([Example(text, category, grade) for text, category, grade in rows])
    return (lambda texts: model.probabilities(model.matrix(texts))), model.categories, model


def plain_regression(train_rows: Rows) -> tuple[Predict, tuple[str, ...], Any]:
    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(train_rows.texts) > 1000 else 1
    )
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(words.fit_transform(train_rows.texts), train_rows.categories)
    return (lambda texts: classifier.predict_proba(words.transform(texts))), tuple(classifier.classes_), None


def plain_svm(train_rows: Rows) -> tuple[Predict, tuple[str, ...], Any]:
    rare = 2 if len(train_rows.texts) > 1000 else 1
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=rare)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=rare)
    matrix = sparse.hstack(
        [words.fit_transform(train_rows.texts), letters.fit_transform(train_rows.texts)]
    ).tocsr()
    _, counts = np.unique(train_rows.categories, return_counts=True)
    classifier: Any = CalibratedClassifierCV(LinearSVC(C=0.3, class_weight="balanced"), cv=3, ensemble=False)
    if counts.min() < 3:
        classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
    classifier.fit(matrix, train_rows.categories)

    def predict(texts: Sequence[str]) -> np.ndarray:
        return np.asarray(
            classifier.predict_proba(
                sparse.hstack([words.transform(texts), letters.transform(texts)]).tocsr()
            )
        )

    return predict, tuple(classifier.classes_), None


MODELS = {
    "plain TF-IDF + regression": plain_regression,
    "plain calibrated SVM": plain_svm,
    "Amends": ours,
}


def figures(
    probabilities: np.ndarray, classes: tuple[str, ...], categories: Sequence[str]
) -> dict[str, float]:
    numbers = {category: number for number, category in enumerate(classes)}
    labels = np.array([numbers.get(category, -1) for category in categories], dtype=np.int64)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    f1 = f1_scores(predicted, labels, len(classes))
    missing = len(set(categories) - set(classes))
    present = np.unique(labels[labels >= 0])
    return {
        "macro_f1": float(f1[present].sum() / (len(present) + missing)),
        "accuracy": float((predicted == labels).mean()),
        "log_loss": log_loss(probabilities, labels),
        "ece": calibration_error(probabilities, labels),
        "accuracy_at_80": accuracy_at(probabilities, labels, 0.8),
    }


def shortened(rows: Rows, size: int | None, seed: int) -> Rows:
    if size is None or size >= len(rows.texts):
        return rows
    order = np.random.default_rng(seed).permutation(len(rows.texts))[:size]
    return Rows([rows.texts[i] for i in order], [rows.categories[i] for i in order], rows.critical[order])


def compare(name: str, folder: Path, sizes: Sequence[int | None], seeds: int) -> list[dict[str, Any]]:
    train_rows, test_rows = read(folder / f"{name}_train.csv.gz"), read(folder / f"{name}_dev.csv.gz")
    found = []
    for size in sizes:
        draws = 1 if size is None or size >= len(train_rows.texts) else seeds
        for title, make in MODELS.items():
            drawn: list[dict[str, float]] = []
            begun = time.perf_counter()
            for seed in range(draws):
                predict, classes, _ = make(shortened(train_rows, size, seed))
                drawn.append(figures(predict(test_rows.texts), classes, test_rows.categories))
            seconds = (time.perf_counter() - begun) / draws
            mean = {key: float(np.mean([one[key] for one in drawn])) for key in drawn[0]}
            rows = min(size or len(train_rows.texts), len(train_rows.texts))
            found.append({"set": name, "rows": rows, "model": title, **mean, "seconds": seconds})
    return found


def severity(folder: Path) -> list[dict[str, Any]]:
    """Recall of critical cases at 10 % alerts, re-weighted to 6 % critical, by what ranks them."""
    train_rows = read(folder / f"{SEVERITY_SET}_train.csv.gz")
    test_rows = read(folder / f"{SEVERITY_SET}_dev.csv.gz")
    labels = Rows(
        train_rows.texts,
        ["critical" if one else "normal" for one in train_rows.critical],
        train_rows.critical,
    )
    scores: dict[str, np.ndarray] = {}
    for title, make in (("plain TF-IDF + regression", plain_regression), ("plain calibrated SVM", plain_svm)):
        predict, classes, _ = make(labels)
        scores[title] = predict(test_rows.texts)[:, classes.index("critical")]
    _, _, model = ours(labels, severity=True)
    p_critical = model.critical_probabilities(model.matrix(test_rows.texts))
    scores["Amends, rules alone (no history)"] = critical_scores(test_rows.texts, None)
    scores["Amends"] = critical_scores(test_rows.texts, p_critical)
    return [
        {
            "ranked by": title,
            "recall at 10 % alerts": recall_at_alerts(
                values, test_rows.critical, rate=ALERT_RATE, prevalence=PREVALENCE
            ),
            "auc": auc(values, test_rows.critical),
        }
        for title, values in scores.items()
    ]


def auc(values: np.ndarray, critical: np.ndarray) -> float:
    high, low = values[critical][:, None], values[~critical][None, :]
    return float(((high > low) + 0.5 * (high == low)).mean())


def cost(texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds for one whole proposal (rules, category, severity, reasons) of about 1,100 characters."""
    begun = time.perf_counter()
    model = train_starter(("en", "tr"))
    trained = time.perf_counter() - begun
    blob = dump(model)
    begun = time.perf_counter()
    model = load(blob, sha256=None)
    loaded = time.perf_counter() - begun
    propose(model, texts[0])
    taken = []
    for text in texts:
        begun = time.perf_counter()
        propose(model, text[:1_100])
        taken.append((time.perf_counter() - begun) * 1_000)
    return {
        "starter examples": float(len(starter_examples())),
        "starter training s": trained,
        "artefact MB": len(blob) / 1e6,
        "load s": loaded,
        "proposal p50 ms": float(np.quantile(taken, 0.5)),
        "proposal p95 ms": float(np.quantile(taken, 0.95)),
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


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
    asked.add_argument("--sizes", default="50,500,all", help="training rows to draw")
    asked.add_argument("--seeds", type=int, default=3, help="draws of each smaller size")
    asked.add_argument("--sets", default=",".join(SETS))
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    console = Console(stderr=given.json, width=120)
    sizes = [None if size == "all" else int(size) for size in given.sizes.split(",")]
    result: dict[str, Any] = {"category": [], "severity": []}
    for name in given.sets.split(","):
        if not (given.data / f"{name}_train.csv.gz").is_file():
            console.print(f"{name}: no {name}_train.csv.gz in {given.data}: left out.")
            continue
        rows = compare(name, given.data, sizes, given.seeds)
        result["category"] += rows
        show(console, f"Category, {name} (dev rows, starters off)", rows)
    if (given.data / f"{SEVERITY_SET}_train.csv.gz").is_file():
        result["severity"] = severity(given.data)
        show(console, f"Severity, {SEVERITY_SET} (dev rows)", result["severity"])
        texts = read(given.data / f"{SEVERITY_SET}_dev.csv.gz").texts
    else:
        console.print(f"{SEVERITY_SET}: no {SEVERITY_SET}_train.csv.gz in {given.data}: left out.")
        texts = [example.text * 10 for example in starter_examples(("en",))]
    result["cost"] = cost(texts)
    show(console, "Cost, starter model", [result["cost"]])
    if given.json:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
