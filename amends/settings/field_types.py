"""Types of single settings. Each refusal names the accepted forms."""

import re
from collections.abc import Callable
from datetime import time
from decimal import Decimal
from functools import partial
from typing import Annotated

from babel.numbers import list_currencies
from holidays.registry import EntityLoader
from pydantic import AfterValidator

from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.quiet_hours import parse_quiet
from complaints.deadlines.working_time import Span
from complaints.rulebook import Limit
from complaints.times import zone_named

_AMOUNT = re.compile(r"\s*(\d{1,12}(?:\.\d{1,2})?)\s*([A-Z]{3})\s*")


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


def parse_amount(text: str) -> Limit:
    """Read "100 GBP" as a limit in hundredths of the currency. Raises ValueError."""
    match = _AMOUNT.fullmatch(text)
    if match is None or match.group(2) not in list_currencies():
        raise ValueError(
            f'{text!r} is not an amount; write a number and a currency, such as "100 GBP" or "9.50 EUR"'
        )
    return Limit(int(Decimal(match.group(1)) * 100), match.group(2))


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
