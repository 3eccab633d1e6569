"""Reports that the calendar sends to a channel: once for each period, and safe for every reader of it (8.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amends.checks import _reports
from amends.settings import Settings
from bots.slack.jobs.post import Poster
from bots.slack.jobs.reports import ReportJobs
from bots.slack.jobs.staff_files import FileJobs
from complaints.obligations.kinds import NewObligation
from scheduler.ticks import ScheduledReport, _housekeeping, report_obligations
from store.outbox.complete import Completed
from store.store import Store
from store.values import Obligation
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges import pdf
from tests.edges.slack_office import ALICE, EXECUTIVE, MONA, TUGBA, Office, open_office
from tests.rules.slack_cases import RULES

REPORT = ScheduledReport("monitoring", EXECUTIVE, "monthly")


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def november(office: Office) -> NewObligation:
    (obligation,) = report_obligations([REPORT], office.store.now(), RULES.calendar)
    return obligation


@clause("8.4")
async def test_a_channel_gets_the_report_of_an_ended_month_once_with_the_pdf_in_its_thread(
    office: Office,
) -> None:
    ref = office.proposed()
    _housekeeping(office.store, False, reports=[REPORT])
    await office.idle()
    channel = office.staff(TUGBA).channel(EXECUTIVE)
    # October has no complaint on record, so no channel needs a report of it.
    assert [post.text for post in channel.posts if "Monitoring" in post.text] == []

    office.clock.go_on(seconds=(datetime(2026, 12, 1, 6, tzinfo=UTC) - office.clock.at).total_seconds())
    for _ in range(2):
        _housekeeping(office.store, False, reports=[REPORT])
        await office.idle()
    assert [post.text for post in channel.posts if "Monitoring" in post.text] == []
    await office.until(datetime(2026, 12, 1, 9, 30, tzinfo=UTC))
    _housekeeping(office.store, False, reports=[REPORT])
    await office.idle()
    due = november(office)
    obligation = cast(Obligation, SimpleNamespace(key=due.key, facts=due.facts, attempts=1))
    again = await ReportJobs(FileJobs(Poster(office.desk, office.client))).channel_report(obligation)

    (post,) = (post for post in channel.posts if "Monitoring" in post.text)
    files = [file for file in office.sim.world.slack.files.values() if EXECUTIVE in file.channels]
    assert again == Completed()
    assert "1 November 2026 to 30 November 2026" in post.text
    assert [file.name for file in files] == ["monitoring-2026-11-01.pdf"]
    words = pdf.words(files[0].data or b"")
    assert "1 complaint was received." in words
    assert "Open complaints by owner" not in words
    for hidden in (ref, ALICE, MONA):
        assert hidden not in words + post.text


def test_check_warns_of_a_report_that_does_not_exist() -> None:
    reports: Any = [
        SimpleNamespace(kind=kind, channel="C1", when="monthly") for kind in ("monitoring", "horoscope")
    ]
    findings = [
        (finding.mark, finding.subject)
        for finding in _reports(cast(Settings, SimpleNamespace(report=reports)))
    ]
    assert findings == [("ok", "report monitoring"), ("warn", "report horoscope")]
