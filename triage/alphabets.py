"""Which old code page a file is written in, told by the language that its letters make sense in.

The same byte is "ş" in one Windows code page, "þ" in another and "ş" again elsewhere: only the words say
which was meant. A file is read with each candidate, its language is guessed from what comes out, and the
letters that this language has are counted against those it has not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from triage.text import guess_language

#: Letters beyond A to Z of the languages that these code pages are for, in lower case.
_LETTERS = {
    "en": "éèêëïñçôàâöü",
    "tr": "çğıöşüâîûİ",
    "de": "äöüßé",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúü",
    "it": "àèéìîòóù",
    "nl": "éèëïóöü",
    "pt": "áàâãçéêíóôõúü",
    "da": "æøåé",
    "nb": "æøåéò",
    "sv": "åäöé",
    "fi": "äöå",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű",
    "sl": "čšžćđ",
    "hr": "čćđšž",
    "ro": "ăâîşţșț",
}
_LANGUAGES = {
    "cp1252": ("en", "de", "fr", "es", "it", "nl", "pt", "da", "nb", "sv", "fi"),
    "cp1254": ("tr",),
    "cp1250": ("pl", "cs", "sk", "hu", "sl", "hr", "ro"),
    "iso8859_2": ("pl", "cs", "sk", "hu", "sl", "hr", "ro"),
    "latin_1": ("en", "de", "fr", "es", "it", "nl", "pt", "da", "nb", "sv", "fi"),
}
CODE_PAGES = tuple(_LANGUAGES)
"""The candidates, the likelier first: where nothing tells them apart, the first that can be read is taken."""

_READ = 20_000
_WORD = re.compile(r"[a-zA-Z]{2,}")
_STRANGE = re.compile(r"[^\x00-\x7f]")
_APOSTROPHES = "’‘´"


@lru_cache(maxsize=32)
def _fitting(language: str) -> frozenset[str]:
    letters = _LETTERS[language]
    return frozenset(letters + letters.upper())


def _fit(text: str, language: str) -> float:
    """The mean over the characters beyond ASCII: 1 for a letter of the language, below 0 for what is none.

    A sign within a word, or a capital in the middle of one, is a letter misread.
    """
    letters = _fitting(language)
    total = count = 0
    for found in _STRANGE.finditer(text):
        one, count = found.group(), count + 1
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        within = before.isalpha() and after.isalpha()
        if one.isalpha():
            total += 1 if one in letters and not (within and one.isupper() and before.islower()) else -2
        elif within and one not in _APOSTROPHES:
            total -= 2
    return total / max(1, count)


def code_page_of(lines: bytes, organisation: Collection[str] = ()) -> str:
    """The code page of lines that are no UTF-8, one of `CODE_PAGES`.

    `organisation` are the languages that people write to it in: they decide between two equally good readings.
    """
    spoken = tuple(dict.fromkeys(language for each in _LANGUAGES.values() for language in each))
    likely = guess_language(" ".join(_WORD.findall(lines[:_READ].decode("ascii", "replace"))), spoken)
    best: tuple[tuple[float, bool], str] | None = None
    for code_page, languages in _LANGUAGES.items():
        try:
            text = lines[:_READ].decode(code_page)
        except UnicodeDecodeError:
            continue
        language = guess_language(text, languages)
        # Worth half of all letters: short texts make a language of their own out of misread ones.
        score = _fit(text, language) + (likely in languages) / 2, language in organisation
        if best is None or score > best[0]:
            best = (score, code_page)
    return best[1] if best is not None else "latin_1"
