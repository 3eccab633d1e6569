"""Outages of platforms, connections, database and disk lose no message, and the desk recovers on its own.

How fast it recovers is measured by `python -m benchmarks faults`, not here.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from store.custody.verify import verify
from store.outbox.failed import list_dead_letters
from tests.databases import Server
from tests.faults import platform_faults
from tests.faults.database_faults import end_connections_on, paused_server
from tests.faults.desk_process import wait_for_desk
from tests.faults.outages import Fault, OutageResult, Rig, run_outage, running_rig
from tests.faults.proxy import GOOD, Line

LASTS = 0.5


async def _run_all(rig: Rig, *faults: Fault, cards: bool = False) -> list[OutageResult]:
    return [await run_outage(rig, fault, people=2, cards=cards) for fault in faults]


def _wrong(results: list[OutageResult]) -> list[OutageResult]:
    """Return the results with losses, duplicate complaints or unmarked repeats."""
    return [result for result in results if result.lost or result.cases_doubled or result.unmarked]


async def test_outages_of_platforms_connections_and_disk_lose_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_rig(tmp_path, sqlite_url) as rig:
        results = await _run_all(
            rig,
            *(
                platform_faults.send_fault(name, duration=LASTS)
                for name in ("500", "502 as a page", "no JSON")
            ),
            platform_faults.send_fault("accepted, then cut", duration=LASTS),
            platform_faults.send_fault("accepted, then silent", duration=LASTS),
            platform_faults.send_fault("moved to another number", duration=LASTS),
            platform_faults.blocked(duration=LASTS),
            *(
                platform_faults.poll_fault(name, duration=LASTS)
                for name in ("getUpdates without JSON", "409 on getUpdates")
            ),
            platform_faults.line_fault(
                "refused", Line(refuses=True), platform_faults.to_telegram, duration=LASTS, cut=True
            ),
            platform_faults.line_fault(
                "half open", Line(silent=True), platform_faults.to_telegram, duration=LASTS
            ),
            platform_faults.full_disk(LASTS),
            platform_faults.slack_fault("429", lambda method: platform_faults.ratelimited(1), duration=LASTS),
            platform_faults.line_fault(
                "refused", Line(refuses=True), platform_faults.to_slack, duration=LASTS, cut=True
            ),
            platform_faults.line_fault(
                "half open", Line(silent=True), platform_faults.to_slack, duration=LASTS
            ),
            platform_faults.momentary_fault("every line closed", lambda rig: rig.fakes.slack.closes_lines()),
        )
        await platform_faults.wait_for_slack(rig)
        # A message cut off after Telegram accepted it is sent again and marked as a repeat.
        await wait_for_desk(lambda: bool(rig.fakes.telegram.doubled()), rig.desk)
        repeats = [message for _, message in rig.fakes.telegram.doubled()]
        posts = rig.fakes.slack.doubled()
        dead_letters = rig.store.read(list_dead_letters)
        proof = rig.store.read(verify)

    assert _wrong(results) == []
    assert ([message for message in repeats if not message.marked], posts) == ([], [])
    assert (dead_letters, proof.first_bad) == ([], None)


async def test_outages_of_the_database_lose_nothing(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    folder = parse_qs(urlsplit(postgres_url).query)["host"][0]
    async with running_rig(tmp_path, postgres_url, socket=f"{folder}/.s.PGSQL.5432") as rig:
        with paused_server(postgres_server.address, duration=LASTS) as paused:
            results_while_paused = await _run_all(rig, paused, cards=True)
        results = await _run_all(
            rig,
            platform_faults.momentary_fault(
                "connections ended", end_connections_on(postgres_server.address, postgres_url)
            ),
            platform_faults.line_fault("cut", GOOD, platform_faults.to_database, duration=LASTS, cut=True),
            platform_faults.line_fault(
                "refused", Line(refuses=True), platform_faults.to_database, duration=LASTS, cut=True
            ),
            platform_faults.line_fault(
                "half open", Line(silent=True), platform_faults.to_database, duration=LASTS
            ),
            cards=True,
        )
        dead_letters = rig.store.read(list_dead_letters)
        proof = rig.store.read(verify)

    assert _wrong([*results_while_paused, *results]) == []
    assert (dead_letters, proof.first_bad) == ([], None)
