"""The language of a text by its frequent words: fast enough for the transaction of every message.

`triage.text.guess_language` is more exact, but takes a hundred times as long and needs a model of 30 MB.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from triage.matching import fold
from triage.safety.negation import SCOPE_TABLES

WORD = re.compile(r"[^\W_]+")
_LANGUAGES_BY_WORD: dict[str, list[str]] = {}
for _table in SCOPE_TABLES.values():
    for _word in _table["frequent"].split():
        _LANGUAGES_BY_WORD.setdefault(_word, []).append(_table["code"])
# A language with this share of the frequent words of the leading one may also be spoken: people mix languages.
_SHARE = 0.6


def words_of(text: str) -> list[str]:
    """The folded words of a text."""
    return WORD.findall(fold(text).text)


def spoken_languages(words: Iterable[str], languages: Collection[str]) -> tuple[str, ...]:
    """The languages in which these folded words may be written, the likeliest first; all where no word decides."""
    counts = dict.fromkeys(languages, 0)
    for word in words:
        for language in _LANGUAGES_BY_WORD.get(word, ()):
            if language in counts:
                counts[language] += 1
    most = max(counts.values(), default=0)
    ranked = sorted(counts, key=lambda language: -counts[language])
    return tuple(language for language in ranked if counts[language] >= _SHARE * most)
