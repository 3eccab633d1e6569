"""What of a complaint is a person's own data: their own is exported in full, other people's is not (8.1, 4.7).

The marks of the record say what each field is (store/record/fields.toml). Staff appear by their role, never by name
or id. Of the model's work the person gets every proposal with its reasons, and that a person decided. Everything that
is left out is listed with the reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from complaints.actions.action import WordKind
from complaints.actions.intake import MACHINE_MADE, TRANSLATION
from complaints.actions.registry import ACTIONS, is_in_letter
from complaints.vocabulary import Verb
from store.cases.export import WholeCase, WholePerson
from store.record.field_marks import MARKS, RECORD, Whose, fields_of

#: What belongs to a person's own data. Notes of staff do too, but are among the texts, where they are checked.
_PERSONAL = frozenset({Whose.OWN, Whose.COMPLAINANT, Whose.LETTER, Whose.DECISION, Whose.DERIVED})
#: Names in the export that differ from those of the record.
_NAMES = {
    "events": "what_was_done",
    "reads": "who_looked",
    "signs": "danger_signs",
    "targets": "dates",
    "role": "by",
    "communicated_at": "told_at",
}
#: With one of these parts the complaint is the person's own. People with another part are only mentioned in it.
_OWN_PARTS = frozenset({"complainant", "affected", "representative"})


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
    whose = _PERSONAL - ({Whose.DECISION} if not all_communicated else set())
    whose -= {Whose.COMPLAINANT} if not is_complainant else set()
    texts, omissions = _texts(record, person.staff, communicated, notes=notes)
    if record["files"] and not is_complainant:
        omissions.append(_omission("file", "others_data"))
    return {
        **_own_fields(record, RECORD, whose),
        **base,
        "timezone": whole.rules.calendar.zone,
        "numbers": [{"kind": kind, "value": value} for kind, value in whole.identifiers if is_complainant],
        "people": [_party(row, person, is_complainant=is_complainant) for row in record["people"]],
        "texts": texts,
        "proposals": [{**row, "decides": False} for row in record["proposals"]],
        "similar_cases": record["similar_cases"],
        "decisions": list(_decisions(record)),
        "remedies": _remedies(record, communicated),
        "files": _rows(record, "files") if is_complainant else [],
        "who_looked": [row | {"by": row["by"] or "staff"} for row in _rows(record, "reads")],
        "not_included": omissions,
    }


def _own_fields(row: Mapping[str, Any], rows_of: str, whose: Set[Whose] = _PERSONAL) -> dict[str, Any]:
    """The fields of the record or of a row that belong to a person's data; None for one that is not theirs (yet)."""
    fields = {
        _NAMES.get(name, name): _rows(row, name, whose)
        if name in MARKS and rows_of == RECORD
        else row.get(name)
        if MARKS[rows_of][name].whose in whose
        else None
        for name in fields_of(_PERSONAL, rows_of)
    }
    return fields | {"decides": False} if rows_of == "proposal" else fields


def _rows(record: Mapping[str, Any], name: str, whose: Set[Whose] = _PERSONAL) -> Any:
    rows = record[name]
    if isinstance(rows, list):
        return [_own_fields(row, name, whose) for row in rows]
    return None if rows is None else _own_fields(rows, name, whose)


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
        is_plain = is_by_person or is_in_letter(event["verb"], text["field"])
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


def _omission(what: str, why: str) -> dict[str, str]:
    return {"what": what, "why": why}


def without_names(text: str, names: Sequence[str]) -> str:
    """A text by staff with the names of staff blacked out, because these are not the person's data."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "█", text, flags=re.IGNORECASE)
    return text


def _decisions(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    roles = {row["seq"]: row["role"] for row in record["events"]}
    for decision in record["decisions"]:
        is_external = decision.get("external")
        verb = Verb.RESOLVE if decision.get("short") else Verb.RESPOND
        if is_external or decision.get("communicated_at"):
            yield {
                **_own_fields(decision, "decisions"),
                "by": decision.get("body") if is_external else roles.get(decision["seq"]),
                "words": {
                    field: text
                    for field, text in decision["words"].items()
                    # The letter itself is among the texts.
                    if is_external or (field != "letter" and is_in_letter(verb, field))
                },
            }


def _remedies(record: Mapping[str, Any], communicated: frozenset[int]) -> list[dict[str, Any]]:
    """The promised remedies, except those of a decision that the person has not received yet."""
    levels = {row["level"] for row in record["decisions"] if row["seq"] in communicated}
    promised = [row for row in record["remedies"] if row["external"] or row["level"] in levels]
    return [_own_fields(row, "remedies") for row in promised]
