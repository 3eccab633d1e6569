"""When the process that polls is killed, another one polls (docs/design.md, rule 7)."""

from __future__ import annotations

from pathlib import Path

from bots.telegram.polling import LEASE_SECONDS, STANDBY_CHECK_SECONDS
from tests.faults.failover import run_failover
from tests.faults.leases import end_all_leases


async def test_after_a_kill_of_the_polling_process_the_other_one_answers(
    postgres_url: str, tmp_path: Path
) -> None:
    # The remaining lease is read from the database, so the test need not wait for its end.
    result = await run_failover(tmp_path, postgres_url, after_kill=end_all_leases)

    assert result.before.pid != result.other
    assert result.before.left + STANDBY_CHECK_SECONDS <= LEASE_SECONDS + STANDBY_CHECK_SECONDS < 10
    assert (result.after.pid, result.after.fencing) == (result.other, result.before.fencing + 1)
