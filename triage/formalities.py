"""Sentences without a matter of their own: a greeting, a name, a number, "please put it right", a signature.

Their words are in `triage/phrases/formalities_<language>.toml`, those around a number also in the tables of facts.
"""

import re
from functools import lru_cache

from triage.matching import LANGUAGES, any_of, fold, read_phrases

#: A longer sentence says more than a formality. The limit also bounds the work of the patterns.
_MOST_WORDS = 16
_LONGEST = 160
#: Words of a signature.
_MOST_NAMES = 3
#: A reference, a customer number or a phone number; shorter numbers are amounts, days and house numbers.
_NUMBER = re.compile(r"(?:\d[ ()/-]{0,2}){4}")
_DIGIT = re.compile(r"\d")
_MARKS = ".,;:!?()\"'–-"


def is_formality(sentence: str) -> bool:
    """Whether a sentence only greets, names a person or a number, asks to put things right, or ends the letter."""
    words = sentence.split()
    if len(words) > _MOST_WORDS or len(sentence) > _LONGEST:
        return False
    has_number = bool(_NUMBER.search(sentence))
    if has_number:
        words = [word for word in words if not _DIGIT.search(word)]
    for popped in range(_MOST_NAMES):
        # "Bitte bringen Sie das in Ordnung. K. Weber": the name begins after the full stop.
        ends_sentence = popped and len(words[-1]) > 2 and words[-1][-1] in ".!?"
        if len(words) < 2 or ends_sentence or not _is_name(words[-1].strip(_MARKS)):
            break
        words.pop()
    return bool(_pattern(has_number=has_number).fullmatch(fold(" ".join(words)).text))


def _is_name(word: str) -> bool:
    """Whether a word may be a name or an initial: a capital first, but not all in capitals."""
    return word[:1].isupper() and (len(word) == 1 or not word.isupper())


@lru_cache(maxsize=2)
def _pattern(*, has_number: bool) -> re.Pattern[str]:
    """The phrases of all languages in a row, because people mix them; an initial is a signature."""
    tables = [read_phrases("formalities", language) for language in LANGUAGES]
    lines = [table[key] for table in tables for key in ("patterns", "names")] + [r"[a-z]\."]
    if has_number:
        numbers = [read_phrases("facts", language)["numbers"] for language in LANGUAGES]
        lines += [table["around_numbers"] for table in tables]
        lines += [words for table in numbers for words in (table["named"], table["links"], table["after"])]
        lines += [cue for table in numbers for cue in table["cues"].values()]
    phrases = any_of("\n".join(lines))
    return re.compile(rf"(?:\W*{phrases}(?![^\W_])){{1,{_MOST_WORDS}}}\W*")
