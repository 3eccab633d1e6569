"""Amounts of money with their currency, as people write them: £40, 1.234,56 €, 250 TL, 2 bin lira."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.matching import LANGUAGES, any_of, fold, languages_of, read_phrases, read_table, whole_words

_SYMBOLS = {"£": "GBP", "€": "EUR", "₺": "TRY", "¥": "JPY"}
#: The dollar meant by "$", by country; elsewhere it is the American one.
_DOLLARS = {"CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "MX": "MXN"}
_CODES = (
    "EUR", "GBP", "USD", "TRY", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "MXN",
)  # fmt: skip
# In small letters these are words of a language ("try", "cad"), so only capitals count.
_CAPITALS = frozenset(_CODES) - {"EUR", "GBP", "USD", "CHF"}
_NUMBER = (
    r"(?P<{0}>[0-9]{{1,3}}(?:[.,'\x20][0-9]{{3}})++(?![0-9])(?:[.,][0-9]{{1,2}}(?![0-9]))?"
    r"|[0-9]{{1,9}}(?:[.,][0-9]{{1,2}}(?![0-9]))?)"
)
_BEFORE = r"(?<![0-9a-z])(?<![0-9][.,:/\-])"
_AFTER = r"(?![0-9])(?![.,:/][0-9])"
#: Characters before and after an amount.
_TAKEN_WITHIN = 50
_CENT, _HUNDRED, _THOUSAND = Decimal("0.01"), Decimal(100), Decimal(1000)
#: "A pound" and "two pounds" are weights as often as money.
_LEAST_IN_WORDS = Decimal(10)
_CENTS = re.compile(r"[.,]([0-9]{1,2})$")


@lru_cache(maxsize=8)
def _pattern(languages: tuple[str, ...]) -> tuple[re.Pattern[str], Mapping[str, re.Pattern[str]]]:
    tables = [read_phrases("facts", language)["amounts"] for language in languages]
    words: dict[str, str] = {}
    for table in tables:
        for code, names in table["currencies"].items():
            words[code] = f"{words[code]}|{any_of(names)}" if code in words else any_of(names)
    thousand = "|".join(any_of(table["thousand"]) for table in tables)
    signs = "[£€₺¥$]"
    codes = "|".join(code.lower() for code in _CODES)
    currency_words = "|".join(words.values())
    sign_first = rf"(?P<sign>{signs}|(?:{codes})(?=[\s0-9]))\s{{0,2}}{_NUMBER.format('a')}{_AFTER}"
    number_first = (
        rf"{_NUMBER.format('b')}(?:\s?(?P<thousand>{thousand})(?![^\W_]))?(?:[.,]?-)?\s{{0,2}}"
        rf"(?P<unit>{signs}|(?:{codes}|{currency_words})(?:'[a-z]{{1,6}}|l[iu]k)?(?![^\W_]))"
    )
    in_words = (
        rf"(?P<written>{_number_words()})\s{{1,2}}(?P<named>{currency_words})(?:'[a-z]{{1,6}})?(?![^\W_])"
    )
    patterns = {code: re.compile(names) for code, names in words.items()}
    return re.compile(f"{_BEFORE}(?:{number_first}|{sign_first}|{in_words})"), patterns


def _number_words() -> str:
    """Numbers in words, of any language: "two thousand", "vierhundertachtzig", "üç yüz seksen"."""
    word = _number_word()
    return rf"(?:{word})(?:[\s-]{{0,2}}(?:{word})){{0,15}}"


@lru_cache(maxsize=1)
def _number_word() -> str:
    """One word for a number; the longest first, because one begins another."""
    return "|".join(sorted(_values(), key=len, reverse=True))


@lru_cache(maxsize=1)
def _values() -> Mapping[str, Decimal]:
    """The value of each word for a number."""
    table = read_table("phrases", "number_words.toml")
    return {word: Decimal(str(value)) for code in LANGUAGES for word, value in table[code].items()}


def _written_amount(number: str) -> Decimal:
    """The value of a number in words: hundreds and thousands multiply what is before them."""
    total = below = Decimal()
    for word in re.findall(_number_word(), number):
        value = _values()[word]
        if value >= _THOUSAND:
            total, below = total + (below or 1) * value, Decimal()
        else:
            below = below * value if value == _HUNDRED and below else below + value
    return total + below


def amounts(story: Story, language: str | None) -> Iterator[StoryFact]:
    """The amounts of money in a story; a number needs a currency."""
    pattern, words = _pattern(languages_of(language))
    for match in pattern.finditer(story.folded.text):
        group = next(name for name in ("sign", "unit", "named") if match[name])
        currency = _currency(match[group], words, story.country)
        low, high = story.folded.span(*match.span(group))
        if currency in _CAPITALS and match[group].upper() == currency and not story.text[low:high].isupper():
            continue
        if group == "named":
            amount = _written_amount(match["written"])
        else:
            amount = _amount(match["a"] or match["b"]) * (1000 if match["thousand"] else 1)
        if amount and (group != "named" or amount >= _LEAST_IN_WORDS):
            yield story.fact("amount", f"{amount.quantize(_CENT)} {currency}", *match.span())


def is_taken(text: str, start: int, end: int) -> bool:
    """True for an amount next to words that say that it was charged or taken: "27.50 taken on Monday"."""
    near = fold(text[max(0, start - _TAKEN_WITHIN) : end + _TAKEN_WITHIN]).text
    return bool(_taken().search(near))


@lru_cache(maxsize=1)
def _taken() -> re.Pattern[str]:
    return whole_words("\n".join(read_phrases("facts", code)["amounts"]["taken"] for code in LANGUAGES))


def _currency(name: str, words: Mapping[str, re.Pattern[str]], country: str | None) -> str:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    if name == "$":
        return _DOLLARS.get((country or "").upper(), "USD")
    plain = re.sub(r"'[a-z]{1,6}$", "", name)
    if plain.upper() in _CODES:
        return plain.upper()
    return next(code for code, pattern in words.items() if pattern.match(plain))


def _amount(number: str) -> Decimal:
    """1.234,56 and 1,234.56 are the same: the last mark is the decimal one where at most two digits follow."""
    plain = re.sub(r"['\s]", "", number)
    cents = _CENTS.search(plain)
    digits = re.sub(r"[.,]", "", plain[: cents.start()] if cents else plain)
    return Decimal(f"{digits}.{cents[1]}" if cents else digits)
