"""The words by which people search complaints: folded, without common words and endings, as hashes.

A word of a story is stored under the form of the complaint's language. A word of a query has one form for each
language of the desk, because the complaint may be in any of them. The store keys the hashes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

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
class SearchWord:
    """A word of a query, folded, and the hashes under which a complaint may have it."""

    text: str
    hashes: tuple[bytes, ...]


def story_words(masked: str, language: str) -> tuple[bytes, ...]:
    """The hashes, 8 bytes each, of the different words of a masked story: at most `MOST_WORDS`, in order."""
    stop = stop_words(language)
    forms = dict.fromkeys(_form(word, language) for word in _words(masked) if word not in stop)
    return tuple(map(_hash, list(forms)[:MOST_WORDS]))


def search_words(query: str, languages: Sequence[str]) -> tuple[SearchWord, ...]:
    """The words to search for. Words that are common in one of the languages are left out if others remain."""
    words = dict.fromkeys(_words(query))
    common = [word for word in words if any(word in stop_words(language) for language in languages)]
    rare = [word for word in words if word not in common]
    kept = rare or [word for word in common if not all(word in stop_words(code) for code in languages)]
    return tuple(
        # The word itself is the form of a language without a table.
        SearchWord(word, tuple(map(_hash, dict.fromkeys((word, *(_form(word, code) for code in languages))))))
        for word in kept[:MOST_SEARCHED]
    )


def _words(text: str) -> Iterator[str]:
    folded = fold(_CODE.sub(" ", text[:LONGEST])).text
    return (word[:_LONGEST_WORD] for word in _WORD.findall(folded))


def _form(word: str, language: str) -> str:
    """The word without its endings, the same for most of its inflections; unchanged in a language without a table."""
    table = _table(language)
    if not table:
        return word
    irregular, least = table.get("irregular", {}), table["least"]
    if word in irregular:
        return str(irregular[word])
    rest, goes_on = word, True
    while goes_on:
        ending = next((end for end in _endings(language) if _is_ending(rest, end, least)), "")
        rest = rest[: len(rest) - len(ending)]
        goes_on = bool(ending) and table.get("repeated", False)
    if len(rest) > least and rest[-1] == rest[-2]:
        rest = rest[:-1]
    rest = rest[:-1] + table.get("hard", {}).get(rest[-1], rest[-1])
    return str(irregular.get(rest, rest))


def _is_ending(word: str, ending: str, least: int) -> bool:
    return len(word) - len(ending) >= least and word.endswith(ending)


def _table(language: str) -> Mapping[str, Any]:
    return read_phrases("words", language) if language in LANGUAGES else {}


@lru_cache(maxsize=16)
def _endings(language: str) -> tuple[str, ...]:
    """The longest first."""
    return tuple(sorted(_table(language)["endings"].split(), key=len, reverse=True))


@lru_cache(maxsize=16)
def stop_words(language: str) -> frozenset[str]:
    return frozenset(_table(language).get("stop", "").split())


def _hash(word: str) -> bytes:
    # A lone surrogate must not make the search fail.
    return blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
