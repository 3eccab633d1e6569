"""What of a complaint is a person's own data: theirs is given whole, other people's is not (8.1, 4.7).

Staff appear by what they are, never by name or id. Of the model the person gets what it proposed and that a
person decided; how it came to that stays here. What is left out is named with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from store.cases.export import WholeCase, WholePerson

#: Fields given as they are.
_GIVEN = (
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
    "for_whom",
    "remedy_requested",
    "remedy_requested_text",
    "confirmed_at",
    "form_ended_at",
    "priority",
    "category",
    "severity",
    "safety",
    "complexity",
    "reach",
    "recurrence",
    "immediate_needed",
    "immediate_possible",
    "compensation_likely",
    "media_heard",
    "assessed_at",
    "flags",
    "evidence",
    "acknowledged_at",
    "last_contact_at",
    "level",
    "reply",
    "reply_at",
    "reply_reason",
    "recourse_notice_at",
    "close_code",
    "closed_at",
    "reopen_count",
    "legal_hold",
    "survey",
    "erased_at",
)
#: Parts that make a complaint the person's own; the others are only named in it.
_OWN = frozenset({"complainant", "affected", "representative"})
_THEIR_VERBS = frozenset(
    {"receive", "add", "answer", "accept", "disagree", "withdraw", "survey", "confirm", "reopen"}
)
#: Written by staff to the person, who has read it already: given as it was written.
_LETTERS = frozenset({"reply", "ask", "inform"})
_DECISIONS = frozenset({"resolve", "respond"})
#: What of a decision stands in its letter; the rest of its form is a note.
_IN_LETTER = frozenset({"done", "reasons", "text", "changes"})
#: Written by staff for themselves, and about the person all the same.
_NOTES = frozenset(
    {
        "note",
        "investigate",
        "assess",
        "reassess",
        "reclassify",
        "escalate",
        "remedy_done",
        "verify",
        "extend",
        "redate",
        "close",
        "not_accept",
        "reopen",
        "notify_external",
        "conclude_external",
    }
)


def concerning(whole: WholeCase, person: WholePerson, parts: Sequence[str], *, notes: bool) -> dict[str, Any]:
    """One complaint as this person is given it. `notes`: with what staff wrote for themselves."""
    record = whole.record
    base = {"ref": record["ref"], "your_part": list(parts)}
    if not _OWN & set(parts) or not _may_receive(record, person.id, parts):
        return {**base, "not_included": [_left("complaint", "others_data")]}
    complained = "complainant" in parts
    told = frozenset(one["seq"] for one in record["decisions"] if one.get("communicated_at"))
    ours = [one for one in record["decisions"] if not one.get("external")]
    all_told = bool(ours) and all(one["seq"] in told for one in ours)
    texts, left = _texts(record, person.staff, told, notes=notes)
    if record["files"] and not complained:
        left.append(_left("file", "others_data"))
    return {
        **base,
        **{name: record[name] for name in _GIVEN if name in record},
        "timezone": whole.rules.calendar.zone,
        "numbers": [{"kind": kind, "value": value} for kind, value in whole.identifiers if complained],
        "people": [
            {
                "part": one["role"],
                # Told to staff and bound to a chat later, the same person is there twice.
                "you": one["id"] == person.id or (complained and one["role"] == "complainant"),
                "relation": one["relation"],
                "may_receive": one["may_receive"],
            }
            for one in record["people"]
        ],
        "texts": texts,
        "messages": [
            {name: one[name] for name in ("direction", "at", "text", "language", "state", "channel")}
            for one in record["messages"]
        ],
        "proposal": _proposal(record["proposal"]),
        "issues": [
            {"category": one["category"], "finding": one["finding"] if all_told else None}
            for one in record["issues"]
        ],
        "dates": [
            {name: one[name] for name in ("target", "version", "start", "promised_due", "met_at", "basis")}
            for one in record["targets"]
        ],
        "decisions": list(_decisions(record)),
        "cause_class": record["cause_class"] if all_told else None,
        "remedies": list(_remedies(record, told)),
        "external": [
            {name: one.get(name) for name in ("at", "event", "body", "external_ref", "outcome", "comply_by")}
            for one in record["external"]
        ],
        "files": [
            {name: one[name] for name in ("seq", "kind", "name", "mime", "size", "sha256", "state", "at")}
            for one in record["files"]
            if complained
        ],
        "what_was_done": [
            {"at": one["at"], "verb": one["verb"], "by": one["role"]} for one in record["events"]
        ],
        "who_looked": [
            {"at": one["at"], "by": one["role"] or "staff", "what": one["what"]} for one in record["reads"]
        ],
        "not_included": left,
    }


def _texts(
    record: Mapping[str, Any], staff: Sequence[str], told: frozenset[int], *, notes: bool
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The words, and what of them is left out and why."""
    events = {one["seq"]: one for one in record["events"]}
    given: list[dict[str, Any]] = []
    left: list[dict[str, str]] = []
    for one in record["texts"]:
        event = events[one["seq"]]
        verb = event["verb"]
        theirs = event["role"] == "complainant" or verb in _THEIR_VERBS
        decided = verb in _DECISIONS
        if decided and one["seq"] not in told:
            why: dict[str, str] | None = _left("decision", "not_told_yet")
        elif theirs or verb in _LETTERS or (decided and _in_letter(one["field"])):
            why = None
        elif not decided and verb not in _NOTES:
            why = _left("notes", "others_data")
        elif record["legal_hold"]:
            why = _left("notes", "legal_claim")
        else:
            why = None if notes else _left("notes", "checked_first")
        if why is not None:
            left.append(why)
            continue
        as_it_is = theirs or verb in _LETTERS or (decided and _in_letter(one["field"]))
        text = one["text"] if as_it_is else without_names(one["text"], staff)
        by = "you" if theirs else event["role"]
        given.append(
            {**{name: one[name] for name in ("field", "seq", "at", "replaces")}, "by": by, "text": text}
        )
    return given, [dict(one) for one in dict.fromkeys(tuple(one.items()) for one in left)]


def _in_letter(field: str) -> bool:
    return field.rsplit(".", 1)[-1] in _IN_LETTER


def _may_receive(record: Mapping[str, Any], person: str, parts: Sequence[str]) -> bool:
    """False for a representative whose authority to be told was not shown."""
    if "complainant" in parts or "affected" in parts:
        return True
    return any(one["may_receive"] for one in record["people"] if one["id"] == person)


def _left(what: str, why: str) -> dict[str, str]:
    return {"what": what, "why": why}


def without_names(text: str, names: Sequence[str]) -> str:
    """What staff wrote, with the names of staff blacked out: these are not this person's data."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "█", text, flags=re.IGNORECASE)
    return text


def _proposal(made: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if made is None:
        return None
    meant = {name: made.get(name) for name in ("at", "category", "severity", "safety", "abstained")}
    return {**meant, "decides": False}


def _decisions(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    roles = {one["seq"]: one["role"] for one in record["events"]}
    for one in record["decisions"]:
        if one.get("external") or one.get("communicated_at"):
            yield {
                "level": one["level"],
                "at": one["at"],
                "told_at": one.get("communicated_at"),
                "by": one.get("body") if one.get("external") else roles.get(one["seq"]),
                "findings": one["findings"],
                "words": {
                    field: text
                    for field, text in one["words"].items()
                    if one.get("external") or _in_letter(field)
                },
            }


def _remedies(record: Mapping[str, Any], told: frozenset[int]) -> Iterator[dict[str, Any]]:
    """What was promised: of our decisions only those that the person was told."""
    names = ("type", "text", "amount", "currency", "due", "needs_acceptance", "done_at", "verified_at")
    levels = {one["level"] for one in record["decisions"] if one["seq"] in told}
    for one in record["remedies"]:
        if one["external"] or one["level"] in levels:
            yield {name: one[name] for name in names}
