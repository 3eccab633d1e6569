"""What lost other desks their work loses nothing here (design.md, rules 1 and 2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.accidents import POLLING, SCHEDULERS, Accident

#: On a file two processes never work side by side; what happens where somebody tries is a test of its own.
SHARED_ONLY = ("two_at_one_store",)


@pytest.mark.parametrize("accident", [*SCHEDULERS, *POLLING], ids=lambda one: one.__name__)
async def test_nothing_is_lost_by(accident: Accident, database_url: str, tmp_path: Path) -> None:
    if accident.__name__ in SHARED_ONLY and database_url.startswith("sqlite"):
        pytest.skip("one process on a file")

    cost = await accident(tmp_path, database_url, 20)

    assert cost.lost == 0
