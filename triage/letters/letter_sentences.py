"""The sentences of a letter as they are weighed: their words with learned weights, marks, and groups of words.

The groups are in `triage/phrases/letters_<language>.toml`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, combinations, pairwise
from math import sqrt
from pathlib import Path

import numpy as np

from triage.errors import UnreadableModel
from triage.letters.letter_rules import (
    LetterSentence,
    Span,
    SplitLetter,
    addressed_name,
    compile_patterns,
    find_admission,
    find_dated,
    find_internal,
    find_others,
    find_promise,
    has_full_name,
    has_titled_name,
    letter_rules,
    promise_marks,
    words_in,
)
from triage.matching import fold, read_phrases
from triage.safety.language import WORD, words_of

#: Learned from `letters.csv` by `make install` and a release, not in git.
WEIGHTS = Path(__file__).with_name("weights.npz")
#: The salutation ends here.
_GREETING = re.compile(r"[^,:!\n]{3,60}(?=[,:!\n])")
#: Signs of a note or of a desk: "->", an abbreviation, a word in capitals, "XX" in place of a date, "@Sam".
_SIGNS = {
    "sign": re.compile(r"-->?|=>|->|<<|!!|\?\?|\.{3}$|[\[\]<>]|\b\w{1,12}/\w|#\d|\bXX"),
    "short_code": re.compile(r"(?<![\w.])[A-ZÄÖÜ]{2,3}(?![\w.])"),
    "code": re.compile(r"\bXX|@\w|[A-ZÄÖÜ]{4}"),
}
#: The marks that are weighed together with each group.
_JOINED = {
    "name", "full_name", "titled", "contact", "undated_clause", "weak_clause", "undated", "undated_end", "digit",
    "before", "addressed", "question", "code", "bracket", "own_line", "last", "after_closing", "bracketed", "marker",
    "lower_break",
}  # fmt: skip
#: The marks that say where in a letter a sentence is.
_PLACES = {
    "own_line", "line_start", "last", "after_closing", "bracketed", "marker", "lower_break", "first", "before",
    "day_before", "day_after",
}  # fmt: skip
#: A shorter sentence ("Read and assessed it.") warns only where a rule matches in it.
_FEWEST_WORDS = 5
#: The words of a weighed sentence that a warning shows.
_SHOWN_WORDS = 8
#: Keys of words that are searched only next to a name.
_NO_PATTERNS = ("no_names", "after_name", "salutation", "closing")


@dataclass(frozen=True, slots=True)
class WeighedSentence:
    """What is weighed in a sentence: its words, marks (rules and groups), and the words that the rules found."""

    sentence: LetterSentence
    words: frozenset[str]
    marks: frozenset[str]
    groups: frozenset[str]
    causes: Mapping[str, Span]

    def is_excepted(self, kind: str) -> bool:
        """Whether nothing is weighed, or an exception ("not liable") is in the sentence and no rule found words."""
        return not self.words or (f"#{kind}.unless" in self.marks and kind not in self.causes)

    def can_warn(self, kind: str) -> bool:
        """Whether a rule found words, or there are enough of them to trust their weight, and no exception."""
        return (kind in self.causes or self.is_long) and not self.is_excepted(kind)

    def known_blocks(self, rarity: Mapping[str, float]) -> list[tuple[Set[str], float]]:
        """What has a weight of the words, marks and groups, and the length of each of these three."""
        blocks = (rarity.keys() & block for block in (self.words, self.marks, self.groups))
        return [(block, sqrt(sum(map(rarity.__getitem__, block)))) for block in blocks if block]

    def without_place(self) -> "WeighedSentence":
        """The same words without the marks of their place in a letter."""
        return replace(
            self,
            marks=frozenset(mark for mark in self.marks if mark[1:] not in _PLACES),
            groups=frozenset(name for name in self.groups if _PLACES.isdisjoint(name[1:].split("+"))),
        )

    @property
    def is_long(self) -> bool:
        """True where the weight of words alone can be trusted."""
        return len(WORD.findall(self.sentence.folded.text)) >= _FEWEST_WORDS

    def heaviest_words(self, weights: Mapping[str, float]) -> Span:
        """The neighbouring words that weigh most."""
        tokens = list(WORD.finditer(self.sentence.folded.text))
        windows = (tokens[start : start + _SHOWN_WORDS] for start in range(len(tokens)))
        heaviest = max(
            (window for window in windows if len(window) == min(len(tokens), _SHOWN_WORDS)),
            key=lambda window: mean_weight(word_features([token.group() for token in window]), weights),
        )
        low, high = self.sentence.folded.span(heaviest[0].start(), heaviest[-1].end())
        return self.sentence.start + low, self.sentence.start + high


def read_sentences(
    letter: SplitLetter, language: str, personal: Iterable[tuple[int, int, str]]
) -> list[WeighedSentence]:
    """The sentences of a letter as they are weighed, by the tables of this language."""
    text, sentences = letter.text, letter.sentences
    rules, groups = letter_rules(language), _groups(language)
    # The name in the salutation is the complainant's.
    match = _GREETING.match(text)
    greeting = frozenset(words_in(match.group())) if match else frozenset()
    salutation = rules["internal"].patterns["salutation"]
    is_salutation = match and (salutation.match(fold(match.group()).text) or match.group().istitle())
    greeting_end = match.end() + 1 if match and is_salutation else 0
    # A name at the end is the signature.
    end = len(text.rstrip(" .,!\n"))
    named = [span for span in personal if span[1] < end or span[2] != "name"]
    # What comes before the salutation is a note.
    salutations = [sentence.start for sentence in sentences if salutation.match(sentence.folded.text)]
    # What comes after the closing formula is a signature, or a note.
    closings = [sentence.start for sentence in sentences if rules["internal"]("closing", sentence)]
    closing = min(closings, default=len(text))
    keys = [(kind, key) for kind in rules for key in rules[kind].patterns if key not in _NO_PATTERNS]
    dated = find_dated(rules["promise_without_date"], sentences)
    readings = []
    for index, sentence in enumerate(sentences):
        around = sentences[max(0, index - 1) : index + 2]
        others = [span for span in named if 0 <= span[0] - sentence.start < len(sentence.text)]
        spans = {
            "internal": find_internal(rules["internal"], sentence, greeting, sentences),
            "admission": find_admission(rules["admission"], sentence),
            "promise_without_date": find_promise(
                rules["promise_without_date"], sentence, around, is_dated=dated[index]
            ),
            "blaming": rules["blaming"].cause(sentence),
            "others_data": find_others(rules["others_data"], sentence, others, greeting),
        }
        causes = {kind: span for kind, span in spans.items() if span is not None}
        true = {
            "addressed": bool(addressed_name(rules["internal"], sentence, greeting)),
            "before": bool(salutations) and sentence.start < salutations[0],
            "bracket": sentence.text[:1] in "([@",
            "question": sentence.text.rstrip(")").endswith("?"),
            "day_before": any(dated[max(0, index - 1) : index]),
            "day_after": any(dated[index + 1 : index + 2]),
            "first": index == 0,
            **_layout(text, sentences, index, closing),
            "digit": any(map(str.isdigit, sentence.text)),
            "lower_start": sentence.text[:1].islower(),
            "no_end": sentence.text.rstrip()[-1:].isalpha(),
            **{name: bool(sign.search(sentence.text)) for name, sign in _SIGNS.items()},
            "titled": has_titled_name(sentence, greeting),
            "contact": any(kind != "name" for _, _, kind in others),
            "name": any(kind == "name" for _, _, kind in others),
            "full_name": has_full_name(rules["others_data"], sentence, others, greeting),
            **promise_marks(rules["promise_without_date"], sentence, is_dated=dated[index]),
        }
        marks = {
            *causes,
            *(f"{kind}.{key}" for kind, key in keys if rules[kind](key, sentence)),
            *(name for name, is_true in true.items() if is_true),
        }
        own_groups = {name for name, pattern in groups.items() if pattern.search(sentence.folded.text)}
        pairs = combinations(sorted(own_groups | (marks & _JOINED)), 2)
        own_groups.update("+".join(pair) for pair in pairs if not own_groups.isdisjoint(pair))
        rest = sentence.text[max(0, greeting_end - sentence.start) :]
        words = frozenset(word_features(words_of(rest)))
        mark_set, group_set = (frozenset(f"#{name}" for name in names) for names in (marks, own_groups))
        readings.append(WeighedSentence(sentence, words, mark_set, group_set, causes))
    # A text of one sentence is no letter with places.
    return readings if len(readings) > 1 else [reading.without_place() for reading in readings]


def _layout(text: str, sentences: Sequence[LetterSentence], index: int, closing: int) -> dict[str, bool]:
    """Where the sentence is: a note of colleagues is often a line of its own, in brackets, or after the end."""
    sentence = sentences[index]
    low, high = sentence.whole
    begins = low == 0 or text[:low].rstrip(" ").endswith("\n")
    ends = text[high:].lstrip(" ")[:1] in ("", "\n")
    return {
        "own_line": begins and ends,
        "line_start": begins and not ends,
        "last": index == len(sentences) - 1,
        "after_closing": low > closing,
        "bracketed": sentence.text[:1] in "([{<" and sentence.text.rstrip()[-1:] in ")]}>",
        "marker": not (sentence.text[:1].isalnum() or sentence.text[:1] in "¿¡\"'"),
        "lower_break": sentence.text[:1].islower() and not sentences[0].text[:1].islower(),
    }


@lru_cache(maxsize=8)
def _groups(language: str) -> Mapping[str, re.Pattern[str]]:
    return {name: compile_patterns(name, lines) for name, lines in read_phrases("letters", language).items()}


def word_features(words: Sequence[str]) -> set[str]:
    """Words, their parts, and pairs of neighbours."""
    return {*chain.from_iterable(map(_features_of_word, words)), *map(" ".join, pairwise(words))}


def mean_weight(features: Collection[str], weights: Mapping[str, float]) -> float:
    """The weight of the features that have one, divided by the root of their number; 0 where none has."""
    own = weights.keys() & features
    return sum(map(weights.__getitem__, own)) / sqrt(len(own)) if own else 0.0


def read_weights(language: str) -> tuple[dict[str, float], ...]:
    """The weight of each feature, for each column of a language. Raises UnreadableModel where it was not built."""
    if not WEIGHTS.exists():
        raise UnreadableModel(
            f"{WEIGHTS} is missing: run `python -m triage.learning.letter_models`, or install the release again."
        )
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        features = str(arrays[f"{language}_features"]).split("\n")
        # Whole tenths.
        columns = (arrays[f"{language}_weights"] / 10).tolist()
    return tuple(dict(zip(features, column, strict=True)) for column in columns)


@lru_cache(maxsize=20_000)
def _features_of_word(word: str) -> tuple[str, ...]:
    """A word, its beginnings, and its parts, which compounds and endings share."""
    beginnings = (word[:length] + "*" for length in (3, 4, 5) if len(word) > length)
    parts = (word[start : start + length] for length in (4, 5) for start in range(1, len(word) - length + 1))
    return (word, *beginnings, *(f"*{part}*" for part in parts))
