"""The sentence vectors of the starter examples: `python -m triage.learning.starter_vectors` computes and writes them.

`make install` and a release run it, so that the first training of a desk need not. The file is not in git. Training
computes the vector of each text that is not in it, and all where it is missing or from another encoder.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from triage.encoder import Encoder, Vectors, installed_encoder
from triage.learning.examples import starter_examples
from triage.text import normalise

FILE = Path(__file__).parents[1] / "starter" / "vectors.npz"


def encode_texts(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """The encoder's vectors of normalised texts; those in the file differ from computed ones by less than 1e-3."""
    written = _read_vectors(encoder.fingerprint)
    keys = [_text_key(text) for text in texts]
    missing = [row for row, key in enumerate(keys) if key not in written]
    computed = dict(zip(missing, encoder.encode([texts[row] for row in missing]), strict=True))
    rows = [computed[row] if row in computed else written[key] for row, key in enumerate(keys)]
    return np.array(rows, dtype=np.float32)


def write_vectors(encoder: Encoder) -> None:
    texts = sorted({normalise(example.text) for example in starter_examples()})
    # In half precision the file has half the size, 3.5 MB.
    vectors = encoder.encode(texts).astype(np.float16)
    keys = np.array([_text_key(text) for text in texts])
    with FILE.open("wb") as opened:
        np.savez_compressed(opened, encoder=np.array(encoder.fingerprint), keys=keys, vectors=vectors)
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


if __name__ == "__main__":
    installed = installed_encoder()
    if installed is not None:
        write_vectors(installed)
