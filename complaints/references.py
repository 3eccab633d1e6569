"""References such as A7K-M3Q-9T: unguessable, free of look-alike letters, with a check letter."""

from __future__ import annotations

import re
from collections.abc import Callable

#: Without 0/O, 1/I/L, 5/S, 8/B, G, U, W and Z, so that speech and handwriting do not change a reference. 23 letters,
#: a prime number: any single wrong letter and any two swapped neighbours change the check letter.
ALPHABET = "234679ACDEFHJKMNPQRTVXY"
LENGTH = 8
_SHAPE = re.compile(r"[^A-Za-z0-9]")


def new_reference(below: Callable[[int], int]) -> str:
    """A new reference; `below(n)` is a secure random number from 0 to n - 1 (secrets.randbelow)."""
    body = "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH - 1))
    return _with_hyphens(body + _check(body))


def _check(body: str) -> str:
    # The constant 7 makes A7K-M3Q-9T valid, which every text shows as the example.
    total = 7 + sum((place + 2) * ALPHABET.index(letter) for place, letter in enumerate(body))
    return ALPHABET[total % len(ALPHABET)]


def _with_hyphens(letters: str) -> str:
    return f"{letters[:3]}-{letters[3:6]}-{letters[6:]}"


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
