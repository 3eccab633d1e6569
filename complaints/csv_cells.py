"""Text in CSV files: a spreadsheet program shows it and never calculates it."""

import re
from typing import Any

#: What begins a formula, also in full-width forms, where a cell or a line begins. A spreadsheet program may split at
#: another separator than ours, and then a cell begins within our text.
_FORMULA = re.compile(r"((?:^|[\t\r\n;,|])[ \"\u00a0]*)(?='*[=+\-@\t\r＝＋－＠])")
_MARKED = re.compile(_FORMULA.pattern.replace("(?=", "'(?="))


def csv_cell(value: Any) -> Any:
    """The value as it may be written: text gets an apostrophe where it would begin a formula; numbers stay."""
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def text_of_cell(cell: str) -> str:
    """The text that `csv_cell` was given."""
    return _MARKED.sub(r"\1", cell)
