"""How grave the gravest safety rule of a text is, as a number to count with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from triage.safety import Sign, signs

_BELOW, _STEPS = 3, 2


def rule_grade(found: Iterable[Sign]) -> float:
    """0 without a sign of severity 4, a half for 4, 1 for 5.

    A rule of severity 3 says nothing of a critical case: every outage of a water company would be one.
    """
    return max((max(0, sign.severity - _BELOW) for sign in found), default=0) / _STEPS


def rule_grades(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Array (texts,) of the grades of the gravest rule of each text as written."""
    return np.array([rule_grade(signs(text)) for text in texts], dtype=np.float64)
