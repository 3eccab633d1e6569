"""What of a complaint is a person's own data: their own is exported in full, other people's is not (8.1, 4.7).

Staff appear by their role, never by name or id. Of the model's work the person gets every proposal with its reasons,
and that a person decided. Everything that is left out is listed with the reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from complaints.actions.action import WordKind
from complaints.actions.intake import MACHINE_MADE, TRANSLATION
from complaints.actions.registry import ACTIONS
from complaints.vocabulary import Verb
from store.cases.export import WholeCase, WholePerson

#: Fields that are exported unchanged.
_PLAIN_FIELDS = (
    "ref", "state", "kind", "is_simulation", "jurisdiction", "received_at", "logged_at", "channel",
    "language", "description", "where_and_when", "for_whom", "remedy_requested",
    "remedy_requested_text", "confirmed_at", "form_ended_at", "priority", "category", "product",
    "branch", "severity", "safety", "complexity", "reach", "recurrence", "immediate_needed", "immediate_possible",
    "compensation_likely", "media_heard", "assessed_at", "flags", "evidence", "acknowledged_at",
    "last_contact_at", "level", "reply", "reply_at", "reply_reason", "recourse_notice_at", "close_code",
    "closed_at", "reopen_count", "legal_hold", "survey", "erased_at",
)  # fmt: skip
#: With one of these parts the complaint is the person's own. People with another part are only mentioned in it.
_OWN_PARTS = frozenset({"complainant", "affected", "representative"})
#: The fields of a decision's form that are in its letter; the other fields are notes.
_LETTER_FIELDS = frozenset({"done", "reasons", "text", "changes"})


def complaint_data(
    whole: WholeCase, person: WholePerson, parts: Sequence[str], *, notes: bool
) -> dict[str, Any]:
    """The data of one complaint for this person. With `notes` it includes what staff wrote for internal use."""
    record = whole.record
    base = {"ref": record["ref"], "your_part": list(parts)}
    if not _OWN_PARTS & set(parts) or not _may_receive(record, person.id, parts):
        return {**base, "not_included": [_omission("complaint", "others_data")]}
    is_complainant = "complainant" in parts
    communicated = frozenset(row["seq"] for row in record["decisions"] if row.get("communicated_at"))
    internal = [row for row in record["decisions"] if not row.get("external")]
    all_communicated = bool(internal) and all(row["seq"] in communicated for row in internal)
    texts, omissions = _texts(record, person.staff, communicated, notes=notes)
    if record["files"] and not is_complainant:
        omissions.append(_omission("file", "others_data"))
    return {
        **base,
        **{name: record[name] for name in _PLAIN_FIELDS if name in record},
        "timezone": whole.rules.calendar.zone,
        "numbers": [{"kind": kind, "value": value} for kind, value in whole.identifiers if is_complainant],
        "people": [_party(row, person, is_complainant=is_complainant) for row in record["people"]],
        "texts": texts,
        "messages": _columns(record["messages"], ("direction", "at", "text", "language", "state", "channel")),
        "proposal": _proposal(record["proposal"]),
        "proposals": [{**row, "decides": False} for row in record["proposals"]],
        "danger_signs": record["signs"],
        "similar_cases": record["similar_cases"],
        "issues": [
            {"category": row["category"], "finding": row["finding"] if all_communicated else None}
            for row in record["issues"]
        ],
        "dates": _columns(
            record["targets"], ("target", "version", "start", "promised_due", "met_at", "basis")
        ),
        "decisions": list(_decisions(record)),
        "cause_class": record["cause_class"] if all_communicated else None,
        "remedies": _remedies(record, communicated),
        "external": [
            {name: row.get(name) for name in ("at", "event", "body", "external_ref", "outcome", "comply_by")}
            for row in record["external"]
        ],
        "files": _columns(
            record["files"] if is_complainant else (),
            ("seq", "kind", "name", "mime", "size", "sha256", "state", "at"),
        ),
        "what_was_done": [
            {"at": row["at"], "verb": row["verb"], "by": row["role"]} for row in record["events"]
        ],
        "who_looked": [
            {"at": row["at"], "by": row["role"] or "staff", "what": row["what"]} for row in record["reads"]
        ],
        "not_included": omissions,
    }


def _columns(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]


def _may_receive(record: Mapping[str, Any], person: str, parts: Sequence[str]) -> bool:
    """False for a representative who has not shown that they may receive information."""
    if "complainant" in parts or "affected" in parts:
        return True
    return any(row["may_receive"] for row in record["people"] if row["id"] == person)


def _party(row: Mapping[str, Any], person: WholePerson, *, is_complainant: bool) -> dict[str, Any]:
    return {
        "part": row["role"],
        # A complainant who was entered by staff and later wrote in a chat is listed twice.
        "you": row["id"] == person.id or (is_complainant and row["role"] == "complainant"),
        "relation": row["relation"],
        "may_receive": row["may_receive"],
    }


def _author(event: Mapping[str, Any], field: str) -> str:
    kind = event["facts"].get("kind")
    if kind in MACHINE_MADE:
        return "translator" if kind == TRANSLATION else "machine"
    return "forwarded" if field.split(".")[0] == "forwarded" else "you"


def _texts(
    record: Mapping[str, Any], staff: Sequence[str], communicated: frozenset[int], *, notes: bool
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The texts, and which kinds of text are left out and why."""
    events = {row["seq"]: row for row in record["events"]}
    exported: list[dict[str, Any]] = []
    omissions: list[dict[str, str]] = []
    for text in record["texts"]:
        event = events[text["seq"]]
        words = ACTIONS[Verb(event["verb"])].words
        is_by_person = event["role"] == "complainant" or words in (WordKind.MESSAGE, WordKind.STATEMENT)
        is_decision = words is WordKind.DECISION
        # A letter was read by the person already: it is exported unchanged.
        is_plain = is_by_person or words is WordKind.LETTER or (is_decision and _is_in_letter(text["field"]))
        if is_decision and text["seq"] not in communicated:
            omission: dict[str, str] | None = _omission("decision", "not_told_yet")
        elif is_plain:
            omission = None
        elif words is WordKind.INTERNAL:
            omission = _omission("notes", "others_data")
        elif record["legal_hold"]:
            omission = _omission("notes", "legal_claim")
        else:
            omission = None if notes else _omission("notes", "checked_first")
        if omission is not None:
            omissions.append(omission)
            continue
        exported.append(
            {
                **{name: text[name] for name in ("field", "seq", "at", "replaces")},
                "by": _author(event, text["field"]) if is_by_person else event["role"],
                "text": text["text"] if is_plain else without_names(text["text"], staff),
            }
        )
    return exported, [dict(items) for items in dict.fromkeys(tuple(row.items()) for row in omissions)]


def _is_in_letter(field: str) -> bool:
    return field.rsplit(".", 1)[-1] in _LETTER_FIELDS


def _omission(what: str, why: str) -> dict[str, str]:
    return {"what": what, "why": why}


def without_names(text: str, names: Sequence[str]) -> str:
    """A text by staff with the names of staff blacked out, because these are not the person's data."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "█", text, flags=re.IGNORECASE)
    return text


def _proposal(proposal: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    fields = {name: proposal.get(name) for name in ("at", "category", "severity", "safety", "abstained")}
    return {**fields, "decides": False}


def _decisions(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    roles = {row["seq"]: row["role"] for row in record["events"]}
    for decision in record["decisions"]:
        is_external = decision.get("external")
        if is_external or decision.get("communicated_at"):
            yield {
                "level": decision["level"],
                "at": decision["at"],
                "told_at": decision.get("communicated_at"),
                "by": decision.get("body") if is_external else roles.get(decision["seq"]),
                "findings": decision["findings"],
                "words": {
                    field: text
                    for field, text in decision["words"].items()
                    if is_external or _is_in_letter(field)
                },
            }


def _remedies(record: Mapping[str, Any], communicated: frozenset[int]) -> list[dict[str, Any]]:
    """The promised remedies, except those of a decision that the person has not received yet."""
    levels = {row["level"] for row in record["decisions"] if row["seq"] in communicated}
    remedies = (row for row in record["remedies"] if row["external"] or row["level"] in levels)
    return _columns(
        remedies, ("type", "text", "amount", "currency", "due", "needs_acceptance", "done_at", "verified_at")
    )
