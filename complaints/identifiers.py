"""Phone numbers, e-mail addresses, customer and order numbers in a complainant's words (7.2, 7.3).

Staff find a complaint by them when the same person calls. The store decides on the stored spelling of a number,
and whether a phone number is valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: A complaint names few numbers; from a text full of numbers no more than this are kept.
MOST = 12


@dataclass(frozen=True)
class Number:
    """`kind` is phone, email, customer or order; `value` as it was written."""

    kind: str
    value: str


_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: A phone number has a country code, or begins with 0 and has ten digits or more; digits may be separated.
_PHONE = re.compile(r"(?<![\w/.-])(?:\+|00|\(?0)\d?(?:[ ()/.-]{0,2}\d){7,14}(?![\w-])")
_CODE = r"(?P<value>(?=[A-Z0-9/-]*\d)[A-Z0-9](?:[A-Z0-9/-]{2,22}[A-Z0-9]))"
_SIGN = r"(?:\s+(?:no|nr|num|number|reference|ref|id|numaram|numarası|numaralı|nom|nolu)\b\.?)?\s*[:#=]?\s*"
_AFTER: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"\b(?:{names}){_SIGN}{_CODE}(?!\w)", re.IGNORECASE))
    for kind, names in (
        ("customer", "customer|client|account|contract|subscriber|member|policy|müşteri|hesap|abone|sözleşme|üye"),
        ("order", "order|invoice|bill|booking|ticket|delivery|parcel|sipariş|fatura|rezervasyon|teslimat|kargo"),
    )
)  # fmt: skip
#: "sipariş 4711" and "4711 numaralı sipariş" are the same in Turkish.
_BEFORE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?<!\w){_CODE}\s+(?:numaralı|nolu|no'lu)\s+(?:{names})", re.IGNORECASE))
    for kind, names in (("customer", "müşteri|hesap|hesab|abone|sözleşme|üye"), ("order", "sipariş|fatura"))
)
_DATE = re.compile(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}")


def numbers_in(texts: Iterable[str]) -> tuple[Number, ...]:
    """The numbers of these texts, each once, at most `MOST`."""
    numbers: list[Number] = []
    for text in texts:
        numbers += [Number("email", match[0]) for match in _EMAIL.finditer(text)]
        numbers += [Number("phone", match[0].strip(" (.-/")) for match in _PHONE.finditer(text)]
        for kind, form in (*_AFTER, *_BEFORE):
            values = (match["value"] for match in form.finditer(text))
            numbers += [Number(kind, value) for value in values if _is_code(value)]
    return tuple(dict.fromkeys(numbers))[:MOST]


def _is_code(value: str) -> bool:
    """Not a date, and at least four digits: "order 2" is not an order number."""
    return not _DATE.fullmatch(value) and sum(character.isdigit() for character in value) >= 4
