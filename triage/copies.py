"""Rows of a file that are copies of one another, exact or nearly so, found so that they stay together.

A copy on both sides of a split would let a model be examined on what it has learnt by heart. Nearly the same
are texts whose sketches, the lowest hashes of their runs of three words, have most in common.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from triage.text import normalise

_SKETCH = 24
_SHARED = 0.6
_FEWEST = 4
"""With fewer runs in common, short texts on one subject would pass for copies."""
_CROWDED = 100
"""A run that so many texts have is a phrase of the form they were written on."""
_TOLD_EVERY = 200
_WORD = re.compile(r"\w+")


def copy_groups(texts: Sequence[str], progress: Callable[[int, int], object] | None = None) -> list[int]:
    """For each text the number of the first text that it is a copy of, or its own."""
    leader = list(range(len(texts)))

    def first(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    exact: dict[str, int] = {}
    holders: defaultdict[int, list[int]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for place, text in enumerate(texts):
        words = _WORD.findall(normalise(text).casefold())
        same = exact.setdefault(" ".join(words), place)
        if same != place:
            leader[place] = first(same)
            continue
        sketch = _sketch(words)
        sizes[place] = len(sketch)
        shared = Counter(other for run in sketch if len(holders[run]) < _CROWDED for other in holders[run])
        for other, common in shared.items():
            if _alike(common, len(sketch), sizes[other]):
                one, two = sorted((first(place), first(other)))
                leader[two] = one
        for run in sketch:
            holders[run].append(place)
        if progress is not None and place % _TOLD_EVERY == 0:
            progress(place, len(texts))
    return [first(place) for place in range(len(texts))]


def _alike(common: int, one: int, other: int) -> bool:
    # Of long texts one may hold the other and more; of short ones that would be any two on one subject.
    whole = min(one, other) if min(one, other) == _SKETCH else one + other - common
    return common >= max(_FEWEST, _SHARED * whole)


def _sketch(words: Sequence[str]) -> list[int]:
    runs = {
        zlib.crc32(" ".join(words[place : place + 3]).encode()) for place in range(max(1, len(words) - 2))
    }
    return sorted(runs)[:_SKETCH]
