"""Labelled complaints from a CSV file: columns by name, refused rows with reasons, encodings."""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import ReadingOptions, read_examples, require_examples
from triage.csv.reader import RefusedRow
from triage.errors import UnknownColumn, UnreadableTable
from triage.example import Example
from triage.text import DETECTED_LANGUAGES

ALL = ColumnNames("Words", "Kind", "Grade", "Lang", "When")


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("Lang,Kind,Words,Grade,When\nen,money,Too dear,2,2026-01-31\n", encoding="utf-8")
    table = read_examples(file, columns=ALL)
    assert table.examples == (Example("Too dear", "money", 2, "en", datetime(2026, 1, 31, tzinfo=UTC)),)
    assert table.refused == ()


def test_a_missing_column_is_named_with_the_remedy() -> None:
    with pytest.raises(UnknownColumn, match=r"no column 'kind'; it has 'text', 'label'.*--category"):
        read_examples(b"text,label\na,b\n", columns=ColumnNames(category="kind"))
    with pytest.raises(UnknownColumn, match=r"as the category usually is; it has 'text', 'x'.*--category"):
        read_examples(b"text,x\na,b\n")


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("text,label_category,label_severity,language,source", ("text", "label_category", "label_severity")),
        (
            "Consumer complaint narrative,Product,Urgency",
            ("Consumer complaint narrative", "Product", "Urgency"),
        ),
        ("Beschreibung,Kategorie,Dringlichkeit", ("Beschreibung", "Kategorie", "Dringlichkeit")),
        ("Açıklama,KONU,Öncelik", ("Açıklama", "KONU", "Öncelik")),
        ("id,Message,Topic", ("Message", "Topic", None)),
    ],
)
def test_columns_that_are_not_named_are_found_by_their_usual_names(
    header: str, names: tuple[str, str, str | None]
) -> None:
    table = read_examples(f"{header}\n{','.join('a' * (header.count(',') + 1))}\n".encode())
    assert (table.columns["text"], table.columns["category"], table.columns.get("severity")) == names
    assert set(table.guessed) == set(table.columns)


def test_a_named_column_is_found_in_another_case_and_a_doubled_one_is_refused() -> None:
    assert read_examples(b"TEXT,Kind\na,b\n", columns=ColumnNames("text", "kind")).examples == (
        Example("a", "b"),
    )
    with pytest.raises(UnknownColumn, match=r"2 columns 'text' \(numbers 1 and 3\): rename"):
        read_examples(b"text,category,text\na,b,c\n", columns=ColumnNames("text"))
    with pytest.raises(UnknownColumn, match="2 columns 'Text'"):
        read_examples(b"Text,category,text\na,b,c\n")


def test_a_duplicate_column_that_is_not_needed_is_ignored() -> None:
    table = read_examples(b"note,text,category,note\nx,a,b,y\n")
    assert table.examples == (Example("a", "b"),)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbf", "no header line"),
        (b"PK\x03\x04" + bytes(100), "Excel workbook.*Save it as CSV"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (bytes(range(32)) * 50, "no text"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
        (gzip.compress(b"text,category\n" + b"a,b\n" * 9_999, mtime=0)[:-20], "damaged"),
        (b'text,category\n"never closed,' + b"a" * 1_000_001, "quotation mark left open"),
        (b"\xff\xfet\x00e\x00x", "not valid utf-16"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_remedy(raw: bytes, message: str) -> None:
    with pytest.raises(UnreadableTable, match=f"(?s){message}"):
        read_examples(raw)


def test_a_directory_and_a_missing_file_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="is a directory: name one CSV"):
        read_examples(tmp_path)
    with pytest.raises(UnreadableTable, match=r"gone\.csv does not exist"):
        read_examples(tmp_path / "gone.csv")


def test_a_header_alone_and_a_column_without_any_category_are_different_errors() -> None:
    with pytest.raises(UnreadableTable, match="header line and no rows"):
        require_examples(read_examples(b"text,category\n,\n"))
    with pytest.raises(UnknownColumn, match="column 'category' is empty"):
        require_examples(read_examples(b"text,category\na,\nb, \n"))
    require_examples(read_examples(b"text,category\na,\nb,money\n"))


def test_rows_without_a_category_are_counted_and_are_no_examples() -> None:
    table = read_examples(b"text,category\na,\nb,money\nc,  \n")
    assert (table.rows, table.unlabelled, len(table.examples), table.refused) == (3, ("a", "c"), 1, ())


def test_refused_rows_have_a_line_and_a_reason_without_their_words() -> None:
    raw = (
        b"Words,Kind,Grade,Lang,When\n"
        b"a,money,2,en,\n"
        b",money,2,en,\n"
        b"b,,2,en,\n"
        b"c,money,9,en,\n"
        b"d,money,awful,en,\n"
        b"e,money,2,en,last week\n"
        b"f,money\n"
        b"\n"
        b'"two\nlines",money,,,\n'
        b"g,nonsense,,,\n"
    )
    table = read_examples(raw, columns=ALL, categories={"money"})
    assert [example.text for example in table.examples] == ["a", "two\nlines"]
    assert table.refused == (
        RefusedRow(3, "no text"),
        RefusedRow(5, "severity is neither a whole number from 1 to 5 nor a known word"),
        RefusedRow(6, "severity is neither a whole number from 1 to 5 nor a known word"),
        RefusedRow(7, "date is not written in a known way, such as 2026-01-31"),
        RefusedRow(8, "2 fields instead of 5"),
        RefusedRow(12, "unknown category 'nonsense'"),
    )


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1254", "iso8859-9"]
)
def test_usual_encodings_are_recognised(encoding: str) -> None:
    raw = "text,category\nŞikâyetim çözülmedi\tyine,handling\n".encode(encoding)
    assert read_examples(raw).examples == (Example("Şikâyetim çözülmedi\tyine", "handling"),)


@pytest.mark.parametrize(
    ("code_page", "text"),
    [
        ("cp1252", "Der Müller hat die falsche Größe für 30 € geliefert"),
        ("cp1252", "They charged £30 for “nothing” at the café – that’s theft"),
        ("cp1252", "Le vendeur n’a pas voulu échanger l’appareil défectueux à Noël"),
        ("cp1252", "Keine Rückmeldung"),
        ("cp1252", "£5 extra"),
        ("cp1254", "İstanbul şubesinde bana kötü davranıldı ve ücret iade edilmedi"),
        ("cp1254", "Kargo gelmedi ayıp"),
        ("cp1250", "Zamówienie nie zostało dostarczone proszę o zwrot pieniędzy"),
        ("iso8859_2", "Objednávka nebyla doručena žádám o vrácení peněz"),
    ],
)
def test_an_old_code_page_is_recognised_by_the_language_of_its_words(code_page: str, text: str) -> None:
    table = read_examples(f"text,category\n{text},x\n".encode(code_page))
    assert [example.text for example in table.examples] == [text]


def test_a_letter_beyond_ascii_far_into_a_large_file_is_read() -> None:
    raw = b"text,category\n" + "büyük hata,money\n".encode("cp1254") * 3 + b"plain,money\n" * 100_000
    raw += "ödeme,money\n".encode("cp1254")
    assert read_examples(raw).examples[-1].text == "ödeme"


def test_a_gzip_file_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "history.csv.gz"
    file.write_bytes(gzip.compress(b"text,category\na,b\n", mtime=0))
    assert read_examples(file).examples == (Example("a", "b"),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_delimiters_are_recognised(delimiter: str) -> None:
    raw = f"text{delimiter}category\nno water{delimiter}supply\r\n".encode()
    assert read_examples(raw).examples == (Example("no water", "supply"),)


def test_delimiters_within_quotation_marks_are_not_counted() -> None:
    raw = b'"text, in their words, unedited";"category, ours"\n"a, b, c";x\n"d; e";y\n'
    table = read_examples(raw, columns=ColumnNames("text, in their words, unedited", "category, ours"))
    assert table.examples == (Example("a, b, c", "x"), Example("d; e", "y"))


def test_the_line_that_names_the_delimiter_for_excel_is_no_header() -> None:
    table = read_examples(b"sep=;\r\ntext;category\r\na, b;x\r\n;x\r\n")
    assert table.examples == (Example("a, b", "x"),)
    assert table.refused == (RefusedRow(4, "no text"),)


def test_a_column_with_a_different_value_in_most_rows_is_no_category() -> None:
    raw = b"text,category\n" + b"".join(b"words %d,number %d\n" % (n, n) for n in range(40))
    with pytest.raises(UnknownColumn, match="40 different values in 40 rows: that is no category"):
        require_examples(read_examples(raw))


def test_macintosh_line_breaks_and_empty_cells_at_the_end_are_read() -> None:
    assert len(read_examples(b"text;category\ra;x;;\rb;y\r").examples) == 2
    assert read_examples(b"text;category;date\n;;\na;x;\n").rows == 1


def test_labels_that_differ_in_case_blanks_and_hyphens_are_the_same() -> None:
    raw = b"text,category\na,Money \nb,MONEY\nc,staff  conduct\nd,Staff-Conduct\ne,Staff-Conduct\n"
    commonest = read_examples(raw)
    preferred = read_examples(raw, preferred_labels=("money", "staff_conduct"))
    assert [example.category for example in commonest.examples] == ["MONEY", "MONEY", *["Staff-Conduct"] * 3]
    assert commonest.spellings == {"Money": "MONEY", "staff conduct": "Staff-Conduct"}
    assert {example.category for example in preferred.examples} == {"money", "staff_conduct"}


def test_a_named_encoding_and_delimiter_replace_detection() -> None:
    raw = "text;category\nyanlış;a,b\n".encode("cp1254")
    options = ReadingOptions(encoding="cp1252", delimiter=";")
    assert read_examples(raw, options=options).examples == (Example("yanlýþ", "a,b"),)
    with pytest.raises(UnreadableTable, match="no encoding called 'klingon'"):
        read_examples(raw, options=ReadingOptions(encoding="klingon"))
    with pytest.raises(UnreadableTable, match="not valid utf-8"):
        read_examples(raw, options=ReadingOptions(encoding="utf-8"))
    with pytest.raises(UnreadableTable, match="damaged"):
        read_examples(gzip.compress(raw * 9, mtime=0)[:-12], options=ReadingOptions(encoding="cp1254"))
    marked = read_examples(
        "text,category\na,b\n".encode("utf-8-sig"), options=ReadingOptions(encoding="utf-8")
    )
    assert marked.examples == (Example("a", "b"),)


def test_words_in_the_column_of_categories_are_not_repeated() -> None:
    raw = b"text,category\nmoney," + b"my secret words " * 9 + b"\n"
    (refused,) = read_examples(raw, categories={"money"}).refused
    assert refused == RefusedRow(2, "unknown category longer than any can be")


def test_an_organisations_own_labels_become_built_in_codes() -> None:
    options = ReadingOptions(values={"category": {"Billing": "money"}, "severity": {"sev a": "5"}})
    table = read_examples(b"text,category,severity\na,BILLING,Sev A\n", options=options)
    assert table.examples == (Example("a", "money", 5),)


@pytest.mark.parametrize(
    ("cell", "severity"),
    [("4", 4), ("4.0", 4), ("critical", 5), ("Normal", 2), ("HIGH", 4), ("low", 2), ("immediate", 5), ("", None),
     ("Yüksek", 4), ("düşük", 2), ("hoch", 4), ("niedrig", 2), ("yes", 4), ("no", 2)],
)  # fmt: skip
def test_severities_are_read_as_numbers_or_words(cell: str, severity: int | None) -> None:
    table = read_examples(
        f"text,category,severity\na,b,{cell}\n".encode(), columns=ColumnNames(severity="severity")
    )
    assert [example.severity for example in table.examples] == [severity]


def test_a_column_found_by_its_usual_name_refuses_no_row() -> None:
    table = read_examples(b"text,category,priority,date,language\na,b,blue,whenever,??\n")
    assert table.examples == (Example("a", "b"),)
    assert table.unread == {"severity": 1, "at": 1, "language": 1}


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-01-31", (2026, 1, 31)), ("2026-01-31T10:00:00Z", (2026, 1, 31)),
        ("2026-01-31 10:00 UTC", (2026, 1, 31)),
        ("31.01.2026", (2026, 1, 31)), ("31.01.26 14:05", (2026, 1, 31)), ("31/01/2026", (2026, 1, 31)),
        ("01/31/2026", (2026, 1, 31)), ("03/04/2026", (2026, 4, 3)), ("31 January 2026", (2026, 1, 31)),
        ("Jan 31, 2026", None), ("1769817600", (2026, 1, 31)), ("Sat, 31 Jan 2026 10:00:00 +0000", (2026, 1, 31)),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_usually_written(cell: str, day: tuple[int, int, int] | None) -> None:
    table = read_examples(f'text;category;at\na;b;"{cell}"\n'.encode())
    at = table.examples[0].at
    assert at is not None
    assert (at.year, at.month, at.day) == (day or (2026, 1, 31))


def test_the_whole_column_shows_whether_dates_begin_with_the_day_or_the_month() -> None:
    raw = b"text,category,at\na,b,03/04/2026\nc,d,03/25/2026\n"
    assert [example.at and example.at.month for example in read_examples(raw).examples] == [3, 3]


@pytest.mark.parametrize("text", ["😡😡😡", "<p> <br/></p>", "…?!", "\x00\x00"])
def test_a_text_without_words_is_refused(text: str) -> None:
    table = read_examples(f"text,category\n{text},money\nwords,money\n".encode())
    assert [row.line for row in table.refused] == [2]
    assert len(table.examples) == 1


def test_long_mixed_and_marked_up_texts_are_read_whole() -> None:
    long = "kelime слово word " * 6_000
    table = read_examples(f'text,category\n"{long}",a\n"<b>bold</b> 😡 ok\x00ok",b\n'.encode())
    assert len(table.examples[0].text) > 100_000
    assert table.examples[1].text == "<b>bold</b> 😡 ok ok"


def test_languages_are_read_or_guessed_for_each_row() -> None:
    raw = (
        "text,category,language\nThe bill is wrong and nobody answers,money,EN-gb\n"
        "Faturam yanlış geldi ve kimse cevap vermiyor,money,\nThe bill is wrong again,money,Turkish\n"
    ).encode()
    guessed = read_examples(raw, options=ReadingOptions(languages=("en", "tr")))
    assert [example.language for example in guessed.examples] == ["en", "tr", "tr"]
    assert [example.language for example in read_examples(raw).examples] == ["en", None, "tr"]


def test_a_language_that_is_not_named_is_guessed_among_all() -> None:
    texts = ("on m'a facturé deux fois", "le colis n'est jamais arrivé", "l'employé était très grossier")
    rows = [f"{text} et je suis déçu de votre réponse,x" for text in texts] * 3 + ["ok,y"]
    table = read_examples(
        "\n".join(["text,category", *rows]).encode(), options=ReadingOptions(languages=DETECTED_LANGUAGES)
    )
    assert {row.language for row in table.examples} == {"fr"}


def test_comment_lines_are_skipped_where_they_are_allowed() -> None:
    raw = b"# how to fill this in, briefly\ntext,category\n# another\na,b\n,c\n"
    table = read_examples(raw, options=ReadingOptions(comments=True))
    assert (len(table.examples), table.refused) == (1, (RefusedRow(5, "no text"),))


def test_progress_is_reported_in_bytes() -> None:
    calls: list[tuple[int, int]] = []
    raw = b"text,category\n" + b"some words,x\n" * 1_500
    read_examples(raw, progress=lambda done, total: calls.append((done, total)))
    assert calls == sorted(calls)
    assert calls[-1] == (len(raw), len(raw))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(UnreadableTable):
        read_examples(raw)
