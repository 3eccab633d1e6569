"""Matching: a text folded to plain lower-case letters, and the phrases of each language that are searched in it.

People write "GAZ KOKUSU" or "gaz kokusu", in composed, decomposed or full-width letters. Phrases are written once,
for the folded text; the spans that they find must still point into the text as written. The tables of phrases are in
`triage/phrases`: a new language is a file, not code.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "tr", "de", "es")

# Letters that Unicode does not decompose, and quotation marks that phones type instead of an apostrophe.
_PLAIN = {
    "ı": "i", "İ": "i", "ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe",
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'", "“": '"', "”": '"',
    "–": "-", "—": "-", "‑": "-",
}  # fmt: skip


#: A quotation of three words or more; shorter ones only stress a word.
_QUOTATION = re.compile(
    r"""(?:"(?=\S)|[“”„«])(?:[^\s"“”„«»]{1,40}[^\S\n]{1,3}){2,40}[^\s"“”„«»]{1,40}["“”»]"""
)


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


def mask_quotes(text: str) -> str:
    """The text with its quotations of three words or more as quotation marks of the same length.

    Unchanged where most of it is quoted.
    """
    masked = _QUOTATION.sub(lambda match: '"' * len(match.group()), text)
    return masked if masked.count('"') * 2 < len(text) else text


def read_table(folder: str, name: str) -> dict[str, Any]:
    """A table of this package, as TOML. Raises FileNotFoundError where there is none."""
    return tomllib.loads(resources.files("triage").joinpath(folder, name).read_text(encoding="utf-8"))


@lru_cache(maxsize=32)
def read_phrases(subject: str, language: str) -> dict[str, Any]:
    """The table of a subject in a language. Raises FileNotFoundError where there is none."""
    return read_table("phrases", f"{subject}_{language}.toml")


def languages_of(language: str | None) -> tuple[str, ...]:
    """The languages whose tables apply to a text: its own, or all where it has no tables or is not known."""
    return (language,) if language in LANGUAGES else LANGUAGES


def lines_of(text: str) -> list[str]:
    """The patterns of a text, one per line, without blank lines."""
    return [line for line in (line.strip() for line in text.splitlines()) if line]


def spaced(pattern: str) -> str:
    """The pattern with each space replaced by a short gap of white space."""
    return pattern.replace(" ?", r"\s{0,3}").replace(" ", r"\s{1,3}")


def any_of(text: str) -> str:
    """One pattern that matches any of the lines."""
    return "(?:" + "|".join(spaced(line) for line in lines_of(text)) + ")"


def with_parts(text: str, parts: Mapping[str, str]) -> str:
    """The lines with each `{name}` replaced by that part; a part may use those before it."""
    for name, part in reversed([*parts.items()]):
        text = text.replace(f"{{{name}}}", part)
    return text


@lru_cache(maxsize=512)
def whole_words(text: str) -> re.Pattern[str]:
    """The lines as one compiled pattern that matches whole words of a folded text."""
    return re.compile(r"(?<![^\W_])" + any_of(text) + r"(?![^\W_])")
