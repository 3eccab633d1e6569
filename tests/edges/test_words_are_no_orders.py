"""Words that people typed are shown as words: no markup, no orders to a terminal, in nobody's log (4.7)."""

from __future__ import annotations

import io
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from amends.cli import output
from amends.documents.case_file.subject import for_subject
from bots.slack.views.incident import IncidentStatus, incident_card
from complaints.actions.intake import message_facts
from complaints.incidents import Incident
from complaints.vocabulary import Verb
from store.cases.export import export_case
from store.people.staff import sync_staff
from store.store import Store
from store.tables import ATTEMPTS
from tests.databases import FakeClock
from tests.edges.desk import Desk
from tests.edges.slack_office import ALICE, TRIAGE, open_office
from tests.rules.slack_cases import voice

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def test_words_in_a_table_are_neither_markup_nor_orders_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=shown, width=200))
    output.print_table("Said", ("text",), [("[/b] see [1] \x1b]0;owned\x07",)])
    assert "[/b] see [1]" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()


def test_a_file_written_over_another_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "F.zip"
    file.write_bytes(b"before")
    file.chmod(0o644)
    output.write_file(file, b"personal")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_an_incident_is_called_calls_nobody(clock: FakeClock) -> None:
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    incident = replace(Incident(1, at, at), what="<!channel> no water")
    drawn = incident_card(incident, IncidentStatus({}), voice(), zone="Europe/London", draw=1)
    assert "<!channel>" not in drawn.text


async def test_a_command_that_is_none_leaves_no_word_of_it_among_the_attempts(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock) as office:
        usual_store.write(sync_staff, ())
        await office.staff(ALICE).runs("/complaints Zzyzx 07700900123", channel=TRIAGE)
        rows = usual_store.read(lambda tx: tx.connection.execute(ATTEMPTS.select()).all())
        assert [row.verb for row in rows] == ["command unknown"]


def test_staff_complained_about_are_told_nothing_of_the_complainants_own_needs(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.receive(subjects=("U2",))
    facts = {**message_facts(field="support_needs", has_words=True)}
    desk.complain(ref, Verb.ADD, facts, {"support_needs": "I cannot read small print."})
    desk.add(ref, "He shouted at me.")
    kept = for_subject(usual_store.read(export_case, ref))
    assert [one["text"] for one in kept.record["texts"]] == ["The water is brown.", "He shouted at me."]
