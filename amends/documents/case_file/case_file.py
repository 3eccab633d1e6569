"""Puts the parts of a case file in order, and writes the exact record that is attached to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from amends.documents.blocks import Block, Document, Heading, Paragraph
from amends.documents.case_file.follow_up import follow_up
from amends.documents.case_file.form import form
from amends.documents.case_file.pictures import StoredPicture, pictures
from amends.documents.case_file.record_view import RecordView, UsageRecord
from amends.documents.case_file.register import register
from amends.documents.case_file.subject import for_subject
from amends.documents.case_file.wording import wording
from amends.documents.labels import Labels
from store.cases.export import WholeCase

#: The name of the attachment with every text exactly as it was received.
RECORD = "record.json"


def case_file(
    whole: WholeCase,
    labels: Labels,
    *,
    made_at: datetime,
    stored_pictures: Sequence[StoredPicture] = (),
    subject: bool = False,
) -> Document:
    """One complaint as a document in the language of `labels`; `stored_pictures` are the pictures among its files.

    Times are in the complaint's own zone. `subject` makes the edition for the member of staff complained about:
    it has no pictures, and the record must not be attached to it.
    """
    if subject:
        whole, stored_pictures = for_subject(whole), ()
    labels = labels.in_zone(whole.rules.calendar.zone)
    view = RecordView(UsageRecord(whole.record), labels)
    return Document(
        title=labels.say("case.title_subject" if subject else "case.title"),
        language=labels.language,
        organisation=whole.rules.organisation,
        subject=str(whole.record["ref"]),
        created=labels.say("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=(
            *_opening(view, subject=subject),
            *form(view, whole),
            *follow_up(view),
            *wording(view),
            *register(view, whole),
            *pictures(view, stored_pictures),
        ),
    )


def exact_record(whole: WholeCase) -> str:
    """The record as JSON: the output of `amends case show --json` with identifiers and support needs."""
    record = {
        **whole.record,
        "identifiers": [{"kind": kind, "value": value} for kind, value in whole.identifiers],
        "support_needs": whole.needs,
        "head": whole.head,
    }
    return json.dumps(record, ensure_ascii=False, indent=2, default=str)


def _opening(view: RecordView, *, subject: bool) -> list[Block]:
    record, labels = view.record, view.labels
    kind, state = labels.code("kind", record["kind"]), labels.code("state", record["state"])
    blocks: list[Block] = [
        Paragraph(labels.say("case.opening", ref=record["ref"], kind=kind, state=state)),
        Paragraph(
            labels.say("case.for_subject") if subject else labels.say("case.exact", name=RECORD), quiet=True
        ),
    ]
    if record["is_simulation"]:
        blocks.append(Paragraph(labels.say("case.simulation")))
    if record["erased_at"]:
        blocks += [
            Heading(labels.say("case.erased"), 2),
            Paragraph(labels.say("case.erased_at", when=labels.moment(record["erased_at"]))),
        ]
    return blocks
