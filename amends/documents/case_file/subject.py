"""The edition for a member of staff complained about, who is told fully and heard (Annex C).

What they are said to have done, the issues, the dates, what was found: not who complained and how to reach them,
nor what others of staff wrote, did by name, or read. Whatever is not named here is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from store.cases.export import WholeCase

#: Fields that stand as they are.
_TOLD = frozenset(
    {
        "ref",
        "state",
        "kind",
        "is_simulation",
        "jurisdiction",
        "received_at",
        "logged_at",
        "channel",
        "language",
        "description",
        "where_and_when",
        "confirmed_at",
        "form_ended_at",
        "priority",
        "category",
        "severity",
        "safety",
        "complexity",
        "reach",
        "recurrence",
        "assessed_at",
        "immediate_needed",
        "immediate_possible",
        "evidence",
        "acknowledged_at",
        "acknowledgements",
        "level",
        "issues",
        "targets",
        "close_code",
        "closed_at",
        "reopen_count",
        "erased_at",
        "staff_informed_at",
        "staff_heard_at",
        "staff_supported_at",
        "staff_outcome_at",
    }
)
#: What a decision tells them: the findings with their reasons, and what changes.
_OF_A_DECISION = frozenset({"reasons", "changes"})
_COMPLAINANTS = frozenset({"receive", "add", "answer"})
#: What complainants tell of themselves, and is no part of what staff are said to have done.
_THEIR_OWN = frozenset(
    {
        "support_needs",
        "anonymity",
        "for_whom",
        "relation",
        "age_band",
        "effect",
        "remedy_requested",
        "data_correction",
        "data_erasure",
    }
)


def for_subject(whole: WholeCase) -> WholeCase:
    """The complaint with everything blank that is not theirs to know."""
    record = whole.record
    kept = {name: value if name in _TOLD else _blank(value) for name, value in record.items()}
    said = {
        one["seq"]
        for one in record["events"]
        if one["verb"] in _COMPLAINANTS and one["facts"].get("kind") not in _THEIR_OWN
    }
    told = [one for one in record["decisions"] if one.get("communicated_at") and not one.get("external")]
    kept |= {
        "texts": [
            one
            for one in record["texts"]
            if one["seq"] in said and one["field"].split(".")[0] not in _THEIR_OWN
        ],
        "decisions": [_decision(one) for one in told],
        "issues": [
            {**one, "finding": one["finding"] if told else None, "reasons": None} for one in record["issues"]
        ],
        "events": [{**one, "by": "", "facts": {}} for one in record["events"]],
    }
    return replace(whole, record=kept, names=(), identifiers=(), needs=None, incident=None)


def _decision(one: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: text for name, text in one["words"].items() if name.rsplit(".", 1)[-1] in _OF_A_DECISION}
    return {**one, "by": None, "approved_by": None, "words": words}


def _blank(value: Any) -> Any:
    """Nothing, of the same sort."""
    if isinstance(value, bool):
        return False
    return type(value)() if isinstance(value, list | dict) else None
