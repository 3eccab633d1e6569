"""How grave the gravest safety rule of a text is, as a number to count with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from triage.safety import Sign, signs

_STEPS = 4


def rule_grade(found: Iterable[Sign]) -> float:
    """0 without a sign, 1 for severity 5, evenly between."""
    return max((sign.severity - 1 for sign in found), default=0) / _STEPS


def rule_grades(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Array (texts,) of the grades of the gravest rule of each text as written."""
    return np.array([rule_grade(signs(text)) for text in texts], dtype=np.float64)
