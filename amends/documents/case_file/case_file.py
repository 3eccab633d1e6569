"""The case file: Annex B's form, Annex D's follow-up, everything said and done, and the pictures as an appendix."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from struct import unpack_from
from typing import Any

from amends.documents.blocks import Block, Document, Heading, Items, Paragraph, Picture
from amends.documents.case_file.evidence import evidence
from amends.documents.case_file.evidence_view import EvidenceView
from amends.documents.case_file.follow_up import follow_up
from amends.documents.case_file.form import form
from amends.documents.case_file.record_view import RecordView, UsageRecord
from amends.documents.case_file.register import register, wording
from amends.documents.labels import Labels
from amends.documents.typst import can_draw
from complaints.actions.intake import MACHINE_MADE, TRANSLATION
from store.cases.export import WholeCase
from store.cases.read import shows_survey
from store.database.damage import UNREADABLE, describe_damage

#: The name of the attachment with every text exactly as it was received.
RECORD = "record.json"
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: JPEG markers that height and width follow: every start of frame except three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: In pixels. More than any page needs; unpacking a larger picture could exhaust the memory.
_MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class StoredPicture:
    """A file of the complaint that is a picture; `number` is its number among the enclosures."""

    number: int
    data: bytes


def case_file(
    whole: WholeCase,
    labels: Labels,
    *,
    made_at: datetime,
    stored_pictures: Sequence[StoredPicture] = (),
    subject: bool = False,
    damaged: Sequence[str] = (),
) -> Document:
    """One complaint as a document in the language of `labels`; `stored_pictures` are the pictures among its files.

    Times are in the complaint's own zone. `subject` makes the edition for the member of staff complained about:
    it has no pictures, and the record must not be attached to it. `damaged` are the places that could not be read.
    """
    whole = without_survey(whole)
    if subject:
        whole, stored_pictures = for_subject(whole), ()
    labels = labels.in_zone(whole.rules.calendar.zone)
    view = RecordView(UsageRecord(whole.record), labels)
    title = labels.text("case.title_subject" if subject else "case.title")
    body = (
        *_opening(view, subject=subject),
        *_damage(view, damaged),
        *form(view, whole),
        *follow_up(view),
        *wording(view),
        *register(view, whole),
        *pictures(view, stored_pictures),
    )
    return _document(whole, labels, title, body, made_at)


def evidence_file(
    whole: WholeCase,
    labels: Labels,
    *,
    made_at: datetime,
    attached: Sequence[str] = (),
    stored_pictures: Sequence[StoredPicture] = (),
    damaged: Sequence[str] = (),
) -> Document:
    """One complaint for an outside body that reads it in five minutes (7.9, F); `attached` names what proves it.

    Staff appear by role and number. Times are in the complaint's own zone, which the first page names.
    """
    whole = without_survey(whole)
    labels = labels.in_zone(whole.rules.calendar.zone)
    view = EvidenceView(UsageRecord(whole.record), labels, made_at)
    title = labels.text("evidence.title", ref=whole.record["ref"])
    body = (
        *_marks(view),
        *_damage(view, damaged),
        *evidence(view, whole, tuple(attached)),
        *pictures(view, stored_pictures),
    )
    return _document(whole, labels, title, body, made_at)


def _document(
    whole: WholeCase, labels: Labels, title: str, body: tuple[Block, ...], made_at: datetime
) -> Document:
    return Document(
        title=title,
        language=labels.language,
        organisation=whole.rules.organisation,
        subject=str(whole.record["ref"]),
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=body,
    )


def exact_record(whole: WholeCase) -> str:
    """The record as JSON: like the output of `amends case show --json`, with identifiers and support needs."""
    record = {
        **without_survey(whole).record,
        "events": _with_hashes_between(whole),
        "identifiers": [{"kind": kind, "value": value} for kind, value in whole.identifiers],
        "support_needs": whole.needs,
        "head": whole.head,
    }
    return json.dumps(record, ensure_ascii=False, indent=2, default=str)


def _opening(view: RecordView, *, subject: bool) -> list[Block]:
    record, labels = view.record, view.labels
    kind, state = labels.code("kind", record["kind"]), labels.code("state", record["state"])
    blocks: list[Block] = [
        Paragraph(labels.text("case.opening", ref=record["ref"], kind=kind, state=state)),
        Paragraph(
            labels.text("case.for_subject") if subject else labels.text("case.exact", name=RECORD), quiet=True
        ),
        Paragraph(labels.text("case.no_survey"), quiet=True),
    ]
    return [*blocks, *_marks(view)]


def _marks(view: RecordView) -> Iterator[Block]:
    """That the complaint is simulated, or that its words were erased."""
    record, labels = view.record, view.labels
    if record["is_simulation"]:
        yield Paragraph(labels.text("case.simulation"))
    if record["erased_at"]:
        yield Heading(labels.text("case.erased"), 2)
        yield Paragraph(labels.text("case.erased_at", when=labels.moment(record["erased_at"])))


def _damage(view: RecordView, damaged: Sequence[str]) -> Iterator[Block]:
    if damaged:
        yield Heading(view.label("case.damaged"), 2)
        yield Paragraph(view.label("case.damaged_remedy", mark=UNREADABLE))
        yield Items(tuple(map(describe_damage, damaged)))


def pictures(view: RecordView, stored: Sequence[StoredPicture]) -> Iterator[Block]:
    """Each picture as large as the page allows. A file that is not a whole JPEG or PNG is left out."""
    drawn = [
        Picture(svg, view.label("form.enclosure", number=picture.number))
        for picture in stored
        if (svg := _as_svg(picture.data)) is not None
    ]
    drawable = [picture for picture in drawn if can_draw(picture)]
    if drawable:
        yield Heading(view.label("pictures.title"), new_page=True)
        yield from drawable


def _as_svg(data: bytes) -> str | None:
    """The picture as an SVG, which the template accepts as a string like all other data."""
    if data.startswith(_PNG) and len(data) > 24:
        mime, (width, height) = "image/png", unpack_from(">II", data, 16)
    elif data.startswith(_JPEG) and (size := _jpeg_size(data)) is not None:
        mime, (width, height) = "image/jpeg", size
    else:
        return None
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:{mime};base64,{encoded}"/></svg>'
    )


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the first frame header, or None if there is none."""
    offset = 2
    while offset + 9 < len(data) and data[offset] == 0xFF:
        if data[offset + 1] in _FRAMES:
            height, width = unpack_from(">HH", data, offset + 5)
            return width, height
        offset += 2 + int(unpack_from(">H", data, offset + 2)[0])
    return None


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


# --- what a case file leaves out ---


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


def _with_hashes_between(whole: WholeCase) -> list[Mapping[str, Any]]:
    """The events without answers to the survey; where others follow, the hash of an answer keeps the chain checkable.

    The entry that follows holds that hash anyway, so it says nothing new.
    """
    kept = {event["seq"] for event in without_survey(whole).record["events"]}
    events: list[Mapping[str, Any]] = whole.record["events"]
    return [
        event if event["seq"] in kept else {"seq": event["seq"], "withheld": True, "hash": event["hash"]}
        for event in events
        if event["seq"] in kept or event["seq"] < max(kept)
    ]


def for_subject(whole: WholeCase) -> WholeCase:
    """The complaint with every field blank that this member of staff may not know (Annex C).

    Their edition has the allegations, the issues, the times and the findings. It has neither the complainant's name
    and contacts nor what other staff wrote, did or opened. A field that is not listed here is left out.
    """
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
