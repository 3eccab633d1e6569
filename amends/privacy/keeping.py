"""What is kept, why, until when (8.1): told to the person with everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from complaints.doing import stamp
from complaints.keeping import Keeping
from store.exporting import WholeCase


def kept(whole: WholeCase, retention: Mapping[str, str] | None) -> dict[str, Any]:
    """Why a complaint is still here: a code, and the instant at which it goes, where that is known.

    `retention` gives the span by country that holds now; without it the one of the complaint's own rules.
    """
    record, rules = whole.record, whole.rules
    span = rules.retention if retention is None else retention.get(rules.country, "")
    told: dict[str, Any] = {"ref": record["ref"], "why": "handling", "span": span or None, "until": None}
    if record["erased_at"]:
        return {**told, "why": "erased", "until": record["erased_at"]}
    if record["legal_hold"]:
        return {**told, "why": "legal_claim"}
    if record["closed_at"] is None:
        return told
    if not span:
        return {**told, "why": "no_end"}
    received, closed = (datetime.fromisoformat(record[name]) for name in ("received_at", "closed_at"))
    until = Keeping.parse(span).until(received=received, closed=closed, calendar=rules.calendar)
    return {**told, "why": "accountability", "until": stamp(until)}
