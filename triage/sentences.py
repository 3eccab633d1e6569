"""Where the sentences of a story stand, however it was typed (7.7: every aspect of it is answered).

People on phones write in lower case throughout, so a full stop counts before a small letter too. What must not
be taken for an end then, abbreviations and ordinal numbers, stands in `triage/phrases/abbreviations_<language>.toml`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from triage.folding import fold
from triage.phrasing import LANGUAGES, any_of, read_phrases
from triage.text import LONGEST

_FEWEST_WORDS = 4
_MOST_SENTENCES = 200
_LONGEST_TOKEN = 40

_STOPS = ".!?…"
_END = re.compile(rf"[{_STOPS}]+[\"'”’“»)\]]*(?=\s|$)|\s*[\r\n]+\s*|;\s")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKEN_BEFORE = re.compile(r"[^\s(\[\"'“”„«]*$")
_WORD_AFTER = re.compile(r"\s*([\w§]{1,40})")
# One letter is an initial or half an abbreviation ("z. B.", "p. ej."), letters by ones and twos a whole one
# ("e.g."); but the hour says "5 p.m." at the end as often.
_LETTERS = re.compile(r"[^\W\d_]|(?![ap]\.m$)(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
# "Am 3. März", "3. katta", "bis 3.5. warten": an ordinal has one or two figures, an amount "12.50" is no date.
_ORDINAL = re.compile(r"[0-9]{1,2}|(?:[12]?[0-9]|3[01]|0[1-9])\.(?:1[0-2]|0?[1-9])")


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Where the sentences stand; one of fewer than four words goes with the one before it."""
    bounds: list[tuple[int, int]] = []
    start = 0
    for end in [*_ends(text), len(text[:LONGEST])]:
        piece = text[start:end]
        low, high = start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
        start = end
        if low >= high:
            continue
        short = len(_WORD.findall(text[low:high])) < _FEWEST_WORDS
        if bounds and (short or len(bounds) == _MOST_SENTENCES):
            bounds[-1] = (bounds[-1][0], high)
        else:
            bounds.append((low, high))
    return tuple(bounds)


def _ends(text: str) -> list[int]:
    stops = _END.finditer(text, 0, LONGEST)
    return [stop.end() for stop in stops if stop[0][0] not in _STOPS or not _goes_on(text, stop)]


def _goes_on(text: str, stop: re.Match[str]) -> bool:
    """Whether the sentence goes on behind these marks."""
    after = _WORD_AFTER.match(text, stop.end())
    if after is None:
        return False
    small = after[1][0].islower()
    if stop[0][-1] not in _STOPS:
        return small  # "Get out!" he shouted
    if stop[0] != ".":
        return False
    token = _TOKEN_BEFORE.search(text, max(0, stop.start() - _LONGEST_TOKEN), stop.start())
    before = fold(token[0]).text if token else ""
    never, small_too, figures, months = _abbreviations()
    if never.fullmatch(before) or _LETTERS.fullmatch(before):
        return True
    if _ORDINAL.fullmatch(before):
        return small or bool(months.fullmatch(fold(after[1]).text))
    figure = after[1][0].isdigit() or after[1][0] == "§"
    return ((small or figure) and bool(small_too.fullmatch(before))) or (
        figure and bool(figures.fullmatch(before))
    )


@lru_cache(maxsize=1)
def _abbreviations() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """What never ends a sentence, not before a small letter, not before a figure; and the months.

    Of all languages at once, for people mix them.
    """
    tables = [read_phrases("abbreviations", language) for language in LANGUAGES]
    dates = [read_phrases("facts", language)["dates"]["months"] for language in LANGUAGES]
    never, small, figures = (
        re.compile(any_of("\n".join(table[key] for table in tables)))
        for key in ("titles", "short", "figures")
    )
    return never, small, figures, re.compile(any_of("\n".join(dates)))
