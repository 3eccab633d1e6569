"""Numbers that prove themselves: cards by Luhn's rule, bank accounts by ISO 13616 (modulo 97)."""

from __future__ import annotations

import re

# Visa, Mastercard, American Express, Diners, Discover, Maestro and Troy by their first digits.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|6(?:011|5\d\d)\d{12}"
    r"|(?:50|5[6-8]|6\d)\d{10,17}|9792\d{12}"
)
# Lengths of bank account numbers lie between Norway's 15 and the standard's 34.
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def is_card(digits: str) -> bool:
    """True when these digits can be the number of a payment card."""
    if not _CARD.fullmatch(digits):
        return False
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = int(character) * (1 + place % 2)
        total += digit - 9 * (digit > 9)
    return total % 10 == 0


def is_iban(number: str) -> bool:
    """True when this is the number of a bank account, in capitals and without spaces."""
    if not _IBAN.fullmatch(number):
        return False
    turned = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
