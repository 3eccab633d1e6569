"""Bad weather of the platforms, the lines, the database, the disk: nothing told is lost, and the desk resumes alone.

No clock is held against it here; how fast it resumes is a figure of `python -m benchmarks faults`.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from store.custody.verify import verify
from store.outbox.dead_letters import list_dead_letters
from tests.databases import Server
from tests.faults import troubles
from tests.faults.database import backends_lost, pausing
from tests.faults.desk import waited
from tests.faults.proxy import GOOD, Line
from tests.faults.weather import Stage, Trouble, Weathered, staged, weathered

LASTS = 0.5


async def _through(stage: Stage, *found: Trouble, cards: bool = False) -> list[Weathered]:
    return [await weathered(stage, one, people=2, cards=cards) for one in found]


def _wrong(came: list[Weathered]) -> list[Weathered]:
    """What was lost, recorded twice, or said twice without saying so."""
    return [one for one in came if one.lost or one.cases_doubled or one.unmarked]


async def test_platforms_lines_and_disk_in_trouble_cost_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with staged(tmp_path, sqlite_url) as stage:
        came = await _through(
            stage,
            *(troubles.of_sending(name, lasts=LASTS) for name in ("500", "502 as a page", "no JSON")),
            troubles.of_sending("accepted, then cut", lasts=LASTS),
            troubles.of_sending("accepted, then silent", lasts=LASTS),
            troubles.of_sending("moved to another number", lasts=LASTS),
            troubles.blocked(lasts=LASTS),
            *(
                troubles.of_asking(name, lasts=LASTS)
                for name in ("getUpdates without JSON", "409 on getUpdates")
            ),
            troubles.of_line("refused", Line(refuses=True), troubles.to_telegram, lasts=LASTS, cut=True),
            troubles.of_line("half open", Line(silent=True), troubles.to_telegram, lasts=LASTS),
            troubles.full_disk(LASTS),
            troubles.of_slack("429", lambda method: troubles.ratelimited(1), lasts=LASTS),
            troubles.of_line("refused", Line(refuses=True), troubles.to_slack, lasts=LASTS, cut=True),
            troubles.of_line("half open", Line(silent=True), troubles.to_slack, lasts=LASTS),
            troubles.repeatedly("every line closed", lambda stage: stage.far.slack.closes_lines()),
        )
        await troubles.line_again(stage)
        # What was cut off after it was accepted comes again, and says so.
        await waited(lambda: bool(stage.far.telegram.doubled()), stage.desk)
        again = [message for _, message in stage.far.telegram.doubled()]
        posts = stage.far.slack.doubled()
        aside = stage.store.read(list_dead_letters)
        proof = stage.store.read(verify)

    assert _wrong(came) == []
    assert ([one for one in again if not one.marked], posts) == ([], [])
    assert (aside, proof.first_bad) == ([], None)


async def test_a_database_that_comes_and_goes_costs_nothing(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    folder = parse_qs(urlsplit(postgres_url).query)["host"][0]
    async with staged(tmp_path, postgres_url, socket=f"{folder}/.s.PGSQL.5432") as stage:
        with pausing(postgres_server.address, lasts=LASTS) as paused:
            stood = await _through(stage, paused, cards=True)
        came = await _through(
            stage,
            troubles.repeatedly("connections ended", backends_lost(postgres_server.address, postgres_url)),
            troubles.of_line("cut", GOOD, troubles.to_database, lasts=LASTS, cut=True),
            troubles.of_line("refused", Line(refuses=True), troubles.to_database, lasts=LASTS, cut=True),
            troubles.of_line("half open", Line(silent=True), troubles.to_database, lasts=LASTS),
            cards=True,
        )
        aside = stage.store.read(list_dead_letters)
        proof = stage.store.read(verify)

    assert _wrong([*stood, *came]) == []
    assert (aside, proof.first_bad) == ([], None)
