"""Amounts of money with their currency, as people write them: £40, 1.234,56 €, 250 TL, 2 bin lira."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from triage.details.detail import Detail, Story
from triage.language_tables import any_of, languages_of, read_phrases

_SYMBOLS = {"£": "GBP", "€": "EUR", "₺": "TRY", "¥": "JPY"}
#: Whose dollar it is, by country; everybody else means the American one.
_DOLLARS = {"CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "MX": "MXN"}
_CODES = (
    "EUR",
    "GBP",
    "USD",
    "TRY",
    "CHF",
    "CAD",
    "AUD",
    "NZD",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "JPY",
    "MXN",
)
# In small letters these are words of a language ("try", "cad"), so that only capitals count.
_CAPITALS = frozenset(_CODES) - {"EUR", "GBP", "USD", "CHF"}
_NUMBER = (
    r"(?P<{0}>[0-9]{{1,3}}(?:[.,'\x20][0-9]{{3}})++(?![0-9])(?:[.,][0-9]{{1,2}}(?![0-9]))?"
    r"|[0-9]{{1,9}}(?:[.,][0-9]{{1,2}}(?![0-9]))?)"
)
_BEFORE = r"(?<![0-9a-z])(?<![0-9][.,:/\-])"
_AFTER = r"(?![0-9])(?![.,:/][0-9])"
_CENT = Decimal("0.01")
_CENTS = re.compile(r"[.,]([0-9]{1,2})$")


@lru_cache(maxsize=8)
def _pattern(languages: tuple[str, ...]) -> tuple[re.Pattern[str], Mapping[str, re.Pattern[str]]]:
    tables = [read_phrases("details", language)["amounts"] for language in languages]
    words: dict[str, str] = {}
    for table in tables:
        for code, said in table["currencies"].items():
            words[code] = f"{words[code]}|{any_of(said)}" if code in words else any_of(said)
    thousand = "|".join(any_of(table["thousand"]) for table in tables)
    signs = "[£€₺¥$]"
    codes = "|".join(code.lower() for code in _CODES)
    said = "|".join(words.values())
    first = rf"(?P<sign>{signs}|(?:{codes})(?=[\s0-9]))\s{{0,2}}{_NUMBER.format('a')}{_AFTER}"
    second = (
        rf"{_NUMBER.format('b')}(?:\s?(?P<thousand>{thousand})(?![^\W_]))?(?:[.,]?-)?\s{{0,2}}"
        rf"(?P<unit>{signs}|(?:{codes}|{said})(?:'[a-z]{{1,6}}|l[iu]k)?(?![^\W_]))"
    )
    return re.compile(f"{_BEFORE}(?:{second}|{first})"), {
        code: re.compile(one) for code, one in words.items()
    }


def amounts(story: Story, language: str | None) -> Iterator[Detail]:
    """The amounts in a story; a number without a currency is none."""
    pattern, words = _pattern(languages_of(language))
    for hit in pattern.finditer(story.folded.text):
        name = "sign" if hit["sign"] else "unit"
        currency = _currency(hit[name], words, story.country)
        low, high = story.folded.span(*hit.span(name))
        if currency in _CAPITALS and hit[name].upper() == currency and not story.text[low:high].isupper():
            continue
        amount = _amount(hit["a"] or hit["b"]) * (1000 if hit["thousand"] else 1)
        if amount:
            yield story.detail("amount", f"{amount.quantize(_CENT)} {currency}", *hit.span())


def _currency(written: str, words: Mapping[str, re.Pattern[str]], country: str | None) -> str:
    if written in _SYMBOLS:
        return _SYMBOLS[written]
    if written == "$":
        return _DOLLARS.get((country or "").upper(), "USD")
    plain = re.sub(r"'[a-z]{1,6}$", "", written)
    if plain.upper() in _CODES:
        return plain.upper()
    return next(code for code, one in words.items() if one.match(plain))


def _amount(written: str) -> Decimal:
    """1.234,56 and 1,234.56 are the same: the last mark is a decimal one where two digits or fewer follow."""
    plain = re.sub(r"['\s]", "", written)
    cents = _CENTS.search(plain)
    digits = re.sub(r"[.,]", "", plain[: cents.start()] if cents else plain)
    return Decimal(f"{digits}.{cents[1]}" if cents else digits)
