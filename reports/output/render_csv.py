"""A report as CSV for a spreadsheet: one line for each cell; and the stored measures, one line for each complaint."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from complaints.csv_cells import csv_cell
from complaints.measures.row import MARK_KEYS, CaseMeasures, read_details, read_marks
from complaints.times import format_time
from reports.document import Report
from reports.output.outline import all_tables
from reports.output.render_json import cell_value
from reports.output.wording import ReportTexts, in_words

COLUMNS = (
    "table", "row", "column", "row_title", "column_title", "words", "value", "low", "high", "numerator",
    "denominator",
)  # fmt: skip
#: The parts of a JSON cell that have columns of their own.
_PARTS = ("value", "low", "high", "numerator", "denominator")


def as_csv(report: Report, texts: ReportTexts) -> str:
    """Every table, cell by cell, so that tables of any shape share one header; the lines end in CR LF.

    `row` counts from 1. The first cell of a row is its title. Numbers have a decimal point in every language.
    """
    lines = [_line(COLUMNS)]
    for table in all_tables(report):
        heads = [in_words(column.title, texts) for column in table.columns]
        for number, row in enumerate(table.rows, 1):
            for column, head, cell in zip(table.columns, heads, row, strict=True):
                value = cell_value(cell, texts)
                parts = value if isinstance(value, dict) else {"value": value}
                where = (table.id, number, column.id, in_words(row[0], texts), head, in_words(cell, texts))
                lines.append(_line((*where, *(_simple(parts.get(name)) for name in _PARTS))))
    return "".join(lines)


def _simple(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) and not isinstance(value, bool) else None


#: What a line of `measures_csv` leaves out: the encoded columns, which it has in words, and those that name staff.
_ENCODED = ("rulebook_id", "marks", "pending", "stages", "details")
_PLAIN = tuple(name for name in CaseMeasures._fields if name not in _ENCODED)


def measures_csv(rows: Iterable[CaseMeasures]) -> Iterator[str]:
    """A header line, then one for each complaint; times in UTC.

    `KEY_of` has how often the share KEY counted, and `KEY` how often it was a success.
    """
    shares = [name for key in MARK_KEYS for name in (key, f"{key}_of")]
    yield _line([*_PLAIN, *shares, "redress"])
    for row in rows:
        counts = Counter[str]()
        for key, _, success in read_marks(row.marks):
            counts[key] += success
            counts[f"{key}_of"] += 1
        redress = (
            f"{promised / 100:.2f} {currency} promised, {paid / 100:.2f} paid"
            for currency, (promised, paid) in sorted(read_details(row).get("redress", {}).items())
        )
        values = row._asdict()
        yield _line(
            [
                *(_plain(values[name]) for name in _PLAIN),
                *(counts[name] for name in shares),
                "; ".join(redress),
            ]
        )


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return format_time(value) if isinstance(value, datetime) else value


def _line(values: Iterable[Any]) -> str:
    output = StringIO()
    csv.writer(output).writerow("" if value is None else csv_cell(value) for value in values)
    return output.getvalue()
