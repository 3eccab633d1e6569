"""Writes docs/clauses.md from the table: each clause with its control, code and tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from reports.clauses.count import marked_with, turned_red
from reports.clauses.evidence import Clause
from reports.clauses.table import CLAUSES, EDITIONS

FILE = "docs/clauses.md"
_HEAD = """# Clauses

Every clause and annex of ISO 10002, with the numbers of 2004: what it demands, which control meets it, where the
control is in the code, which tests cover it, and what the record is asked. `amends clauses` asks the record today:

    amends clauses                        # each clause, its status, the evidence in a line
    amends clauses --json                 # the same with code, tests, figures and every violation
    amends clauses --case A7K-M3Q-9T      # what the record of one complaint shows of each clause, event by event

It reads the whole record once, page by page, and checks the hash chain. It ends with exit code 1 if a clause is
violated.

| status | meaning |
|---|---|
| met | there is a query, a test shows that it finds a violation, and the record has none today |
| violated | the record violates it: references with what to do, or a share of ten or more below its target |
| no evidence yet | there is a control and a query, and the record has nothing of the kind yet |
| not yet | a part of what the clause demands is not built; the page names it, and the evidence so far |

Lateness is a figure and not a violation, with two exceptions. The acknowledgement must be in time (7.4: 99 %). The
complainant must not be left without a message: an update, an acknowledgement, a decision or the outside bodies, one
working day after it was due.

Evidence is the result, not the intention. An act by which we wrote to the complainant counts only with a message
that a channel accepted or a person passed on. Monitoring (8.4) is met only if a report was made and delivered in
the last 91 days, from the command line or in Slack. A letter counts as "spoken" only if it is in the language in
which the person writes, as detected.

Simulated contacts (8.3) and imported past complaints are counted but not checked. A violation contains references,
event numbers and what to do, and never a person's words.

`make docs` writes this page, and a test keeps it current.
"""


def page() -> str:
    rows = (_wrapped(line) for clause in CLAUSES for line in _section(clause))
    return _HEAD + "\n" + "\n".join(_editions()) + "\n" + "\n".join(rows)


def _wrapped(item: str) -> str:
    """Break a list item at 120 columns and indent what follows below its text."""
    below = " " * (len(item) - len(item.lstrip()) + 2)
    return fill(item, 120, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def _editions() -> Iterator[str]:
    yield "## Editions"
    yield ""
    yield "2014 keeps the numbers of 2004. In 2018 these change; the others stay."
    yield ""
    yield "| 2004 | 2018 |"
    yield "|---|---|"
    for number, later in EDITIONS["2018"].items():
        if later != number:
            yield f"| {number} | {later} |"
    yield ""


def _section(clause: Clause) -> Iterator[str]:
    yield f"## {clause.id} {clause.title}"
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
        yield f"- **Tests:** {len(tests)}"
        for file in dict.fromkeys(test.split("::")[0] for test in tests):
            names = [test.split("::")[1] for test in tests if test.split("::")[0] == file]
            sentences = "; ".join(name.removeprefix("test_").replace("_", " ") for name in names)
            yield f"    - `{file}`: {sentences}"
    yield ""


if __name__ == "__main__":
    Path(FILE).write_text(page(), encoding="utf-8")
