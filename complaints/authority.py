"""What a role may grant alone, and when a second person must agree (Annex E, surfaces.md "Who may")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from complaints.people import Actor
from complaints.priorities import priority_of
from complaints.record import Case
from complaints.rulebook import Limit
from complaints.vocabulary import Finding, Priority, Role

Grant = tuple[str, str]


def minor_units(amount: str) -> int:
    """An amount with a decimal point in hundredths of its currency."""
    return int(Decimal(amount) * 100)


def totals(grants: Iterable[Grant]) -> dict[str, int]:
    """Sums by currency, in minor units, of (amount, currency) pairs."""
    sums: dict[str, int] = {}
    for amount, currency in grants:
        sums[currency] = sums.get(currency, 0) + minor_units(amount)
    return sums


def limit_of(by: Actor, authority: Mapping[str, Limit]) -> Limit | None:
    """The highest limit among the actor's roles; None means unlimited (top management without a line)."""
    if by.has(Role.TOP_MANAGEMENT) and Role.TOP_MANAGEMENT not in authority:
        return None
    limits = [authority[role] for role in by.roles if role in authority]
    return max(limits, key=lambda one: one.amount, default=Limit(0, ""))


def exceeds(by: Actor, grants: Iterable[Grant], authority: Mapping[str, Limit]) -> bool:
    """True when any currency's sum lies above the actor's limit, or is not the limit's currency."""
    sums = totals(grants)
    limit = limit_of(by, authority)
    if limit is None or not sums:
        return False
    return any(currency != limit.currency or total > limit.amount for currency, total in sums.items())


def needs_approval(case: Case, by: Actor, grants: Iterable[Grant], findings: Iterable[Finding]) -> bool:
    """True when a second person must agree to this decision."""
    none_upheld = not any(one in (Finding.UPHELD, Finding.PARTLY) for one in findings)
    return (
        exceeds(by, grants, case.rules.authority)
        or case.severity >= 4
        or case.safety >= 1
        or (none_upheld and priority_of(case) in (Priority.P1, Priority.P2))
    )
