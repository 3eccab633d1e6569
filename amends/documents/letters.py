"""PDFs that complainants get in the chat: a letter that is too long for a message, and their form (Annex B)."""

from datetime import datetime
from typing import Any

from amends.documents.blocks import Document, Lines
from amends.documents.case_file.form import own_form
from amends.documents.case_file.record_view import RecordView, UsageRecord
from amends.documents.labels import Labels
from store.cases.export import WholeCase


def long_letter(text: str, labels: Labels, *, organisation: str, ref: str, made_at: datetime) -> Document:
    """A letter exactly as it was written, under its first line."""
    title, *paragraphs = text.strip().split("\n\n")
    if len(title) > 100:
        title, paragraphs = ref, [title, *paragraphs]
    return _document(title, labels, organisation, ref, made_at, tuple(Lines(part) for part in paragraphs))


def complaint_form(whole: WholeCase, labels: Labels, *, made_at: datetime) -> Document:
    """The complaint as it was written down, without anything that staff added; times in its own zone (Annex B)."""
    labels = labels.in_zone(whole.rules.calendar.zone).to(child=bool(whole.record.get("minor_flag")))
    body = tuple(own_form(RecordView(UsageRecord(whole.record), labels), whole))
    title = labels.text("own_form.title")
    return _document(title, labels, whole.rules.organisation, str(whole.record["ref"]), made_at, body)


def _document(
    title: str, labels: Labels, organisation: str, ref: str, made_at: datetime, body: tuple[Any, ...]
) -> Document:
    made = labels.text("document.made", when=labels.moment(made_at))
    return Document(title, labels.language, organisation, ref, made, labels.page(), body)
