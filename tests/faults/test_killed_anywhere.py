"""Killed anywhere, in a process of its own, while people tell and letters leave: nothing lost, on both databases."""

from __future__ import annotations

from pathlib import Path

from tests.faults.killing import survived
from tests.faults.load import Load


async def test_killed_at_random_nothing_is_lost_and_nothing_changes_places(
    database_url: str, tmp_path: Path
) -> None:
    came = await survived(Load(updates=60, due=60, kills=3), database_url, tmp_path, still=60.0)

    assert came.reckoning.wrong() == {}
    assert len(came.recoveries) > 0
