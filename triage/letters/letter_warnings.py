"""What a letter of staff to a complainant should not say: warnings with the words that cause them.

A warning is advice: the writer changes the letter or sends it as it is (4.7, 5.1, 7.8). Plain rules
(`triage.letters.letter_rules`) work sentence by sentence. What they find is weighed together with the words of the
sentence and with groups of words (`triage.letters.letter_sentences`). The weights
(`triage/letters/weights.npz`) are learned from written letters (`triage.learning.letter_models`).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import chain
from math import inf, log
from typing import NamedTuple

from triage.letters.letter_rules import LetterSentence, Span, SplitLetter, split_letter
from triage.letters.letter_sentences import WeighedSentence, read_sentences, read_weights
from triage.matching import LANGUAGES, languages_of
from triage.safety.language import WORD, clear_language, words_of
from triage.text import desk_language, load_language_model, sure_language

#: The codes, in the order in which they are shown. Events and metrics name them.
WARNINGS = ("others_data", "internal", "admission", "promise_without_date", "blaming", "wrong_language")
#: Characters of a letter that are read; the longest field of a form is shorter.
_LONGEST = 12_000
#: Of a shorter text the language is not known.
_FEWEST_LETTERS = 20
#: How sure the language of a single sentence must be, from 0 to 1.
_LEAST_SURE = 0.95
#: Fewer words may be a name or an address: with a full stop, and without one.
_FEWEST_FOREIGN_WORDS, _FEWEST_WITHOUT_END = 6, 8
#: The name of the limit among the features: what weighs more than this is a warning.
LIMIT = "<limit>"
#: The warnings that are weighed, in the order of their columns of weights.
WEIGHED = ("others_data", "internal", "admission", "promise_without_date", "blaming")
#: The first column: how rare a feature is.
RARITY = "rarity"
#: What words that a rule found weigh more. Where held-out letters showed no gain, the weights alone decide.
TRUST = {"others_data": 0.0, "internal": 2.0, "admission": 1.0, "promise_without_date": 1.0, "blaming": 0.0}
#: Where a rule found words of these kinds, they count in a letter of any length: that cost 2 good letters in 1,400.
ANY_LENGTH = ("others_data", "admission", "blaming")


class LetterWarning(NamedTuple):
    """A warning: its code (one of `WARNINGS`), and the span of the words that cause it, end excluded."""

    code: str
    span: Span


def find_warnings(
    text: str,
    *,
    language: str,
    may_admit: bool,
    personal: Iterable[tuple[int, int, str]] = (),
    writes_in: str | None = None,
) -> tuple[LetterWarning, ...]:
    """The warnings for a letter, at most one for each code; never raises, in time linear in its length.

    `language` is that of the complainant's letters; `writes_in` what they write, if it is another one. With
    `may_admit` the writer may accept liability. `personal` are (start, end, kind) of names, phones, e-mails,
    addresses and numbers in the text that the caller does not know as the complainant's or the desk's; kind "name"
    for names.
    """
    letter = split_letter(text[:_LONGEST])
    written_in = letter_language(letter.text)
    causes: dict[str, Span] = {}
    if written_in not in (None, language, writes_in):
        causes["wrong_language"] = letter.sentences[0].whole
    elif foreign := _foreign_sentence(letter, {language, writes_in}):
        causes["wrong_language"] = foreign.whole
    kinds = [kind for kind in WEIGHED if not (kind == "admission" and may_admit)]
    for code in languages_of(written_in or language):
        readings = read_sentences(letter, code, personal)
        # Each sentence of a longer letter is less likely to be the faulty one.
        length = log(max(1, len(readings)))
        for reading in readings:
            for kind, margin in _margins(reading, kinds, _weights(code), length).items():
                if margin > 0 and kind not in causes:
                    causes[kind] = reading.causes.get(kind) or reading.heaviest_words(_weights(code)[kind])
    return tuple(LetterWarning(kind, causes[kind]) for kind in WARNINGS if kind in causes)


def load_letter_warnings(languages: Iterable[str]) -> None:
    """Load what `find_warnings` needs for letters in these languages, once for a process and never on its event loop.

    The language model takes .7 s, the patterns and weights of a language .1 to .2 s.
    """
    load_language_model()
    for code in dict.fromkeys(chain.from_iterable(map(languages_of, languages))):
        read_sentences(split_letter("-:\nWe call you."), code, ())
        _weights(code)


def _margins(
    reading: WeighedSentence,
    kinds: Sequence[str],
    weights: Mapping[str, Mapping[str, float]],
    length: float,
) -> dict[str, float]:
    kinds = [kind for kind in kinds if reading.can_warn(kind)]
    # Rare features count more: weights are times the rarity, and lengths are of its square.
    blocks = reading.known_blocks(weights[RARITY]) if kinds else []
    margins = {}
    for kind in kinds:
        own = weights[kind]
        weight = sum(sum(map(own.__getitem__, block)) / size for block, size in blocks)
        margins[kind] = weight + added_weight(reading, kind, length) - own[LIMIT]
    return margins


def added_weight(reading: WeighedSentence, kind: str, length: float) -> float:
    """What the rules add to the weight of a sentence; `length` is the logarithm of the number of sentences."""
    if kind not in reading.causes:
        return -length
    if f"#{kind}.always" in reading.marks:
        return inf
    return TRUST[kind] if kind in ANY_LENGTH else TRUST[kind] - length


def letter_language(text: str) -> str | None:
    """The language of the letter, where that is sure: by its frequent words, which is faster, or by the model."""
    if sum(map(str.isalpha, text)) < _FEWEST_LETTERS:
        return None
    written_in, is_sure = clear_language(words_of(text), LANGUAGES), True
    if written_in is None:
        written_in, is_sure = desk_language(text, LANGUAGES)
    return written_in if is_sure else None


def _foreign_sentence(letter: SplitLetter, languages: Set[str | None]) -> LetterSentence | None:
    """The first sentence that is surely in none of these languages: a closing that was copied from another letter.

    In the 21,900 sentences of the learned texts this was never wrong. It takes 0.1 ms a sentence.
    """
    for sentence in letter.sentences:
        has_end = sentence.text.rstrip()[-1:] in (".", "!", "?")
        if len(WORD.findall(sentence.text)) >= (_FEWEST_FOREIGN_WORDS if has_end else _FEWEST_WITHOUT_END):
            guess = sure_language(sentence.text, _LEAST_SURE)
            # Of languages without tables, neighbours (Danish, Norwegian) are too alike for one sentence.
            if guess is not None and guess not in languages and not languages.isdisjoint(LANGUAGES):
                return sentence
    return None


@lru_cache(maxsize=8)
def _weights(name: str) -> Mapping[str, Mapping[str, float]]:
    """The weight of each feature, and the limit, by the warning, in a language."""
    return dict(zip((RARITY, *WEIGHED), read_weights(name), strict=True))
