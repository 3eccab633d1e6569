"""Where the sentences of a story stand, however it was typed (7.7: every aspect of it is answered).

People on phones write in lower case throughout, so a full stop counts before a small letter too. What must not
be taken for an end then, abbreviations and ordinal numbers, stands in `triage/phrases/abbreviations_<language>.toml`.

The matters in one complaint (7.7: every aspect is answered), each with its own category.

A letter holds about two. Sentences are read one by one in the light of the whole; those of a like category
are gathered, and a second matter is named only where a sentence speaks for it clearly, the more clearly the
smaller its part of the story: a person can add a row sooner than notice a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from triage.folding import fold
from triage.language_tables import LANGUAGES, any_of, read_phrases
from triage.model.calibration import Doubles
from triage.model.pipeline import Model
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


MOST = 4
"""Matters named at most, the main one included."""
CLEAR = 1.0
"""What the odds of its surest sentence, times its part of the text, must come to for a second matter.

Of a half two to one (.67), of a quarter four to one (.8): the more sentences a story has, the likelier one of
them sounds like something else by chance ("he did not come", "nobody rang me").
"""

_WHOLE = 0.35
"""How much the whole complaint has to say on each of its sentences, as an exponent."""
_HEARD = 0.5
"""How surely a sentence must speak for another category to be gathered with its like."""
_REST = "other"


@dataclass(frozen=True, slots=True)
class IssueFound:
    """One matter: its sentences as they stand, their category and its probability, and where they stand.

    `spans` are (start, end) in the text as written, in order, end not included.
    """

    text: str
    category: str
    probability: float
    spans: tuple[tuple[int, int], ...]


def issues(
    model: Model, text: str, *, whole: Doubles | None = None, allowed: npt.NDArray[np.bool_] | None = None
) -> tuple[IssueFound, ...]:
    """The matters of a complaint, the main one first; none for a text without words.

    `whole` (categories,) are the probabilities of the whole text where they are known already, `allowed`
    (categories,) says which of the categories may be named, one at least; without it all.
    """
    bounds = sentences(text)
    if not bounds or not _WORD.search(text):
        return ()
    if whole is None:
        whole = model.probabilities(model.matrix([text]))[0]
    allowed = np.ones(len(model.categories), dtype=bool) if allowed is None else allowed
    main = int(np.where(allowed, whole, -1.0).argmax())
    sure_of_main = float(whole[main] / whole[allowed].sum())
    if len(bounds) == 1:
        return (_found(model, text, bounds, main, sure_of_main),)
    read = _weighed(model.probabilities(model.matrix([text[low:high] for low, high in bounds])), whole)
    by_category: dict[int, list[int]] = {main: []}
    for place, row in enumerate(read):
        best = int(row.argmax())
        other = best != main and allowed[best] and row[best] >= _HEARD and model.categories[best] != _REST
        # What speaks for nothing clearly goes on with the main matter.
        by_category.setdefault(best if other else main, []).append(place)
    lengths = np.array([high - low for low, high in bounds])
    part = lengths / lengths.sum()
    weight = {
        one: float(read[places, one].sum())
        for one, places in by_category.items()
        if one != main and _odds(float(read[places, one].max())) * part[places].sum() >= CLEAR
    }
    kept = sorted(weight, key=lambda one: -weight[one])[: MOST - 1]
    rest = [place for one, places in by_category.items() if one not in kept for place in places]
    found = [_found(model, text, [bounds[p] for p in sorted(rest)] or list(bounds), main, sure_of_main)]
    for one in kept:
        places = by_category[one]
        sure = float(read[places, one].max())
        found.append(_found(model, text, [bounds[place] for place in places], one, sure))
    return tuple(found)


def _odds(probability: float) -> float:
    return probability / max(1 - probability, 1e-9)


def _weighed(read: Doubles, whole: Doubles) -> Doubles:
    """Each sentence weighed by the whole; rows sum to 1."""
    both = read * np.maximum(whole, 1e-6) ** _WHOLE
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def _found(
    model: Model,
    text: str,
    bounds: list[tuple[int, int]] | tuple[tuple[int, int], ...],
    category: int,
    sure: float,
) -> IssueFound:
    joined: list[tuple[int, int]] = []
    for low, high in bounds:
        # Sentences that follow each other are one passage.
        if joined and not text[joined[-1][1] : low].strip():
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    said = " ".join(" ".join(text[low:high].split()) for low, high in joined)
    return IssueFound(said, model.categories[category], round(sure, 4), tuple(joined))
