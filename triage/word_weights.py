"""The weights of words that were learned from written examples: features, files and the weight of a text.

Standard library only: no text waits for a model.
"""

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import chain, pairwise
from math import sqrt


def word_features(words: Sequence[str]) -> set[str]:
    """Words, their parts, and pairs of neighbours."""
    return {*chain.from_iterable(map(_features_of_word, words)), *map(" ".join, pairwise(words))}


def mean_weight(features: Collection[str], weights: Mapping[str, float]) -> float:
    """The weight of the features that have one, divided by the root of their number; 0 where none has."""
    own = weights.keys() & features
    return sum(map(weights.__getitem__, own)) / sqrt(len(own)) if own else 0.0


def read_weights(folder: str, language: str) -> tuple[dict[str, float], ...]:
    """The weight of each feature, for each column of the file of a language."""
    file = resources.files("triage").joinpath(folder, f"weights_{language}.csv")
    rows: Iterable[list[str]] = csv.reader(file.read_text("utf-8").splitlines())
    features, *columns = zip(*rows, strict=True)
    return tuple(dict(zip(features, map(float, column), strict=True)) for column in columns)


@lru_cache(maxsize=20_000)
def _features_of_word(word: str) -> tuple[str, ...]:
    """A word, its beginnings, and its parts, which compounds and endings share."""
    beginnings = (word[:length] + "*" for length in (3, 4, 5) if len(word) > length)
    parts = (word[start : start + length] for length in (4, 5) for start in range(1, len(word) - length + 1))
    return (word, *beginnings, *(f"*{part}*" for part in parts))
