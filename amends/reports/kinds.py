"""Every kind of report (clause 8): the module that builds it, and what `amends report --help` says of it.

A kind is one line here and a module with `build(store, settings, period, now) -> Report`. It is then a command, a
word of `/complaints report` and of the setting `[[reports]]`, and tested with every bad input.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Format(StrEnum):
    MD = "md"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


class ReportKind(NamedTuple):
    """With `has_chain`, `build` also takes the `proof` from the check of the whole record."""

    module: str
    summary: str
    has_chain: bool = False


KINDS: Mapping[str, ReportKind] = {
    "monitoring": ReportKind(
        "amends.reports.monitoring",
        "How the handling went (8.4): in time, how long, what is open.",
        has_chain=True,
    ),
    "analysis": ReportKind(
        "amends.reports.analysis", "What people complain about and what changed (8.2): causes, rates, spikes."
    ),
    "satisfaction": ReportKind(
        "amends.reports.satisfaction",
        "What people answered (8.3), and who answered.",
    ),
    "equal_treatment": ReportKind(
        "amends.reports.equal_treatment",
        "Time and outcome by language, channel and support need (4.5).",
    ),
    "collection": ReportKind(
        "amends.reports.collection", "What was kept, asked for, erased, copied, checked and published (8.1)."
    ),
    "public": ReportKind(
        "amends.reports.public", "The figures for the public (8.1), as `amends publish` shows them."
    ),
    "returns": ReportKind("amends.reports.returns", "The returns to regulators, each field with its source."),
    "audit": ReportKind("amends.reports.audit", "What audits found, each clause, the last check (8.5, H)."),
    "review": ReportKind(
        "amends.reports.review", "The pack for the management review (8.6).", has_chain=True
    ),
}
