"""Numbers by which people are known to us, found in what they write: phones, e-mails, customer and order numbers.

Plain rules: a complaint is filed under them so that staff find it when the same person calls (7.2, 7.3). Which
spelling a number has, and whether a phone is one, the store decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: One story names few numbers; a text made of numbers files no more than these.
MOST = 12


@dataclass(frozen=True)
class Number:
    """`kind` is phone, email, customer or order; `value` as it was written."""

    kind: str
    value: str


_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: A phone has a country code, or begins with 0 and has ten digits or more; digits may stand apart.
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
    found: list[Number] = []
    for text in texts:
        found += [Number("email", one[0]) for one in _EMAIL.finditer(text)]
        found += [Number("phone", one[0].strip(" (.-/")) for one in _PHONE.finditer(text)]
        for kind, form in (*_AFTER, *_BEFORE):
            values = (one["value"] for one in form.finditer(text))
            found += [Number(kind, value) for value in values if _is_code(value)]
    return tuple(dict.fromkeys(found))[:MOST]


def _is_code(value: str) -> bool:
    """Not a day of the calendar, and more than a few digits: "order 2" is no number of an order."""
    return not _DATE.fullmatch(value) and sum(one.isdigit() for one in value) >= 4
