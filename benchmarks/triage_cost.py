"""The cost of triage: one proposal, the artefact, and training on many rows."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from benchmarks.triage_rivals import REGRESSION, SVM, Make
from benchmarks.triage_sets import LabelledTexts
from triage.example import Example
from triage.learning.examples import starter_examples, train_starter
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.proposal import propose

T = TypeVar("T")
LONG_TEXT = 1_100
TRAINING_ROWS = 20_000


def cost(texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a whole proposal (rules, category, severity, issues, facts, reasons) for ~1,100 characters."""
    started = time.perf_counter()
    model = train_starter(("en", "tr"))
    trained = time.perf_counter() - started
    blob = dump(model)
    started = time.perf_counter()
    model = load(blob, sha256=None)
    loaded = time.perf_counter() - started
    long = [text[:LONG_TEXT] for text in texts if len(text) >= LONG_TEXT][:300]
    long = long or [(example.text + " ") * 20 for example in starter_examples(("en",))]
    propose(model, long[0])
    milliseconds = []
    for text in long:
        started = time.perf_counter()
        propose(model, text[:LONG_TEXT])
        milliseconds.append((time.perf_counter() - started) * 1_000)
    return {
        "starter examples": float(len(starter_examples(("en", "tr")))),
        "training s": trained,
        "artefact MB": len(blob) / 1e6,
        "load s": loaded,
        "proposal p50 ms": float(np.quantile(milliseconds, 0.5)),
        "proposal p95 ms": float(np.quantile(milliseconds, 0.95)),
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def training(pool: LabelledTexts, regression: Make, svm: Make) -> list[dict[str, Any]]:
    """Seconds to train on 20,000 long rows made from the pool, compared with the plain models on the same rows.

    Each row joins halves of two complaints of one category, so that there is something to learn; quality figures
    would mean nothing. One row in sixteen is critical, in the rarer categories.
    """
    random = np.random.default_rng(0)
    by_category: dict[str, list[str]] = {}
    for text, category in zip(pool.texts, pool.categories, strict=True):
        by_category.setdefault(category, []).append(text)
    categories = [pool.categories[int(place)] for place in random.integers(0, len(pool.texts), TRAINING_ROWS)]
    texts = []
    for category in categories:
        first, second = (
            by_category[category][int(random.integers(len(by_category[category])))] for _ in "ab"
        )
        texts.append(first[: len(first) // 2] + " " + second[len(second) // 2 :])
    rare = sorted(by_category, key=lambda category: len(by_category[category]))[: len(by_category) // 2]
    severities = [5 if category in rare and random.random() < 0.4 else 2 for category in categories]
    rows = zip(texts, categories, severities, range(TRAINING_ROWS), strict=True)
    examples = [Example(text, category, severity, ref=str(n)) for text, category, severity, n in rows]
    durations: dict[str, Duration] = {}
    # Amends first, so that the peak memory is its own.
    model, durations["Amends, severity and neighbours included"] = _timed(partial(train, examples))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for title, make in ((REGRESSION, regression), (SVM, svm)):
        _, durations[title] = _timed(partial(make, texts, categories))
    return [
        {
            "model": title,
            "seconds": duration.seconds,
            "times the plain regression": duration.seconds / durations[REGRESSION].seconds,
            "of work": duration.work,
            "times its work": duration.work / durations[REGRESSION].work,
            "artefact MB": len(dump(model)) / 1e6 if title.startswith("Amends") else "",
            "peak memory MB": peak if title.startswith("Amends") else "",
        }
        for title, duration in durations.items()
    ]


@dataclass(frozen=True)
class Duration:
    """Elapsed and processor seconds; while other work runs, only processor seconds are comparable."""

    seconds: float
    work: float


def _timed(make: Callable[[], T]) -> tuple[T, Duration]:
    started, worked = time.perf_counter(), time.process_time()
    result = make()
    return result, Duration(time.perf_counter() - started, time.process_time() - worked)
