"""Words and character n-grams as TF-IDF, fitted once and rebuilt from a plain vocabulary.

Word 1-2-grams carry meaning; character 3-5-grams inside words carry spelling mistakes and the endings of
Turkish and German. Texts are folded, since many people write Turkish without diacritics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from triage.folding import fold

Floats = npt.NDArray[np.float32]

CHARACTERS_KEPT = 60_000
"""The most frequent character n-grams; more cost artefact size and gain nothing measurable."""


def plain(text: str) -> str:
    """What both vectorisers read: lower case, without diacritics."""
    return fold(text).text


def _word(**settings: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        preprocessor=plain, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, **settings
    )


def _character(**settings: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        preprocessor=plain,
        analyzer="char_wb",
        ngram_range=(3, 5),
        sublinear_tf=True,
        dtype=np.float32,
        **settings,
    )


@dataclass(frozen=True, slots=True)
class Features:
    """Two fitted vectorisers; columns of the words come first."""

    word: TfidfVectorizer
    character: TfidfVectorizer

    @property
    def words(self) -> list[str]:
        """The word n-grams in the order of their columns."""
        return [str(word) for word in self.word.get_feature_names_out()]

    @property
    def characters(self) -> list[str]:
        """The character n-grams in the order of their columns, after the words."""
        return [str(gram) for gram in self.character.get_feature_names_out()]

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Matrix (number of texts, words + characters), float32, of normalised texts."""
        both = [self.word.transform(texts), self.character.transform(texts)]
        return sparse.hstack(both, format="csr", dtype=np.float32)


def fit_features(texts: Sequence[str]) -> tuple[Features, sparse.csr_matrix]:
    """Fit both vectorisers on normalised texts; gives them and the matrix of these texts.

    Among few texts a word met once still tells something; among many it is noise that the artefact would
    carry.
    """
    rare = 1 if len(texts) < 1_000 else 2
    word, character = _word(min_df=rare), _character(min_df=rare, max_features=CHARACTERS_KEPT)
    both = [word.fit_transform(texts), character.fit_transform(texts)]
    return Features(word, character), sparse.hstack(both, format="csr", dtype=np.float32)


def rebuild_features(
    words: Sequence[str], word_idf: Floats, characters: Sequence[str], character_idf: Floats
) -> Features:
    """The vectorisers from their vocabularies and inverse document frequencies, in the order of columns."""
    word = _word(vocabulary={term: column for column, term in enumerate(words)})
    character = _character(vocabulary={term: column for column, term in enumerate(characters)})
    word.idf_ = word_idf
    character.idf_ = character_idf
    return Features(word, character)
