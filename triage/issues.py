"""The matters in one complaint (7.7: every aspect is answered), each with its own category.

A letter holds about two. Sentences are read one by one in the light of the whole; those of a like category
are gathered, and a second matter is named only where a sentence speaks for it clearly, the more clearly the
smaller its part of the story: a person can add a row sooner than notice a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triage.calibration import Doubles
from triage.pipeline import Model
from triage.sentences import sentences

MOST = 4
"""Matters named at most, the main one included."""
CLEAR = 1.0
"""What the odds of its surest sentence, times its part of the text, must come to for a second matter.

Of a half two to one (.67), of a quarter four to one (.8): the more sentences a story has, the likelier one of
them sounds like something else by chance ("he did not come", "nobody rang me").
"""

_WHOLE = 0.35
"""How much the whole complaint has to say on each of its sentences, as an exponent."""
_HEARD = 0.5
"""How surely a sentence must speak for another category to be gathered with its like."""
_REST = "other"

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class IssueFound:
    """One matter: its sentences as they stand, their category and its probability, and where they stand.

    `spans` are (start, end) in the text as written, in order, end not included.
    """

    text: str
    category: str
    probability: float
    spans: tuple[tuple[int, int], ...]


def issues(
    model: Model, text: str, *, whole: Doubles | None = None, allowed: npt.NDArray[np.bool_] | None = None
) -> tuple[IssueFound, ...]:
    """The matters of a complaint, the main one first; none for a text without words.

    `whole` (categories,) are the probabilities of the whole text where they are known already, `allowed`
    (categories,) says which of the categories may be named, one at least; without it all.
    """
    bounds = sentences(text)
    if not bounds or not _WORD.search(text):
        return ()
    if whole is None:
        whole = model.probabilities(model.matrix([text]))[0]
    allowed = np.ones(len(model.categories), dtype=bool) if allowed is None else allowed
    main = int(np.where(allowed, whole, -1.0).argmax())
    sure_of_main = float(whole[main] / whole[allowed].sum())
    if len(bounds) == 1:
        return (_found(model, text, bounds, main, sure_of_main),)
    read = _weighed(model.probabilities(model.matrix([text[low:high] for low, high in bounds])), whole)
    by_category: dict[int, list[int]] = {main: []}
    for place, row in enumerate(read):
        best = int(row.argmax())
        other = best != main and allowed[best] and row[best] >= _HEARD and model.categories[best] != _REST
        # What speaks for nothing clearly goes on with the main matter.
        by_category.setdefault(best if other else main, []).append(place)
    lengths = np.array([high - low for low, high in bounds])
    part = lengths / lengths.sum()
    weight = {
        one: float(read[places, one].sum())
        for one, places in by_category.items()
        if one != main and _odds(float(read[places, one].max())) * part[places].sum() >= CLEAR
    }
    kept = sorted(weight, key=lambda one: -weight[one])[: MOST - 1]
    rest = [place for one, places in by_category.items() if one not in kept for place in places]
    found = [_found(model, text, [bounds[p] for p in sorted(rest)] or list(bounds), main, sure_of_main)]
    for one in kept:
        places = by_category[one]
        sure = float(read[places, one].max())
        found.append(_found(model, text, [bounds[place] for place in places], one, sure))
    return tuple(found)


def _odds(probability: float) -> float:
    return probability / max(1 - probability, 1e-9)


def _weighed(read: Doubles, whole: Doubles) -> Doubles:
    """Each sentence weighed by the whole; rows sum to 1."""
    both = read * np.maximum(whole, 1e-6) ** _WHOLE
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def _found(
    model: Model,
    text: str,
    bounds: list[tuple[int, int]] | tuple[tuple[int, int], ...],
    category: int,
    sure: float,
) -> IssueFound:
    joined: list[tuple[int, int]] = []
    for low, high in bounds:
        # Sentences that follow each other are one passage.
        if joined and not text[joined[-1][1] : low].strip():
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    said = " ".join(" ".join(text[low:high].split()) for low, high in joined)
    return IssueFound(said, model.categories[category], round(sure, 4), tuple(joined))
