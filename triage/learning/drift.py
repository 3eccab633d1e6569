"""Drift: do people still confirm what the model proposes, and are complaints still what it learnt from?

Pure arithmetic on codes and figures of assessed complaints; no words. Each warning needs more than chance:
with few rows an index or a calibration error is large by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, chi2

from complaints.case_values import RULES_ALONE
from triage.model.calibration import Doubles
from triage.model.metrics import calibration_error

LEAST, MOST = 50, 200
"""How many of the newest assessed complaints are looked at."""

BEFORE = 100
"""Complaints before those that the mix is compared with, at least."""

LOOKED_AT = 1_200
"""Assessments that the store is asked for: the newest, and enough before them to know the usual mix."""

CHANCE = 0.01
"""So rarely chance alone may raise a warning that is looked at every day."""

INDEX = 0.25
"""A population stability index above this is a shift by common agreement."""

MISCALIBRATED = 0.15


@dataclass(frozen=True, slots=True)
class DriftObservation:
    """One assessed complaint: what was proposed, how probable, and what a person confirmed."""

    at: datetime
    proposed: str
    probability: float
    confirmed: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: its code (`agreement`, `mix`, `calibration`), the figure, its bound, and on how many rows."""

    code: str
    value: float
    bound: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that `--json` uses."""
        return {
            "code": self.code,
            "value": round(self.value, 4),
            "bound": round(self.bound, 4),
            "rows": self.rows,
        }


def drift(seen: Sequence[DriftObservation], *, accuracy: float | None) -> tuple[Warned, ...]:
    """What has parted, from assessed complaints in any order; nothing under 50 of them.

    `accuracy` is the held-out accuracy on the model's card; None leaves agreement out.
    """
    ordered = sorted(seen, key=lambda one: one.at)
    recent, before = ordered[-MOST:], ordered[:-MOST]
    if len(before) < BEFORE:
        # A young record: the older part of it is what the newer is compared with.
        before, recent = ordered[:-LEAST], (recent if len(ordered) < BEFORE + LEAST else ordered[-LEAST:])
    if len(recent) < LEAST:
        return ()
    found = (_agreement(recent, accuracy), _mix(recent, before), _calibration(recent))
    return tuple(one for one in found if one is not None)


def drift_in(judged: Iterable[Mapping[str, Any]], card: Mapping[str, Any] | None) -> tuple[Warned, ...]:
    """The same from assessed complaints as the store tells them; what the rules alone proposed is left out."""
    seen = [
        DriftObservation(one["at"], one["proposed"], one["probability"], one["confirmed"])
        for one in judged
        if one["model"] not in (None, RULES_ALONE)
    ]
    return drift(seen, accuracy=None if card is None else card.get("accuracy"))


def _agreement(recent: Sequence[DriftObservation], accuracy: float | None) -> Warned | None:
    """One-sided exact binomial test of agreement against what the card promises."""
    if accuracy is None:
        return None
    agreed = sum(one.proposed == one.confirmed for one in recent)
    chance = float(binom.cdf(agreed, len(recent), accuracy))
    return Warned("agreement", agreed / len(recent), accuracy, len(recent)) if chance < CHANCE else None


def _mix(recent: Sequence[DriftObservation], before: Sequence[DriftObservation]) -> Warned | None:
    """Population stability index of the confirmed categories, against those confirmed before."""
    if len(before) < BEFORE:
        return None
    now, then = Counter(one.confirmed for one in recent), Counter(one.confirmed for one in before)
    names = sorted({*now, *then})
    if len(names) < 2:
        return None
    shares, were = _shares(now, names), _shares(then, names)
    index = float(((shares - were) * np.log(shares / were)).sum())
    # Of an unchanged mix the index is about this many times a chi-squared of so many degrees.
    by_chance = (1 / len(recent) + 1 / len(before)) * float(chi2.ppf(1 - CHANCE, len(names) - 1))
    bound = max(INDEX, by_chance)
    return Warned("mix", index, bound, len(recent)) if index > bound else None


def _shares(counts: Counter[str], names: Sequence[str]) -> Doubles:
    """Shares with half a row added to each, so that one never seen does not count without end."""
    found = np.array([counts[name] + 0.5 for name in names], dtype=np.float64)
    total: Doubles = found / found.sum()
    return total


def _calibration(recent: Sequence[DriftObservation]) -> Warned | None:
    """Expected calibration error of the proposals, above what a calibrated model would show by chance."""
    sure = np.array([one.probability for one in recent], dtype=np.float64)
    right = np.array([one.proposed == one.confirmed for one in recent])
    error = _error(sure, right)
    random = np.random.default_rng(0)
    drawn = [_error(sure, random.random(len(sure)) < sure) for _ in range(500)]
    bound = max(MISCALIBRATED, float(np.quantile(drawn, 1 - CHANCE)))
    return Warned("calibration", error, bound, len(recent)) if error > bound else None


def _error(sure: Doubles, right: npt.NDArray[np.bool_]) -> float:
    return calibration_error(sure.reshape(-1, 1), np.where(right, 0, 1).astype(np.int64))
