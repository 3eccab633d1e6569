"""A letter that is too long for a message, as a PDF that complainants get in the chat."""

from datetime import datetime

from amends.documents.blocks import Document, Lines
from amends.documents.labels import Labels


def long_letter(text: str, labels: Labels, *, organisation: str, ref: str, made_at: datetime) -> Document:
    """A letter exactly as it was written, under its first line."""
    title, *paragraphs = text.strip().split("\n\n")
    if len(title) > 100:
        title, paragraphs = ref, [title, *paragraphs]
    return Document(
        title=title,
        language=labels.language,
        organisation=organisation,
        subject=ref,
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=tuple(Lines(part) for part in paragraphs),
    )
