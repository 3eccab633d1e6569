"""What a case file leaves out: the survey, and for the member of staff complained about, more (Annex C).

Their edition has the allegations, the issues, the times and the findings. It has neither the complainant's name and
contacts nor what other staff wrote, did or opened. A field that is not listed here is left out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from complaints.actions.intake import MACHINE_MADE, TRANSLATION
from store.cases.export import WholeCase
from store.cases.read import shows_survey

#: Fields that are kept unchanged.
_VISIBLE_FIELDS = frozenset({
    "ref", "state", "kind", "is_simulation", "jurisdiction", "received_at", "logged_at", "channel",
    "language", "description", "where_and_when", "confirmed_at", "form_ended_at", "priority",
    "category", "severity", "safety", "complexity", "reach", "recurrence", "assessed_at",
    "immediate_needed", "immediate_possible", "evidence", "acknowledged_at", "acknowledgements",
    "level", "issues", "targets", "close_code", "closed_at", "reopen_count", "erased_at",
    "staff_informed_at", "staff_heard_at", "staff_supported_at", "staff_outcome_at",
})  # fmt: skip
#: The words of a decision that are kept: the reasons of its findings, and what changes.
_DECISION_WORDS = frozenset({"reasons", "changes"})
_COMPLAINANT_VERBS = frozenset({"receive", "add", "answer"})
#: Fields about the complainants themselves: they are not part of the allegations.
_PRIVATE = frozenset({
    "support_needs", "anonymity", "for_whom", "relation", "age_band", "effect", "remedy_requested",
    "data_correction", "data_erasure",
})  # fmt: skip


def without_survey(whole: WholeCase) -> WholeCase:
    """The complaint without the survey answers: a case file may reach people who worked on the complaint."""
    record = whole.record
    survey = [event for event in record["events"] if event["verb"] == "survey"]
    answers = {event["seq"] for event in survey if event["role"] == "complainant"}
    kept = {
        name: [entry for entry in record[name] if not shows_survey(entry, answers)]
        for name in ("texts", "events", "messages")
    }
    return replace(whole, record={**record, **kept, "survey": []})


def for_subject(whole: WholeCase) -> WholeCase:
    """The complaint with every field blank that this member of staff may not know."""
    record = whole.record
    visible = {name: value if name in _VISIBLE_FIELDS else _blank(value) for name, value in record.items()}
    complainant_events = {
        event["seq"]
        for event in record["events"]
        if event["verb"] in _COMPLAINANT_VERBS and event["facts"].get("kind") not in _PRIVATE
    }
    decisions = [
        decision
        for decision in record["decisions"]
        if decision.get("communicated_at") and not decision.get("external")
    ]
    visible |= {
        "texts": [
            text
            for text in record["texts"]
            if text["seq"] in complainant_events
            and text["field"].removeprefix(f"{TRANSLATION}.").split(".")[0] not in _PRIVATE
        ],
        "decisions": [_decision(decision) for decision in decisions],
        "issues": [
            {**issue, "finding": issue["finding"] if decisions else None, "reasons": None}
            for issue in record["issues"]
        ],
        "events": [{**event, "by": "", "facts": _kind_of_machine(event)} for event in record["events"]],
    }
    return replace(whole, record=visible, names=(), identifiers=(), needs=None, incident=None)


def _kind_of_machine(event: Mapping[str, Any]) -> dict[str, Any]:
    kind = event["facts"].get("kind")
    return {"kind": kind} if kind in MACHINE_MADE else {}


def _decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    words = {
        name: text for name, text in decision["words"].items() if name.rsplit(".", 1)[-1] in _DECISION_WORDS
    }
    return {**decision, "by": None, "approved_by": None, "words": words}


def _blank(value: Any) -> Any:
    if isinstance(value, bool):
        return False
    return type(value)() if isinstance(value, list | dict) else None
