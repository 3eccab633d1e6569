"""What may be said of a complaint that was over before this desk began (7.2, 8.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from complaints.doing import instant
from complaints.errors import BadFacts
from complaints.people import Actor
from complaints.vocabulary import Category, CloseCode, Finding

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "close_code": tuple(one for one in CloseCode if one is not CloseCode.MERGED),
    "finding": tuple(Finding),
}
_REQUIRED = ("closed_at", "close_code")
KNOWN = (*_REQUIRED, "category", "severity", "finding")


def check_past(
    told: Mapping[str, Any],
    *,
    received_at: datetime,
    at: datetime,
    by: Actor,
    categories: Collection[str] = tuple(Category),
) -> None:
    """Raise BadFacts unless `told` (the facts `imported`) is the ending of a closed complaint, from staff.

    `categories` are those of the rules in force.
    """
    choices = {**_CHOICES, "category": tuple(categories)}
    if not by.is_staff or not isinstance(told, Mapping):
        raise BadFacts("Past complaints come from an import alone: use `amends import`.", field="imported")
    for name in _REQUIRED:
        if not told.get(name):
            raise BadFacts(
                f"A past complaint needs '{name}': one that is open is logged.", field=name, code="required"
            )
    for name, value in told.items():
        if name not in KNOWN:
            raise BadFacts(f"'{name}' is not known of a past complaint: leave it out.", field=name)
        if name in choices and value not in choices[name]:
            raise BadFacts(
                f"'{name}' is one of {', '.join(choices[name])}.", field=name, code="not_an_option"
            )
    severity = told.get("severity", 1)
    if isinstance(severity, bool) or not isinstance(severity, int) or not 1 <= severity <= 5:
        raise BadFacts("'severity' is a whole number from 1 to 5.", field="severity", code="not_an_option")
    if told.get("finding") and not told.get("category"):
        raise BadFacts("A finding is on a matter: give its category too.", field="category", code="required")
    closed_at = instant(str(told["closed_at"]))
    if not received_at <= closed_at <= at:
        raise BadFacts(
            "It was closed after it was received, and not in the future: look at both times.",
            field="closed_at",
            code="not_an_option",
        )
