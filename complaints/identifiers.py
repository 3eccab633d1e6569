"""By what a complaint is found: its reference, and the numbers in the complainant's words (7.2, 7.3).

A reference such as A7K-M3Q-9T is unguessable, free of look-alike letters, and ends in a check letter. Numbers are
phone numbers, e-mail addresses, customer and order numbers: staff find a complaint by them when the same person
calls. The store decides on the stored spelling of a number, and whether a phone number is valid.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Without 0/O, 1/I/L, 5/S, 8/B, G, U, W and Z, so that speech and handwriting do not change a reference. 23 letters,
#: a prime number: any single wrong letter and any two swapped neighbours change the check letter.
ALPHABET = "234679ACDEFHJKMNPQRTVXY"
LENGTH = 8
_SHAPE = re.compile(r"[^A-Za-z0-9]")

#: A complaint names few numbers; from a text full of numbers no more than this are kept.
MOST = 12
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: A phone number has a country code, or begins with 0 and has ten digits or more; digits may be separated.
_PHONE = re.compile(r"(?<![\w/.-])(?:\+|00|\(?0)\d?(?:[ ()/.-]{0,2}\d){7,14}(?![\w-])")
_CODE = r"(?P<value>(?=[A-Z0-9/-]*\d)[A-Z0-9](?:[A-Z0-9/-]{2,22}[A-Z0-9]))"
_SIGN = (
    r"(?:[\s-]+(?:no|nr|num|number|reference|ref|id|numaram|numarası|numarasi|numaralı|nom|nolu|nummer|número|numero"
    r"|n\.?º)\b\.?)?(?:\s+(?:is|was|ist|lautet|war|es|de cliente|de pedido|de contrato|de factura))?\s*[:#=]?\s*"
)
#: German compounds end in -nummer or -nr.: "Kundennummer", "Bestellnr.".
_GERMAN = r"(?:{stems})[ -]?(?:nummer|nr\.?)"
_CUSTOMER = (
    "customer|client|account|contract|subscriber|member|policy|müşteri|hesap|abone|sözleşme|üye"
    "|kunde|vertrag|konto|cliente|contrato|cuenta|abonado|socio|póliza|"
) + _GERMAN.format(stems="kunden|mitglieds?|vertrags|konto|zähler")
_ORDER = (
    "order|invoice|bill|booking|ticket|delivery|parcel|sipariş|fatura|rezervasyon|teslimat|kargo"
    "|bestellung|auftrag|rechnung|buchung|sendung|pedido|factura|reserva|envío|"
) + _GERMAN.format(stems="bestell|auftrags|rechnungs|buchungs|sendungs|paket")
_AFTER: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"\b(?:{names}){_SIGN}{_CODE}(?!\w)", re.IGNORECASE))
    for kind, names in (("customer", _CUSTOMER), ("order", _ORDER))
)
#: "sipariş 4711" and "4711 numaralı sipariş" are the same in Turkish.
_BEFORE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?<!\w){_CODE}\s+(?:numaralı|nolu|no'lu)\s+(?:{names})", re.IGNORECASE))
    for kind, names in (("customer", "müşteri|hesap|hesab|abone|sözleşme|üye"), ("order", "sipariş|fatura"))
)
_DATE = re.compile(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}")


def new_reference(below: Callable[[int], int]) -> str:
    """A new reference; `below(n)` is a secure random number from 0 to n - 1 (secrets.randbelow)."""
    body = "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH - 1))
    return _with_hyphens(body + _check(body))


def parse_reference(text: str) -> str | None:
    """The reference in this text, in any case and spacing, or None if the text is not a reference."""
    letters = _SHAPE.sub("", text).upper()
    if len(letters) != LENGTH or any(letter not in ALPHABET for letter in letters):
        return None
    return _with_hyphens(letters) if _check(letters[:-1]) == letters[-1] else None


def find_reference(text: str) -> str | None:
    """The first reference in a longer text, or None."""
    for match in re.finditer(r"\b[0-9A-Za-z]{3}[- ]?[0-9A-Za-z]{3}[- ]?[0-9A-Za-z]{2}\b", text):
        reference = parse_reference(match.group())
        if reference is not None:
            return reference
    return None


@dataclass(frozen=True)
class Number:
    """`kind` is phone, email, customer or order; `value` as it was written."""

    kind: str
    value: str


def numbers_in(texts: Iterable[str]) -> tuple[Number, ...]:
    """The numbers of these texts, each once, at most `MOST`."""
    numbers: list[Number] = []
    for text in texts:
        numbers += [Number("email", match[0]) for match in _EMAIL.finditer(text)]
        numbers += [Number("phone", match[0].strip(" (.-/")) for match in _PHONE.finditer(text)]
        for kind, form in (*_AFTER, *_BEFORE):
            values = (match["value"] for match in form.finditer(text))
            numbers += [Number(kind, value) for value in values if is_code(value)]
    return tuple(dict.fromkeys(numbers))[:MOST]


def _check(body: str) -> str:
    # The constant 7 makes A7K-M3Q-9T valid, which every text shows as the example.
    total = 7 + sum((place + 2) * ALPHABET.index(letter) for place, letter in enumerate(body))
    return ALPHABET[total % len(ALPHABET)]


def _with_hyphens(letters: str) -> str:
    return f"{letters[:3]}-{letters[3:6]}-{letters[6:]}"


def is_code(value: str) -> bool:
    """Not a date, and at least four digits: "order 2" is not an order number."""
    return not _DATE.fullmatch(value) and sum(character.isdigit() for character in value) >= 4
