"""Accidents in which other products lost work cost nothing here (docs/design.md, rules 1 and 2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.accidents import (
    Accident,
    down_for_days,
    killed_after_claim,
    killed_while_polling,
    two_processes_one_database,
    unknown_kinds,
    unparsable_update,
)

#: Each on the database where it can do the most harm; the benchmark uses both.
ACCIDENTS = (
    *(
        (accident, "postgres")
        for accident in (two_processes_one_database, killed_after_claim, killed_while_polling)
    ),
    *((accident, "sqlite") for accident in (down_for_days, unknown_kinds, unparsable_update)),
)


@pytest.mark.parametrize(
    ("accident", "database"), ACCIDENTS, ids=lambda value: getattr(value, "__name__", value)
)
async def test_an_accident_loses_nothing(
    accident: Accident, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{database}_url")

    cost = await accident(tmp_path, url, 20)

    assert cost.lost == 0
    # After a kill, claimed work may be sent twice; without one, nothing may.
    assert accident in (killed_after_claim, killed_while_polling) or cost.twice == 0
