"""1, 2 and 4 processes on one PostgreSQL: duties done per second, beside bare SKIP LOCKED in the same run.

What counts is the gain of more processes, ours beside the bare one's. Then two replicas of which one is killed
now and then: how long after its due time each duty was done; and of two whole desks the one that polls Telegram: how
long until the other answered who wrote then. LIMITS=folder runs the `pg_outbox.py` that is there
as well. AMENDS_KILLS says how often one is killed (60 s apart from the second on; 1 unless said).
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
from benchmarks.measuring import quantile, verdict
from benchmarks.replica import KIND
from tests.edges.product import ROOT
from tests.faults.following import followed

PROCESSES = (1, 2, 4)
DUTIES, BARE_DUTIES = 3_000, 30_000
BATCH = 16
ROUNDS = 3
LEAST_GAIN = 0.9
FOLLOWED_WITHIN = 10.0
KILLS = int(os.environ.get("AMENDS_KILLS", "1"))
EACH_SECOND = 20
_FILL = """
INSERT INTO obligations (scope, key, kind, speaks, lane, due, state, facts, lease_until, wait_until, attempts,
                         created_at)
SELECT %(batch)s, n::text, %(kind)s, false, 2, now() + n * %(apart)s * interval '1 second', 'open', '{}',
       0, 0, 0, now()
FROM generate_series(1, %(number)s) AS n
"""

#: What a book of a replica says: which duty, when.
Book = list[tuple[int, float]]


def tables(duties: int = DUTIES, rounds: int = ROUNDS, kills: int = KILLS) -> Iterator[Table]:
    """The gain, then the killed."""
    with databases.postgres() as fresh:
        yield _gain(fresh(), duties, rounds)
        if kills:
            yield _killed(fresh(), kills)
            yield _followed(fresh)


def limits() -> str:
    """What the ceilings' own script says, where the folder of LIMITS has it."""
    script = Path(os.environ.get("LIMITS", "")) / "pg_outbox.py"
    if not script.is_file():
        return ""
    with tempfile.TemporaryDirectory() as results:
        told = subprocess.run(
            [sys.executable, script.name],
            cwd=script.parent,
            env={**os.environ, "LIMITS_OUT": results},
            capture_output=True,
            text=True,
            check=False,
        )
    return told.stdout or told.stderr


def _gain(url: str, duties: int, rounds: int) -> Table:
    ours: dict[int, list[float]] = {number: [] for number in PROCESSES}
    bare: dict[int, list[float]] = {number: [] for number in PROCESSES}
    doubled = 0
    for turn in range(rounds):
        for number in PROCESSES:
            bare[number].append(_bare(_address(url), number))
            rate, twice = _ours(url, number, f"{turn}:{number}", duties)
            ours[number].append(rate)
            doubled += twice
    drawn = Table(title="Duties done a second, PostgreSQL", title_justify="left", show_edge=False)
    for column in (
        "processes",
        "bare SKIP LOCKED",
        "gain",
        "Amends",
        "gain",
        "share of bare's gain",
        "doubled",
        "goal",
    ):
        drawn.add_column(column)
    first = (statistics.median(bare[1]), statistics.median(ours[1]))
    for number in PROCESSES:
        rates = (statistics.median(bare[number]), statistics.median(ours[number]))
        gains = tuple(rate / one for rate, one in zip(rates, first, strict=True))
        share = gains[1] / gains[0]
        drawn.add_row(
            str(number),
            f"{rates[0]:,.0f}",
            f"{gains[0]:.2f}",
            f"{rates[1]:,.0f}",
            f"{gains[1]:.2f}",
            f"{share:.2f}",
            str(doubled),
            verdict(share >= LEAST_GAIN and doubled == 0),
        )
    return drawn


def _address(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def _bare(address: str, number: int) -> float:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare_outbox")
        connection.execute(bare_outbox.TABLE)
        connection.execute(bare_outbox.FILL, (BARE_DUTIES,))
        connection.execute("VACUUM ANALYZE bare_outbox")
    command = [sys.executable, "-m", "benchmarks.bare_outbox", address, str(BATCH)]
    with ExitStack() as stack:
        workers = [stack.enter_context(_process(command)) for _ in range(number)]
        began = time.monotonic()
        for one in workers:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told = [_line(one).split() for one in workers]
    assert sum(int(one[0]) for one in told) == BARE_DUTIES
    return BARE_DUTIES / (max(float(one[1]) for one in told) - began)


def _ours(url: str, number: int, batch: str, duties: int) -> tuple[float, int]:
    """The rate, and how many duties were done more than once."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        books = [Path(folder) / str(one) for one in range(number)]
        for book in books:
            stack.enter_context(_replica(url, book))
        with psycopg.connect(_address(url), autocommit=True) as connection:
            connection.execute(_FILL, {"batch": batch, "kind": KIND, "apart": 0, "number": duties})
            connection.execute("ANALYZE obligations")
            began = time.monotonic()
            connection.execute("NOTIFY amends_owed")
            _wait_for(connection, batch, duties)
        done = [line for book in books for line in _read(book)]
    times = Counter(one for one, _ in done)
    assert len(times) == duties
    return duties / (max(at for _, at in done) - began), sum(times.values()) - duties


def _killed(url: str, kills: int) -> Table:
    """Two replicas with a steady stream of duties; one is killed and another takes its place."""
    apart = 60.0 if kills > 1 else 15.0
    duties = int((kills * apart + 10) * EACH_SECOND)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        books = [Path(folder) / str(one) for one in range(2 + kills)]
        running = [stack.enter_context(_replica(url, book)) for book in books[:2]]
        with psycopg.connect(_address(url), autocommit=True) as connection:
            # The time of the database and of this machine, in one breath.
            told = connection.execute("SELECT extract(epoch FROM now())::float8").fetchone()
            assert told is not None
            offset = told[0] - time.monotonic()
            values = {"batch": "killed", "kind": KIND, "apart": 1 / EACH_SECOND, "number": duties}
            connection.execute(_FILL, values)
            for one in range(kills):
                time.sleep(apart)
                running[one].kill()
                running.append(stack.enter_context(_replica(url, books[2 + one])))
            _wait_for(connection, "killed", duties)
            due = dict(
                connection.execute("SELECT id, extract(epoch FROM due)::float8 FROM obligations").fetchall()
            )
        done = [line for book in books for line in _read(book)]
    gaps = [at + offset - due[one] for one, at in done]
    drawn = Table(title=f"Two replicas, one killed {kills} time(s)", title_justify="left", show_edge=False)
    for column in ("duties", "lost", "begun twice", "gap p50", "p99", "longest"):
        drawn.add_column(column)
    found = len({one for one, _ in done})
    drawn.add_row(
        f"{duties:,}",
        str(duties - found),
        str(len(done) - found),
        *(f"{quantile(gaps, share):.2f} s" for share in (0.5, 0.99, 1.0)),
    )
    return drawn


def _followed(fresh: databases.Fresh) -> Table:
    """The one that polls is killed, each time on a new database."""
    came = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            came.append(asyncio.run(followed(Path(folder), _address(fresh()))))
    title = f"Two desks, the one that polls killed {ROUNDS} times"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in ("lease left at the kill", "answered by the other after, median", "longest", "goal"):
        drawn.add_column(column)
    seconds = [one.seconds for one in came]
    drawn.add_row(
        ", ".join(f"{one.died.left:.1f} s" for one in came),
        f"{statistics.median(seconds):.1f} s",
        f"{max(seconds):.1f} s",
        verdict(max(seconds) < FOLLOWED_WITHIN),
    )
    return drawn


@contextmanager
def _replica(url: str, book: Path) -> Iterator[subprocess.Popen[str]]:
    with _process([sys.executable, "-m", "benchmarks.replica", url, str(book)]) as running:
        yield running


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that says that it is ready; killed on the way out."""
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


def _wait_for(connection: psycopg.Connection, batch: str, duties: int) -> None:
    query = "SELECT count(*) FROM obligations WHERE scope = %s AND state = 'done'"
    end = time.monotonic() + 300
    while (row := connection.execute(query, (batch,)).fetchone()) is None or row[0] < duties:
        if time.monotonic() > end:
            raise TimeoutError(f"{row} of {duties} duties were done")
        time.sleep(0.5)


def _read(book: Path) -> Book:
    lines = book.read_text().splitlines() if book.exists() else []
    # The last line of a killed one may be half of one.
    return [(int(one[0]), float(one[1])) for line in lines if len(one := line.split()) == 2]
