"""Writes docs/clauses.md from the table: each clause with its control, code and tests."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill

from reports.clauses import table
from reports.clauses.clause_evidence import Clause
from reports.clauses.count import marked_with, turned_red
from reports.clauses.table import CLAUSES, EDITIONS

FILE = "docs/clauses.md"


def page() -> str:
    rows = (_wrapped(line) for clause in CLAUSES for line in _section(clause))
    head: str = tomllib.loads(table.FILE.read_text(encoding="utf-8"))["page_head"]
    return head + "\n" + "\n".join(rows)


def _wrapped(item: str) -> str:
    """Break a list item at 120 columns and indent what follows below its text."""
    if item.startswith("#"):
        return item
    below = " " * (len(item) - len(item.lstrip()) + 2)
    return fill(item, 120, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def _heading(clause: Clause) -> str:
    """The clause with its number of 2004, and that of 2018 where it is another one."""
    later = EDITIONS["2018"][clause.id]
    is_other = later != clause.id and clause.id != "2018"
    return f"## {clause.id} {clause.title}" + (f" (2018: {_without_brackets(later)})" if is_other else "")


def _without_brackets(number: str) -> str:
    """`4 (charges)` as `4, charges`."""
    return number.replace(" (", ", ").removesuffix(")")


def _section(clause: Clause) -> Iterator[str]:
    yield _heading(clause)
    yield ""
    yield f"- **Demand:** {clause.demand}"
    yield f"- **Control:** {clause.control}"
    if clause.code:
        yield f"- **Code:** {', '.join(f'`{name}`' for name in clause.code)}"
    if clause.shows:
        yield f"- **Evidence:** {clause.shows}{'' if clause.of or turned_red(clause.id) else ' (no red test)'}"
    if clause.of:
        yield f"- **Sums up:** {', '.join(clause.of)}"
    if clause.lacks is not None:
        yield f"- **Lacks:** {clause.lacks}"
    tests = marked_with(clause.id)
    if tests:
        yield f"- **Tests:** {len(tests)}: {_by_folder(tests)}"
    yield ""


def _by_folder(tests: Sequence[str]) -> str:
    """The files of the tests by folder, `tests/FOLDER/test_NAME.py`, each with how many it has if more than one."""
    counts = Counter(Path(test.split("::")[0]) for test in tests)
    folders: dict[str, list[str]] = {}
    for file, count in counts.items():
        name = file.stem.removeprefix("test_")
        folder = file.parent.relative_to("tests").as_posix()
        folders.setdefault(folder, []).append(f"{name} {count}" if count > 1 else name)
    return "; ".join(f"`{folder}`: {', '.join(files)}" for folder, files in folders.items())


if __name__ == "__main__":
    Path(FILE).write_text(page(), encoding="utf-8")
