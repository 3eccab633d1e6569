"""References such as A7K-M3Q-9T: unguessable, free of look-alike letters, with a check letter."""

from __future__ import annotations

import re
from collections.abc import Callable

#: Neither 0/O, 1/I/L, 5/S, 8/B, G, U, W nor Z: what is read aloud or by hand comes back the same. 23, a
#: prime, so that any one wrong letter and any two swapped neighbours change the check letter.
ALPHABET = "234679ACDEFHJKMNPQRTVXY"
LENGTH = 8
_SHAPE = re.compile(r"[^A-Za-z0-9]")


def new_reference(below: Callable[[int], int]) -> str:
    """A new reference; `below(n)` is a secure random number from 0 to n - 1 (secrets.randbelow)."""
    body = "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH - 1))
    return _written(body + _check(body))


def _check(body: str) -> str:
    # The constant makes A7K-M3Q-9T, which every text shows as the example, a reference that reads back.
    total = 7 + sum((at + 2) * ALPHABET.index(letter) for at, letter in enumerate(body))
    return ALPHABET[total % len(ALPHABET)]


def _written(letters: str) -> str:
    return f"{letters[:3]}-{letters[3:6]}-{letters[6:]}"


def parse_reference(text: str) -> str | None:
    """The reference that this text is, in any case and spacing, or None."""
    letters = _SHAPE.sub("", text).upper()
    if len(letters) != LENGTH or any(letter not in ALPHABET for letter in letters):
        return None
    return _written(letters) if _check(letters[:-1]) == letters[-1] else None


def find_reference(text: str) -> str | None:
    """The first reference that stands in a longer text, or None."""
    for found in re.finditer(r"\b[0-9A-Za-z]{3}[- ]?[0-9A-Za-z]{3}[- ]?[0-9A-Za-z]{2}\b", text):
        reference = parse_reference(found.group())
        if reference is not None:
            return reference
    return None
