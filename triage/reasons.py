"""Why a category was proposed: the words for and against it, as they stand in the text.

The model is linear, so each word's share of the decision value is exact: its own weight, its share of the
word pairs it belongs to, and the character n-grams inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import scipy.sparse as sparse

from triage.model.features import WORD, grams, plain
from triage.model.pipeline import Model
from triage.text import LONGEST, evened, normalise

FOR, AGAINST = 5, 3
_EDGE = re.compile(r"^[^\w\u0300-\u036f]+|[^\w\u0300-\u036f]+$")


@dataclass(frozen=True, slots=True)
class ProposalReason:
    """A word of the text and its share of the decision value: positive for the category, negative against
    it.
    """

    word: str
    weight: float


def reasons(
    model: Model, text: str, category: str, row: sparse.csr_matrix | None = None
) -> tuple[ProposalReason, ...]:
    """The strongest words for (at most 5) and against (at most 3) a category; none where no word is known.

    `row` is the text's row of the model's matrix, where it is made already.
    """
    tidy = normalise(text)
    if not tidy:
        return ()
    row = model.features.transform([tidy]) if row is None else row
    weights = model.plane.weights[model.categories.index(category)]
    shares = dict(zip(row.indices.tolist(), (row.data * weights[row.indices]).tolist(), strict=True))
    pieces = tidy.split(" ")
    columns = _columns(model, [plain(piece) for piece in pieces])
    seen = Counter(column for _, column in columns)
    totals = [0.0] * len(pieces)
    for place, column in columns:
        totals[place] += shares.get(column, 0.0) / seen[column]
    return _strongest(text, pieces, totals)


def _columns(model: Model, folded: list[str]) -> list[tuple[int, int]]:
    """(place of the piece, column) of every feature that occurs; a pair of words counts for both."""
    words, characters = model.features.words, model.features.characters
    offset = len(words)
    found: list[tuple[int, int]] = []
    before: tuple[int, str] | None = None
    for place, piece in enumerate(folded):
        for word in WORD.findall(piece):
            if word in words:
                found.append((place, words[word]))
            if before is not None and (pair := words.get(f"{before[1]} {word}")) is not None:
                found += [(before[0], pair), (place, pair)]
            before = (place, word)
        found += [(place, offset + characters[gram]) for gram in grams(piece) if gram in characters]
    return found


def _strongest(text: str, pieces: list[str], totals: list[float]) -> tuple[ProposalReason, ...]:
    by_word: dict[str, tuple[str, float]] = {}
    # Wide letters, accents typed apart and joiners within a word: it is shown as it was written.
    written = {} if text.isascii() else {evened(word): word for word in text[:LONGEST].split()}
    for piece, total in zip(pieces, totals, strict=True):
        word = _EDGE.sub("", piece)
        if word not in text:
            word = _EDGE.sub("", written.get(piece, ""))
        # What a mask put there does not stand in the text and is no reason a person could check.
        if len(word) < 3:
            continue
        shown, so_far = by_word.get(word.casefold(), (word, 0.0))
        by_word[word.casefold()] = (shown, so_far + total)
    ranked = sorted(by_word.values(), key=lambda entry: (-entry[1], entry[0]))
    strong = [entry for entry in ranked if entry[1] >= 0.005][:FOR]
    weak = [entry for entry in reversed(ranked) if entry[1] <= -0.005][:AGAINST]
    return tuple(ProposalReason(word, round(weight, 3)) for word, weight in strong + weak)
