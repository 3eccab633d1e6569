"""The record of a complaint with every value in words, as sections.typ prints it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from amends.documents.case_file.record_view import RecordView, Row
from amends.documents.facts import basis_words, code_words, fact_lines, reason_words, value_words
from bots.sign_names import rule_name
from bots.texts.phrases import without_words
from complaints.deadlines.explanation import NOTE_STEPS
from complaints.letter_texts import without_own_words
from store.cases.export import WholeCase
from store.database.errors import UNREADABLE, describe_damage
from store.files import is_program
from store.record.field_marks import MARKS, RECORD

#: Facts that other parts of the file show: due times in the targets, rules in the signs.
_SHOWN_IN_OTHER_PARTS = frozenset({"targets", "met", "signs", "ref", "rulebook", "complainant", "words"})
#: Annex D's step that an event counts as, by its verb.
_STEPS = {
    verb: step
    for step, verbs in {
        "received": ("receive",),
        "acknowledged": ("acknowledge", "fail_delivery"),
        "assessed": ("assess", "reassess"),
        "investigated": ("investigate",),
        "decided": ("resolve", "respond", "approve", "not_accept", "reclassify"),
        "told": ("communicate_decision",),
        "answered": ("accept", "disagree", "withdraw"),
        "next_level": ("escalate", "offer_recourse"),
        "outside": ("notify_external", "conclude_external"),
        "ended": ("close", "lapse", "merge"),
        "reopened": ("reopen",),
    }.items()
    for verb in verbs
}
#: What the complainant's own form prints.
_GIVEN = (
    "ref", "received_at", "name", "support_needs", "for_whom", "where_and_when", "effect", "remedy_requested",
    "remedy_requested_text", "signed_by_hand", "confirmed_at", "form_ended_at", "files",
)  # fmt: skip
#: What counts as the signature: the first of these fields with a value is printed as such.
_SIGNED = ("signed_by_hand", "confirmed_at", "form_ended_at")
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


def record_words(view: RecordView, whole: WholeCase, damaged: Sequence[str] = ()) -> dict[str, Any]:
    """The record in words, and what more a case file shows; `damaged` are the places that cannot be read."""
    record, labels = view.record, view.labels
    return {
        **row_words(view, RECORD, record),
        "damaged": list(map(describe_damage, damaged)),
        "damage_mark": UNREADABLE,
        "names": " / ".join(dict.fromkeys((*whole.names, record["name"] or ""))).strip(" /"),
        "numbers": _numbers(view, whole),
        "needs": whole.needs,
        "problem": _problem(view),
        "signs": [rule_name(sign["rule"], view.label) for sign in record["signs"]],
        "acknowledged": _acknowledged(view),
        "next_due": _next_due(view),
        "external": [list(_outside_act(view, row)) for row in record["external"]],
        "merged": [_merged(view, row) for row in record["merged"]],
        "incident": _incident(view, whole),
        "chain": labels.count("register.chain", len(record["events"]), head=whole.head),
        "more": list(_further_fields(view)),
    }


def own_words(view: RecordView, whole: WholeCase) -> dict[str, Any]:
    """What the complainant gave, in words, for their own form (Annex B)."""
    answers = {name: view.record[name] for name in _GIVEN}
    return {**row_words(view, RECORD, answers), "numbers": _numbers(view, whole), "problem": _problem(view)}


def row_words(view: RecordView, rows_of: str, row: Row) -> dict[str, Any]:
    """The record or a row of one of its lists in words."""
    words = {name: _value_words(view, rows_of, name, value) for name, value in row.items()}
    return words | _COMPUTED[rows_of](view, row) if rows_of in _COMPUTED else words


def _value_words(view: RecordView, rows_of: str, name: str, value: Any) -> Any:
    if name in MARKS and isinstance(value, Mapping):
        return row_words(view, name, value) if value else None
    if name in MARKS and isinstance(value, list):
        rows = view.with_translations(value) if name == "texts" else value
        return [row_words(view, name, row) for row in rows]
    mark = MARKS[rows_of].get(name)
    return view.shown(mark.shown_as if mark is not None else "words", value)


def _numbers(view: RecordView, whole: WholeCase) -> list[tuple[str, str]]:
    return [(view.labels.code("number", kind) or kind, value) for kind, value in whole.identifiers]


def _problem(view: RecordView) -> str:
    """The complaint in the complainant's words; without any, what is known of its files."""
    record = view.record
    files = [(file["kind"], file["seconds"]) for file in record["files"] if file["kind"] != "attachment"]
    texts = {f"{text['field']}.{text['seq']}": text["text"] for text in record["texts"]}
    return record["description"] or without_words(
        without_own_words(texts, files), view.labels.text, view.labels.count
    )


def _acknowledged(view: RecordView) -> str | None:
    levels = view.record["acknowledgements"].items()
    lines = (view.label("follow.acked_level", level=level, when=view.moment(at)) for level, at in levels)
    # The record has the first acknowledgement also as a field of its own.
    return "\n".join(lines) or view.moment(view.record["acknowledged_at"])


def _next_due(view: RecordView) -> str | None:
    due = view.record["next_due"]
    return f"{view.labels.code('target', due['target'])}: {view.moment(due['at'])}" if due else None


def _incident(view: RecordView, whole: WholeCase) -> dict[str, Any] | None:
    incident, moment = whole.incident, view.labels.moment
    if incident is None:
        return None
    return {
        "what": incident.what,
        "area": incident.area,
        "started_at": moment(incident.started_at),
        "ended_at": moment(incident.ended_at),
        "line": incident.line_in(view.labels.language),
    }


def _further_fields(view: RecordView) -> Iterator[tuple[str, str]]:
    """The fields that no other part of the case file prints: one that is new in the record is never left out."""
    record, flags = view.record, {"further"} if view.record["assessed_at"] else {"further", "assessed"}
    is_signed = {name: any(map(record.get, _SIGNED[:n])) for n, name in enumerate(_SIGNED)}
    for name, value in record.items():
        mark = MARKS[RECORD].get(name)
        if value not in _EMPTY and (mark is None or mark.flags & flags or is_signed.get(name)):
            yield view.field(name), value_words(name, value, view.labels)


# --- what is computed for a row ---


def _person(view: RecordView, row: Row) -> dict[str, Any]:
    return {"part": row["role"]}


def _contact_point(view: RecordView, row: Row) -> dict[str, Any]:
    marks = [view.label(f"point.{mark}") for mark in ("verified", "preferred", "blocked") if row[mark]]
    address = f"{row['address']} ({', '.join(marks)})" if marks and row["address"] else row["address"]
    return {"channel": view.labels.code("channel", row["channel"]), "address": address}


def _proposal(view: RecordView, row: Row) -> dict[str, Any]:
    """The words for (+) and against (-) the category, and each matter if the model found more than one."""
    because = (f"{word['word']} ({word['weight']:+.2f})" for word in row.get("because") or ())
    issues = row.get("issues", ()) if len(row.get("issues", ())) > 1 else ()
    matters = (
        ": ".join(filter(None, (view.labels.code("category", issue["category"]), issue.get("text"))))
        for issue in issues
    )
    unsure = view.label("follow.not_sure") if row.get("abstained") else f"{row['probability']:.0%}"
    return {
        "probability": unsure,
        "model": row.get("model"),
        "because": ", ".join(because),
        "matters": "; ".join(" ".join(matter.split()) for matter in matters),
    }


def _decision(view: RecordView, row: Row) -> dict[str, Any]:
    words = [{"name": name, "about": view.field(name), "text": text} for name, text in row["words"].items()]
    return {"words": words}


def _remedy(view: RecordView, row: Row) -> dict[str, Any]:
    return {"money": view.labels.amount(row["amount"], row["currency"])}


def _text(view: RecordView, row: Row) -> dict[str, Any]:
    """The number, time, act and field of a text, and which version replaced it."""
    later = (
        other["seq"]
        for other in view.record["texts"]
        if (other["replaces"], other["field"]) == (row["seq"], row["field"])
    )
    correction = next(later, None)
    parts = (
        f"#{row['seq']}",
        view.moment(row["at"]),
        view.did(view.events[row["seq"]]),
        view.field(row["field"]),
        None if row["replaces"] is None else view.label("words.replaces", seq=row["replaces"]),
        None if correction is None else view.label("words.replaced", seq=correction),
    )
    return {"about": " · ".join(part for part in parts if part)}


def _merged(view: RecordView, row: Row) -> dict[str, Any]:
    """The texts of a complaint that was merged into this one, and its files with their hashes."""
    texts = []
    for text in view.with_translations(row["texts"]):
        name = view.field(text["field"]) if text["translates"] is None else view.label("did.translation")
        about = f"#{text['seq']} · {view.moment(text['at'])} · {name}"
        texts.append({"about": about, "text": text["text"]})
    files = [f"{file['name'] or file['kind']}, SHA-256 {file['sha256']}" for file in row["files"]]
    received_at = view.moment(row["received_at"])
    return {"ref": row["ref"], "received_at": received_at, "texts": texts, "files": files}


def _message(view: RecordView, row: Row) -> dict[str, Any]:
    return {"reason": reason_words(row["reason"], view.labels)}


def _file(view: RecordView, row: Row) -> dict[str, Any]:
    return {"is_program": is_program(row["mime"])}


def _target(view: RecordView, row: Row) -> dict[str, Any]:
    """The rule of a due time with its length, both in words."""
    ruled, *notes = map(str.strip, str(row["basis"]).split(";"))
    words = "; ".join((" ".join(basis_words(ruled, view.labels)), *(_note(view, note) for note in notes)))
    length = f" ({value_words('span', row['span'], view.labels)})" if row.get("span") else ""
    return {"basis": f"{words}{length}"}


def _note(view: RecordView, note: str) -> str:
    """What else decided a due time, such as that a promise was kept."""
    step = NOTE_STEPS.get(note)
    return view.label(f"why.{step}") if step else code_words("basis", note.replace(" ", "_"), view.labels)


def _outside_act(view: RecordView, row: Row) -> Iterator[tuple[str, str | None]]:
    for name, value in row.items():
        if name == "at":
            yield view.label("table.when"), view.moment(value)
        elif name not in _SHOWN_IN_OTHER_PARTS and value not in (None, "", [], {}):
            yield view.field(name), value_words(name, value, view.labels)


def _event(view: RecordView, row: Row) -> dict[str, Any]:
    return {
        "did": view.did(row),
        "who": view.who(row["by"], row["role"]),
        "step": _STEPS.get(row["verb"]),
        "facts": facts_words(view, row),
    }


def facts_words(view: RecordView, row: Row) -> str:
    """The facts of an event, a line each, without those that other parts show."""
    return "\n".join(fact_lines(row["facts"], view.labels, without=_SHOWN_IN_OTHER_PARTS))


def _read(view: RecordView, row: Row) -> dict[str, Any]:
    return {"who": view.who(row["by"], row["role"] or None), "what": purpose(view, row)}


def purpose(view: RecordView, row: Row) -> str:
    """What was opened and for what, such as `show audit` or `file:2`."""
    reason = row["reason"]
    parts = (part for part in row["what"].replace(":", " ").split() if part != reason)
    words = " ".join(value_words("what", part, view.labels) for part in parts)
    return words + (f": {view.labels.code('reading', reason)}" if reason else "")


_COMPUTED: Mapping[str, Callable[[RecordView, Row], dict[str, Any]]] = {
    "people": _person,
    "contact_points": _contact_point,
    "proposal": _proposal,
    "decisions": _decision,
    "remedies": _remedy,
    "texts": _text,
    "messages": _message,
    "files": _file,
    "targets": _target,
    "events": _event,
    "reads": _read,
}
