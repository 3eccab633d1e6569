"""`amends report analysis` and the counts behind it, on both databases."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amends.cli.main import app
from amends.reports.builders import find_new_wording
from complaints.measures.report_counts import ALL_COMPLAINTS
from complaints.vocabulary import Verb
from store.record.counts import count_for_analysis
from store.rulebooks import use_rulebook
from store.tables import MEASURES
from tests.clauses import clause
from tests.edges.desk import ASSESSED, RULES, Desk

#: These tests depend on SQL, so they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both
JANUARY, DECEMBER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def filled(desk: Desk) -> None:
    """Seven complaints of six people: one closed, one assessed with product and branch, five new ones."""
    rules = replace(RULES, products=("tap",), branches=("harbour",))
    desk.store.write(use_rulebook, rules)
    ref = desk.receive()
    desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "product": "tap", "branch": "harbour"})
    desk.closed(chat=None)
    for number in range(5):
        desk.receive("The new meter app shows nonsense.", chat=desk.chat(f"8{number}"))


@clause("8.2")
def test_the_database_counts_days_causes_and_people(desk: Desk) -> None:
    filled(desk)
    counts = desk.store.read(
        count_for_analysis, start=JANUARY, end=DECEMBER, year_start=JANUARY, first_day=date(2026, 1, 1),
        repeats=3,
    )  # fmt: skip
    rows = desk.store.read(lambda tx: tx.connection.execute(MEASURES.select()).all())
    assert counts.days[ALL_COMPLAINTS] == Counter(row.received_on for row in rows)
    for family in ("category", "product", "branch"):
        expected = Counter((getattr(row, family), row.received_on) for row in rows if getattr(row, family))
        numbers = {
            (code, day): n
            for (of, code), days in counts.days.items()
            if of == family
            for day, n in days.items()
        }
        assert numbers == expected
    assert len(rows) == 7
    assert [(row.in_period, row.category, row.cause_class, row.number) for row in counts.causes] == [
        (True, "supply", "single", 1)
    ]
    assert counts.complainants == {2: 1, 1: 5}
    assert counts.repeats == 3


@clause("8.2")
def test_the_command_prints_the_analysis_in_the_usual_formats(place: Path, desk: Desk) -> None:
    filled(desk)
    place.write_text(
        place.read_text(encoding="utf-8")
        + '\n[[product]]\nkey = "tap"\nname = { en = "Tap water" }\ncustomers = 200\n',
        encoding="utf-8",
    )
    arguments = ["report", "analysis", "--config", str(place), "--to", "2026-11-30"]
    page = CliRunner().invoke(app, arguments)
    assert page.exit_code == 0, page.output
    assert "7 complaints came in" in page.output
    assert "Tap water" in page.output
    assert "5.00 per 1,000" in page.output
    values = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert values["report"] == "analysis"


@clause("4.7")
def test_new_wording_is_read_from_masked_texts_only(desk: Desk) -> None:
    filled(desk)
    themes = find_new_wording(desk.store, DECEMBER)
    assert (themes.recent, themes.before, themes.is_complete) == (7, 0, True)
    assert themes.themes == ()
