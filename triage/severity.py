"""How grave the gravest safety rule of a text is, as a number to count with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from triage.safety import Sign, signs

_BELOW, _STEPS = 3, 2

HALVED_AT = 1_000
"""Characters into a text at which a sign counts half: what a person complains of mostly stands at the front."""


def rule_grade(found: Iterable[Sign]) -> float:
    """0 without a sign of severity 4, a half for 4, 1 for 5 at the beginning of a text; less the later it stands.

    A rule of severity 3 says nothing of a critical case: every outage of a water company would be one.
    """
    return max((_grade(sign) for sign in found), default=0.0)


def _grade(sign: Sign) -> float:
    return max(0, sign.severity - _BELOW) / _STEPS / (1 + sign.span[0] / HALVED_AT)


def rule_grades(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Array (texts,) of the grades of the gravest rule of each text as written."""
    return np.array([rule_grade(signs(text)) for text in texts], dtype=np.float64)
