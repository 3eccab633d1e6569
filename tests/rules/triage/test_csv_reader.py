"""The one reader of foreign CSV files: encodings, delimiters, line numbers, and files that are damaged or no CSV."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.csv.reader import CsvRow, read_csv
from triage.errors import UnreadableTable


def rows(raw: bytes, **options: object) -> list[CsvRow]:
    """All rows of a file."""
    return list(read_csv(raw, **options).rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Nieprawidłowy rachunek za wodę, proszę o zwrot pieniędzy"),
        ("cp1250", "A számla hibás, kérem a pénzt vissza, senki sem válaszolt őszintén"),
        ("cp1250", "Odstępy w\xa0fakturze są błędne"),
        ("iso8859_2", "Objednávka nebyla doručena žádám o vrácení peněz"),
        ("iso8859_2", "Odstępy w fakturze są błędne"),
        ("cp1251", "Счёт неправильный, верните деньги пожалуйста"),
        ("cp1251", "Сметката е грешна и никой не отговаря"),
        ("koi8_r", "Счёт неправильный, верните деньги пожалуйста"),
        ("cp1252", "La bolletta non è corretta"),
        ("cp1252", "Fru Håkansson får ikke svar på klagen, den er på vei"),
        ("cp1252", "She said “no” and left us waiting… £5 lost"),
        ("cp1252", "The service was late—again—and nobody answered"),
        ("cp1252", "Pedido nº 13, no ha llegado"),
        ("cp1253", "Ο λογαριασμός είναι λάθος και κανείς δεν απαντά"),
        ("cp1254", "Faturam yanlış geldi ve kimse çağrıma cevap vermiyor"),
        ("cp1255", "החשבון שגוי ואף אחד לא עונה לטלפון"),
        ("cp1256", "الفاتورة خاطئة ولا أحد يجيب على الهاتف"),
        ("cp1257", "Sąskaita neteisinga ir niekas neatsako į skambučius"),
        ("cp1257", "Rēķins ir nepareizs un neviens neatbild"),
        ("cp850", "Der Müller hat die falsche Größe geliefert, bitte um Rückruf"),
        ("cp852", "Zamówienie nie zostało dostarczone, proszę o zwrot pieniędzy"),
        ("cp857", "İstanbul şubesinde bana kötü davranıldı ve ücret iade edilmedi"),
        ("mac_roman", "Le vendeur n’a pas voulu échanger l’appareil défectueux à Noël"),
        ("mac_roman", "La máquina llegó rota y el señor del teléfono no contestó"),
        ("cp1252", f"{'no answer ' * 300}after the café called"),
        ("utf-16", "Nieprawidłowy rachunek za wodę"),
        ("utf-32", "Nieprawidłowy rachunek za wodę"),
        ("utf-8-sig", "Nieprawidłowy rachunek za wodę"),
    ],
)
def test_the_encodings_that_other_programs_write_are_recognised(encoding: str, text: str) -> None:
    (row,) = rows(f'text;category\n"{text}";money\n'.encode(encoding))
    assert row.cells == [text, "money"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "請求書が間違っています。返金してください。"),
        ("gbk", "账单有误，请退款，没有人接电话"),
        ("euc_kr", "청구서가 잘못되었습니다. 환불해 주세요"),
        ("cp866", "Счёт неправильный, верните деньги пожалуйста"),
    ],
)
def test_an_encoding_that_is_not_recognised_is_refused_with_the_remedy(encoding: str, text: str) -> None:
    raw = f"text;category\n{text};money\n".encode(encoding)
    with pytest.raises(UnreadableTable, match=r"cannot be recognised: save it as UTF-8.*\[file\] encoding"):
        read_csv(raw)
    (row,) = rows(raw, encoding=encoding)
    assert row.cells == [text, "money"]


def test_utf_8_with_a_damaged_line_is_refused_and_not_read_in_a_code_page() -> None:
    lines = ["text;category", *["Ödeme gelmedi;money"] * 3]
    raw = "\n".join(lines).encode() + b"\nr\xfcckruf;money\n"
    with pytest.raises(UnreadableTable, match="line 5 is not: correct it"):
        read_csv(raw)
    with pytest.raises(UnreadableTable, match="line 4 is not"):
        read_csv("\n".join(lines).replace("gelmedi;money", "ş").encode()[:-1])


def test_a_byte_order_mark_and_the_line_for_excel_are_no_part_of_the_header() -> None:
    for text in ("sep=;\r\ntext;category\r\na, b;x\r\n", '\ufeff"sep=;"\ntext;category\na, b;x\n'):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            file = read_csv(text.encode(encoding))
            assert (file.delimiter, file.columns) == (";", ("text", "category"))
            assert list(file.rows) == [CsvRow(3, ["a, b", "x"])]
    assert read_csv(b"sep=^\ntext^category\na^b\n").columns == ("text", "category")


def test_line_breaks_within_quotation_marks_keep_the_line_numbers_right() -> None:
    assert rows(b'text,category\r\n"a\r\nb\r\n""c""",x\r\n\r\nd,x\r\n') == [
        CsvRow(2, ['a\r\nb\r\n"c"', "x"]),
        CsvRow(6, ["d", "x"]),
    ]


def test_a_row_may_be_shorter_or_longer_than_the_header_and_loses_empty_cells_only() -> None:
    assert [row.cells for row in rows(b"a,b\n1\n1,2,,\n1,2,3\n , \n,,,\n")] == [
        ["1"],
        ["1", "2"],
        ["1", "2", "3"],
    ]


def test_nul_bytes_become_spaces() -> None:
    file = read_csv(b"te\x00xt,category\na\x00b,\x00\n")
    assert (file.columns, list(file.rows)) == (("te xt", "category"), [CsvRow(2, ["a b", ""])])


@pytest.mark.parametrize(
    "raw", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xff\xfe", b",,\n1,2,3\n", b'""\n', b"sep=;\n"]
)
def test_a_file_without_a_header_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableTable, match=r"empty|no header line"):
        read_csv(raw)


@pytest.mark.parametrize("strict", [True, False])
def test_a_quotation_mark_left_open_hides_no_rows(strict: bool) -> None:
    raw = b'text,category\na,x\n"b,x\nc,x\nd,x'
    with pytest.raises(UnreadableTable, match="from line 3 on; is a quotation mark left open"):
        rows(raw, strict=strict)


def test_a_quotation_mark_within_a_text_is_refused_where_every_row_counts() -> None:
    raw = b'text,category\n"she said "no" twice",x\n'
    assert rows(raw)[0].cells == ['she said no" twice"', "x"]
    with pytest.raises(UnreadableTable, match="from line 2 on"):
        rows(raw, strict=True)


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", ";;"])
def test_a_delimiter_that_is_none_is_refused(delimiter: str) -> None:
    with pytest.raises(UnreadableTable, match="is no delimiter: write one character"):
        read_csv(b"a,b\n", delimiter=delimiter)


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "a\x00b", "undefined", "ü", "utf-7"])
def test_an_encoding_that_cannot_be_used_is_refused(encoding: str) -> None:
    with pytest.raises(UnreadableTable, match=r"no encoding called|is not valid"):
        rows(b"text,category\n+2AA-\xff,b\n", encoding=encoding)


def test_half_a_character_is_refused_before_it_reaches_the_database() -> None:
    with pytest.raises(UnreadableTable, match="not valid utf-7: a character in line 2"):
        rows(b"text,category\n+2AA-,b\n", encoding="utf-7", delimiter=",")


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused(raw: bytes, strict: bool) -> None:
    for content in (raw, gzip.compress(raw)):
        with suppress(UnreadableTable):
            rows(content, strict=strict)
