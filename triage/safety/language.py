"""The language of a text by its frequent words: fast enough for the transaction of every message.

`triage.text.guess_language` is more exact, but takes a hundred times as long and needs a model of 30 MB.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from triage.matching import fold
from triage.safety.negation import SCOPE_TABLES

WORD = re.compile(r"[^\W_]+")
_LANGUAGES_BY_WORD: dict[str, list[str]] = {}
for _table in SCOPE_TABLES.values():
    for _word in _table["frequent"].split():
        _LANGUAGES_BY_WORD.setdefault(_word, []).append(_table["code"])
# A language with this share of the frequent words of the leading one may also be spoken: people mix languages.
_SHARE = 0.6
#: A text is clearly in a language from this many of its frequent words, and this share of all words.
_FEWEST_WORDS, _CLEAR_SHARE = 3, 0.3
#: A text with this share of frequent words of a desk's language is in it.
_READ_SHARE = 0.45
#: The fewest words from which another language is detected.
_FEWEST_TO_DETECT = 5


def words_of(text: str) -> list[str]:
    """The folded words of a text."""
    return WORD.findall(fold(text).text)


def clear_language(words: Sequence[str], languages: Collection[str]) -> str | None:
    """The language in which these folded words are clearly written; None where the language model should decide.

    French or Catalan have a few frequent words in common with Spanish, so those of others must be rare.
    """
    counts = _counts(words, languages)
    language = max(counts, key=lambda name: counts[name])
    most = counts.pop(language)
    enough = most >= _FEWEST_WORDS and most >= _CLEAR_SHARE * len(words)
    return language if enough and all(3 * other <= most for other in counts.values()) else None


def _counts(words: Iterable[str], languages: Collection[str]) -> dict[str, int]:
    counts = dict.fromkeys(languages, 0)
    for word in words:
        for language in _LANGUAGES_BY_WORD.get(word, ()):
            if language in counts:
                counts[language] += 1
    return counts


def spoken_languages(words: Iterable[str], languages: Collection[str]) -> tuple[str, ...]:
    """The languages in which these folded words may be written, the likeliest first; all where no word decides."""
    counts = _counts(words, languages)
    most = max(counts.values(), default=0)
    ranked = sorted(counts, key=lambda language: -counts[language])
    return tuple(language for language in ranked if counts[language] >= _SHARE * most)


def unread_language(text: str, languages: Collection[str]) -> str:
    """The language of a text that is in none of these; "und" where no word is known, "" for any other text.

    A few words, such as the name of a place, have no language.
    """
    words = [word for word in words_of(text) if word.isalpha()]
    counts = _counts(words, languages)
    # French and Italian share every third of their frequent words with Spanish.
    is_read = max(counts.values(), default=0) >= _READ_SHARE * len(words)
    if len(words) < _FEWEST_TO_DETECT or is_read:
        return ""
    # Imported here: commands start without the language model, and most messages do without it.
    from triage.text import desk_language

    language, is_sure = desk_language(text, tuple(languages))
    if language is not None:
        return language if is_sure and language not in languages else ""
    is_known = any(counts.values())
    return "" if is_known or len(words) < 2 * _FEWEST_TO_DETECT else "und"
