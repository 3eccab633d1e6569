"""Words and pairs of words, counted: the same as scikit-learn's vectoriser of 1-2-grams, in half the time.

Each word is a number from the first time it is met, and a pair is one number made of two, so that the pairs of very
many texts are counted without being spelt: only those that are kept get a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse

from triage.folding import fold

WORD = re.compile(r"\b\w\w+\b")


def words_of(text: str) -> list[str]:
    """The words of a normalised text, folded, in their order; single letters are none."""
    return WORD.findall(fold(text).text)


def count_words(texts: Sequence[str], vocabulary: Mapping[str, int]) -> sparse.csr_matrix:
    """How often each word and pair of the vocabulary stands in each text, float32."""
    starts: list[int] = [0]
    columns: list[int] = []
    for text in texts:
        words = words_of(text)
        columns += [vocabulary[word] for word in words if word in vocabulary]
        pairs = (f"{one} {other}" for one, other in pairwise(words))
        columns += [vocabulary[pair] for pair in pairs if pair in vocabulary]
        starts.append(len(columns))
    values = np.ones(len(columns), dtype=np.float32)
    counts = sparse.csr_matrix((values, columns, starts), shape=(len(texts), len(vocabulary)))
    counts.sum_duplicates()
    return counts


def fit_words(texts: Sequence[str], *, rare: int, most: int) -> tuple[dict[str, int], sparse.csr_matrix]:
    """The vocabulary, in its order, of the `most` frequent words and pairs that stand in at least `rare` texts, and
    their counts in each text, float32.
    """
    numbers: dict[str, int] = {}
    lengths, singles = [], []
    for text in texts:
        words = words_of(text)
        lengths.append(len(words))
        singles += [numbers.setdefault(word, len(numbers)) for word in words]
    names = list(numbers)
    first = np.array(singles, dtype=np.int64)
    rows = np.repeat(np.arange(len(texts)), lengths)
    # The last word of a text opens no pair.
    within = np.flatnonzero(rows[1:] == rows[:-1])
    pairs, second = np.unique(first[within] * len(names) + first[within + 1], return_inverse=True)
    columns = np.concatenate([first, second + len(names)])
    counts = sparse.csr_matrix(
        (np.ones(len(columns), dtype=np.float32), (np.concatenate([rows, rows[within]]), columns)),
        shape=(len(texts), len(names) + len(pairs)),
    )
    texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    total = np.bincount(columns, minlength=counts.shape[1])
    kept = np.flatnonzero(texts_with >= rare)
    kept = kept[np.argsort(-total[kept], kind="stable")][:most]

    def name(column: int) -> str:
        if column < len(names):
            return names[column]
        one, other = divmod(int(pairs[column - len(names)]), len(names))
        return f"{names[one]} {names[other]}"

    named = sorted((name(column), column) for column in kept.tolist())
    vocabulary = {term: place for place, (term, _) in enumerate(named)}
    return vocabulary, counts[:, [column for _, column in named]].tocsr()
