"""The choice between candidates by evidence: the log-loss on held-back rows of this organisation.

Short enquiries in many categories want a regression, long letters in few an SVM, many desks their blend:
nobody knows beforehand, so each training asks its own rows, and the reason stands in the model card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from triage.calibration import Doubles, Integers, fit_calibration
from triage.figures import best_first
from triage.labelled import Asked, Labelled
from triage.planes import FOLDS, MAKERS, Folds, fit_plane

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "svm": ("svm",),
    "regression": ("regression",),
    "blend": ("svm", "regression"),
}
FIRST = "svm"
ENOUGH = 4_000
"""Rows that settle the choice; with more, a fixed random part of them is asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen and why: the log-loss of each candidate on the same held-back rows."""

    name: str
    losses: Mapping[str, float]
    rows: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The planes the chosen candidate is added from."""
        return CANDIDATES[self.name]

    def reason(self) -> str:
        """In a sentence, for the model card."""
        why = "no other is better by more than chance" if self.name == FIRST else "clearly the best"
        return f"{self.name}: {why}, by log-loss on {self.rows} held-back rows ({best_first(self.losses)})"


@dataclass(frozen=True, slots=True)
class Spread:
    """Decision values of a candidate on rows it has not seen, and by what each of its planes was divided."""

    decisions: Doubles
    spreads: Mapping[str, float]


def spread(by_kind: Mapping[str, Doubles], kinds: tuple[str, ...]) -> Spread:
    """Add the decision values of these kinds; a single kind stays as it is."""
    if len(kinds) == 1:
        return Spread(by_kind[kinds[0]], {kinds[0]: 1.0})
    spreads = {kind: float(np.nanstd(by_kind[kind])) or 1.0 for kind in kinds}
    return Spread(np.asarray(sum(by_kind[kind] / spreads[kind] for kind in kinds)), spreads)


def cross_fitted(
    decisions: Doubles, labels: Integers, asked: Asked, *, repeats: int = 1, seed: int
) -> Doubles:
    """Probabilities (n, k) of each third from a calibration on the two others: for figures, not for use.

    The rows may be repeated as a whole, each time with other decision values: labels and `asked` are of one
    round, and so is what is given.
    """
    parts = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), decisions.shape[1]))
    for part in range(FOLDS):
        rest, held = np.tile(parts != part, repeats), parts == part
        fitted = fit_calibration(
            decisions[rest], np.tile(labels, repeats)[rest], asked=np.tile(asked, repeats)[rest]
        )
        probabilities[held] = fitted.apply(decisions[: len(labels)][held])
    return probabilities


def choose(rows: Labelled, *, seed: int, progress: Callable[[float], object] = lambda share: None) -> Choice:
    """Ask every candidate on the same folds of the rows; `progress` is told the share done."""
    if len(rows.labels) > ENOUGH:
        rows = rows.some(np.sort(np.random.default_rng(seed).permutation(len(rows.labels))[:ENOUGH]))
    folds = rows.folds(seed=seed)
    by_kind = {}
    for done, kind in enumerate(MAKERS, 1):
        by_kind[kind] = held_back(kind, rows, folds, seed=seed)
        progress(done / len(MAKERS))
    labels, asked = rows.labels, rows.asked
    each = {
        name: _losses(cross_fitted(spread(by_kind, kinds).decisions, labels, asked, seed=seed), labels)[asked]
        for name, kinds in CANDIDATES.items()
    }
    losses = {name: round(float(one.mean()), 4) for name, one in each.items()}
    return Choice(_clearly_best(each), losses, int(asked.sum()))


def held_back(kind: str, rows: Labelled, folds: Folds, *, seed: int) -> Doubles:
    """Decision values (n, categories) of each held-back row by a plane that has not seen it, else nan."""
    decisions = np.full((len(rows.labels), rows.categories), np.nan)
    labels = rows.all_labels
    for rest, held in folds:
        plane = fit_plane(kind, rows.matrix[rest], labels[rest], categories=rows.categories, seed=seed)
        decisions[held] = plane.decide(rows.matrix[held])
    return decisions


def _losses(probabilities: Doubles, labels: Integers) -> Doubles:
    """-log p of the right category of each row."""
    right = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(right, 1e-6)))


def _clearly_best(each: Mapping[str, Doubles]) -> str:
    """The SVM, which keeps rare categories best, unless another is better by more than chance."""
    best = FIRST
    for name, losses in each.items():
        gain = each[best] - losses
        if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
            best = name
    return best
