"""`amends law`: the rules of the presets, and what changes between two days (docs/law.md)."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.clauses import clause


def amends(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "amends", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@clause("7.3")
def test_the_list_gives_each_rule_with_days_source_and_certainty() -> None:
    rows = json.loads(amends("law", "list", "uk_ofcom", "--json").stdout)
    legal = [row for row in rows if row["name"] == "legal"]
    assert [(row["value"], row["from"], row["until"], row["certain"]) for row in legal] == [
        ("8 weeks", None, "2026-04-07", "authority"),
        ("6 weeks", "2026-04-08", None, "authority"),
    ]
    assert all(row["source"] for row in rows)


@clause("7.3")
def test_the_difference_names_what_begins_between_two_days() -> None:
    printed = amends("law", "diff", "--from", "2026-11-01", "--to", "2027-01-01", "--json")
    changes = {(row["preset"], row["rule"], row["from"]) for row in json.loads(printed.stdout)}
    assert {
        ("es_ley10_2025", "legal", "2026-12-28"),
        ("es_ley10_2025_electricity", "clock.interruption", "2026-12-28"),
        ("uk_fca_disp", "publish.return", "2027-01-01"),
        ("tr_6502", "recourse.committee", "2027-01-01"),
    } <= changes
    assert not any(preset == "uk_ofcom" for preset, *_ in changes)
    backwards = amends("law", "diff", "--from", "2027-01-01", "--to", "2026-11-01")
    assert (backwards.returncode, "is before" in backwards.stderr) == (2, True)
    unknown = amends("law", "list", "uk_offcom")
    assert (unknown.returncode, "write one of" in unknown.stderr) == (2, True)
