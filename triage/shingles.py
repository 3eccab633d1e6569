"""Sketches by which near-duplicate stories find each other: the lowest hashes of their three-word shingles.

Of two texts the same shingles are kept, so a few hashes estimate how much of one is contained in the other (bottom-k
sampling: Broder, On the resemblance and containment of documents, 1997). The store keys and encrypts them.
"""

import re
from hashlib import blake2b

from complaints.similarity import SIZE
from triage.matching import fold

LONGEST = 20_000
"""Characters read, as many as for a proposal (`triage.text.LONGEST`)."""

# Copying a hash object for each shingle is cheaper than creating it.
_new_hash = blake2b(digest_size=8).copy
_SHINGLE_WORDS = 3
# Scripts without spaces between words: each character counts as a word.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_NUMBER = re.compile(r"\d+")
# Splits an ASCII text into the same words as `_WORD`, in a quarter of the time.
_ASCII_SEPARATORS = bytes(n if chr(n).isascii() and chr(n).isalnum() else ord(" ") for n in range(256))


def sketch(text: str) -> tuple[bytes, ...]:
    """The lowest hashes of a text, at most `SIZE` of 8 bytes, in ascending order.

    `complaints.similarity` compares them. Letters are folded and all numbers are equal, so case, accents and a
    changed date or amount make no difference. A text of fewer than three words has an empty sketch.
    """
    return tuple(sorted([_hash(shingle) for shingle in word_shingles(text)])[:SIZE])


def word_shingles(text: str) -> set[bytes]:
    """The shingles of a text: every three consecutive words, folded, in UTF-8."""
    words = _words(_NUMBER.sub("0", fold(text[:LONGEST]).text))
    return set(map(b" ".join, zip(*(words[start:] for start in range(_SHINGLE_WORDS)), strict=False)))


def _words(folded: str) -> list[bytes]:
    if folded.isascii():
        return folded.encode().translate(_ASCII_SEPARATORS).split()
    # A lone surrogate must not make the proposal fail.
    return [word.encode("utf-8", "surrogatepass") for word in _WORD.findall(folded)]


def _hash(shingle: bytes) -> bytes:
    digest = _new_hash()
    digest.update(shingle)
    return digest.digest()
