"""No cell that the product writes is a formula, in CSV or after a spreadsheet program split at another separator."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.csv_cells import csv_cell, text_of_cell
from tests.source import ROOMS, ROOT
from triage.example import Example
from triage.learning.own_history import HistoryRow, read_history_file, write_history_file

PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠SUM(A1)", " =1+1", '"=1+1',
    "=HYPERLINK(\"http://x\",\"y\")", "=cmd|' /C calc'!A0", "a;=1+1", "a,=1+1", "a\t=1+1", "a|=1+1", "a\n=1+1",
    "a\r\n-2+3", "'=1+1", "''=1+1", "=", "'", "a; \"=1",
)  # fmt: skip
BEGINS = tuple("=+-@\t\r＝＋－＠")
TEXTS = st.text(st.sampled_from("=+-@'\";,|\t\r\n a1＝＠"), max_size=12)


def cells_of(text: str) -> list[str]:
    """The cells that programs with different separators find in a file with this text."""
    written = io.StringIO(newline="")
    csv.writer(written).writerow(("before", csv_cell(text), "after"))
    lines = written.getvalue()
    cells = next(csv.reader(io.StringIO(lines, newline="")))
    for separator in ";,\t|":
        for line in lines.splitlines():
            cells += line.split(separator)
    return [cell.lstrip(' "\xa0') for cell in cells if cell]


@pytest.mark.parametrize("text", PAYLOADS)
def test_no_payload_begins_a_cell_with_a_formula(text: str) -> None:
    assert [cell for cell in cells_of(text) if cell.startswith(BEGINS)] == []


@given(TEXTS)
def test_any_text_is_shown_and_reads_back_as_it_was(text: str) -> None:
    assert [cell for cell in cells_of(text) if cell.startswith(BEGINS)] == []
    assert text_of_cell(csv_cell(text)) == text


@pytest.mark.parametrize("value", [-1, 0.5, None, "The water - brown - is cold", "a@b.example", "1-2"])
def test_numbers_and_ordinary_text_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == value


@given(TEXTS.filter(str.strip))
def test_a_history_file_keeps_the_words_and_holds_no_formula(text: str) -> None:
    row = HistoryRow(Example(text, "money", 2, "en", datetime(2026, 11, 3, tzinfo=UTC)))
    assert read_history_file(write_history_file([row])) == [row]


def test_every_csv_file_is_written_through_these_cells_and_no_spreadsheet_is_written() -> None:
    writers, spreadsheets = set(), set()
    named = re.compile(r"\b(?:csv|openpyxl|xlsxwriter|xlwt|odf)\b")
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        # Parsing every module takes seconds.
        if not named.search(source):
            continue
        tree = ast.parse(source)
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imported = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if "csv" in imported and names & {"writer", "DictWriter"}:
            path = file.relative_to(ROOT).as_posix()
            assert "complaints.csv_cells" in imported, path
            writers.add(path)
        spreadsheets |= {
            name for name in imported if name.split(".")[0] in {"openpyxl", "xlsxwriter", "xlwt", "odf"}
        }
    assert writers == {
        "amends/cli/triage/labelled_files.py", "reports/output/measures_csv.py", "triage/learning/own_history.py",
    }  # fmt: skip
    assert spreadsheets == set()
