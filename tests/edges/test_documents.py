"""Typst at work: archival files, exact words, nothing evaluated, nothing that a font lacks lost in silence."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime
from struct import pack

import pytest

from amends.documents.blocks import (
    Block,
    Document,
    Fields,
    Heading,
    Items,
    Paragraph,
    Picture,
    Rows,
    Wording,
)
from amends.documents.case_file.pictures import StoredPicture, _as_svg, pictures
from amends.documents.case_file.record_view import RecordView, UsageRecord
from amends.documents.font_probe import covers
from amends.documents.fonts import FAMILIES, _covered, printable
from amends.documents.labels import load_labels
from amends.documents.report import blocks, report_document
from amends.documents.typst import as_pdf
from tests.edges import pdf

AT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
TURKISH = "Çığlık, İstanbul'da öğle üzeri şüpheli ağaç; ĞÜŞİÖÇ ğüşıöç"
LABELS = load_labels(("en", "tr"), "Europe/London", staff=True)


def document(*body: Block, language: str = "en") -> Document:
    """A document with this body."""
    return Document("A title", language, "Northwind Water", "A7K-M3Q-9T", "made", "Page {n} of {of}", body)


def made(*body: Block, language: str = "en") -> bytes:
    """The same as a file."""
    return as_pdf(document(*body, language=language), at=AT)


def png(width: int = 3, height: int = 2) -> bytes:
    """A whole picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_it_is_archival_and_readable_aloud() -> None:
    data = made(Heading("One"), Fields((("Name", "Value"),)), Rows(("a", "b"), (("1", None),)), Items(("x",)))
    assert pdf.conformance(data) == ("3", "A", "1")


def test_the_same_document_made_at_the_same_moment_is_the_same_file() -> None:
    assert made(Paragraph("Once.")) == made(Paragraph("Once."))


def test_no_level_of_headings_is_skipped() -> None:
    assert pdf.conformance(made(Heading("Deep", 3), Heading("Top"), Heading("Deep", 3)))[2] == "1"


def test_each_page_says_what_it_is_and_its_number() -> None:
    data = made(Heading("One"), Heading("Two", new_page=True))
    pages = [page.extract_text() for page in pdf.reader(data).pages]
    assert ["Northwind Water" in one and "A7K-M3Q-9T" in one for one in pages] == [True, True]
    assert [f"Page {n} of 2" in one for n, one in enumerate(pages, start=1)] == [True, True]


def test_turkish_letters_are_drawnas_they_are() -> None:
    assert printable(TURKISH) == TURKISH
    assert TURKISH in pdf.words(made(Wording("said", TURKISH), language="tr"))


@pytest.mark.parametrize(
    "attempt",
    [
        '#import "@preview/cetz:0.4.0"',
        '#read("/etc/passwd")',
        "#eval(sys.inputs.document)",
        "$ x^2 $",
        "] #pagebreak() [",
        '") #panic("out") ("',
        "= Heading\n- item\n/ term: x",
        "// comment\n/* block */",
        "`raw` ```rust fn main() {}```",
        "*bold* _emph_ <label> @cite \\ ~ --- ...",
        "\\u{1F600} #{1+1} #[x]",
    ],
)
def test_what_looks_like_markup_stands_there_as_it_was_written(attempt: str) -> None:
    said = pdf.words(
        made(Wording("said", attempt), Fields(((attempt, attempt),)), Rows((attempt,), ((attempt,),)))
    )
    assert said.count(" ".join(attempt.split())) == 5


def test_bold_is_only_where_we_write_it_and_stars_of_others_stay() -> None:
    assert "**not bold**" in pdf.words(made(Wording("said", "**not bold**")))


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("angry 😡", "angry [U+1F621]"),
        ("中文", "[U+4E2D][U+6587]"),
        ("bell\x07null\x00", "bell[U+0007]null[U+0000]"),
        ("reorders \u202eevil", "reorders [U+202E]evil"),
        ("👨\u200d👩", "[U+1F468][U+200D][U+1F469]"),
        ("private \ue000", "private [U+E000]"),
        ("heart \u2764\ufe0f", "heart \u2764\ufe0f"),
        ("half \ud83d", "half [U+D83D]"),
        ("a\tb\r\nc\u2028d", "a    b\nc\nd"),
    ],
)
def test_what_the_fonts_lack_or_hide_is_written_as_its_number(said: str, seen: str) -> None:
    assert printable(said) == seen
    assert " ".join(seen.split()) in pdf.words(made(Wording("said", said)))


def test_letters_that_join_keep_what_joins_them() -> None:
    persian = "می\u200cخواهم"
    assert printable(persian) == persian
    assert made(Wording("said", persian))


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "שלום עולם", "Merhaba مرحبا 123"])
def test_text_from_right_to_left_is_drawn(text: str) -> None:
    letters = {one for one in text if one.isalpha()}
    assert letters <= set(pdf.text(made(Wording("said", text), Wording("said", f"first line\n{text}\nlast"))))


def test_a_hundred_thousand_characters_are_all_there() -> None:
    said = " ".join(f"word{n}" for n in range(11_000))[:100_000]
    data = made(Wording("said", said))
    found = pdf.words(data)
    assert [one for one in said.split() if one not in found] == []


def test_a_word_longer_than_the_page_is_broken_and_whole() -> None:
    data = made(Wording("said", "x" * 20_000))
    assert pdf.text(data).count("x") == 20_000
    assert len(pdf.reader(data).pages) > 2


@pytest.mark.parametrize("family", FAMILIES)
def test_every_character_that_we_say_a_font_has_is_in_it(family: str) -> None:
    starts, ends = _covered()[family]
    letters = [chr(one) for start, end in zip(starts, ends, strict=True) for one in range(start, end + 1)]
    parts = [letters[at : at + 500] for at in range(0, len(letters), 500)]
    assert len(letters) > 2000
    assert [part for part in parts if not covers(family, " ".join(part))] == []


def test_any_text_at_all_can_be_set() -> None:
    # PDF/A refuses a character without a glyph: any mix of any characters must come out as something.
    chance = random.Random(7)
    said = "".join(
        chr(
            chance.choice(
                (chance.randrange(0x20, 0x300), chance.randrange(0x300, 0x3000), chance.randrange(0x11_0000))
            )
        )
        for _ in range(6000)
    )
    assert made(Wording("said", said), Fields((("Name", said[:500]),)))


def test_a_picture_is_drawn_and_named() -> None:
    view = RecordView(UsageRecord({}), LABELS)
    drawn = list(pictures(view, [StoredPicture(2, png()), StoredPicture(3, b"no picture")]))
    assert [type(one) for one in drawn] == [Heading, Picture]
    data = made(*drawn)
    assert "Enclosure 2" in pdf.text(data)
    assert [len(page.images) for page in pdf.reader(data).pages] == [0, 1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        png()[:20],
        b"\xff\xd8\xff\xe0\x00",
        b"\xff\xd8\xff\xc0\x00\x11\x08" + b"\xff" * 20,
        b"GIF89a",
        b"\xff\xd8\xff\xe0\x00\x00" * 9,
    ],
)
def test_what_is_no_whole_picture_is_left_an_enclosure(data: bytes) -> None:
    assert _as_svg(data) is None


def test_a_broken_picture_does_not_stop_the_file() -> None:
    broken = png()[:45] + b"\0" * 30
    assert _as_svg(broken) is not None
    drawn = list(
        pictures(RecordView(UsageRecord({}), LABELS), [StoredPicture(1, broken), StoredPicture(2, png())])
    )
    assert [one.caption for one in drawn if isinstance(one, Picture)] == ["Enclosure 2"]


MARKDOWN = """# Monitoring (8.4)

Received: **12**.
Counted apart: 1 request.

## Figures

| figure | share | 95 % | count | target | |
|---|---|---|---|---|---|
| In time | 91.7 % | 60 – 98 % | 11 of 12 | ≥ 99 % | **not met** |

- **In time**: accepted by the channel.
- Other.
"""


def test_a_report_becomes_blocks() -> None:
    head, first, second, figures, table, items = blocks(MARKDOWN)
    assert (head, figures) == (Heading("Monitoring (8.4)", 1), Heading("Figures", 1))
    assert (first, second) == (Paragraph("Received: **12**."), Paragraph("Counted apart: 1 request."))
    assert isinstance(table, Rows)
    assert table.rows == (("In time", "91.7 %", "60 – 98 %", "11 of 12", "≥ 99 %", "not met"),)
    assert items == Items(("**In time**: accepted by the channel.", "Other."))


def test_a_report_is_set_with_its_title() -> None:
    data = as_pdf(report_document(MARKDOWN, LABELS, organisation="Northwind Water", made_at=AT), at=AT)
    said = pdf.words(data)
    assert pdf.conformance(data) == ("3", "A", "1")
    assert "Monitoring (8.4)" in said
    assert "11 of 12" in said
    assert "**" not in said
