"""Text from people is shown as plain text: no markup, no terminal control sequences, no trace in logs (4.7)."""

from __future__ import annotations

import io
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from amends.cli import console
from amends.documents.case_file.case_file import for_subject
from bots.slack.incidents.incident_card import IncidentStatus, incident_card
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

# These tests depend on SQL: they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


def test_text_in_a_table_is_printed_without_markup_and_control_sequences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=printed, width=200))
    console.print_table("Said", ("text",), [("[/b] see [1] \x1b]0;owned\x07",)])
    assert "[/b] see [1]" in printed.getvalue()
    assert "\x1b" not in printed.getvalue()


def test_an_overwritten_file_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "F.zip"
    file.write_bytes(b"before")
    file.chmod(0o644)
    console.write_file(file, b"personal")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_mention_in_the_name_of_an_incident_notifies_no_one(clock: FakeClock) -> None:
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    incident = replace(Incident(1, at, at), what="<!channel> no water")
    message = incident_card(incident, IncidentStatus({}), voice(), zone="Europe/London", draw=1)
    assert "<!channel>" not in message.text


async def test_an_unknown_command_is_recorded_without_its_words(usual_store: Store, clock: FakeClock) -> None:
    async with open_office(usual_store, clock) as office:
        usual_store.write(sync_staff, ())
        await office.staff(ALICE).runs("/complaints Zzyzx 07700900123", channel=TRIAGE)
        rows = usual_store.read(lambda tx: tx.connection.execute(ATTEMPTS.select()).all())
        assert [row.verb for row in rows] == ["command unknown"]


def test_the_file_for_the_person_complained_about_leaves_out_support_needs(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.receive(subjects=("U2",))
    facts = {**message_facts(field="support_needs", has_words=True)}
    desk.complain(ref, Verb.ADD, facts, {"support_needs": "I cannot read small print."})
    desk.add(ref, "He shouted at me.")
    case_file = for_subject(usual_store.read(export_case, ref))
    assert [text["text"] for text in case_file.record["texts"]] == [
        "The water is brown.",
        "He shouted at me.",
    ]
