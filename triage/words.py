"""The words by which people search complaints: folded, without common words and endings, as hashes.

A word of a story is stored under the form of the complaint's language. A word of a query has one form for each
language of the desk, because nobody knows in which language the complaint was written. The store keys the hashes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from triage.matching import LANGUAGES, fold, read_phrases

MOST_WORDS = 200
"""Different words of a story that can be searched for, the first ones."""
MOST_SEARCHED = 8
"""Words of a query; the rest is left out."""
LONGEST = 20_000
_LONGEST_WORD = 40
#: The codes of a masked copy, such as `[phone]`.
_CODE = re.compile(r"\[\w+\]")
_WORD = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True)
class _WordForms:
    """How the words of one language are folded; for another language nothing is taken off."""

    stop: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    least: int = 0
    repeated: bool = False
    hard: Mapping[str, str] = field(default_factory=dict)
    irregular: Mapping[str, str] = field(default_factory=dict)

    def form(self, word: str) -> str:
        """The word without its endings; the same for every inflection in most cases."""
        if word in self.irregular:
            return self.irregular[word]
        rest = word
        while ending := next((end for end in self.endings if self._ends(rest, end)), None):
            rest = rest[: -len(ending)]
            if not self.repeated:
                break
        if len(rest) > self.least and rest[-1] == rest[-2]:
            rest = rest[:-1]
        rest = rest[:-1] + self.hard.get(rest[-1], rest[-1])
        return self.irregular.get(rest, rest)

    def _ends(self, word: str, ending: str) -> bool:
        return len(word) - len(ending) >= self.least and word.endswith(ending)


@dataclass(frozen=True)
class SearchWord:
    """A word of a query, folded, and the hashes under which a complaint may have it."""

    text: str
    hashes: tuple[bytes, ...]


def story_words(masked: str, language: str) -> tuple[bytes, ...]:
    """The hashes, 8 bytes each, of the different words of a masked story: at most `MOST_WORDS`, in order."""
    forms = _word_forms(language)
    words = dict.fromkeys(forms.form(word) for word in _words(masked) if word not in forms.stop)
    return tuple(_hash(word) for word in list(words)[:MOST_WORDS])


def search_words(query: str, languages: Sequence[str]) -> tuple[SearchWord, ...]:
    """The words to search for. Words that are common in one of the languages are left out if others remain."""
    tables = [_word_forms(language) for language in languages] or [_WordForms()]
    words = list(dict.fromkeys(_words(query)))
    rare = [word for word in words if not any(word in table.stop for table in tables)]
    kept = rare or [word for word in words if not all(word in table.stop for table in tables)]
    return tuple(
        SearchWord(
            word, tuple(map(_hash, dict.fromkeys(table.form(word) for table in (*tables, _WordForms()))))
        )
        for word in kept[:MOST_SEARCHED]
    )


def _words(text: str) -> Iterator[str]:
    folded = fold(_CODE.sub(" ", text[:LONGEST])).text
    return (word[:_LONGEST_WORD] for word in _WORD.findall(folded))


@lru_cache(maxsize=16)
def _word_forms(language: str) -> _WordForms:
    if language not in LANGUAGES:
        return _WordForms()
    table = read_phrases("words", language)
    endings = sorted(table["endings"].split(), key=len, reverse=True)
    return _WordForms(
        frozenset(table["stop"].split()),
        tuple(endings),
        table["least"],
        table.get("repeated", False),
        table.get("hard", {}),
        table.get("irregular", {}),
    )


def _hash(word: str) -> bytes:
    # A lone surrogate must not make the search fail.
    return blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
