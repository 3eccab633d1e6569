"""`amends clauses`: the count over a store as it is, and over one that somebody has tampered with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from amends.cli.main import app
from complaints.vocabulary import Verb
from store.cases.read import load_history
from tests.clauses import clause
from tests.databases import FakeClock, tamper
from tests.edges.desk import Desk

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def run(place: Path, *arguments: str) -> Result:
    """The command, as a person types it."""
    return CliRunner().invoke(app, ["clauses", "--config", str(place), *arguments])


def rows(place: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The clauses of the one JSON document on standard output, by number."""
    found = json.loads(run(place, "--json", *arguments).stdout)
    return {one["clause"]: one for one in found["clauses"]}


def answered(desk: Desk) -> str:
    """Acknowledged, assessed and resolved, just now."""
    return desk.resolved(chat=desk.chat())


@pytest.mark.usefixtures("desk")
def test_an_empty_record_breaks_nothing_and_says_so(place: Path) -> None:
    found = rows(place)
    assert len(found) == 43
    assert {one["verdict"] for one in found.values()} == {"met", "no evidence yet", "not yet"}
    assert found["7.4"]["verdict"] == "no evidence yet"
    assert found["4.6"]["verdict"] == "met"
    assert found["8.6"]["verdict"] == "not yet"


def test_every_row_names_control_code_tests_and_evidence(place: Path, desk: Desk) -> None:
    answered(desk)
    one = rows(place)["7.5"]
    assert set(one) >= {"clause", "title", "demand", "control", "code", "tests", "verdict", "evidence"}
    assert "complaints.actions.assessment.check_assess" in one["code"]
    assert any("test_clauses_operation" in test for test in one["tests"])
    assert (one["verdict"], one["evidence"]["violated"]) == ("met", 0)
    assert one["editions"] == {"2014": "7.5", "2018": "7.5"}


def test_a_record_in_order_ends_with_0(place: Path, desk: Desk) -> None:
    answered(desk)
    result = run(place)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "not yet" in result.stdout


@clause("4.7")
def test_an_opening_written_by_nobody_who_may_ends_with_1(place: Path, desk: Desk, usual_url: str) -> None:
    ref = answered(desk)
    columns = "(ref, by, role, at, what, version)"
    tamper(
        usual_url,
        f"INSERT INTO reads {columns} VALUES ('{ref}', 'UX', '', '2026-11-03 10:00:00', 'open', 2)",
    )
    result = run(place)
    assert result.exit_code == 1
    assert f"4.7: {ref}: opened by a person without a reading role" in result.stderr


@clause("7.2")
def test_events_taken_out_of_the_database_turn_7_2_red(place: Path, desk: Desk, usual_url: str) -> None:
    ref = answered(desk)
    tamper(usual_url, f"DELETE FROM events WHERE ref = '{ref}' AND verb = 'acknowledge'")
    found = rows(place)["7.2"]
    assert found["verdict"] == "violated"
    assert found["evidence"]["violations"][0]["what"].startswith(ref)


@clause("7.5")
def test_openings_taken_out_of_the_database_turn_7_5_red(place: Path, desk: Desk, usual_url: str) -> None:
    answered(desk)
    tamper(usual_url, "DELETE FROM reads")
    assert rows(place)["7.5"]["verdict"] == "violated"


def test_one_complaint_shows_its_events(place: Path, desk: Desk) -> None:
    ref = answered(desk)
    found = rows(place, "--case", ref.lower().replace("-", ""))
    (assessed,) = [one for one in found["7.5"]["evidence"]["points"] if one["seqs"]]
    assert desk.store.read(load_history, ref)[assessed["seqs"][0] - 1].verb is Verb.ASSESS
    assert "7.9" not in found
    assert run(place, "--case", ref).exit_code == 0


def test_one_complaint_that_breaks_a_clause_ends_with_1(place: Path, desk: Desk, clock: FakeClock) -> None:
    ref = desk.receive()
    clock.go_on(days=9)
    result = run(place, "--case", ref)
    assert (result.exit_code, "never acknowledged" in " ".join(result.stdout.split())) == (1, True)


def test_no_word_and_no_name_is_in_it(place: Path, desk: Desk) -> None:
    ref = answered(desk)
    said = run(place, "--json").stdout + run(place).stdout + run(place, "--case", ref, "--json").stdout
    assert "Sealedname" not in said
    assert "brown" not in said
