"""Folding: a text in plain lower-case letters, with the way back to positions in the original.

People write "GAZ KOKUSU" or "gaz kokusu", in composed, decomposed or full-width letters. Rules are written once, for
the folded text; the spans that they find must still point into the text as written.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters that Unicode does not decompose, and quotation marks that phones type instead of an apostrophe.
_PLAIN = {
    "ı": "i", "İ": "i", "ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe",
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'", "“": '"', "”": '"',
    "–": "-", "—": "-", "‑": "-",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A folded text. `offsets[i]` is the original position of folded character i; None where all are unchanged."""

    text: str
    offsets: tuple[int, ...] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original text of the folded span start to end (end excluded, start < end)."""
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
            continue  # accents and invisible joiners have no meaning for a rule
        parts.append(_PLAIN.get(part) or part.lower())
    return "".join(parts)


def fold(text: str) -> FoldedText:
    """Fold to lower case without diacritics: "Ayşe'NİN" becomes "ayse'nin". Linear in the length."""
    if text.isascii():
        return FoldedText(text.lower().replace("`", "'"), None, len(text))
    # A text has few different characters, so each is folded once.
    plain = {character: _fold_character(character) for character in set(text)}
    folded = "".join([plain[character] for character in text])
    resized = {character for character, piece in plain.items() if len(piece) != 1}
    if not resized:
        return FoldedText(folded, None, len(text))
    offsets: list[int] = []
    start = 0
    for index in [index for index, character in enumerate(text) if character in resized]:
        # All characters before this one stayed single; this one became none, or several.
        offsets += range(start, index)
        offsets += [index] * len(plain[text[index]])
        start = index + 1
    offsets += range(start, len(text))
    return FoldedText(folded, tuple(offsets), len(text))
