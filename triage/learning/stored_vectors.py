"""The file with the sentence vectors of the starter examples (`triage.learning.starter_vectors` writes it).

It is not in git. Training computes the vector of each text that is not in it, and all where it is missing or from
another encoder.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from triage.encoder import Encoder, Vectors

FILE = Path(__file__).parents[1] / "starter" / "vectors.npz"


def encode_texts(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """The encoder's vectors of normalised texts; those in the file differ from computed ones by less than 1e-3."""
    written = _read_vectors(encoder.fingerprint)
    keys = [_text_key(text) for text in texts]
    missing = [row for row, key in enumerate(keys) if key not in written]
    computed = dict(zip(missing, encoder.encode([texts[row] for row in missing]), strict=True))
    rows = [computed[row] if row in computed else written[key] for row, key in enumerate(keys)]
    return np.array(rows, dtype=np.float32)


def write_vectors(encoder: Encoder, texts: Sequence[str]) -> None:
    """Write the vectors of normalised texts, in place of those before."""
    # In half precision the file has half the size, 3.5 MB.
    vectors = encoder.encode(texts).astype(np.float16)
    keys = np.array([_text_key(text) for text in texts])
    part = FILE.with_suffix(".part")
    with part.open("wb") as opened:
        np.savez_compressed(opened, encoder=np.array(encoder.fingerprint), keys=keys, vectors=vectors)
    # Half a file, after Ctrl-C, would make every training fail.
    part.replace(FILE)
    _read_vectors.cache_clear()


@cache
def _read_vectors(fingerprint: str) -> Mapping[str, Vectors]:
    """The vectors in the file by the key of their text; none where another encoder computed them."""
    if not FILE.exists():
        return {}
    with np.load(FILE, allow_pickle=False) as arrays:
        if str(arrays["encoder"]) != fingerprint:
            return {}
        return dict(zip(arrays["keys"].tolist(), arrays["vectors"], strict=True))


def _text_key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
