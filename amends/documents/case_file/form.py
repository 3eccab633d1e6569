"""Annex B of the case file: the complainant's form, as far as it was filled in."""

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Lines, Paragraph, Rows, Wording
from amends.documents.case_file.record_view import RecordView, in_two_lines
from bots.texts.media import without_words
from complaints.complaint_text import without_own_words
from store.cases.export import WholeCase
from store.file_types import is_program

#: The other parts that people have in a complaint, in the form's order.
_OTHERS = ("affected", "representative", "witness", "subject")


def form(view: RecordView, whole: WholeCase) -> Iterator[Block]:
    """Annex B: person, agent, product, place, problem, remedy requested, signature and enclosures."""
    record, label = view.record, view.label
    yield Heading(label("form.title"))
    yield Fields(view.fields("form"))
    yield from people(view, whole)
    yield Heading(label("form.product"), 2)
    yield Fields(
        (
            (label("case.happened_on"), record.get("happened_on")),
            (label("case.category"), view.labels.code("category", record["category"])),
            (label("case.where_and_when"), record["where_and_when"]),
            *((view.labels.code("number", kind) or kind, value) for kind, value in whole.identifiers),
        )
    )
    yield Heading(label("form.problem"), 2)
    yield Wording(label("form.in_their_words"), _problem(view))
    yield Heading(label("form.remedy"), 2)
    remedies = [view.labels.code("button", code) or code for code in record["remedy_requested"]]
    yield Fields(
        (
            (label("case.remedy_requested"), "\n".join(remedies) or None),
            (label("form.in_their_words"), record["remedy_requested_text"]),
        )
    )
    yield Heading(label("form.signature"), 2)
    yield Paragraph(_signature(view))
    yield from enclosures(view)


def own_form(view: RecordView, whole: WholeCase) -> Iterator[Block]:
    """Annex B for the complainant: only what they gave, as the bot read it back to them."""
    record, label = view.record, view.label
    received = view.moment(record["received_at"])
    yield Fields(((label("case.ref"), record["ref"]), (label("case.received_at"), received)))
    yield Heading(label("form.person"), 2)
    yield Fields(((label("case.name"), record["name"]),))
    if record["support_needs"]:
        yield Lines(label("readback.needs", text=record["support_needs"]))
    yield Heading(label("form.agent"), 2)
    yield Lines(record["for_whom"] or label("form.no_agent"))
    yield Heading(label("form.product"), 2)
    numbers = [(view.labels.code("number", kind) or kind, value) for kind, value in whole.identifiers]
    yield Fields(((label("case.where_and_when"), record["where_and_when"]), *numbers))
    yield Heading(label("form.problem"), 2)
    yield Lines(_problem(view))
    if record["effect"]:
        yield Lines(label("readback.effect", text=record["effect"]))
    yield Heading(label("form.remedy"), 2)
    remedies = [view.labels.code("button", code) or code for code in record["remedy_requested"]]
    yield Lines("\n".join(remedies) or record["remedy_requested_text"] or label("document.none"))
    yield Heading(label("form.signature"), 2)
    yield Paragraph(_signature(view))
    yield Heading(label("form.enclosures"), 2)
    names = [file["name"] or label("form.enclosure", number=file["seq"]) for file in record["files"]]
    yield Lines("\n".join(names) or label("document.none"))


def _problem(view: RecordView) -> str:
    record = view.record
    files = [(file["kind"], file["seconds"]) for file in record["files"] if file["kind"] != "attachment"]
    texts = {f"{text['field']}.{text['seq']}": text["text"] for text in record["texts"]}
    return record["description"] or without_words(
        without_own_words(texts, files), view.labels.text, view.labels.count
    )


def people(view: RecordView, whole: WholeCase) -> Iterator[Block]:
    record, label = view.record, view.label
    people = record["people"]
    if not people:
        # The edition for the member of staff complained about has no people at all.
        return
    yield Heading(label("form.person"), 2)
    # A complaint logged by staff and later bound to a chat has two rows for the same complainant.
    complainant_rows = [person for person in people if person["role"] == "complainant"]
    flags = [view.labels.code("flag", flag) or flag for flag in record["flags"]]
    names = " / ".join(dict.fromkeys((*whole.names, record["name"] or ""))).strip(" /")
    yield Fields(
        (
            (label("case.name"), names or None),
            (label("case.person_id"), record["complainant"]),
            *(_point(view, point) for person in complainant_rows for point in person["contact_points"]),
            (label("case.support_needs"), whole.needs),
            (label("case.flags"), ", ".join(flags) or None),
        )
    )
    yield Heading(label("form.agent"), 2)
    others = [person for part in _OTHERS for person in people if person["role"] == part]
    if not others and not record["for_whom"]:
        yield Paragraph(label("form.no_agent"))
        return
    yield Fields(((label("case.for_whom"), record["for_whom"]),))
    for person in others:
        fields = view.fields("person", {"name": None, "authority": None, **person})
        yield Fields((*fields, *(_point(view, point) for point in person["contact_points"])))


def _point(view: RecordView, point: Mapping[str, Any]) -> tuple[str, str | None]:
    marks = [
        view.label(f"point.{channel}") for channel in ("verified", "preferred", "blocked") if point[channel]
    ]
    channel = view.labels.code("channel", point["channel"]) or ""
    if point["address"] is None:
        return channel, None
    return channel, f"{point['address']} ({', '.join(marks)})" if marks else point["address"]


def _signature(view: RecordView) -> str:
    record = view.record
    if record.get("signed_by_hand"):
        return view.label("form.signed_by_hand", when=view.moment(record["received_at"]))
    if record["confirmed_at"]:
        return view.label("form.signed", when=view.moment(record["confirmed_at"]))
    if record["form_ended_at"]:
        return view.label("form.unsigned", when=view.moment(record["form_ended_at"]))
    return view.label("form.open")


def enclosures(view: RecordView) -> Iterator[Block]:
    yield Heading(view.label("form.enclosures"), 2)
    files = view.record["files"]
    if not files:
        yield Paragraph(view.label("document.none"))
        return
    yield Rows(
        view.titles("table.number", "table.when", "table.what", "table.state", "table.digest"),
        tuple(
            (
                str(file["seq"]),
                view.moment(file["at"]),
                _file_facts(view, file),
                view.labels.code("stored", file["state"]),
                in_two_lines(file["sha256"]),
            )
            for file in files
        ),
        widths=(1, 4, 6, 3, 6),
        small=True,
    )


def _file_facts(view: RecordView, file: Mapping[str, Any]) -> str:
    size = view.labels.count("case.bytes", file["size"]) if file["size"] is not None else None
    warning = view.label("file.program") if is_program(file["mime"]) else None
    parts = (view.labels.code("file", file["kind"]), file["name"], file["mime"], size, warning)
    return "\n".join(part for part in parts if part)
