"""What a text is weighed by: its words, pairs of neighbours, parts of words, and the safety signs in it.

Each feature has a place by its CRC-32, so that no vocabulary is kept and every language has the same model.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

from triage.matching import FoldedText, fold
from triage.safety.signs import Sign

Places = npt.NDArray[np.int64]
Values = npt.NDArray[np.floating]

#: How many places there are. Two features share one by chance, which costs less than a vocabulary does.
SIZE = 1 << 17
#: What a safety sign weighs, where the words of a text have length 1 together.
SIGN_VALUE = 0.3
# A danger is a few sentences of a longer story: so many words are weighed together, and the next ones so much later.
_WINDOW_WORDS, _STEP = 60, 30
_PART_LENGTHS = (3, 4)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring words of a text: the places of their features, how often each occurs, and those of the signs.

    `text` are the words as written, at `span` (start, end; end excluded).
    """

    text: str
    span: tuple[int, int]
    words: int
    places: Places
    counts: Values
    sign_places: Places

    def values(self, rarity: Values) -> Values:
        """The values at `places`: repetition damped, weighed by `rarity`, of length 1 together."""
        values = (1 + np.log(self.counts)) * rarity[self.places]
        length = np.linalg.norm(values)
        return values / length if length else values


def read_windows(text: str, signs: Collection[Sign]) -> list[Window]:
    """The windows of a text, with the signs that begin in each; [] for a text without words."""
    folded = fold(text)
    words = list(_WORD.finditer(folded.text))
    starts = range(0, max(1, len(words) - _STEP), _STEP) if words else ()
    return [_window(text, folded, words[start : start + _WINDOW_WORDS], signs) for start in starts]


def _window(text: str, folded: FoldedText, words: Sequence[re.Match[str]], signs: Collection[Sign]) -> Window:
    span = folded.span(words[0].start(), words[-1].end())
    counts = Counter(_places([word.group() for word in words]))
    marks = {mark for sign in signs if span[0] <= sign.span[0] < span[1] for mark in _marks(sign)}
    return Window(
        text[slice(*span)],
        span,
        len(words),
        np.fromiter(counts, np.int64, len(counts)),
        np.fromiter(counts.values(), np.float32, len(counts)),
        np.fromiter(map(place_of, marks), np.int64, len(marks)),
    )


def _marks(sign: Sign) -> tuple[str, str]:
    grade = "danger" if sign.danger else str(sign.severity)
    return f"sign {grade}", f"sign {sign.kind} {grade}"


def _places(words: Sequence[str]) -> Iterable[int]:
    pairs = (place_of(f"pair {first} {second}") for first, second in pairwise(words))
    return chain(chain.from_iterable(map(places_of_word, words)), pairs)


@lru_cache(maxsize=20_000)
def places_of_word(word: str) -> tuple[int, ...]:
    """The places of the word, and of its parts, which compounds, endings and typing errors share."""
    spaced = f" {word} "
    parts = (
        spaced[start : start + length]
        for length in _PART_LENGTHS
        for start in range(len(spaced) - length + 1)
    )
    return (place_of(f"word {word}"), *(place_of(f"part {part}") for part in parts))


def place_of(feature: str) -> int:
    return crc32(feature.encode()) % SIZE
