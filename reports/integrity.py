"""Integrity of the record (8.4): empty mandatory fields, and the verification of the hash chain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports.kpis import CHAIN, EMPTY_FIELDS, TargetVerdict


@dataclass(frozen=True)
class Proof:
    """The result of verifying the hash chain; `first_bad` is (reference, seq, problem) or None."""

    entries: int
    first_bad: tuple[str, int, str] | None = None


@dataclass(frozen=True)
class Integrity:
    """`incomplete` counts complaints with an empty mandatory field; `proof` is None if nothing was verified.

    Then `verified_before` is when the whole record was verified last without damage, and the size of its log.
    """

    incomplete: int
    proof: Proof | None
    verified_before: tuple[datetime, int] | None = None

    @property
    def verdict(self) -> TargetVerdict:
        """Not met if one complaint is incomplete or one event is wrong."""
        is_broken = self.incomplete > 0 or (self.proof is not None and self.proof.first_bad is not None)
        return TargetVerdict.NOT_MET if is_broken else TargetVerdict.MET

    def as_json(self) -> dict[str, Any]:
        proof = self.proof
        return {
            "mandatory_empty": {
                "formula": EMPTY_FIELDS.formula,
                "count": self.incomplete,
                "target": {"at_most": 0},
            },
            "chain": None
            if proof is None
            else {
                "formula": CHAIN.formula,
                "entries": proof.entries,
                "first_bad": None if proof.first_bad is None else list(proof.first_bad),
                "target": {"at_most": 0},
            },
            "verdict": self.verdict.value,
        }
