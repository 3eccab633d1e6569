"""Every kind of report (clause 8), and what `amends report --help` says of it.

A kind is one line here and a function in `amends.reports.builders`. It is then a command, a word of
`/complaints report` and of the setting `[[reports]]`, and tested with every bad input.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Format(StrEnum):
    MD = "md"
    JSON = "json"
    PDF = "pdf"


class ReportKind(NamedTuple):
    """With `has_chain`, the function also takes the `proof` from the check of the whole record."""

    summary: str
    has_chain: bool = False


KINDS: Mapping[str, ReportKind] = {
    "monitoring": ReportKind(
        "How the handling went (8.4): in time, how long, what is open.",
        has_chain=True,
    ),
    "analysis": ReportKind("What people complain about and what changed (8.2): causes, rates, spikes."),
    "satisfaction": ReportKind(
        "What people answered (8.3), and who answered.",
    ),
    "equal_treatment": ReportKind(
        "Time and outcome by language, channel and support need (4.5).",
    ),
    "collection": ReportKind("What was kept, asked for, erased, copied, checked and published (8.1)."),
    "public": ReportKind("The figures for the public (8.1), as `amends publish` shows them."),
    "returns": ReportKind("The returns to regulators, each field with its source."),
    "audit": ReportKind("What audits found, each clause, the last check (8.5, H)."),
    "review": ReportKind("The pack for the management review (8.6).", has_chain=True),
}
