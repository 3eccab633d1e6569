"""Redress (8.4): what was promised and what was paid, by currency, and per complaint that was upheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from complaints.record import Case
from reports.measures import upheld_at_all


@dataclass(frozen=True)
class Redress:
    """Sums by currency, in its units; an offer counts once it was accepted."""

    promised: Mapping[str, Decimal]
    paid: Mapping[str, Decimal]
    upheld: int

    def as_json(self) -> dict[str, Any]:
        """JSON values; amounts are strings with a decimal point."""
        return {
            "upheld": self.upheld,
            "currencies": [
                {
                    "currency": currency,
                    "promised": str(self.promised[currency]),
                    "paid": str(self.paid.get(currency, Decimal(0))),
                    "promised_per_upheld": self.per_upheld(currency),
                }
                for currency in sorted(self.promised)
            ],
        }

    def per_upheld(self, currency: str) -> str | None:
        """What was promised in this currency for each complaint upheld; None where there is none."""
        return f"{self.promised[currency] / self.upheld:.2f}" if self.upheld else None


@dataclass
class Paid:
    """Sums being made."""

    promised: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    upheld: int = 0

    def add(self, case: Case) -> None:
        """What one complaint was promised, in hundredths."""
        self.upheld += bool(upheld_at_all(case))
        for one in case.owed_remedies:
            if one.amount and one.currency:
                cents = int(Decimal(one.amount) * 100)
                self.promised[one.currency] += cents
                self.paid[one.currency] += cents if one.done_at is not None else 0

    def counted(self) -> Redress:
        """What they add up to."""
        return Redress(
            promised={name: Decimal(cents) / 100 for name, cents in self.promised.items()},
            paid={name: Decimal(cents) / 100 for name, cents in self.paid.items()},
            upheld=self.upheld,
        )
