"""What the triage costs: one proposal, the artefact, training on many rows."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.triage_rivals import REGRESSION, SVM, Make
from benchmarks.triage_sets import Rows
from triage.artefact import dump, load
from triage.example import Example
from triage.proposal import propose
from triage.starters import starter_examples, train_starter
from triage.training import train

LONG = 1_100
MANY = 20_000


def cost(texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a whole proposal (rules, category, severity, matters, facts, reasons) for ~1,100 characters."""
    begun = time.perf_counter()
    model = train_starter(("en", "tr"))
    trained = time.perf_counter() - begun
    blob = dump(model)
    begun = time.perf_counter()
    model = load(blob, sha256=None)
    loaded = time.perf_counter() - begun
    long = [text[:LONG] for text in texts if len(text) >= LONG][:300]
    long = long or [(example.text + " ") * 20 for example in starter_examples(("en",))]
    propose(model, long[0])
    taken = []
    for text in long:
        begun = time.perf_counter()
        propose(model, text[:LONG])
        taken.append((time.perf_counter() - begun) * 1_000)
    return {
        "starter examples": float(len(starter_examples(("en", "tr")))),
        "training s": trained,
        "artefact MB": len(blob) / 1e6,
        "load s": loaded,
        "proposal p50 ms": float(np.quantile(taken, 0.5)),
        "proposal p95 ms": float(np.quantile(taken, 0.95)),
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def training(pool: Rows, regression: Make, svm: Make) -> list[dict[str, Any]]:
    """Seconds to train on 20,000 long rows made from the pool, beside the plain models on the same rows.

    Each row is the halves of two complaints of one category, so that there is something to learn; the figures
    mean nothing. One row in sixteen is critical, of the rarer categories.
    """
    random = np.random.default_rng(0)
    by_category: dict[str, list[str]] = {}
    for text, category in zip(pool.texts, pool.categories, strict=True):
        by_category.setdefault(category, []).append(text)
    categories = [pool.categories[int(place)] for place in random.integers(0, len(pool.texts), MANY)]
    texts = []
    for category in categories:
        first, second = (
            by_category[category][int(random.integers(len(by_category[category])))] for _ in "ab"
        )
        texts.append(first[: len(first) // 2] + " " + second[len(second) // 2 :])
    rare = sorted(by_category, key=lambda category: len(by_category[category]))[: len(by_category) // 2]
    severities = [5 if category in rare and random.random() < 0.4 else 2 for category in categories]
    seconds: dict[str, float] = {}
    for title, make in ((REGRESSION, regression), (SVM, svm)):
        begun = time.perf_counter()
        make(texts, categories)
        seconds[title] = time.perf_counter() - begun
    rows = zip(texts, categories, severities, range(MANY), strict=True)
    begun = time.perf_counter()
    model = train([Example(text, category, grade, ref=str(n)) for text, category, grade, n in rows])
    seconds["Amends, severity and neighbours included"] = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        {
            "model": title,
            "seconds": taken,
            "times the plain regression": taken / seconds[REGRESSION],
            "artefact MB": len(dump(model)) / 1e6 if title.startswith("Amends") else "",
            "peak memory MB": peak if title.startswith("Amends") else "",
        }
        for title, taken in seconds.items()
    ]
