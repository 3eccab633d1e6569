"""`amends clauses` on an intact record and on one that was tampered with."""

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


def run(place: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["clauses", "--config", str(place), *arguments])


def rows(place: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The clauses in the JSON output, by number."""
    document = json.loads(run(place, "--json", *arguments).stdout)
    return {row["clause"]: row for row in document["clauses"]}


def resolved_complaint(desk: Desk) -> str:
    """A complaint that is acknowledged, assessed and resolved."""
    return desk.resolved(chat=desk.chat())


@pytest.mark.usefixtures("desk")
def test_an_empty_record_violates_no_clause(place: Path) -> None:
    clauses = rows(place)
    assert len(clauses) == 43
    assert {row["verdict"] for row in clauses.values()} == {"met", "no evidence yet"}
    assert clauses["7.4"]["verdict"] == "no evidence yet"
    assert clauses["4.6"]["verdict"] == "met"
    assert clauses["8.6"]["verdict"] == "no evidence yet"


@clause("8.4")
def test_monitoring_is_met_once_a_report_was_made(place: Path, desk: Desk) -> None:
    resolved_complaint(desk)
    assert rows(place)["8.4"]["verdict"] == "no evidence yet"
    command = ["report", "monitoring", "--config", str(place), "--no-chain", "-o", str(place.parent / "r.md")]
    assert CliRunner().invoke(app, [*command, "--format", "nonsense"]).exit_code != 0
    assert rows(place)["8.4"]["verdict"] == "no evidence yet"
    assert CliRunner().invoke(app, command).exit_code == 0
    assert rows(place)["8.4"]["verdict"] == "met"


@pytest.mark.on_both
@clause("7.4")
def test_acts_whose_messages_were_deleted_violate_their_clauses(
    place: Path, desk: Desk, usual_url: str
) -> None:
    resolved_complaint(desk)
    tamper(usual_url, "DELETE FROM messages WHERE direction = 'out'")
    assert run(place).exit_code == 1
    clauses = rows(place)
    assert {number: clauses[number]["verdict"] for number in ("4.4", "7.4", "7.8")} == dict.fromkeys(
        ("4.4", "7.4", "7.8"), "violated"
    )
    assert "no delivered message" in clauses["7.4"]["evidence"]["violations"][0]["what"]


def test_every_row_names_control_code_tests_and_evidence(place: Path, desk: Desk) -> None:
    resolved_complaint(desk)
    row = rows(place)["7.5"]
    assert set(row) >= {"clause", "title", "demand", "control", "code", "tests", "verdict", "evidence"}
    assert "complaints.actions.assessment.check_assess" in row["code"]
    assert any("test_clauses_operation" in test for test in row["tests"])
    assert (row["verdict"], row["evidence"]["violated"]) == ("met", 0)
    assert row["editions"] == {"2014": "7.5", "2018": "7.5"}


@pytest.mark.on_both
def test_an_intact_record_exits_with_0(place: Path, desk: Desk) -> None:
    resolved_complaint(desk)
    result = run(place)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "no evidence yet" in result.stdout


@clause("4.7")
def test_a_read_by_a_person_without_a_role_exits_with_1(place: Path, desk: Desk, usual_url: str) -> None:
    ref = resolved_complaint(desk)
    columns = "(ref, by, role, at, what, version)"
    tamper(
        usual_url,
        f"INSERT INTO reads {columns} VALUES ('{ref}', 'UX', '', '2026-11-03 10:00:00', 'open', 2)",
    )
    result = run(place)
    assert result.exit_code == 1
    assert f"4.7: {ref}: opened by a person without a reading role" in result.stderr


@pytest.mark.on_both
@clause("7.2")
def test_events_deleted_from_the_database_violate_7_2(place: Path, desk: Desk, usual_url: str) -> None:
    ref = resolved_complaint(desk)
    tamper(usual_url, f"DELETE FROM events WHERE ref = '{ref}' AND verb = 'acknowledge'")
    row = rows(place)["7.2"]
    assert row["verdict"] == "violated"
    assert row["evidence"]["violations"][0]["what"].startswith(ref)


@pytest.mark.on_both
@clause("7.5")
def test_reads_deleted_from_the_database_violate_7_5(place: Path, desk: Desk, usual_url: str) -> None:
    resolved_complaint(desk)
    tamper(usual_url, "DELETE FROM reads")
    assert rows(place)["7.5"]["verdict"] == "violated"


def test_the_clauses_of_one_complaint_name_its_events(place: Path, desk: Desk) -> None:
    ref = resolved_complaint(desk)
    clauses = rows(place, "--case", ref.lower().replace("-", ""))
    (assessed,) = [point for point in clauses["7.5"]["evidence"]["points"] if point["seqs"]]
    assert desk.store.read(load_history, ref)[assessed["seqs"][0] - 1].verb is Verb.ASSESS
    assert "7.9" not in clauses
    assert run(place, "--case", ref).exit_code == 0


def test_a_complaint_that_violates_a_clause_exits_with_1(place: Path, desk: Desk, clock: FakeClock) -> None:
    ref = desk.receive()
    clock.go_on(days=9)
    result = run(place, "--case", ref)
    assert (result.exit_code, "never acknowledged" in " ".join(result.stdout.split())) == (1, True)


def test_the_output_contains_no_personal_words_and_no_names(place: Path, desk: Desk) -> None:
    ref = resolved_complaint(desk)
    output = run(place, "--json").stdout + run(place).stdout + run(place, "--case", ref, "--json").stdout
    assert "Sealedname" not in output
    assert "brown" not in output
