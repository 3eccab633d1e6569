"""Integrity of the record (8.4): mandatory fields that are empty, and what the check of the chain found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from complaints.case import Case
from complaints.vocabulary import CloseCode, State
from reports.kpis import CHAIN, EMPTY_FIELDS, TargetVerdict

_THROUGH = frozenset({CloseCode.RESOLVED, CloseCode.EXHAUSTED, CloseCode.ANSWERED_NO_REPLY, CloseCode.LAPSED})


@dataclass(frozen=True)
class Proof:
    """What the check of the chain found; `first_bad` is (reference, seq, what is wrong) or None."""

    entries: int
    first_bad: tuple[str, int, str] | None = None


@dataclass(frozen=True)
class Integrity:
    """`lacking`: complaints of the period with a mandatory field empty; `proof` None where nobody checked."""

    lacking: int
    proof: Proof | None

    @property
    def verdict(self) -> TargetVerdict:
        """Whole, or not: one is one too many."""
        broken = self.lacking > 0 or (self.proof is not None and self.proof.first_bad is not None)
        return TargetVerdict.NOT_MET if broken else TargetVerdict.MET

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        proof = self.proof
        return {
            "mandatory_empty": {
                "formula": EMPTY_FIELDS.formula,
                "count": self.lacking,
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


def empty_fields(case: Case) -> Iterator[str]:
    """Mandatory fields that this complaint should have by now and has not; of a past one nobody asks more."""
    if case.is_history:
        return
    for name, value in (
        ("complainant", case.complainant),
        ("channel", case.channel),
        ("language", case.language),
    ):
        if not value:
            yield name
    if case.assessment is not None and not case.issues:
        yield "issues"
    if case.state is State.CLOSED:
        if case.close_code is None:
            yield "close_code"
        elif case.close_code in _THROUGH:
            last = case.decisions[-1] if case.decisions else None
            if last is None or not last.cause_class:
                yield "cause_class"
            if last is None or not last.others_affected:
                yield "others_affected"
