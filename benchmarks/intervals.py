"""How often each 95 % interval of the reports contains the true value, on simulations."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator

import numpy as np
from rich.table import Table

from benchmarks.measuring import verdict
from reports.analysis.rates import poisson_interval
from reports.breakdowns import Gap
from reports.statistics import Share, mean_interval, survival, wilson

RUNS = int(os.environ.get("AMENDS_RUNS", "4000"))
SIZES = (10, 20, 30, 100, 1_000)
#: Below 30 units at least 93 %; from 30 on 93 to 97 %.
LEAST, MOST, FROM = 0.93, 0.97, 30
Chance = np.random.Generator
Interval = tuple[float | None, float | None] | None
#: Draws one sample of this size: its interval, and the true value.
Trial = Callable[[Chance, int], tuple[Interval, float]]


def tables() -> Iterator[Table]:
    table = Table(title="Coverage of the 95 % intervals", title_justify="left", show_edge=False)
    for column in ("interval", *(f"n = {size:,}" for size in SIZES), "goal"):
        table.add_column(column)
    for name, trial in TRIALS.items():
        shares = [_coverage(trial, size) for size in SIZES]
        pairs = zip(SIZES, shares, strict=True)
        is_met = all(share >= LEAST and (size < FROM or share <= MOST) for size, share in pairs)
        table.add_row(name, *(f"{100 * share:.1f} %" for share in shares), verdict(is_met))
    yield table


def _coverage(trial: Trial, size: int) -> float:
    chance, hits = np.random.default_rng(size), 0
    for _ in range(RUNS):
        interval, truth = trial(chance, size)
        low, high = interval or (None, None)
        hits += (low is None or low <= truth) and (high is None or truth <= high)
    return hits / RUNS


def _wilson(chance: Chance, size: int) -> tuple[Interval, float]:
    """The true share differs from figure to figure, as those of a report do."""
    share = float(chance.uniform(0.05, 0.95))
    return wilson(int(chance.binomial(size, share)), size), share


def _newcombe(chance: Chance, size: int) -> tuple[Interval, float]:
    here, others = (float(chance.uniform(0.05, 0.95)) for _ in range(2))
    group = Share(int(chance.binomial(size, here)), size)
    rest = Share(int(chance.binomial(3 * size, others)), 3 * size)
    return Gap("language", "tr", "upheld", group, rest).interval, here - others


def _mean(chance: Chance, size: int) -> tuple[Interval, float]:
    """Process scores: the mean of four questions, most of them high, as surveys have them."""
    weights = np.array([0.08, 0.07, 0.15, 0.3, 0.4])
    answers = chance.choice(np.arange(1, 6), p=weights, size=(size, 4))
    # The four answers of a person depend on each other.
    answers = np.where(chance.random((size, 4)) < 0.7, answers[:, :1], answers)
    scores = answers.mean(axis=1)
    return mean_interval(float(scores.sum()), float((scores**2).sum()), size), float(
        weights @ np.arange(1, 6)
    )


def _single_score(chance: Chance, size: int) -> tuple[Interval, float]:
    """Outcome scores of one question: two of three are 5."""
    weights = np.array([0.06, 0.04, 0.08, 0.17, 0.65])
    scores = chance.choice(np.arange(1, 6), p=weights, size=size)
    return mean_interval(float(scores.sum()), float((scores**2).sum()), size), float(
        weights @ np.arange(1, 6)
    )


def _median(chance: Chance, size: int) -> tuple[Interval, float]:
    """Days to a decision; a third is still open."""
    days, age = chance.lognormal(1.8, 0.8, size), chance.exponential(20, size)
    is_ended = days <= age
    figure = survival(days[is_ended].tolist(), age[~is_ended].tolist())
    return (figure.median_low, figure.median_high), math.exp(1.8)


def _poisson(chance: Chance, size: int) -> tuple[Interval, float]:
    """`size` is the expected number of complaints."""
    return poisson_interval(int(chance.poisson(size))), float(size)


TRIALS: dict[str, Trial] = {
    "share (Wilson)": _wilson,
    "difference (Newcombe)": _newcombe,
    "mean of four questions": _mean,
    "mean of one question": _single_score,
    "median time (Kaplan-Meier)": _median,
    "rate (exact Poisson)": _poisson,
}
