"""Every kind of report with every bad input says what it can and cannot say, in every format (8.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from amends.reports.build import build_report, last_days
from amends.reports.formats import as_text, report_labels, report_pdf
from amends.reports.report_kinds import KINDS, Format
from amends.settings import load
from reports.document import Report, references
from reports.tally import Period
from store.cases.staff_intake import PastComplaint, import_past
from store.tables import MEASURES
from tests.edges import pdf
from tests.edges.desk import Desk
from tests.edges.proof.test_damage import lose_events

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
_TYPES = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
}


def problems(value: Any, schema: dict[str, Any], where: str = "$") -> Iterator[str]:
    """Where the value is not as the schema says; of JSON Schema only what docs/report.schema.json uses."""
    if "$ref" in schema:
        yield from problems(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], where)
    if "anyOf" in schema and all(any(problems(value, option)) for option in schema["anyOf"]):
        yield f"{where}: {value!r} is none of these"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r}"
    types = schema.get("type", [])
    if types and not any(_is(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield f"{where}: {value!r} is no {types}"
    elif isinstance(value, dict):
        yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, part in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if inner is False:
                yield f"{where}.{name} is unknown"
            elif isinstance(inner, dict):
                yield from problems(part, inner, f"{where}.{name}")
    elif isinstance(value, list) and "items" in schema:
        for number, part in enumerate(value):
            yield from problems(part, schema["items"], f"{where}[{number}]")


def _is(value: Any, name: str) -> bool:
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name]) and not (isinstance(value, bool) and name != "boolean")


@pytest.mark.on_both
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_any_kind_says_what_it_cannot_say(kind: str, place: Path, desk: Desk) -> None:
    settings, store = load(place), desk.store
    labels = report_labels(settings, store)

    def limits(period: Period | None = None) -> set[str]:
        now = store.now()
        report = build_report(kind, store, settings, period or last_days(now, "Europe/London"), now)
        check(report)
        return {limit.id for limit in report.limits} if report.period is not None else set()

    def check(report: Report) -> None:
        values = json.loads(as_text(report, Format.JSON, labels))
        assert list(problems(values, SCHEMA)) == []
        assert values["report"] == kind
        assert as_text(report, Format.MD, labels).startswith("# ")

    empty = limits()
    ref = desk.closed()
    first = limits()
    before = limits(Period(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)))
    store.write(lambda tx: tx.connection.execute(update(MEASURES).values(category="garden_hoses")))
    renamed = limits()
    ending = {"closed_at": "2026-10-20T10:00:00Z", "close_code": "resolved"}
    words = {"description": "The bill was wrong."}
    store.write(
        import_past, [PastComplaint(1, store.now() - timedelta(days=20), "phone", "en", ending, words, None)]
    )
    imported = limits()
    lost = desk.receive("No heating.", chat=desk.chat("70009"))
    lose_events(store, lost)
    now = store.now()
    report = build_report(kind, store, settings, last_days(now, "Europe/London"), now)
    check(report)
    data = report_pdf(report, labels, organisation="Northwind Water", made_at=now)
    assert pdf.conformance(data) == ("3", "A", "1")
    if report.period is not None:
        assert "report.no_record" in empty
        assert {"report.few", "report.starts_before_record"} <= first
        assert before == before | {"report.before_record"}
        assert "report.few" in renamed
        assert "report.imported" in imported
        assert lost in references(report)
        assert ref not in report.damaged
    if kind == "monitoring":
        assert report.damaged == (lost,)
