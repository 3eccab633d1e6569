"""PDF files by Typst: archival, with the exact words, nothing evaluated, no missing glyph dropped silently."""

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
from amends.documents.case_file.case_file import StoredPicture, _as_svg, pictures
from amends.documents.labels import load_labels
from amends.documents.typst import FAMILIES, _covered, as_pdf, printable
from tests.edges import pdf
from tests.font_coverage import covers

AT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
TURKISH = "Çığlık, İstanbul'da öğle üzeri şüpheli ağaç; ĞÜŞİÖÇ ğüşıöç"
LABELS = load_labels(("en", "tr"), "Europe/London", staff=True)


def document(*body: Block, language: str = "en") -> Document:
    """A document with this body."""
    return Document("A title", language, "Northwind Water", "A7K-M3Q-9T", "made", "Page {n} of {of}", body)


def made_pdf(*body: Block, language: str = "en") -> bytes:
    """The same as a PDF file."""
    return as_pdf(document(*body, language=language), created_at=AT)


def png(width: int = 3, height: int = 2) -> bytes:
    """An intact image."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_file_is_archival_and_accessible() -> None:
    data = made_pdf(
        Heading("One"), Fields((("Name", "Value"),)), Rows(("a", "b"), (("1", None),)), Items(("x",))
    )
    assert pdf.conformance(data) == ("3", "A", "1")


def test_the_same_document_at_the_same_moment_is_the_same_file() -> None:
    assert made_pdf(Paragraph("Once.")) == made_pdf(Paragraph("Once."))


def test_no_level_of_headings_is_skipped() -> None:
    assert pdf.conformance(made_pdf(Heading("Deep", 3), Heading("Top"), Heading("Deep", 3)))[2] == "1"


def test_every_page_has_its_header_and_number() -> None:
    data = made_pdf(Heading("One"), Heading("Two", new_page=True))
    pages = [page.extract_text() for page in pdf.reader(data).pages]
    assert ["Northwind Water" in page and "A7K-M3Q-9T" in page for page in pages] == [True, True]
    assert [f"Page {n} of 2" in page for n, page in enumerate(pages, start=1)] == [True, True]


def test_turkish_letters_are_unchanged() -> None:
    assert printable(TURKISH) == TURKISH
    assert TURKISH in pdf.words(made_pdf(Wording("said", TURKISH), language="tr"))


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
def test_text_that_looks_like_markup_is_printed_as_written(attempt: str) -> None:
    content = pdf.words(
        made_pdf(Wording("said", attempt), Fields(((attempt, attempt),)), Rows((attempt,), ((attempt,),)))
    )
    assert content.count(" ".join(attempt.split())) == 5


def test_bold_is_only_in_our_own_text_and_other_stars_are_printed() -> None:
    assert "**not bold**" in pdf.words(made_pdf(Wording("said", "**not bold**")))


@pytest.mark.parametrize(
    ("written", "printed"),
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
def test_characters_missing_from_the_fonts_or_invisible_are_printed_as_code_points(
    written: str, printed: str
) -> None:
    assert printable(written) == printed
    assert " ".join(printed.split()) in pdf.words(made_pdf(Wording("said", written)))


def test_joining_characters_between_letters_are_kept() -> None:
    persian = "می\u200cخواهم"
    assert printable(persian) == persian
    assert made_pdf(Wording("said", persian))


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "שלום עולם", "Merhaba مرحبا 123"])
def test_right_to_left_text_is_printed(text: str) -> None:
    letters = {letter for letter in text if letter.isalpha()}
    assert letters <= set(
        pdf.text(made_pdf(Wording("said", text), Wording("said", f"first line\n{text}\nlast")))
    )


def test_a_text_of_a_hundred_thousand_characters_is_complete() -> None:
    text = " ".join(f"word{n}" for n in range(11_000))[:100_000]
    data = made_pdf(Wording("said", text))
    content = pdf.words(data)
    assert [word for word in text.split() if word not in content] == []


def test_a_word_longer_than_a_page_is_broken_and_complete() -> None:
    data = made_pdf(Wording("said", "x" * 20_000))
    assert pdf.text(data).count("x") == 20_000
    assert len(pdf.reader(data).pages) > 2


@pytest.mark.parametrize("family", FAMILIES)
def test_every_character_listed_for_a_font_is_in_it(family: str) -> None:
    starts, ends = _covered()[family]
    letters = [
        chr(code_point)
        for start, end in zip(starts, ends, strict=True)
        for code_point in range(start, end + 1)
    ]
    parts = [letters[offset : offset + 500] for offset in range(0, len(letters), 500)]
    assert len(letters) > 2000
    assert [part for part in parts if not covers(family, " ".join(part))] == []


def test_any_text_can_be_printed() -> None:
    # PDF/A forbids a character without a glyph: every mix of characters must be printed as something.
    chance = random.Random(7)
    text = "".join(
        chr(
            chance.choice(
                (chance.randrange(0x20, 0x300), chance.randrange(0x300, 0x3000), chance.randrange(0x11_0000))
            )
        )
        for _ in range(6000)
    )
    assert made_pdf(Wording("said", text), Fields((("Name", text[:500]),)))


def test_an_image_is_printed_with_its_caption() -> None:
    image_blocks = list(pictures(LABELS, [StoredPicture(2, png()), StoredPicture(3, b"no picture")]))
    assert [type(block) for block in image_blocks] == [Heading, Picture]
    data = made_pdf(*image_blocks)
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
def test_a_damaged_image_stays_an_enclosure(data: bytes) -> None:
    assert _as_svg(data) is None


def test_a_damaged_image_does_not_stop_the_file() -> None:
    broken = png()[:45] + b"\0" * 30
    assert _as_svg(broken) is not None
    image_blocks = list(pictures(LABELS, [StoredPicture(1, broken), StoredPicture(2, png())]))
    assert [block.caption for block in image_blocks if isinstance(block, Picture)] == ["Enclosure 2"]
