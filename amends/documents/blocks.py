"""The content of a document as plain values: headings, fields, quoted words, tables, lists, pictures.

`document.typ` draws these blocks and no others; `sections.typ` makes them of a complaint's record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 1
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A text of the desk; `**text**` is bold. `quiet` prints it small and grey."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Fields:
    """Names with values, as on a form. None is printed as a dash."""

    rows: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Wording:
    """A person's exact words, under a line that names the person and the time."""

    about: str
    text: str


@dataclass(frozen=True)
class Lines:
    """A paragraph exactly as it was written, line by line."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table. `widths` are shares of the page's width; `small` is for long tables.

    `caption` is the title over it. The columns of numbers, `numeric`, are aligned at the right; the second line of a
    cell in one of them is small.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    widths: tuple[float, ...] = ()
    small: bool = False
    caption: str | None = None
    numeric: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Items:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with the line under it; `alt` is for readers who do not see it, else the same line."""

    svg: str
    caption: str
    alt: str | None = None


Block = Heading | Paragraph | Fields | Wording | Lines | Rows | Items | Picture


class Edition(StrEnum):
    """Which case file is made of a complaint; sections.typ has the sections of each."""

    HOUSE = "house"
    #: For the member of staff complained about (Annex C): no pictures, and the record must not be attached to it.
    SUBJECT = "subject"
    #: The evidence file for an outside body that reads it in five minutes (7.9, F): staff by role and number.
    OMBUDSMAN = "ombudsman"


@dataclass(frozen=True)
class Document:
    """A whole document: `subject` is in each page's header, `created` and `page` are in its footer.

    `page` has the fields {n} and {of}; the template fills them in. `cover` are the lines of a first page with the
    title and the headings under `contents`; without them the document begins with its title. A document about a
    complaint has the sections of an `edition` (sections.typ) before its body, drawn from the `record` in words.
    """

    title: str
    language: str
    organisation: str
    subject: str
    created: str
    page: str
    body: tuple[Block, ...] = ()
    cover: tuple[str, ...] = ()
    contents: str = ""
    edition: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def as_data(document: Document) -> dict[str, Any]:
    """The document as JSON values for document.typ."""
    values = {name: value for name, value in vars(document).items() if name != "body"}
    body = [{"is": type(block).__name__.lower(), **vars(block)} for block in document.body]
    return {**values, "language": document.language[:2], "body": body}
