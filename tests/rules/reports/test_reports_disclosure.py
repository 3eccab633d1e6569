"""What is published, returned to regulators, and shown of the record's keeping: nothing invented, no person shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from amends.public_page import public_page
from amends.settings.presets import preset_names
from bots.texts.catalogues import REPORTS, load_catalogues
from complaints.history import CollectionRecord, DataRequest
from complaints.rulebook import Rulebooks
from reports.disclosure.public_figures import public_figures, without_small
from reports.disclosure.record_keeping import collection
from reports.disclosure.returns_report import (
    RETURNS,
    ReturnCount,
    ReturnFigures,
    applying,
    returns_report,
)
from reports.document import Sentence
from reports.monitoring import monitor
from reports.statistics import Share
from reports.tally import Period
from tests.clauses import clause
from tests.rules.builders import RULES
from tests.rules.reports.test_reports_treatment import NOW, PERIOD, mark, row

TEXTS = load_catalogues(("en", "tr", "de", "es"))


def published(number: int, **changes: Any) -> dict[str, Any]:
    """The public figures of so many complaints."""
    rows = [row(marks=mark("decided_in_time", "+"), **changes) for _ in range(number)]
    return public_figures(monitor(rows, period=PERIOD, now=NOW), date(2026, 10, 1), date(2026, 10, 31))


# --- the public figures ---


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"a": 40, "b": 12, "c": 3}, {"a": 40, "rest": 15}),
        ({"a": 40, "b": 20, "c": 6, "d": 5}, {"a": 40, "b": 20, "rest": 11}),
        ({"a": 40, "b": 20}, {"a": 40, "b": 20}),
        ({"a": 5, "b": 3}, {}),
        ({"a": 9, "b": 1}, {"rest": 10}),
        ({}, {}),
    ],
)
def test_small_subjects_are_counted_together_and_cannot_be_computed_from_the_total(
    counts: dict[str, int], shown: dict[str, int]
) -> None:
    assert without_small(counts) == shown


@clause("8.1")
def test_few_complaints_are_published_as_nothing() -> None:
    figures = published(9)
    assert (figures["received"], figures["median_days"], figures["categories"]) == (None, None, {})
    assert set(figures["shares"].values()) == {None}


def test_a_single_upheld_complaint_among_many_is_not_published() -> None:
    upheld, others = mark("upheld", "+level 1"), mark("upheld", "-level 1")
    rows = [row(marks=upheld), *(row(marks=others) for _ in range(30))]
    figures = public_figures(monitor(rows, period=PERIOD, now=NOW), date(2026, 10, 1), date(2026, 10, 31))
    assert figures["shares"]["upheld"] is None
    rows += [row(marks=upheld) for _ in range(10)]
    figures = public_figures(monitor(rows, period=PERIOD, now=NOW), date(2026, 10, 1), date(2026, 10, 31))
    assert figures["shares"]["upheld"] == round(100 * 11 / 41)


@clause("4.2")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_public_page_shows_what_was_published_and_its_date(language: str) -> None:
    rules = Rulebooks(replace(RULES, languages=("en", "tr", "de", "es")))
    figures = published(40) | {"at": "2026-11-02T09:00:00Z"}

    def page(figures: dict[str, Any] | None) -> str:
        return public_page(rules, TEXTS, country=None, languages=[language], bot="b", figures=figures)

    shown = page(figures)
    assert TEXTS.text(language, "page.figures.title") in shown
    assert TEXTS.date(language, date(2026, 11, 2), "Europe/London") in shown
    assert TEXTS.count(language, "page.figures.received", 40) in shown
    assert TEXTS.text(language, "page.figures.title") not in page(None)


# --- the returns ---


def test_every_return_is_for_presets_that_exist_and_says_of_each_field_where_it_comes_from() -> None:
    texts = load_catalogues(("en",), domain=REPORTS)
    for file in RETURNS:
        assert set(file["presets"]) <= set(preset_names())
        for entry in file["field"]:
            assert entry["source"]
            assert ("query" in entry) != ("not_held" in entry), entry["id"]
            assert texts.has(f"returns.field.{entry['id']}"), entry["id"]


@pytest.mark.parametrize(
    ("preset", "first", "scheme", "has"),
    [
        ("municipality", date(2026, 4, 1), "municipality", "stage_2"),
        ("es_ley10_2025", date(2027, 1, 1), "es_ley10_2025", "billing_time"),
    ],
)
def test_the_return_of_a_period_is_that_of_its_first_day(
    preset: str, first: date, scheme: str, has: str
) -> None:
    (file,) = applying([preset], first)
    assert file["scheme"] == scheme
    assert has in {entry["id"] for entry in file["field"]}


@pytest.mark.parametrize("first", [date(2026, 3, 31), date(2026, 12, 27)])
def test_no_return_applies_before_its_first_day(first: date) -> None:
    assert applying(["small_business"], first) == []
    assert (
        applying(["es_ley10_2025"], date(2026, 12, 27)) == applying(["municipality"], date(2026, 3, 31)) == []
    )


def values_of(scheme: str, first: datetime, rows: list[Any], legal: Any = ()) -> tuple[dict[str, Any], Any]:
    """The values of a return by field, and its notes."""
    (file,) = [
        file
        for file in RETURNS
        if file["scheme"] == scheme and applying(file["presets"], first.date()) == [file]
    ]
    count, period = ReturnCount(), Period(first, first + timedelta(days=31))
    rows = [(measures._replace(received_at=first), calendar) for measures, calendar in rows]
    monitoring = monitor(count.through(rows, lambda _: True), period=period, now=first + timedelta(days=60))
    figures = ReturnFigures(monitoring, count, dict(legal), 3)
    report = returns_report({scheme: (file, figures)}, period, first, "UTC")
    table = report.sections[0].tables[0]
    names = [entry["id"] for entry in file["field"]]
    return dict(zip(names, table.column("value"), strict=True)), report.sections[0].notes


@clause("8.1")
def test_the_spanish_evaluation_counts_the_times_of_the_law_by_their_rule() -> None:
    rows = [row(written_in="ca", language="es"), row(written_in="es", language="es")]
    legal = {"legal": (8, 10), "clock.billing": (2, 2)}
    values, notes = values_of("es_ley10_2025", datetime(2027, 1, 1, tzinfo=UTC), rows, legal)
    assert (values["general_time"], values["billing_time"]) == (Share(8, 10), Share(2, 2))
    assert (values["interruption_time"], values["language"]) == (Share(0, 0), Share(1, 2))
    assert [note.id for note in notes] == ["returns.source", "returns.months_12"]
    not_held = {name for name, value in values.items() if isinstance(value, Sentence)}
    assert not_held == {"supervisor", "calls", "reasoned", "outside", "audit"}


def test_the_yearly_report_of_a_council_counts_the_actions_of_the_register() -> None:
    values, _ = values_of("municipality", datetime(2026, 4, 1, tzinfo=UTC), [row()])
    assert values["learning"] == 3


# --- the collection ---


@clause("8.1")
def test_the_collection_report_shows_what_was_asked_erased_checked_and_kept_too_long() -> None:
    asked_at = datetime(2026, 10, 1, tzinfo=UTC)
    requests = [
        DataRequest("copy", asked_at, None, asked_at + timedelta(minutes=1)),
        DataRequest("change", asked_at, asked_at + timedelta(days=30), asked_at + timedelta(days=31)),
        DataRequest("erasure", asked_at, None, None),
    ]
    events = {
        "backup_check": [(asked_at, {"sound": True, "entries": 9})],
        "erasure": [(asked_at, {"right": "request", "because": "DSR-1", "complaints": 2, "persons": 1})],
        "future_verb": [(asked_at, {})],
    }
    record = CollectionRecord(events, requests, placed=1, released=0, under_hold=1, complaints=12, erased=2)
    report = collection(record, 3, {"GB": "36 months from receipt"}, PERIOD, NOW)
    figures = {figure.id: figure.value for figure in report.figures}
    log = next(section for section in report.sections if section.id == "log").tables[0]

    assert (figures["expired"], figures["in_time"], figures["restores"]) == (3, Share(1, 2), 1)
    assert [sentence.id for sentence in report.summary] == ["collection.too_long", "collection.unanswered"]
    assert [cell.id for cell in log.column("what")] == [
        "collection.log.backup_check",
        "collection.log.erasure",
    ]
