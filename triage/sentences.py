"""The sentences of a text, the title of a passage, and whether a sentence is only a formality.

People on phones write everything in lower case, so a full stop ends a sentence before a small letter too. The
exceptions, abbreviations and ordinal numbers, are in `triage/phrases/abbreviations_<language>.toml`.
"""

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache

from triage.matching import LANGUAGES, any_of, fold, read_phrases
from triage.text import LONGEST

Span = tuple[int, int]

#: Characters of a title at most, and of one that is cut after a clause at least.
_LONGEST_TITLE, _SHORTEST_CLAUSE = 80, 30
_CLAUSE_END = re.compile(r"[,;:–—]\s")
#: A longer sentence says more than a formality. The limit also bounds the work of the patterns.
_MOST_FORMAL_WORDS = 16
_LONGEST_FORMALITY = 160
#: Words of a signature.
_MOST_NAMES = 3
#: A reference, a customer number or a phone number; shorter numbers are amounts, days and house numbers.
_NUMBER = re.compile(r"(?:\d[ ()/-]{0,2}){4}")
_DIGIT = re.compile(r"\d")
_NAME_MARKS = ".,;:!?()\"'–-"
_FEWEST_WORDS = 4
_MOST_SENTENCES = 200
_LONGEST_TOKEN = 40

_STOPS = ".!?…"
_END = re.compile(rf"[{_STOPS}]+[\"'”’“»)\]]*(?=\s|$)|\s*[\r\n]+\s*|;\s")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKEN_BEFORE = re.compile(r"[^\s(\[\"'“”„«]*$")
_WORD_AFTER = re.compile(r"\s*([\w§]{1,40})")
# A single letter is an initial or half an abbreviation ("z. B.", "p. ej."); groups of one or two letters are a whole
# one ("e.g."). But "5 p.m." ends a sentence as often as not.
_LETTERS = re.compile(r"[^\W\d_]|(?![ap]\.m$)(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
# "Am 3. März", "3. katta", "bis 3.5. warten": an ordinal has one or two digits, an amount like "12.50" is no date.
_ORDINAL = re.compile(r"[0-9]{1,2}|(?:[12]?[0-9]|3[01]|0[1-9])\.(?:1[0-2]|0?[1-9])")


def split_sentences(text: str) -> tuple[Span, ...]:
    """The (start, end) of each sentence; one of fewer than four words is joined to the one before it."""
    bounds: list[Span] = []
    position = 0
    for stop in [*_sentence_ends(text), len(text[:LONGEST])]:
        piece = text[position:stop]
        start = position + len(piece) - len(piece.lstrip())
        end = stop - (len(piece) - len(piece.rstrip()))
        position = stop
        if start >= end:
            continue
        is_short = len(_WORD.findall(text[start:end])) < _FEWEST_WORDS
        if bounds and (is_short or len(bounds) == _MOST_SENTENCES):
            bounds[-1] = (bounds[-1][0], end)
        else:
            bounds.append((start, end))
    return tuple(bounds)


def issue_title(passage: str) -> str:
    """The title of an issue: its first sentence that is no formality, at most 80 characters, cut between words."""
    sentences = [passage[start:end] for start, end in split_sentences(passage)]
    if not sentences:
        return ""
    piece = next((sentence for sentence in sentences if not is_formality(sentence)), sentences[0])
    sentence = " ".join(piece[: min(_sentence_ends(piece), default=len(piece))].split())
    title = textwrap.shorten(sentence, _LONGEST_TITLE, placeholder="") or sentence[:_LONGEST_TITLE]
    if title != sentence:
        ends = [end.start() for end in _CLAUSE_END.finditer(title) if end.start() >= _SHORTEST_CLAUSE]
        title = title[: max(ends, default=len(title))]
    return title.rstrip(" .,;:–—…")


def has_words(text: str) -> bool:
    return bool(_WORD.search(text))


def _sentence_ends(text: str) -> list[int]:
    stops = _END.finditer(text, 0, LONGEST)
    return [stop.end() for stop in stops if stop[0][0] not in _STOPS or not _continues(text, stop)]


def _continues(text: str, stop: re.Match[str]) -> bool:
    """Whether the sentence continues after this punctuation."""
    after = _WORD_AFTER.match(text, stop.end())
    if after is None:
        return False
    is_lower = after[1][0].islower()
    if stop[0][-1] not in _STOPS:
        return is_lower  # "Get out!" he shouted
    if stop[0] != ".":
        return False
    token = _TOKEN_BEFORE.search(text, max(0, stop.start() - _LONGEST_TOKEN), stop.start())
    before = fold(token[0]).text if token else ""
    abbreviations = _abbreviations()
    if abbreviations.titles.fullmatch(before) or _LETTERS.fullmatch(before):
        return True
    if _ORDINAL.fullmatch(before):
        return is_lower or bool(abbreviations.months.fullmatch(fold(after[1]).text))
    is_figure = after[1][0].isdigit() or after[1][0] == "§"
    return ((is_lower or is_figure) and bool(abbreviations.short.fullmatch(before))) or (
        is_figure and bool(abbreviations.figures.fullmatch(before))
    )


@dataclass(frozen=True, slots=True)
class _Abbreviations:
    """Tokens after which a full stop ends no sentence, and the names of the months.

    `titles` never end one, `short` not before a small letter or a figure, `figures` only not before a figure.
    """

    titles: re.Pattern[str]
    short: re.Pattern[str]
    figures: re.Pattern[str]
    months: re.Pattern[str]


@lru_cache(maxsize=1)
def _abbreviations() -> _Abbreviations:
    """Those of all languages at once, because people mix them."""
    tables = [read_phrases("abbreviations", language) for language in LANGUAGES]
    months = [read_phrases("facts", language)["dates"]["months"] for language in LANGUAGES]

    def pattern(lines: list[str]) -> re.Pattern[str]:
        return re.compile(any_of("\n".join(lines)))

    return _Abbreviations(
        titles=pattern([table["titles"] for table in tables]),
        short=pattern([table["short"] for table in tables]),
        figures=pattern([table["figures"] for table in tables]),
        months=pattern(months),
    )


def is_formality(sentence: str) -> bool:
    """Whether a sentence only greets, names a person or a number, asks to put things right, or ends the letter.

    The words are in `triage/phrases/formalities_<language>.toml`, those around a number also in the tables of facts.
    """
    words = sentence.split()
    if len(words) > _MOST_FORMAL_WORDS or len(sentence) > _LONGEST_FORMALITY:
        return False
    has_number = bool(_NUMBER.search(sentence))
    if has_number:
        words = [word for word in words if not _DIGIT.search(word)]
    for popped in range(_MOST_NAMES):
        # "Bitte bringen Sie das in Ordnung. K. Weber": the name begins after the full stop.
        ends_sentence = popped and len(words[-1]) > 2 and words[-1][-1] in ".!?"
        if len(words) < 2 or ends_sentence or not _is_name(words[-1].strip(_NAME_MARKS)):
            break
        words.pop()
    return bool(_formalities(has_number=has_number).fullmatch(fold(" ".join(words)).text))


def _is_name(word: str) -> bool:
    """Whether a word may be a name or an initial: a capital first, but not all in capitals."""
    return word[:1].isupper() and (len(word) == 1 or not word.isupper())


@lru_cache(maxsize=2)
def _formalities(*, has_number: bool) -> re.Pattern[str]:
    """The phrases of all languages in a row, because people mix them; an initial is a signature."""
    tables = [read_phrases("formalities", language) for language in LANGUAGES]
    lines = [table[key] for table in tables for key in ("patterns", "names")] + [r"[a-z]\."]
    if has_number:
        numbers = [read_phrases("facts", language)["numbers"] for language in LANGUAGES]
        lines += [table["around_numbers"] for table in tables]
        lines += [words for table in numbers for words in (table["named"], table["links"], table["after"])]
        lines += [cue for table in numbers for cue in table["cues"].values()]
    phrases = any_of("\n".join(lines))
    return re.compile(rf"(?:\W*{phrases}(?![^\W_])){{1,{_MOST_FORMAL_WORDS}}}\W*")
