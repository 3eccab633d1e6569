"""The case file: the whole record of a complaint as a document, in one of its editions."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from struct import unpack_from
from typing import Any

from amends.documents.blocks import Block, Document, Edition, Heading, Picture
from amends.documents.case_file.evidence_file import EvidenceView, evidence_words
from amends.documents.case_file.record_view import RecordView
from amends.documents.case_file.record_words import own_words, record_words
from amends.documents.labels import Labels
from amends.documents.typst import can_draw, template_texts
from complaints.actions.intake import MACHINE_MADE, TRANSLATION
from store.cases.export import WholeCase
from store.cases.read import shows_survey
from store.record.field_marks import for_subject as visible_fields

#: The name of the attachment with every text exactly as it was received.
RECORD = "record.json"
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: JPEG markers that height and width follow: every start of frame except three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: In pixels. More than any page needs; unpacking a larger picture could exhaust the memory.
_MOST_PIXELS = 40_000_000


_TITLES = {"house": "case.title", "subject": "case.title_subject", "ombudsman": "evidence.title"}


@dataclass(frozen=True)
class StoredPicture:
    """A file of the complaint that is a picture; `number` is its number among the enclosures."""

    number: int
    data: bytes


def case_file(
    whole: WholeCase,
    labels: Labels,
    edition: Edition = Edition.HOUSE,
    *,
    made_at: datetime,
    attached: Sequence[str] = (RECORD,),
    stored_pictures: Sequence[StoredPicture] = (),
    damaged: Sequence[str] = (),
) -> Document:
    """One complaint as a document in the language of `labels`; times are in the complaint's own zone.

    `stored_pictures` are the pictures among its files, `damaged` are the places that could not be read, and
    `attached` names the files in it that prove the record.
    """
    whole = without_survey(whole)
    if edition is Edition.SUBJECT:
        whole, stored_pictures = for_subject(whole), ()
    labels, record = labels.in_zone(whole.rules.calendar.zone), whole.record
    if edition is Edition.OMBUDSMAN:
        view = EvidenceView(record, labels, made_at)
        words = evidence_words(view, record_words(view, whole, damaged), whole.rules)
    else:
        words = record_words(RecordView(record, labels), whole, damaged)
    title = labels.text(_TITLES[edition], ref=record["ref"])
    document = _document(whole, labels, title, edition, words | {"attached": ", ".join(attached)}, made_at)
    return replace(document, body=tuple(pictures(labels, stored_pictures)))


def complaint_form(whole: WholeCase, labels: Labels, *, made_at: datetime) -> Document:
    """The complaint as it was written down, without anything that staff added; times in its own zone (Annex B)."""
    labels = labels.in_zone(whole.rules.calendar.zone).to(child=bool(whole.record.get("minor_flag")))
    words = own_words(RecordView(whole.record, labels), whole)
    return _document(whole, labels, labels.text("own_form.title"), "own_form", words, made_at)


def _document(
    whole: WholeCase, labels: Labels, title: str, edition: str, words: Mapping[str, Any], made_at: datetime
) -> Document:
    return Document(
        title=title,
        language=labels.language,
        organisation=whole.rules.organisation,
        subject=str(whole.record["ref"]),
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        edition=edition,
        record=words,
        labels=template_texts(labels),
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


def pictures(labels: Labels, stored: Sequence[StoredPicture]) -> Iterator[Block]:
    """Each picture as large as the page allows. A file that is not a whole JPEG or PNG is left out."""
    drawn = [
        Picture(svg, labels.text("form.enclosure", number=picture.number))
        for picture in stored
        if (svg := _as_svg(picture.data)) is not None
    ]
    drawable = [picture for picture in drawn if can_draw(picture)]
    if drawable:
        yield Heading(labels.text("pictures.title"), new_page=True)
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
    """The complaint with every field empty that this member of staff may not know (Annex C).

    Their edition has the allegations, the issues, the times and the findings. It has neither the complainant's name
    and contacts nor what other staff wrote, did or opened.
    """
    record = whole.record
    complainant_events = {
        event["seq"]
        for event in record["events"]
        if event["verb"] in _COMPLAINANT_VERBS and event["facts"].get("kind") not in _PRIVATE
    }
    visible = visible_fields(record) | {
        "texts": [
            text
            for text in record["texts"]
            if text["seq"] in complainant_events
            and text["field"].removeprefix(f"{TRANSLATION}.").split(".")[0] not in _PRIVATE
        ],
        "decisions": [
            visible_fields(decision, "decisions") | {"words": _decision_words(decision)}
            for decision in record["decisions"]
            if decision.get("communicated_at") and not decision.get("external")
        ],
        "events": [
            visible_fields(event, "events") | {"by": "", "facts": _kind_of_machine(event)}
            for event in record["events"]
        ],
    }
    decided = {} if visible["decisions"] else {"finding": None}
    visible["issues"] = [visible_fields(issue, "issues") | decided for issue in record["issues"]]
    return replace(whole, record=visible, names=(), identifiers=(), needs=None, incident=None)


def _kind_of_machine(event: Mapping[str, Any]) -> dict[str, Any]:
    kind = event["facts"].get("kind")
    return {"kind": kind} if kind in MACHINE_MADE else {}


def _decision_words(decision: Mapping[str, Any]) -> dict[str, str]:
    words: Mapping[str, str] = decision["words"]
    return {name: text for name, text in words.items() if name.rsplit(".", 1)[-1] in _DECISION_WORDS}
