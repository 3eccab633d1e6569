"""Why a category was proposed: the words for and against it, as they occur in the text.

The model is linear, so the share of each word in the decision value is exact: its own weight, its share of the word
pairs that it belongs to, and the character n-grams inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import scipy.sparse as sparse

from triage.model.features import WORD, character_ngrams, folded
from triage.model.pipeline import Model
from triage.text import LONGEST, normalise, remove_invisible

MOST_FOR, MOST_AGAINST = 5, 3
_LEAST_WEIGHT = 0.005
_SHORTEST = 3
_EDGE = re.compile(r"^[^\w\u0300-\u036f]+|[^\w\u0300-\u036f]+$")


@dataclass(frozen=True, slots=True)
class ProposalReason:
    """A word of the text and its share of the decision value: positive for the category, negative against it."""

    word: str
    weight: float


def find_reasons(
    model: Model, text: str, category: str, row: sparse.csr_matrix | None = None
) -> tuple[ProposalReason, ...]:
    """The strongest words for (at most 5) and against (at most 3) a category; none where no word is in the model.

    `row` is the text's row of the feature matrix, where the caller already has it.
    """
    normalised = normalise(text)
    if not normalised:
        return ()
    row = model.features.transform([normalised]) if row is None else row
    weights = model.linear.weights[model.categories.index(category)]
    shares = dict(zip(row.indices.tolist(), (row.data * weights[row.indices]).tolist(), strict=True))
    pieces = normalised.split(" ")
    occurrences = _occurrences(model, [folded(piece) for piece in pieces])
    counts = Counter(column for _, column in occurrences)
    totals = [0.0] * len(pieces)
    for index, column in occurrences:
        totals[index] += shares.get(column, 0.0) / counts[column]
    return _strongest(text, pieces, totals)


def _occurrences(model: Model, pieces: list[str]) -> list[tuple[int, int]]:
    """(index of the piece, column) of every feature that occurs; a word pair counts for both of its pieces."""
    words, characters = model.features.words, model.features.characters
    offset = len(words)
    occurrences: list[tuple[int, int]] = []
    previous: tuple[int, str] | None = None
    for index, piece in enumerate(pieces):
        for word in WORD.findall(piece):
            if word in words:
                occurrences.append((index, words[word]))
            if previous is not None and (pair := words.get(f"{previous[1]} {word}")) is not None:
                occurrences += [(previous[0], pair), (index, pair)]
            previous = (index, word)
        occurrences += [
            (index, offset + characters[ngram]) for ngram in character_ngrams(piece) if ngram in characters
        ]
    return occurrences


def _strongest(text: str, pieces: list[str], totals: list[float]) -> tuple[ProposalReason, ...]:
    by_word: dict[str, tuple[str, float]] = {}
    # Full-width letters, combining accents and joiners inside a word: show the word as it was written.
    as_written = {} if text.isascii() else {remove_invisible(word): word for word in text[:LONGEST].split()}
    for piece, total in zip(pieces, totals, strict=True):
        word = _EDGE.sub("", piece)
        if word not in text:
            word = _EDGE.sub("", as_written.get(piece, ""))
        # A mask does not occur in the text, so it is no reason that a person could check.
        if len(word) < _SHORTEST:
            continue
        spelling, sum_so_far = by_word.get(word.casefold(), (word, 0.0))
        by_word[word.casefold()] = (spelling, sum_so_far + total)
    ranked = sorted(by_word.values(), key=lambda entry: (-entry[1], entry[0]))
    in_favour = [entry for entry in ranked if entry[1] >= _LEAST_WEIGHT][:MOST_FOR]
    against = [entry for entry in reversed(ranked) if entry[1] <= -_LEAST_WEIGHT][:MOST_AGAINST]
    return tuple(ProposalReason(word, round(weight, 3)) for word, weight in in_favour + against)
