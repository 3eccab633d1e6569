"""A report as JSON values; docs/report.schema.json describes them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from complaints.times import format_time
from reports.document import (
    CalendarMonth,
    Cell,
    Chart,
    Colleague,
    Estimate,
    Label,
    Mark,
    Money,
    Ref,
    Report,
    Section,
    Sentence,
    Table,
    Verbatim,
    Week,
)
from reports.output.outline import figures_table
from reports.output.wording import ReportTexts, in_words
from reports.statistics import Share, rounded


def as_json(report: Report, texts: ReportTexts) -> dict[str, Any]:
    """Keys and codes are the same in every language; titles and sentences are in that of the texts."""
    return {
        "report": report.kind,
        "clause": report.clause,
        "title": in_words(report.title, texts),
        "language": texts.language,
        "from": None if report.period is None else format_time(report.period.start),
        "to": None if report.period is None else format_time(report.period.end),
        "as_of": format_time(report.as_of),
        "summary": _sentences(report.summary, texts),
        "key_figures": _table(figures_table(report), texts)["rows"],
        "limits": _sentences(report.limits, texts),
        "damaged": list(report.damaged),
        "sections": [_section(section, texts) for section in report.sections],
        "method": [_section(section, texts) for section in report.method],
    }


def _cell_value(cell: Cell, texts: ReportTexts) -> Any:
    """A cell as a JSON value: a share or an estimate is an object, a code is itself, a sentence is its words."""
    match cell:
        case Share():
            low, high = cell.interval or (None, None)
            counts = {"numerator": cell.hits if cell.enough else None, "denominator": cell.of}
            return {"value": rounded(cell.value), "low": rounded(low), "high": rounded(high), **counts}
        case Estimate():
            value, low, high = rounded(cell.value), rounded(cell.low), rounded(cell.high)
            return {"value": value, "low": low, "high": high, "unit": cell.unit.value}
        case Money():
            return {"amount": str(cell.amount), "currency": cell.currency}
        case Mark():
            return {"tone": cell.tone.value, "words": in_words(cell.text, texts)}
        case tuple():
            return [_cell_value(part, texts) for part in cell]
        case _:
            return _plain(cell, texts)


def _plain(cell: Cell, texts: ReportTexts) -> str | int | bool | None:
    match cell:
        case Label():
            return cell.code
        case Verbatim():
            return cell.words
        case Ref():
            return cell.ref
        case Colleague():
            return cell.id
        case CalendarMonth():
            return f"{cell.day:%Y-%m}"
        case Week():
            return cell.monday.isoformat()
        case datetime():
            return format_time(cell)
        case date():
            return cell.isoformat()
        case Sentence():
            return in_words(cell, texts)
        case bool() | int() | None:
            return cell
        case _:
            raise TypeError(f"no JSON value for {type(cell).__name__}")


def _section(section: Section, texts: ReportTexts) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": in_words(section.title, texts),
        "notes": _sentences(section.notes, texts),
        "tables": [_table(table, texts) for table in section.tables],
        "charts": [_chart(chart, texts) for chart in section.charts],
        "items": _sentences(section.items, texts),
    }


def _table(table: Table, texts: ReportTexts) -> dict[str, Any]:
    names = [column.id for column in table.columns]
    return {
        "id": table.id,
        "title": in_words(table.title, texts),
        "columns": [{"id": column.id, "title": in_words(column.title, texts)} for column in table.columns],
        "rows": [
            {name: _cell_value(cell, texts) for name, cell in zip(names, row, strict=True)}
            for row in table.rows
        ],
        "notes": _sentences(table.notes, texts),
    }


def _chart(chart: Chart, texts: ReportTexts) -> dict[str, Any]:
    where = {"table": chart.table, "label": chart.label, "values": list(chart.values)}
    return {"id": chart.id, "title": in_words(chart.title, texts), "kind": chart.kind.value, **where}


def _sentences(parts: Iterable[Sentence | Mark], texts: ReportTexts) -> list[dict[str, Any]]:
    """Each with the id of its text, which no language changes, and with its tone if it has one."""
    return [
        {"id": part.text.id, "words": in_words(part.text, texts), "tone": part.tone.value}
        if isinstance(part, Mark)
        else {"id": part.id, "words": in_words(part, texts), "tone": None}
        for part in parts
    ]
