"""Long polling is held by one process; when that one is killed another hears what is said
(docs/design.md, rule 7)."""

from __future__ import annotations

from pathlib import Path

from bots.telegram.polling import LEASE_SECONDS, STANDBY_CHECK_SECONDS
from tests.faults.following import followed
from tests.faults.leases import let_leases_run_out


async def test_what_is_said_after_the_polling_process_was_killed_is_heard_by_the_other(
    postgres_url: str, tmp_path: Path
) -> None:
    # How long the lease still ran is read from the database; that it runs out need not be waited for.
    came = await followed(tmp_path, postgres_url, killed=let_leases_run_out)

    assert came.died.pid != came.other
    assert came.died.left + STANDBY_CHECK_SECONDS <= LEASE_SECONDS + STANDBY_CHECK_SECONDS < 10
    assert (came.took.pid, came.took.fencing) == (came.other, came.died.fencing + 1)
