"""What a letter of staff to a complainant should not say: warnings before it is sent, each with the words that cause it.

A warning is advice: the writer changes the letter or sends it as it is (4.7, 5.1, 7.8). Plain rules, sentence by
sentence; their words are in `triage/phrases/warnings_<language>.toml`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from triage.issues import split_sentences
from triage.matching import LANGUAGES, FoldedText, fold, lines_of, read_phrases
from triage.text import desk_language

Span = tuple[int, int]

#: The codes, in the order in which they are shown. Events and metrics name them.
WARNINGS = ("others_data", "internal", "admission", "promise_without_date", "blaming", "wrong_language")
#: Characters of a letter that are read; the longest field of a form is shorter.
_LONGEST = 12_000
#: Characters between a word for another person and their name.
_NAME_WITHIN = 60
_NAME = re.compile(r"(?<![^\W_])[^\W\d_a-zß-öø-ÿ][\w'’-]{1,25}\s[^\W\d_a-zß-öø-ÿ][\w'’-]{1,25}")


@dataclass(frozen=True, slots=True)
class LetterWarning:
    """A warning: its code (one of `WARNINGS`), and the span of the words in the letter that cause it, end excluded."""

    code: str
    span: Span


def find_warnings(
    text: str,
    *,
    language: str,
    may_admit: bool,
    personal: Iterable[tuple[int, int, str]] = (),
) -> tuple[LetterWarning, ...]:
    """The warnings for a letter, at most one for each code; never raises, in time linear in its length.

    `language` is the complainant's. With `may_admit` the writer may accept liability. `personal` are (start, end,
    kind) of names, phones, e-mails, addresses and numbers in the text that belong neither to the complainant nor to
    the desk, as far as the caller can tell; kind "name" for names.
    """
    text = text[:_LONGEST]
    written_in, is_sure = desk_language(text, LANGUAGES)
    languages = (written_in,) if written_in in LANGUAGES else LANGUAGES
    warnings: dict[str, Span] = {}
    if is_sure and written_in is not None and written_in != language:
        warnings["wrong_language"] = _sentences(text)[0]
    letter = _Letter(text, fold(text), tuple(personal), _sentences(text))
    for code in languages:
        phrases = _phrases(code)
        for index, (start, end) in enumerate(letter.sentences):
            for kind in ("internal", "admission", "blaming"):
                if kind not in warnings and (kind != "admission" or not may_admit):
                    span = letter.search(phrases[kind], start, end)
                    if span is not None:
                        warnings[kind] = span
            if "promise_without_date" not in warnings:
                span = letter.promise(phrases["promise_without_date"], index)
                if span is not None:
                    warnings["promise_without_date"] = span
            if "others_data" not in warnings:
                span = letter.others_data(phrases["others_data"], start, end)
                if span is not None:
                    warnings["others_data"] = span
    return tuple(LetterWarning(kind, warnings[kind]) for kind in WARNINGS if kind in warnings)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter as written and folded, with what is personal in it and the bounds of its sentences."""

    text: str
    folded: FoldedText
    personal: tuple[tuple[int, int, str], ...]
    sentences: Sequence[Span]

    def sentence(self, start: int, end: int) -> str:
        return fold(self.text[start:end]).text

    def search(self, rules: "_Rules", start: int, end: int) -> Span | None:
        """The words of the first pattern in a sentence to which no exception applies."""
        folded = fold(self.text[start:end])
        match = rules["patterns"].search(folded.text)
        if match is None or ("unless" in rules and rules["unless"].search(folded.text)):
            return None
        low, high = folded.span(*match.span())
        return start + low, start + high

    def promise(self, rules: "_Rules", index: int) -> Span | None:
        """A promise without a date. A date in the sentence before or after it counts, unless it says "soon"."""
        start, end = self.sentences[index]
        span = self.search(rules, start, end)
        if span is None:
            return None
        sentence = self.sentence(start, end)
        if rules["dated"].search(sentence):
            return None
        if rules["vague"].search(sentence):
            return start, end
        around = self.sentences[max(0, index - 1) : index + 2]
        return None if any(rules["dated"].search(self.sentence(*bounds)) for bounds in around) else span

    def others_data(self, rules: "_Rules", start: int, end: int) -> Span | None:
        """What is personal of somebody else: a name or a contact next to words for another person, or their health."""
        span = self.search(rules, start, end)
        if span is not None:
            return span
        sentence = fold(self.text[start:end])
        third = rules["third"].search(sentence.text)
        for low, high, kind in self.personal:
            if not start <= low < end:
                continue
            if third or (kind != "name" and not rules["own"].search(sentence.text)):
                return low, high
        if third:
            begin, stop = (start + position for position in sentence.span(*third.span()))
            name = _NAME.search(self.text, stop, min(end, stop + _NAME_WITHIN))
            if name is not None:
                return begin, name.end()
        return None


_Rules = Mapping[str, re.Pattern[str]]


def _sentences(text: str) -> list[Span]:
    """The bounds of the sentences; a line break ends one."""
    bounds = []
    position = 0
    for line in text.splitlines(keepends=True):
        bounds += [(position + start, position + end) for start, end in split_sentences(line)]
        position += len(line)
    return bounds or [(0, len(text))]


@lru_cache(maxsize=8)
def _phrases(language: str) -> Mapping[str, _Rules]:
    """The tables of a language, compiled: a space in a pattern is a short gap, in which a comma may be."""
    table = read_phrases("warnings", language)
    return {
        kind: {name: _compile(lines) for name, lines in rules.items()} for kind, rules in table.items()
    }


def _compile(lines: str) -> re.Pattern[str]:
    patterns = "|".join(line.replace(" ?", r"\s{0,3}").replace(" ", r"[\s,]{1,3}") for line in lines_of(lines))
    return re.compile(rf"(?<![^\W_])(?:{patterns})(?![^\W_])")
