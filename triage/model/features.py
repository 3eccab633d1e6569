"""Words and pairs of words, counted: the same as scikit-learn's vectoriser of 1-2-grams, in half the time.

Each word is a number from the first time it is met, and a pair is one number made of two, so that the pairs of very
many texts are counted without being spelt: only those that are kept get a name.

Words and character n-grams as TF-IDF, fitted once and rebuilt from a plain vocabulary.

Word 1-2-grams carry meaning; character 3-5-grams inside words carry spelling mistakes and the endings of
Turkish, German and Spanish. Texts are folded, since many people write without diacritics. The n-grams of a
piece between blanks depend on that piece alone, so they are cut once for each distinct piece and counted by
a product of matrices: the same counts as scikit-learn's "char_wb", several times sooner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfTransformer

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


Floats = npt.NDArray[np.float32]

CHARACTERS_KEPT = 60_000
"""The most frequent character n-grams; more cost artefact size and gain nothing measurable."""
WORDS_KEPT = 60_000
"""The most frequent words and pairs of words: with them an artefact stays below 10 MB at any size."""

_SIZES = (3, 4, 5)


def plain(text: str) -> str:
    """What both blocks read: lower case, without diacritics."""
    return fold(text).text


def grams(piece: str) -> list[str]:
    """The 3- to 5-grams of one blank-separated piece, as scikit-learn's "char_wb" makes them."""
    padded = f" {piece} "
    found: list[str] = []
    for size in _SIZES:
        found += [padded[place : place + size] for place in range(len(padded) - size + 1)]
        if len(padded) <= size:
            # A short piece is counted once, as a whole, and not again for longer sizes.
            return found or [padded]
    return found


def _pieces(texts: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """How often each distinct piece stands in each text, and the pieces; rows without pieces are empty."""
    numbers: dict[str, int] = {}
    starts: list[int] = [0]
    columns: list[int] = []
    values: list[int] = []
    for text in texts:
        counts: dict[str, int] = {}
        for piece in plain(text).split():
            counts[piece] = counts.get(piece, 0) + 1
        columns += [numbers.setdefault(piece, len(numbers)) for piece in counts]
        values += counts.values()
        starts.append(len(columns))
    shape = (len(texts), len(numbers))
    return sparse.csr_matrix((np.array(values, dtype=np.float32), columns, starts), shape=shape), list(
        numbers
    )


def _cut(pieces: Sequence[str], vocabulary: Mapping[str, int] | None) -> tuple[sparse.csr_matrix, list[str]]:
    """How often each n-gram stands in each piece; all of them, or those of a vocabulary."""
    numbers: dict[str, int] = {}
    starts, columns = [0], []
    for piece in pieces:
        if vocabulary is None:
            columns += [numbers.setdefault(gram, len(numbers)) for gram in grams(piece)]
        else:
            columns += [vocabulary[gram] for gram in grams(piece) if gram in vocabulary]
        starts.append(len(columns))
    width = len(numbers) if vocabulary is None else len(vocabulary)
    values = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((values, columns, starts), shape=(len(pieces), width)), list(numbers)


def _count_characters(texts: Sequence[str], vocabulary: Mapping[str, int]) -> sparse.csr_matrix:
    stood, pieces = _pieces(texts)
    return (stood @ _cut(pieces, vocabulary)[0]).tocsr()


def _fit_characters(texts: Sequence[str], rare: int) -> tuple[dict[str, int], sparse.csr_matrix]:
    """The vocabulary of the most frequent n-grams of at least `rare` texts, and their counts."""
    stood, pieces = _pieces(texts)
    cut, names = _cut(pieces, None)
    counts = (stood @ cut).tocsr()
    texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    total = np.asarray(counts.sum(axis=0)).ravel()
    kept = np.flatnonzero(texts_with >= rare)
    kept = kept[np.argsort(-total[kept], kind="stable")][:CHARACTERS_KEPT]
    kept = np.array(sorted(kept.tolist(), key=names.__getitem__), dtype=np.int64)
    vocabulary = {names[column]: place for place, column in enumerate(kept.tolist())}
    return vocabulary, counts[:, kept].tocsr()


@dataclass(frozen=True, slots=True)
class Features:
    """Two vocabularies, the column of each term in its block, with their weighing; the words come first."""

    words: Mapping[str, int]
    word_weigher: TfidfTransformer
    characters: Mapping[str, int]
    character_weigher: TfidfTransformer

    @property
    def word_idf(self) -> Floats:
        """Inverse document frequency of each word column."""
        return np.asarray(self.word_weigher.idf_, dtype=np.float32)

    @property
    def character_idf(self) -> Floats:
        """Inverse document frequency of each character n-gram, in the order of its columns."""
        return np.asarray(self.character_weigher.idf_, dtype=np.float32)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Matrix (number of texts, words + characters), float32, of normalised texts."""
        both = [
            self.word_weigher.transform(count_words(texts, self.words), copy=False),
            self.character_weigher.transform(_count_characters(texts, self.characters), copy=False),
        ]
        return sparse.hstack(both, format="csr", dtype=np.float32)


def fit_features(texts: Sequence[str]) -> tuple[Features, sparse.csr_matrix]:
    """Fit both blocks on normalised texts; gives them and the matrix of these texts.

    Among few texts a word met once still tells something; among many it is noise that the artefact would
    carry.
    """
    rare = 1 if len(texts) < 3_000 else 2
    word_weigher, character_weigher = _weigher(), _weigher()
    words, word_counts = fit_words(texts, rare=rare, most=WORDS_KEPT)
    characters, character_counts = _fit_characters(texts, rare)
    # In place: of very many rows each copy is hundreds of megabytes.
    both = [
        word_weigher.fit(word_counts).transform(word_counts, copy=False),
        character_weigher.fit(character_counts).transform(character_counts, copy=False),
    ]
    matrix = sparse.hstack(both, format="csr", dtype=np.float32)
    # Once here: else every fit and every part of it would sort its own copy.
    matrix.sort_indices()
    return Features(words, word_weigher, characters, character_weigher), matrix


def _weigher() -> TfidfTransformer:
    return TfidfTransformer(sublinear_tf=True)


def rebuild_features(
    words: Sequence[str], word_idf: Floats, characters: Sequence[str], character_idf: Floats
) -> Features:
    """The blocks from their vocabularies and inverse document frequencies, in the order of columns."""
    word_weigher, character_weigher = _weigher(), _weigher()
    word_weigher.idf_ = word_idf
    character_weigher.idf_ = character_idf
    return Features(_columns(words), word_weigher, _columns(characters), character_weigher)


def _columns(terms: Sequence[str]) -> dict[str, int]:
    return {term: column for column, term in enumerate(terms)}
