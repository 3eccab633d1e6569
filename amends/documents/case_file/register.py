"""What a case file rests on: every word, due times, outside bodies, links, events, and who opened the complaint."""

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Items, Paragraph, Rows, Wording
from amends.documents.case_file.record_view import RecordView, in_two_lines
from amends.documents.facts import basis_words, code_words, fact_lines, reason_words, value_words
from complaints.deadlines.explanation import NOTE_STEPS
from complaints.incidents import Incident
from store.cases.export import WholeCase

#: Facts that other parts of the file show: due times in the targets, rules in the signs.
_SHOWN_IN_OTHER_PARTS = frozenset({"targets", "met", "signs", "ref", "rulebook", "complainant", "words"})


def wording(view: RecordView) -> Iterator[Block]:
    """Texts in the order in which they were recorded, messages in the order in which they were sent."""
    yield Heading(view.label("words.title"), new_page=True)
    if not view.record["texts"]:
        yield Paragraph(view.label("document.none"))
    for text in view.with_translations(view.record["texts"]):
        yield Wording(text_line(view, text), text["text"])
    yield from _merged(view)
    yield Heading(view.label("messages.title"))
    yield Paragraph(view.label("messages.truth"), quiet=True)
    if not view.record["messages"]:
        yield Paragraph(view.label("document.none"))
    for message in view.record["messages"]:
        yield Wording(_message_line(view, message), message["text"] or view.label("messages.no_text"))


def _merged(view: RecordView) -> Iterator[Block]:
    for other in view.record["merged"]:
        yield Heading(view.label("words.merged", ref=other["ref"], when=view.moment(other["received_at"])), 2)
        for text in view.with_translations(other["texts"]):
            name = view.field(text["field"]) if text["translates"] is None else view.label("did.translation")
            yield Wording(f"#{text['seq']} · {view.moment(text['at'])} · {name}", text["text"])
        if other["files"]:
            yield Items(
                tuple(f"{file['name'] or file['kind']}, SHA-256 {file['sha256']}" for file in other["files"])
            )


def text_line(view: RecordView, text: Mapping[str, Any]) -> str:
    """The number, time, act and field of a text, and which version replaced it."""
    event = view.events[text["seq"]]
    parts = [f"#{text['seq']}", view.moment(text["at"]), view.did(event), view.field(text["field"])]
    if text["replaces"] is not None:
        parts.append(view.label("words.replaces", seq=text["replaces"]))
    correction = next(
        (
            other
            for other in view.record["texts"]
            if other["replaces"] == text["seq"] and other["field"] == text["field"]
        ),
        None,
    )
    if correction is not None:
        parts.append(view.label("words.replaced", seq=correction["seq"]))
    return " · ".join(part for part in parts if part)


def _message_line(view: RecordView, message: Mapping[str, Any]) -> str:
    way = view.label(f"messages.{message['direction']}")
    parts = (
        view.moment(message["at"]),
        way,
        view.labels.code("channel", message["channel"] or None),
        message_state(view, message),
        value_words("delivery", message["template"], view.labels) if message["template"] else None,
        message["language"],
    )
    return " · ".join(part for part in parts if part)


def message_state(view: RecordView, message: Mapping[str, Any]) -> str:
    """Whether the channel accepted the message or a person passed it on, and why not."""
    state = code_words("message", message["state"], view.labels)
    return " · ".join(filter(None, (state, reason_words(message["reason"], view.labels))))


def register(view: RecordView, whole: WholeCase) -> Iterator[Block]:
    """Due times, outside bodies, links, the incident, events, who opened the complaint, and the rest."""
    yield Heading(view.label("register.title"), new_page=True)
    yield from _targets(view)
    yield from _outside_bodies(view)
    yield from _links(view)
    if whole.incident is not None:
        yield from incident_fields(view, whole.incident)
    yield from _events(view, whole)
    yield from _reads(view)
    yield from _unused(view)


def _targets(view: RecordView) -> Iterator[Block]:
    label = view.label
    yield Heading(label("register.targets"), 2)
    yield Rows(
        view.titles("table.target", "table.inside", "table.promised", "table.met", "table.basis"),
        tuple(
            (
                f"{view.labels.code('target', target['target'])} {target['version']}",
                view.moment(target["internal_due"]),
                view.moment(target["promised_due"]),
                view.moment(target["met_at"]),
                basis(view, target),
            )
            for target in view.record["targets"]
        ),
        widths=(4, 4, 4, 4, 4),
        small=True,
    )


def basis(view: RecordView, target: Mapping[str, Any]) -> str:
    """The rule of a due time with its length, both in words."""
    ruled, *notes = map(str.strip, str(target["basis"]).split(";"))
    words = "; ".join((" ".join(basis_words(ruled, view.labels)), *(_note(view, note) for note in notes)))
    return f"{words} ({value_words('span', target['span'], view.labels)})" if target.get("span") else words


def _note(view: RecordView, note: str) -> str:
    """What else decided a due time, such as that a promise was kept."""
    step = NOTE_STEPS.get(note)
    return view.label(f"why.{step}") if step else code_words("basis", note.replace(" ", "_"), view.labels)


def _outside_bodies(view: RecordView) -> Iterator[Block]:
    bodies = view.record["external"]
    if bodies:
        yield Heading(view.label("register.external"), 2)
    for body in bodies:
        yield Fields(tuple(_pairs(view, body)))


def _pairs(view: RecordView, facts: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, value in facts.items():
        if name == "at":
            yield view.label("table.when"), view.moment(value)
        elif name not in _SHOWN_IN_OTHER_PARTS and value not in (None, "", [], {}):
            yield view.field(name), value_words(name, value, view.labels)


def _links(view: RecordView) -> Iterator[Block]:
    record, label = view.record, view.label
    if not record["links"]:
        return
    yield Heading(label("register.links"), 2)
    rows = [
        (view.labels.code("relation", link["relation"]) or "", link["other_ref"]) for link in record["links"]
    ]
    yield Fields(tuple(rows))


def incident_fields(view: RecordView, incident: Incident) -> Iterator[Block]:
    label = view.label
    yield Heading(f"{label('case.incident_id')} {view.record['incident_id']}", 2)
    yield Fields(
        (
            (label("table.what"), incident.what),
            (label("incident.area"), incident.area),
            (label("incident.started_at"), view.labels.moment(incident.started_at)),
            (label("incident.ended_at"), view.labels.moment(incident.ended_at)),
            (label("incident.line"), incident.line_in(view.labels.language)),
        )
    )


def _events(view: RecordView, whole: WholeCase) -> Iterator[Block]:
    label = view.label
    yield Heading(label("register.events"), 2)
    chain = view.labels.count("register.chain", len(view.record["events"]), head=whole.head)
    yield Paragraph(chain, quiet=True)
    yield Rows(
        view.titles("table.number", "table.when", "table.what", "table.clause", "table.hash"),
        tuple(
            (
                str(event["seq"]),
                view.moment(event["at"]),
                "\n".join(line for line in (view.did(event), brief(view, event["facts"])) if line),
                event["clause"],
                in_two_lines(event["hash"]),
            )
            for event in view.record["events"]
        ),
        widths=(1, 3, 7, 1.4, 5),
        small=True,
    )


def brief(view: RecordView, facts: Mapping[str, Any]) -> str:
    """The facts of an event in words, a line each, without those that other parts show."""
    return "\n".join(fact_lines(facts, view.labels, without=_SHOWN_IN_OTHER_PARTS))


def _reads(view: RecordView) -> Iterator[Block]:
    label = view.label
    yield Heading(label("register.reads"), 2)
    yield Rows(
        view.titles("table.when", "table.who", "table.what"),
        tuple(
            (
                view.moment(entry["at"]),
                view.who(entry["by"], entry["role"] or None),
                purpose(view, entry["what"], entry["reason"]),
            )
            for entry in view.record["reads"]
        ),
        widths=(4, 6, 6),
        small=True,
    )


def purpose(view: RecordView, what: str, reason: str | None) -> str:
    """What was opened and for what, such as `show audit` or `file:2`."""
    words = [
        value_words("what", part, view.labels) for part in what.replace(":", " ").split() if part != reason
    ]
    return " ".join(words) + (f": {view.labels.code('reading', reason)}" if reason else "")


def _unused(view: RecordView) -> Iterator[Block]:
    """The fields that no earlier part used: a field that is new in the record is never left out."""
    rest = {
        name: value for name, value in view.record.unused().items() if value not in (None, "", [], {}, False)
    }
    yield Heading(view.label("register.more"), 2)
    yield Fields(
        tuple((view.field(name), value_words(name, value, view.labels)) for name, value in rest.items())
    )
