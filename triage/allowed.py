"""A proposal is only ever of a category that the rules of the complaint know (clause 7.5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triage.calibration import Doubles

FALLBACK = "other"
LEAST = 0.01
"""Below this summed probability the model says of no category of the desk's that it may be the one."""


def keep_allowed(row: Doubles, allowed: npt.NDArray[np.bool_]) -> Doubles | None:
    """Array (categories,): the probabilities of the categories that are allowed, summing to 1; None without any.

    A model may know more than a complaint's rules: trained on another organisation's file, or since a category
    was added. The whole vector is filtered and renormalised: what remains is how probable each category of the
    desk's is, given that it is one of them. Where less than `LEAST` remains, that is no reading of the text.
    """
    mass = float(row[allowed].sum())
    return np.where(allowed, row, 0.0) / mass if mass >= LEAST else None
