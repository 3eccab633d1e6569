"""A sketch of a story, by which near-copies find each other: the lowest hashes of its three-word pieces.

Of two texts the same pieces are kept, so that few hashes tell how much of one stands in the other (bottom-k
sampling: Broder, On the resemblance and containment of documents, 1997). The store keys and seals them.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from complaints.similarity import SIZE
from triage.folding import fold

LONGEST = 20_000
"""Characters read: a proposal reads no more either (`triage.text.LONGEST`)."""

# Copied for each piece, which costs less than making one.
_unfed = blake2b(digest_size=8).copy
_PIECE = 3
# Scripts that put no space between words: there each character counts as one.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_NUMBER = re.compile(r"\d+")
# Of a text without any other letters the same words, at a quarter of the cost.
_APART = bytes(n if chr(n).isascii() and chr(n).isalnum() else ord(" ") for n in range(256))


def sketch(text: str) -> tuple[bytes, ...]:
    """The lowest hashes of a text, in rising order; what it says of likeness is in `complaints.similarity`.

    At most `SIZE` of 8 bytes, all of a short text. Letters are folded and every number counts as the same, so
    that case, accents and a changed date or amount move nothing. Fewer than three words give an empty sketch.
    """
    return tuple(sorted([_hash(one) for one in pieces(text)])[:SIZE])


def pieces(text: str) -> set[bytes]:
    """Every three words that follow each other, folded, in UTF-8; two texts have exactly these in common."""
    words = _words(_NUMBER.sub("0", fold(text[:LONGEST]).text))
    return set(map(b" ".join, zip(*(words[at:] for at in range(_PIECE)), strict=False)))


def _words(folded: str) -> list[bytes]:
    if folded.isascii():
        return folded.encode().translate(_APART).split()
    # Half a letter of a pair that no text of people holds must not end the proposal.
    return [one.encode("utf-8", "surrogatepass") for one in _WORD.findall(folded)]


def _hash(piece: bytes) -> bytes:
    made = _unfed()
    made.update(piece)
    return made.digest()
