"""1, 2 and 4 processes on one PostgreSQL: obligations completed per second, compared with bare SKIP LOCKED.

The figure with a goal is the gain from more processes, as a share of the bare gain. Then one of two replicas is
killed repeatedly: how long after its due time each obligation was completed. Then, of two whole desks, the one that
polls Telegram is killed: how long until the other answered the people who wrote.

LIMITS=folder also runs the `pg_outbox.py` in that folder. AMENDS_KILLS is the number of kills, by default 1; with
more they are 60 s apart.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from rich.table import Table

from benchmarks import bare_outbox, databases
from benchmarks.measuring import quantile, result_table, verdict
from benchmarks.replica import KIND
from tests.edges.product import ROOT
from tests.faults.failover import run_failover

PROCESSES = (1, 2, 4)
OBLIGATIONS, BARE_OBLIGATIONS = 3_000, 30_000
BATCH = 16
ROUNDS = 3
MIN_GAIN = 0.9
FAILOVER_WITHIN = 10.0
KILLS = int(os.environ.get("AMENDS_KILLS", "1"))
EACH_SECOND = 20
_FILL = """
INSERT INTO obligations (scope, key, kind, speaks, lane, due, state, facts, lease_until, wait_until, attempts,
                         created_at)
SELECT %(batch)s, n::text, %(kind)s, false, 2, now() + n * %(apart)s * interval '1 second', 'open', '{}',
       0, 0, 0, now()
FROM generate_series(1, %(number)s) AS n
"""

#: A replica's log: the id of each obligation and when it was completed (monotonic seconds).
CompletionLog = list[tuple[int, float]]


def tables(obligations: int = OBLIGATIONS, rounds: int = ROUNDS, kills: int = KILLS) -> Iterator[Table]:
    """The gain from more processes, then the two tables of kills."""
    with databases.postgres() as fresh:
        yield _gain(fresh(), obligations, rounds)
        if kills:
            yield _kill(fresh(), kills)
            yield _failover(fresh)


def limits() -> str:
    """The output of the `pg_outbox.py` in the folder LIMITS, or nothing if there is none."""
    script = Path(os.environ.get("LIMITS", "")) / "pg_outbox.py"
    if not script.is_file():
        return ""
    with tempfile.TemporaryDirectory() as results:
        result = subprocess.run(
            [sys.executable, script.name],
            cwd=script.parent,
            env={**os.environ, "LIMITS_OUT": results},
            capture_output=True,
            text=True,
            check=False,
        )
    return result.stdout or result.stderr


def _gain(url: str, obligations: int, rounds: int) -> Table:
    product: dict[int, list[float]] = {number: [] for number in PROCESSES}
    bare: dict[int, list[float]] = {number: [] for number in PROCESSES}
    doubled = 0
    for turn in range(rounds):
        for number in PROCESSES:
            bare[number].append(_bare(_address(url), number))
            rate, twice = _product(url, number, f"{turn}:{number}", obligations)
            product[number].append(rate)
            doubled += twice
    report = result_table(
        "Obligations completed a second, PostgreSQL",
        "processes | bare SKIP LOCKED | gain | Amends | gain | share of bare's gain | doubled | goal",
    )
    first = (statistics.median(bare[1]), statistics.median(product[1]))
    for number in PROCESSES:
        rates = (statistics.median(bare[number]), statistics.median(product[number]))
        gains = tuple(rate / baseline for rate, baseline in zip(rates, first, strict=True))
        share = gains[1] / gains[0]
        report.add_row(
            str(number),
            f"{rates[0]:,.0f}",
            f"{gains[0]:.2f}",
            f"{rates[1]:,.0f}",
            f"{gains[1]:.2f}",
            f"{share:.2f}",
            str(doubled),
            verdict(share >= MIN_GAIN and doubled == 0),
        )
    return report


def _address(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def _bare(address: str, number: int) -> float:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare_outbox")
        connection.execute(bare_outbox.TABLE)
        connection.execute(bare_outbox.FILL, (BARE_OBLIGATIONS,))
        connection.execute("VACUUM ANALYZE bare_outbox")
    command = [sys.executable, "-m", "benchmarks.bare_outbox", address, str(BATCH)]
    with ExitStack() as stack:
        workers = [stack.enter_context(_process(command)) for _ in range(number)]
        started = time.monotonic()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        results = [_line(worker).split() for worker in workers]
    assert sum(int(result[0]) for result in results) == BARE_OBLIGATIONS
    return BARE_OBLIGATIONS / (max(float(result[1]) for result in results) - started)


def _product(url: str, number: int, batch: str, obligations: int) -> tuple[float, int]:
    """Obligations per second, and how many were completed more than once."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        logs = [Path(folder) / str(n) for n in range(number)]
        for log in logs:
            stack.enter_context(_replica(url, log))
        with psycopg.connect(_address(url), autocommit=True) as connection:
            connection.execute(_FILL, {"batch": batch, "kind": KIND, "apart": 0, "number": obligations})
            connection.execute("ANALYZE obligations")
            started = time.monotonic()
            connection.execute("NOTIFY amends_owed")
            _wait_for(connection, batch, obligations)
        done = [line for log in logs for line in _read(log)]
    times = Counter(id_ for id_, _ in done)
    assert len(times) == obligations
    return obligations / (max(at for _, at in done) - started), sum(times.values()) - obligations


def _kill(url: str, kills: int) -> Table:
    """Two replicas with a steady stream of obligations; after each kill a new replica starts."""
    apart = 60.0 if kills > 1 else 15.0
    obligations = int((kills * apart + 10) * EACH_SECOND)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        logs = [Path(folder) / str(n) for n in range(2 + kills)]
        running = [stack.enter_context(_replica(url, log)) for log in logs[:2]]
        with psycopg.connect(_address(url), autocommit=True) as connection:
            # Read the database's clock and this machine's at the same moment.
            row = connection.execute("SELECT extract(epoch FROM now())::float8").fetchone()
            assert row is not None
            offset = row[0] - time.monotonic()
            values = {"batch": "killed", "kind": KIND, "apart": 1 / EACH_SECOND, "number": obligations}
            connection.execute(_FILL, values)
            for n in range(kills):
                time.sleep(apart)
                running[n].kill()
                running.append(stack.enter_context(_replica(url, logs[2 + n])))
            _wait_for(connection, "killed", obligations)
            query = "SELECT id, extract(epoch FROM due)::float8 FROM obligations"
            due: dict[int, float] = dict(connection.execute(query).fetchall())
        done = [line for log in logs for line in _read(log)]
    gaps = [at + offset - due[id_] for id_, at in done]
    report = result_table(
        f"Two replicas, one killed {kills} time(s)",
        "obligations | lost | started twice | delay p50 | p99 | longest",
    )
    completed = len({id_ for id_, _ in done})
    report.add_row(
        f"{obligations:,}",
        str(obligations - completed),
        str(len(done) - completed),
        *(f"{quantile(gaps, share):.2f} s" for share in (0.5, 0.99, 1.0)),
    )
    return report


def _failover(fresh: databases.Fresh) -> Table:
    """The desk that polls is killed, each time on a new database."""
    results = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            results.append(asyncio.run(run_failover(Path(folder), _address(fresh()))))
    title = f"Two desks, the one that polls killed {ROUNDS} times"
    report = result_table(
        title, "lease left at the kill | answered by the other after, median | longest | goal"
    )
    seconds = [result.seconds for result in results]
    report.add_row(
        ", ".join(f"{result.before.left:.1f} s" for result in results),
        f"{statistics.median(seconds):.1f} s",
        f"{max(seconds):.1f} s",
        verdict(max(seconds) < FAILOVER_WITHIN),
    )
    return report


@contextmanager
def _replica(url: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    with _process([sys.executable, "-m", "benchmarks.replica", url, str(log)]) as running:
        yield running


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that has printed `ready`; it is killed at the end."""
    running = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert _line(running).strip() == "ready"
        yield running
    finally:
        running.kill()
        running.communicate()


def _line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline()


def _wait_for(connection: psycopg.Connection, batch: str, obligations: int) -> None:
    query = "SELECT count(*) FROM obligations WHERE scope = %s AND state = 'done'"
    end = time.monotonic() + 300
    while (row := connection.execute(query, (batch,)).fetchone()) is None or row[0] < obligations:
        if time.monotonic() > end:
            raise TimeoutError(f"{row} of {obligations} obligations were completed")
        time.sleep(0.5)


def _read(log: Path) -> CompletionLog:
    lines = log.read_text().splitlines() if log.exists() else []
    # The last line of a killed replica may be incomplete.
    return [(int(fields[0]), float(fields[1])) for line in lines if len(fields := line.split()) == 2]
