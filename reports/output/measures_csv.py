"""The stored measures as CSV for a data warehouse: one line for each complaint."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from complaints.csv_cells import csv_cell
from complaints.measures.row import MARK_KEYS, CaseMeasures, read_details, read_marks
from complaints.times import format_time

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
