"""The vectors of the starter examples are computed once, and used only for the same texts and encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triage.encoder import DIMENSIONS, Encoder
from triage.example import Example
from triage.learning import starter_vectors, stored_vectors
from triage.learning.stored_vectors import encode_texts


class CountingEncoder:
    """Gives each text the vector of its length, and keeps the texts that it was given."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.encoded += texts
        return [[1 / len(text), *[0.0] * (DIMENSIONS - 1)] for text in texts]


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingEncoder]:
    """An encoder that has not been asked since the vectors of two starter examples were written."""
    starters = [Example("The lift  is stuck", "supply", 2), Example("No refund", "money", 2)]
    monkeypatch.setattr(starter_vectors, "starter_examples", lambda: starters)
    monkeypatch.setattr(stored_vectors, "FILE", tmp_path / "vectors.npz")
    embed = CountingEncoder()
    monkeypatch.setattr(starter_vectors, "installed_encoder", lambda: Encoder(embed))
    starter_vectors.main()
    embed.encoded.clear()
    yield embed
    stored_vectors._read_vectors.cache_clear()


def test_only_texts_that_are_not_in_the_file_are_encoded(counting: CountingEncoder) -> None:
    texts = ["No refund", "The bin is full", "The lift is stuck"]
    vectors = encode_texts(Encoder(counting), texts)
    assert counting.encoded == ["The bin is full"]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, Encoder(counting).encode(texts), atol=1e-3)


def test_vectors_of_another_encoder_are_not_used(counting: CountingEncoder) -> None:
    other = replace(Encoder(counting), fingerprint="other")
    assert encode_texts(other, ["No refund"]).shape == (1, DIMENSIONS)
    assert counting.encoded == ["No refund"]


def test_without_the_file_all_texts_are_encoded(counting: CountingEncoder) -> None:
    stored_vectors.FILE.unlink()
    stored_vectors._read_vectors.cache_clear()
    encode_texts(Encoder(counting), ["No refund", "The lift is stuck"])
    assert counting.encoded == ["No refund", "The lift is stuck"]
