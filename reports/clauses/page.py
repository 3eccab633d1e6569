"""docs/clauses.md: clause to control to code to tests, written from the same table as the count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reports.clauses.clause import Clause
from reports.clauses.count import marked_with, turned_red
from reports.clauses.table import CLAUSES, EDITIONS

FILE = "docs/clauses.md"
_HEAD = """# Clauses

Every clause and annex of ISO 10002 (numbers of 2004): what it demands, what of ours meets it, where in the code,
which tests, what the record is asked. `amends clauses` asks the record today:

    amends clauses                        # each clause, how it stands, the evidence in a line
    amends clauses --json                 # the same with code, tests, figures and every violation
    amends clauses --case A7K-M3Q-9T      # what one complaint's record shows of each, event by event

It reads the whole record once, page by page, and checks the chain. It ends with 1 if a clause is violated.

| stands | means |
|---|---|
| met | the record can be asked, a test turns it red by a record that breaks it, and today's breaks nothing |
| violated | the record breaks it: references with what to do; or a share of ten or more is below its target |
| no evidence yet | there is a control and a query, and the record holds nothing of the kind yet |
| not yet | something that the clause demands is not built; what it lacks is named, and what the record has so far |

Being late is a figure, not a violation, but for the acknowledgement (7.4: 99 % in time) and where the complainant is
left without a word: an update, an acknowledgement, a decision or the outside bodies, a working day after they were
due. Simulated contacts (8.3) and imported past complaints are counted and asked nothing. A violation never holds a
word of anybody's: references, numbers of events, what to do.

Written by `make docs`; a test keeps it current.
"""


def page() -> str:
    """The whole page."""
    return (
        _HEAD + "\n" + "\n".join(_editions()) + "\n" + "\n".join(line for one in CLAUSES for line in _of(one))
    )


def _editions() -> Iterator[str]:
    yield "## Editions"
    yield ""
    yield "2014 keeps the numbers of 2004. In 2018 the following move; the others keep theirs."
    yield ""
    yield "| 2004 | 2018 |"
    yield "|---|---|"
    for number, later in EDITIONS["2018"].items():
        if later != number:
            yield f"| {number} | {later} |"
    yield ""


def _of(one: Clause) -> Iterator[str]:
    yield f"## {one.id} {one.title}"
    yield ""
    yield f"- **Demand:** {one.demand}"
    yield f"- **Control:** {one.control}"
    if one.code:
        yield f"- **Code:** {', '.join(f'`{name}`' for name in one.code)}"
    if one.shows:
        yield f"- **Evidence:** {one.shows}{'' if one.of or turned_red(one.id) else ' (no red test)'}"
    if one.of:
        yield f"- **Sums up:** {', '.join(one.of)}"
    if one.lacks is not None:
        yield f"- **Lacks:** {one.lacks}"
    tests = marked_with(one.id)
    if tests:
        yield f"- **Tests:** {len(tests)}"
        for file in dict.fromkeys(test.split("::")[0] for test in tests):
            names = [test.split("::")[1] for test in tests if test.split("::")[0] == file]
            said = "; ".join(name.removeprefix("test_").replace("_", " ") for name in names)
            yield f"    - `{file}`: {said}"
    yield ""


if __name__ == "__main__":
    Path(FILE).write_text(page(), encoding="utf-8")
