"""What lost other desks their work loses nothing here (docs/design.md, rules 1 and 2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.accidents import (
    Accident,
    a_name_is_gone,
    away_for_days,
    killed_between,
    killed_with_a_batch,
    one_cannot_be_parsed,
    two_at_one_store,
)

#: Each on the database where it can do the most harm; the figures take both.
WHERE = (
    *((accident, "postgres") for accident in (two_at_one_store, killed_between, killed_with_a_batch)),
    *((accident, "sqlite") for accident in (away_for_days, a_name_is_gone, one_cannot_be_parsed)),
)


@pytest.mark.parametrize(("accident", "database"), WHERE, ids=lambda one: getattr(one, "__name__", one))
async def test_nothing_is_lost_by(
    accident: Accident, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{database}_url")

    cost = await accident(tmp_path, url, 20)

    assert cost.lost == 0
    # What the killed process had in hand may come twice; without a kill nothing does.
    assert accident in (killed_between, killed_with_a_batch) or cost.twice == 0
