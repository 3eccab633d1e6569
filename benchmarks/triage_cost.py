"""What the triage costs: one proposal, the artefact, training on many rows."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from benchmarks.triage_rivals import REGRESSION, SVM, Make
from benchmarks.triage_sets import Rows
from triage.example import Example
from triage.learning.examples import starter_examples, train_starter
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.proposal import propose

Made = TypeVar("Made")
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
    rows = zip(texts, categories, severities, range(MANY), strict=True)
    examples = [Example(text, category, grade, ref=str(n)) for text, category, grade, n in rows]
    taken: dict[str, Taken] = {}
    # Ours first: so the peak is of nothing else that needs much.
    model, taken["Amends, severity and neighbours included"] = _timed(partial(train, examples))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for title, make in ((REGRESSION, regression), (SVM, svm)):
        _, taken[title] = _timed(partial(make, texts, categories))
    return [
        {
            "model": title,
            "seconds": each.seconds,
            "times the plain regression": each.seconds / taken[REGRESSION].seconds,
            "of work": each.work,
            "times its work": each.work / taken[REGRESSION].work,
            "artefact MB": len(dump(model)) / 1e6 if title.startswith("Amends") else "",
            "peak memory MB": peak if title.startswith("Amends") else "",
        }
        for title, each in taken.items()
    ]


@dataclass(frozen=True)
class Taken:
    """Seconds on the wall and seconds of work of this process: beside other work only the second tell."""

    seconds: float
    work: float


def _timed(make: Callable[[], Made]) -> tuple[Made, Taken]:
    begun, worked = time.perf_counter(), time.process_time()
    made = make()
    return made, Taken(time.perf_counter() - begun, time.process_time() - worked)
