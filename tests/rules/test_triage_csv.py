"""Reading labelled complaints from a CSV: columns by name, encodings, refused rows with reasons."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.csvfile import Columns, Refused, read_examples
from triage.errors import UnreadableTable
from triage.example import Example

ALL = Columns("Words", "Kind", "Grade", "Lang", "When")


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("Lang,Kind,Words,Grade,When\nen,money,Too dear,2,2026-01-31\n", encoding="utf-8")
    table = read_examples(file, columns=ALL)
    assert table.examples == (Example("Too dear", "money", 2, "en", datetime(2026, 1, 31, tzinfo=UTC)),)
    assert table.refused == ()


def test_a_missing_column_is_named_with_the_remedy() -> None:
    with pytest.raises(UnreadableTable, match=r"no column 'category'; it has 'text', 'label'.*--category"):
        read_examples(b"text,label\na,b\n")


def test_an_empty_file_has_no_columns() -> None:
    with pytest.raises(UnreadableTable, match="no column"):
        read_examples(b"")


def test_refused_rows_are_told_by_line_and_reason_without_their_words() -> None:
    raw = (
        b"Words,Kind,Grade,Lang,When\n"
        b"a,money,2,en,\n"
        b",money,2,en,\n"
        b"b,,2,en,\n"
        b"c,money,9,en,\n"
        b"d,money,high,en,\n"
        b"e,money,2,en,last week\n"
        b"f,money\n"
        b"\n"
        b'"two\nlines",money,,,\n'
        b"g,nonsense,,,\n"
    )
    table = read_examples(raw, columns=ALL, categories={"money"})
    assert [example.text for example in table.examples] == ["a", "two\nlines"]
    assert table.refused == (
        Refused(3, "no text"),
        Refused(4, "no category"),
        Refused(5, "severity is no whole number from 1 to 5"),
        Refused(6, "severity is no whole number from 1 to 5"),
        Refused(7, "date is not in ISO 8601"),
        Refused(8, "2 fields instead of 5"),
        Refused(12, "unknown category 'nonsense'"),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1254"])
def test_usual_encodings_are_recognised(encoding: str) -> None:
    raw = "text,category\nŞikâyetim çözülmedi,handling\n".encode(encoding)
    assert read_examples(raw).examples == (Example("Şikâyetim çözülmedi", "handling"),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_delimiters_are_recognised(delimiter: str) -> None:
    raw = f"text{delimiter}category\nno water{delimiter}supply\r\n".encode()
    assert read_examples(raw).examples == (Example("no water", "supply"),)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(UnreadableTable):
        read_examples(raw)
