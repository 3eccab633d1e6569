"""The process is killed at random while people write and messages are sent; nothing is lost on either database."""

from __future__ import annotations

from pathlib import Path

from tests.faults.load import Load
from tests.faults.random_kills import run_with_kills


async def test_after_random_kills_nothing_is_lost_or_out_of_order(database_url: str, tmp_path: Path) -> None:
    result = await run_with_kills(
        Load(updates=60, due=60, kills=3), database_url, tmp_path, stall_seconds=60.0
    )

    assert result.losses.wrong() == {}
    assert len(result.recoveries) > 0
