"""`amends report monitoring`: which days, which form, where to, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from amends.cli.main import app
from complaints.timestamps import parse_time
from tests.edges import pdf
from tests.edges.desk import Desk

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def run(place: Path, *arguments: str) -> Result:
    """The command, as a person types it."""
    return CliRunner().invoke(app, ["report", "monitoring", "--config", str(place), *arguments])


def document(place: Path, *arguments: str) -> dict[str, Any]:
    """The one JSON document on standard output."""
    result = run(place, "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_days_are_the_organisations_own_and_both_are_included(place: Path, desk: Desk) -> None:
    desk.receive()
    found = document(place, "--from", "2026-06-01", "--to", "2026-11-03")
    assert (found["from"], found["to"]) == ("2026-05-31T23:00:00Z", "2026-11-04T00:00:00Z")
    assert found["received"] == 1


def test_without_dates_it_is_the_last_91_days(place: Path, desk: Desk) -> None:
    desk.receive()
    found = document(place)
    days = parse_time(found["to"]) - parse_time(found["from"])
    assert round(days.total_seconds() / 86_400) == 91
    assert parse_time(found["from"]) < parse_time(found["as_of"]) < parse_time(found["to"])


def test_what_is_still_open_from_before_stands_in_the_backlog(place: Path, desk: Desk) -> None:
    ref = desk.receive()
    found = document(place, "--from", "2026-11-04", "--to", "2026-11-30")
    assert (found["received"], found["backlog"]["open"]) == (0, 1)
    assert found["backlog"]["oldest"]["ref"] == ref


def test_a_person_gets_a_page_to_read(place: Path, desk: Desk) -> None:
    desk.receive()
    result = run(place, "--from", "2026-11-01", "--to", "2026-11-30")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Monitoring (ISO 10002, 8.4)\n")
    assert "from 01 November 2026 to 30 November 2026" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("-o", "figures.json"), "{"),
        (("-o", "figures.md"), "# Monitoring"),
        (("-o", "figures.txt", "--format", "json"), "{"),
        (("-o", "figures.json", "--format", "md"), "# Monitoring"),
        (("-o", "figures.csv"), "section,key,group"),
    ],
)
@pytest.mark.usefixtures("desk")
def test_a_file_gets_the_form_of_its_ending_unless_told(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], begins: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(place, *arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / arguments[1]).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "pdf"),
        ("--json", "--format", "md"),
        ("--from", "2026-11-30", "--to", "2026-11-01"),
        ("--from", "yesterday"),
        ("-o", "no/such/folder/figures.md"),
    ],
)
@pytest.mark.usefixtures("desk")
def test_bad_usage_is_refused_with_exit_code_2(place: Path, arguments: tuple[str, ...]) -> None:
    result = run(place, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_pictures_lie_beside_a_page_and_are_named_in_it(place: Path, desk: Desk, tmp_path: Path) -> None:
    desk.receive()
    assert run(place, "-o", str(tmp_path / "november.md")).exit_code == 0
    page = (tmp_path / "november.md").read_text(encoding="utf-8")
    for name in ("november-volume.svg", "november-shares.svg"):
        assert f"]({name})" in page
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<svg")


def test_a_page_on_the_terminal_has_no_pictures(place: Path, desk: Desk) -> None:
    desk.receive()
    assert "](" not in run(place).stdout


def test_the_chain_is_checked_unless_told_otherwise(place: Path, desk: Desk) -> None:
    desk.receive()
    assert document(place)["integrity"]["chain"]["first_bad"] is None
    assert document(place, "--no-chain")["integrity"]["chain"] is None


def test_a_pdf_says_what_the_page_says(place: Path, desk: Desk, tmp_path: Path) -> None:
    desk.receive()
    file = tmp_path / "november.pdf"
    result = run(place, "--from", "2026-06-01", "--to", "2026-11-30", "-o", str(file))
    said = pdf.words(file.read_bytes())

    assert result.exit_code == 0, result.output
    assert pdf.conformance(file.read_bytes()) == ("3", "A", "1")
    wanted = (
        "Monitoring (ISO 10002, 8.4)",
        "from 01 June 2026 to 30 November 2026",
        "How each figure is counted",
    )
    assert [one for one in (*wanted, "Received by week") if one not in said] == []


def test_a_pdf_needs_a_file(place: Path, desk: Desk) -> None:
    result = run(place, "--format", "pdf")
    assert (result.exit_code, "add -o FILE" in " ".join(result.output.split())) == (2, True)
