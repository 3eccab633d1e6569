"""The parts of a case file in their order, and the exact record that is attached to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from amends.documents.blocks import Block, Document, Heading, Paragraph
from amends.documents.case_file.form import follow_up, form
from amends.documents.case_file.register import (
    StoredPicture,
    Telling,
    UsageRecord,
    pictures,
    register,
    verbatim,
)
from amends.documents.case_file.subject import for_subject
from amends.documents.labels import Labels
from store.cases.export import WholeCase

#: The name of the attachment that holds every text exactly as it was said.
RECORD = "record.json"


def case_file(
    whole: WholeCase,
    labels: Labels,
    *,
    made_at: datetime,
    shown: Sequence[StoredPicture] = (),
    subject: bool = False,
) -> Document:
    """One complaint as a document; `labels` says in which language, `shown` are the images among its files.

    Its times are told in the complaint's own zone. `subject`: the edition for a member of staff complained about,
    without pictures and to go without the record.
    """
    if subject:
        whole, shown = for_subject(whole), ()
    labels = labels.in_zone(whole.rules.calendar.zone)
    told = Telling(UsageRecord(whole.record), labels)
    return Document(
        title=labels.say("case.title_subject" if subject else "case.title"),
        language=labels.language,
        organisation=whole.rules.organisation,
        subject=str(whole.record["ref"]),
        made=labels.say("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=(
            *_opening(told, subject=subject),
            *form(told, whole),
            *follow_up(told),
            *verbatim(told),
            *register(told, whole),
            *pictures(told, shown),
        ),
    )


def exact_record(whole: WholeCase) -> str:
    """The record as JSON: what `amends case show --json` gives, with the numbers it is filed under."""
    kept = {
        **whole.record,
        "identifiers": [{"kind": kind, "value": value} for kind, value in whole.identifiers],
        "support_needs": whole.needs,
        "head": whole.head,
    }
    return json.dumps(kept, ensure_ascii=False, indent=2, default=str)


def _opening(told: Telling, *, subject: bool) -> list[Block]:
    record, labels = told.record, told.labels
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
