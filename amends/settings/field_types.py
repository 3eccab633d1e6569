"""Types of single settings, each with the accepted forms; and what each key means, from sections.toml."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

from babel.numbers import list_currencies
from holidays.registry import EntityLoader
from pydantic import AfterValidator, BaseModel, BeforeValidator

from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.quiet_hours import parse_quiet
from complaints.deadlines.working_time import Span
from complaints.rulebook import Limit
from complaints.times import zone_named

_AMOUNT = re.compile(r"\s*(\d{1,12}(?:\.\d{1,2})?)\s*([A-Z]{3})?\s*")


def _readable(parse: Callable[[str], object], spelling: Callable[[str], str] = str.strip) -> AfterValidator:
    """Refuses a text that `parse` refuses, with its message; the setting keeps the text in this spelling."""

    def check(text: str) -> str:
        parse(text)
        return spelling(text)

    return AfterValidator(check)


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} is not {what}")
        return text

    return AfterValidator(check)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def _span(text: str) -> str:
    span = Span.parse(text)
    if span.number < 0:
        raise ValueError(
            f"{text!r} is negative; write a length of time without the sign, such as {str(-span)!r}"
        )
    return str(span)


def _retention(text: str) -> str:
    if text.strip().startswith("-"):
        raise ValueError(
            f"{text!r} is negative; write a length of time without the sign, such as '72 months'"
        )
    return str(RetentionPeriod.parse(text))


def is_country(code: str) -> bool:
    """Whether this is the code of a country whose public holidays are known (ISO 3166).

    `holidays.list_supported_countries` imports 250 modules, one for each country; that takes 50 ms.
    """
    return code in set(EntityLoader.get_country_codes(include_aliases=False))


def _country(text: str) -> str:
    if not is_country(text):
        raise ValueError(
            f'{text!r} is not a country; write two capital letters (ISO 3166), such as "GB" or "TR"'
        )
    return text


def parse_amount(text: str, currency: str = "") -> Limit:
    """Read "100 GBP", or "100" in this currency, as a limit in hundredths of the currency. Raises ValueError."""
    match = _AMOUNT.fullmatch(text)
    if match is None or (currency := match.group(2) or currency) not in list_currencies():
        raise ValueError(
            f'{text!r} is not an amount; write a number and a currency, such as "100 GBP" or "9.50 EUR"'
        )
    return Limit(int(Decimal(match.group(1)) * 100), currency)


def parse_limit(amounts: Sequence[str], currency: str) -> Limit:
    """Amounts in several currencies as one limit; a single one may be in this currency. Raises ValueError."""
    limits = [parse_amount(amount, currency if len(amounts) == 1 else "") for amount in amounts]
    others = {limit.currency: limit.amount for limit in limits[1:]}
    if len(others) + 1 != len(limits) or limits[0].currency in others:
        raise ValueError(f"{', '.join(amounts)!r} is not a limit; write one amount for each currency")
    return Limit(limits[0].amount, limits[0].currency, others)


def _amounts(value: object) -> tuple[str, ...]:
    amounts = tuple(_one_spaced(str(amount)) for amount in (value if isinstance(value, list) else [value]))
    parse_limit(amounts, "XXX")  # ISO 4217 for no currency: that of the country is not known here
    return amounts


def parse_clock(text: str) -> time | None:
    """Read "03:00" as a time of day, and "off" as None. Raises ValueError."""
    if text.strip() == "off":
        return None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text.strip()):
        raise ValueError(f'{text!r} is not a time of day; write one such as "03:00", or "off"')
    return time.fromisoformat(text.strip())


SpanText = Annotated[str, AfterValidator(_span)]
RetentionText = Annotated[str, AfterValidator(_retention)]
HoursText = Annotated[str, _readable(parse_hours, _one_spaced)]
OnCallHoursText = Annotated[str, _readable(partial(parse_hours, overnight=True), _one_spaced)]
QuietText = Annotated[str, _readable(parse_quiet)]
ZoneName = Annotated[str, _readable(zone_named, str)]
CountryCode = Annotated[str, AfterValidator(_country)]
AmountTexts = Annotated[tuple[str, ...], BeforeValidator(_amounts)]
AmountText = Annotated[str, _readable(parse_amount, _one_spaced)]
ClockText = Annotated[str, _readable(parse_clock)]
LanguageCode = Annotated[
    str, _matching(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?", 'a language code; write one such as "en" or "tr"')
]
SlackPeople = Annotated[
    str,
    _matching(
        r"[UWCGS][A-Z0-9]{2,}",
        'a Slack id; write a person ("U0000001"), a private channel for its members ("C0000001") or a user group '
        '("S0000001")',
    ),
]
SlackPerson = Annotated[
    str, _matching(r"[UW][A-Z0-9]{2,}", 'a person in Slack; write an id such as "U0000001"')
]
SlackChannel = Annotated[
    str, _matching(r"[CG][A-Z0-9]{2,}", 'a Slack channel id; write one such as "C0000001" (not its name)')
]


@cache
def _tables() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    # Read when first asked: most commands show neither documentation nor a wrong value.
    return tomllib.loads(Path(__file__).with_name("sections.toml").read_text(encoding="utf-8"))


def _of_key(model: type[BaseModel], key: str) -> Mapping[str, Any]:
    """The entry of the class itself, or of the first one that it inherits from."""
    tables = _tables()
    return next(
        (tables[place.__name__][key] for place in model.__mro__ if key in tables.get(place.__name__, ())), {}
    )


def description(model: type[BaseModel], key: str) -> str:
    """What the key means; empty without an entry."""
    return str(_of_key(model, key).get("description", ""))


def example(model: type[BaseModel], key: str) -> Any:
    """A value as the file has it; None without an example."""
    return _of_key(model, key).get("example")
