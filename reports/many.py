"""A number with its noun, in the English of reports and of the command line."""

from __future__ import annotations


def many(number: int, one: str, more: str | None = None) -> str:
    """`1 row`, `2 rows`, `1,200 rows`; `more` where the plural is another word."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
