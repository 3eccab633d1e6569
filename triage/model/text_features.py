"""TF-IDF features of a text: word 1-2-grams and character 3-5-grams, rebuilt from two plain vocabularies.

Words carry the meaning. Character n-grams inside words match spelling mistakes and the endings of Turkish, German
and Spanish. Texts are folded first, because many people write without diacritics. The counts equal those of
scikit-learn's `CountVectorizer` ("word" and "char_wb"), in about half the time or less.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfTransformer

from triage.matching import fold

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WORD = re.compile(r"\b\w\w+\b")
"""A word feature has at least two characters, as in scikit-learn's default `token_pattern`."""
CHARACTERS_KEPT = 60_000
"""The most frequent character n-grams; more make the artefact larger and gain nothing measurable."""
WORDS_KEPT = 60_000
"""The most frequent words and word pairs: with this limit an artefact stays below 10 MB."""

_NGRAM_SIZES = (3, 4, 5)
FEWEST_PEOPLE = 5
"""A term of complaints is kept if so many people used it, so that no stored model reveals what one of them wrote."""
_MANY_TEXTS = 5_000
"""From this many texts on, a term must occur in two of them: a term of one text is then mostly noise. The starters of
four languages (3,500 texts) must stay below: with that rule German and Turkish lose 4 to 7 points of accuracy."""


@dataclass(frozen=True, slots=True)
class Features:
    """The fitted vocabularies (term to column within its block) and their TF-IDF weights; words come first."""

    words: Mapping[str, int]
    word_tfidf: TfidfTransformer
    characters: Mapping[str, int]
    character_tfidf: TfidfTransformer

    @property
    def word_idf(self) -> Floats:
        """Inverse document frequencies of the word columns, array (words,)."""
        return np.asarray(self.word_tfidf.idf_, dtype=np.float32)

    @property
    def character_idf(self) -> Floats:
        """Inverse document frequencies of the character n-grams, array (characters,)."""
        return np.asarray(self.character_tfidf.idf_, dtype=np.float32)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Feature matrix (texts, words + characters), float32, of normalised texts."""
        blocks = [
            self.word_tfidf.transform(count_words(texts, self.words), copy=False),
            self.character_tfidf.transform(_count_characters(texts, self.characters), copy=False),
        ]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)


def fit_features(
    texts: Sequence[str], writers: sparse.csr_matrix | None = None
) -> tuple[Features, sparse.csr_matrix]:
    """Fit both vocabularies on normalised texts.

    `writers` (people, texts) is 1 where a person wrote a text; a text without a writer is a written example, and
    None means that all are. A term is kept if a written example has it or 5 people used it. Returns the features and
    the matrix (texts, words + characters) of these texts. A term must occur in two texts once there are 5,000 of
    them; with fewer, a single occurrence is still informative.
    """
    min_df = 1 if len(texts) < _MANY_TEXTS else 2
    word_tfidf, character_tfidf = _new_tfidf(), _new_tfidf()
    words, word_counts = fit_words(texts, min_df=min_df, max_features=WORDS_KEPT, writers=writers)
    characters, character_counts = _fit_characters(texts, min_df, writers)
    # In place: with very many rows each copy takes hundreds of megabytes.
    blocks = [
        word_tfidf.fit(word_counts).transform(word_counts, copy=False),
        character_tfidf.fit(character_counts).transform(character_counts, copy=False),
    ]
    matrix = sparse.hstack(blocks, format="csr", dtype=np.float32)
    # Sort once here; otherwise every fit, and every fold of it, sorts a copy.
    matrix.sort_indices()
    return Features(words, word_tfidf, characters, character_tfidf), matrix


def rebuild_features(
    words: Sequence[str], word_idf: Floats, characters: Sequence[str], character_idf: Floats
) -> Features:
    """Features from the terms and inverse document frequencies of an artefact, both in column order."""
    word_tfidf, character_tfidf = _new_tfidf(), _new_tfidf()
    word_tfidf.idf_ = word_idf
    character_tfidf.idf_ = character_idf
    return Features(_columns(words), word_tfidf, _columns(characters), character_tfidf)


def _new_tfidf() -> TfidfTransformer:
    return TfidfTransformer(sublinear_tf=True)


def _columns(terms: Sequence[str]) -> dict[str, int]:
    return {term: column for column, term in enumerate(terms)}


def folded(text: str) -> str:
    """The text in lower case without diacritics, as both vocabularies contain it."""
    return fold(text).text


def count_words(texts: Sequence[str], vocabulary: Mapping[str, int]) -> sparse.csr_matrix:
    """Counts (texts, vocabulary), float32, of the words and word pairs of a vocabulary."""
    row_starts: list[int] = [0]
    columns: list[int] = []
    for text in texts:
        words = WORD.findall(folded(text))
        columns += [vocabulary[word] for word in words if word in vocabulary]
        pairs = (f"{first} {second}" for first, second in pairwise(words))
        columns += [vocabulary[pair] for pair in pairs if pair in vocabulary]
        row_starts.append(len(columns))
    values = np.ones(len(columns), dtype=np.float32)
    counts = sparse.csr_matrix((values, columns, row_starts), shape=(len(texts), len(vocabulary)))
    counts.sum_duplicates()
    return counts


def fit_words(
    texts: Sequence[str], *, min_df: int, max_features: int, writers: sparse.csr_matrix | None = None
) -> tuple[dict[str, int], sparse.csr_matrix]:
    """Fit the vocabulary of words and word pairs; `min_df` and `max_features` mean what they do in scikit-learn.

    `writers` as for `fit_features`. Returns the vocabulary in column order and the counts (texts, vocabulary),
    float32. Words are numbered as they occur and a pair is a number made of two, so only the terms that are kept are
    ever spelled out as strings.
    """
    numbers: dict[str, int] = {}
    lengths, word_numbers = [], []
    for text in texts:
        words = WORD.findall(folded(text))
        lengths.append(len(words))
        word_numbers += [numbers.setdefault(word, len(numbers)) for word in words]
    names = list(numbers)
    singles = np.array(word_numbers, dtype=np.int64)
    rows = np.repeat(np.arange(len(texts)), lengths)
    # The last word of a text does not begin a pair.
    pair_starts = np.flatnonzero(rows[1:] == rows[:-1])
    pairs, pair_columns = np.unique(
        singles[pair_starts] * len(names) + singles[pair_starts + 1], return_inverse=True
    )
    columns = np.concatenate([singles, pair_columns + len(names)])
    counts = sparse.csr_matrix(
        (np.ones(len(columns), dtype=np.float32), (np.concatenate([rows, rows[pair_starts]]), columns)),
        shape=(len(texts), len(names) + len(pairs)),
    )
    kept = _kept_columns(counts, min_df, max_features, writers)

    def term(column: int) -> str:
        if column < len(names):
            return names[column]
        first, second = divmod(int(pairs[column - len(names)]), len(names))
        return f"{names[first]} {names[second]}"

    terms = sorted((term(column), column) for column in kept.tolist())
    vocabulary = {name: position for position, (name, _) in enumerate(terms)}
    return vocabulary, counts[:, [column for _, column in terms]].tocsr()


def _kept_columns(
    counts: sparse.csr_matrix, min_df: int, limit: int, writers: sparse.csr_matrix | None
) -> Integers:
    """The most frequent columns of counts (texts, terms), the most frequent first."""
    is_kept = np.bincount(counts.indices, minlength=counts.shape[1]) >= min_df
    if writers is not None:
        is_kept &= _is_of_many(counts, writers)
    kept = np.flatnonzero(is_kept)
    total = np.asarray(counts.sum(axis=0)).ravel()
    return kept[np.argsort(-total[kept], kind="stable")][:limit]


def _is_of_many(counts: sparse.csr_matrix, writers: sparse.csr_matrix) -> Mask:
    """Which terms (terms,) a written example has, or enough people used."""
    of_text = np.bincount(writers.indices, minlength=writers.shape[1])
    uses = np.repeat(of_text, np.diff(counts.indptr))
    is_of_many = np.bincount(counts.indices, uses, counts.shape[1]) >= FEWEST_PEOPLE
    if len(writers.indices) > writers.shape[0]:
        # A person who wrote several texts counts once. The product is as large as the counts, so only where needed.
        columns = np.flatnonzero(is_of_many)
        by_person = writers @ counts[:, columns]
        is_of_many[columns] = np.bincount(by_person.indices, minlength=len(columns)) >= FEWEST_PEOPLE
    is_of_many[counts[of_text == 0].indices] = True
    return is_of_many


def character_ngrams(piece: str) -> list[str]:
    """The 3- to 5-grams of a piece of text between blanks, as scikit-learn's "char_wb" cuts them."""
    padded = f" {piece} "
    ngrams: list[str] = []
    for size in _NGRAM_SIZES:
        ngrams += [padded[start : start + size] for start in range(len(padded) - size + 1)]
        if len(padded) <= size:
            # A short piece is counted once as a whole, and not again for the larger sizes.
            return ngrams or [padded]
    return ngrams


# The n-grams of a piece between blanks depend only on that piece. So each distinct piece is cut once, and the counts
# of all texts are the product of two sparse matrices.
def _count_characters(texts: Sequence[str], vocabulary: Mapping[str, int]) -> sparse.csr_matrix:
    piece_counts, pieces = _count_pieces(texts)
    return (piece_counts @ _cut_pieces(pieces, vocabulary)[0]).tocsr()


def _fit_characters(
    texts: Sequence[str], min_df: int, writers: sparse.csr_matrix | None
) -> tuple[dict[str, int], sparse.csr_matrix]:
    """The vocabulary of the most frequent n-grams, and their counts (texts, vocabulary)."""
    piece_counts, pieces = _count_pieces(texts)
    ngram_counts, names = _cut_pieces(pieces, None)
    counts = (piece_counts @ ngram_counts).tocsr()
    kept = _kept_columns(counts, min_df, CHARACTERS_KEPT, writers)
    kept = np.array(sorted(kept.tolist(), key=names.__getitem__), dtype=np.int64)
    vocabulary = {names[column]: position for position, column in enumerate(kept.tolist())}
    return vocabulary, counts[:, kept].tocsr()


def _count_pieces(texts: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Counts (texts, pieces) of each distinct piece between blanks, and the pieces."""
    numbers: dict[str, int] = {}
    row_starts: list[int] = [0]
    columns: list[int] = []
    values: list[int] = []
    for text in texts:
        counts: dict[str, int] = {}
        for piece in folded(text).split():
            counts[piece] = counts.get(piece, 0) + 1
        columns += [numbers.setdefault(piece, len(numbers)) for piece in counts]
        values += counts.values()
        row_starts.append(len(columns))
    data = np.array(values, dtype=np.float32)
    matrix = sparse.csr_matrix((data, columns, row_starts), shape=(len(texts), len(numbers)))
    return matrix, list(numbers)


def _cut_pieces(
    pieces: Sequence[str], vocabulary: Mapping[str, int] | None
) -> tuple[sparse.csr_matrix, list[str]]:
    """Counts (pieces, n-grams), and the n-grams where no vocabulary is passed; None cuts all n-grams."""
    numbers: dict[str, int] = {}
    row_starts, columns = [0], []
    for piece in pieces:
        if vocabulary is None:
            columns += [numbers.setdefault(ngram, len(numbers)) for ngram in character_ngrams(piece)]
        else:
            columns += [vocabulary[ngram] for ngram in character_ngrams(piece) if ngram in vocabulary]
        row_starts.append(len(columns))
    width = len(numbers) if vocabulary is None else len(vocabulary)
    values = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((values, columns, row_starts), shape=(len(pieces), width)), list(numbers)
