"""`amends report monitoring`: its period, formats, output and refusals."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from amends.cli import report
from amends.cli.main import app
from complaints.times import parse_time
from store.tables import MEASURES
from tests.edges import pdf
from tests.edges.desk import HANDLER, Desk


def run(place: Path, *arguments: str) -> Result:
    """Run the command with these arguments."""
    return CliRunner().invoke(app, ["report", "monitoring", "--config", str(place), *arguments])


def document(place: Path, *arguments: str) -> dict[str, Any]:
    """The JSON document on standard output."""
    result = run(place, "--json", *arguments)
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def test_the_period_uses_the_organisations_days_and_includes_both(place: Path, desk: Desk) -> None:
    desk.receive()
    figures = document(place, "--from", "2026-06-01", "--to", "2026-11-03")
    assert (figures["from"], figures["to"]) == ("2026-05-31T23:00:00Z", "2026-11-04T00:00:00Z")
    assert figures["received"] == 1


def test_without_dates_the_period_is_the_last_91_days(place: Path, desk: Desk) -> None:
    desk.receive()
    figures = document(place)
    days = parse_time(figures["to"]) - parse_time(figures["from"])
    assert round(days.total_seconds() / 86_400) == 91
    assert parse_time(figures["from"]) < parse_time(figures["as_of"]) < parse_time(figures["to"])


@pytest.mark.on_both
def test_open_complaints_from_before_the_period_are_counted_in_the_backlog(place: Path, desk: Desk) -> None:
    ref = desk.receive()
    figures = document(place, "--from", "2026-11-04", "--to", "2026-11-30")
    assert (figures["received"], figures["backlog"]["open"]) == (0, 1)
    assert figures["backlog"]["oldest"]["ref"] == ref


def test_without_json_a_readable_page_is_printed(place: Path, desk: Desk) -> None:
    desk.receive()
    result = run(place, "--from", "2026-11-01", "--to", "2026-11-30")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Monitoring of complaints handling\n\nISO 10002, clause 8.4. ")
    assert "1 November 2026 to 30 November 2026" in result.stdout


@pytest.mark.usefixtures("desk")
def test_the_format_follows_the_files_ending_unless_given(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, begins in (
        (("figures.json",), "{"),
        (("figures.md",), "# Monitoring"),
        (("figures.txt", "--format", "json"), "{"),
        (("again.json", "--format", "md"), "# Monitoring"),
    ):
        result = run(place, "-o", *arguments)
        assert (result.exit_code, result.stdout) == (0, ""), arguments
        assert (tmp_path / arguments[0]).read_text(encoding="utf-8").startswith(begins), arguments


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "pdf"),
        ("--format", "csv"),
        ("-o", "figures.csv"),
        ("--json", "--format", "md"),
        ("--from", "2026-11-30", "--to", "2026-11-01"),
        ("--from", "yesterday"),
        ("--from", "2099-01-01", "--to", "2099-01-31"),
        ("-o", "no/such/folder/figures.md"),
        ("--language", "fr"),
    ],
)
@pytest.mark.usefixtures("desk")
def test_bad_usage_is_refused_with_exit_code_2(place: Path, arguments: tuple[str, ...]) -> None:
    result = run(place, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_images_are_saved_next_to_a_page_and_linked_in_it(place: Path, desk: Desk, tmp_path: Path) -> None:
    desk.receive()
    assert run(place, "-o", str(tmp_path / "november.md")).exit_code == 0
    page = (tmp_path / "november.md").read_text(encoding="utf-8")
    for name in ("november-volume.svg", "november-shares.svg", "november-backlog.svg"):
        assert f"]({name})" in page
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<svg")


def test_a_page_on_the_terminal_has_no_images(place: Path, desk: Desk) -> None:
    desk.receive()
    assert "](" not in run(place).stdout


@pytest.mark.on_both
def test_the_hash_chain_is_verified_unless_switched_off(place: Path, desk: Desk) -> None:
    desk.receive()
    assert document(place)["integrity"]["chain"]["first_bad"] is None
    assert document(place, "--no-chain")["integrity"]["chain"] is None


def test_the_chain_of_a_large_record_is_verified_only_on_request(
    place: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.receive()
    monkeypatch.setattr(report, "MOST_CHECKED", 0)
    assert document(place)["integrity"]["chain"] is None
    assert document(place, "--chain")["integrity"]["chain"]["first_bad"] is None


def test_without_a_check_the_report_says_when_the_record_was_checked_last(place: Path, desk: Desk) -> None:
    desk.receive()
    assert "was last checked" not in run(place, "--no-chain").stdout
    CliRunner().invoke(app, ["db", "verify", "--config", str(place)])
    page = run(place, "--no-chain").stdout
    assert "was not checked for this report" in page
    assert "The whole record was last checked up to" in page


def test_the_review_pack_checks_the_chain_and_says_once_how_many_complaints_were_received(
    place: Path, desk: Desk
) -> None:
    desk.receive()
    page = CliRunner().invoke(app, ["report", "review", "--config", str(place)]).stdout
    summary = page.partition("## Summary")[2].partition("##")[0]
    assert "was not checked for this report" not in page
    assert summary.count("1 complaint came in") + summary.count("1 complaint was received") == 1


def test_a_pdf_has_the_words_of_the_page(place: Path, desk: Desk, tmp_path: Path) -> None:
    desk.receive()
    file = tmp_path / "november.pdf"
    result = run(place, "--from", "2026-06-01", "--to", "2026-11-30", "-o", str(file))
    text = pdf.words(file.read_bytes())

    assert result.exit_code == 0, result.output
    assert pdf.conformance(file.read_bytes()) == ("3", "A", "1")
    phrases = (
        "ISO 10002, clause 8.4",
        "1 June 2026 to 30 November 2026",
        "What this report cannot say",
        "Figure 2: Complaints received by week",
        "How the figures are counted",
    )
    assert [phrase for phrase in phrases if phrase not in text] == []


def test_a_pdf_needs_an_output_file(place: Path, desk: Desk) -> None:
    result = run(place, "--format", "pdf")
    assert (result.exit_code, "add -o FILE" in " ".join(result.output.split())) == (2, True)


@pytest.mark.on_both
def test_measures_are_exported_as_codes_and_counts_without_people(place: Path, desk: Desk) -> None:
    ref = desk.closed()
    desk.store.write(lambda tx: tx.connection.execute(delete(MEASURES)))
    assert document(place)["coverage"] == {"complaints": 1, "measured": 0}
    measured = CliRunner().invoke(app, ["db", "measure", "--config", str(place)])
    assert "1 of 1 have their measures now" in measured.stderr
    assert document(place)["coverage"] == {"complaints": 1, "measured": 1}
    exported = CliRunner().invoke(app, ["export", "measures", "--config", str(place)])
    (line,) = csv.DictReader(io.StringIO(exported.stdout))
    assert (line["ref"], line["outcome"], line["upheld"], line["upheld_of"], line["is_history"]) == (
        ref, "upheld", "1", "1", "0",
    )  # fmt: skip
    assert parse_time(line["closed_at"]) >= parse_time(line["received_at"])
    assert HANDLER not in exported.stdout
