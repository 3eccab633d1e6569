"""Folding a text to plain lower-case letters, with the way back to the places in the original.

Complainants write "GAZ KOKUSU" or "gaz kokusu", in composed, decomposed or full-width letters. The rules are
written once, on the folded form; their spans must still lie in the text as it was written.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters that Unicode does not decompose, and quotation marks that phones put in place of an apostrophe.
_PLAIN = {
    "ı": "i", "İ": "i", "ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe",
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'", "“": '"', "”": '"',
    "–": "-", "—": "-", "‑": "-",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A folded text; `offsets[i]` is where folded character i stood, None where nothing moved."""

    text: str
    offsets: tuple[int, ...] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original text of folded characters start to end (end not included, start < end)."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    plain = _PLAIN.get(character)
    if plain is not None:
        return plain
    parts = []
    for part in unicodedata.normalize("NFKD", character):
        if unicodedata.category(part) in ("Mn", "Cf"):
            continue  # accents and invisible joiners carry no meaning for a rule
        parts.append(_PLAIN.get(part) or part.lower())
    return "".join(parts)


def fold(text: str) -> FoldedText:
    """Fold to lower case without diacritics: "Ayşe'NİN" becomes "ayse'nin". Linear in the length."""
    if text.isascii():
        return FoldedText(text.lower().replace("`", "'"), None, len(text))
    # A text has few different characters: each is folded once.
    plain = {character: _fold_character(character) for character in set(text)}
    folded = "".join([plain[character] for character in text])
    odd = {character for character, piece in plain.items() if len(piece) != 1}
    if not odd:
        return FoldedText(folded, None, len(text))
    offsets: list[int] = []
    start = 0
    for place in [place for place, character in enumerate(text) if character in odd]:
        # Up to here each character became one; this one became none, or several.
        offsets += range(start, place)
        offsets += [place] * len(plain[text[place]])
        start = place + 1
    offsets += range(start, len(text))
    return FoldedText(folded, tuple(offsets), len(text))
