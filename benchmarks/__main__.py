"""`make bench`: every benchmark as tables, with the machine's noise; `DATA=folder` adds the labelled sets."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console, RenderableType

from amends.logs import set_up_logging
from benchmarks import (
    alterations,
    archive,
    changes,
    drain,
    faults,
    incident,
    intake,
    intervals,
    large_log,
    likeness,
    lives,
    presses,
    prompt,
    replicas,
    reports,
    resting,
    soak,
    treatment,
    updates,
    word_search,
)
from benchmarks.noise import noise
from tests.faults.load import Load

out = Console()
#: Benchmarks with their own arguments (`python -m benchmarks faults --help`).
WITH_ARGUMENTS = {"faults": faults.main, "soak": soak.main, "lives": lives.main}


def _prompt() -> Iterator[RenderableType]:
    yield asyncio.run(prompt.table())
    yield asyncio.run(prompt.under_proposals())


def _replicas() -> Iterator[RenderableType]:
    yield from replicas.tables()
    yield replicas.limits()


def _faults() -> Iterator[RenderableType]:
    yield faults.kills(Load(400, 400, 8), faults.STORES)
    yield faults.costs(faults.STORES, 20)
    yield faults.weather(2.0, faults.STORES)


def _triage() -> Iterator[RenderableType]:
    data = os.environ.get("DATA")
    if not data or not Path(data).is_dir():
        yield "triage: no labelled sets (make bench DATA=folder); its figures are left out."
        return
    subprocess.run([sys.executable, "-m", "benchmarks.triage_quality", "--data", data], check=True)


BENCHMARKS: Mapping[str, Callable[[], Iterator[RenderableType]]] = {
    "intake": lambda: iter([intake.table()]),
    "prompt": _prompt,
    "presses": lambda: iter([asyncio.run(presses.table())]),
    "replicas": _replicas,
    "drain": lambda: iter([asyncio.run(drain.table())]),
    "archive": lambda: iter([archive.table()]),
    "resting": lambda: iter([asyncio.run(resting.table())]),
    "updates": lambda: iter([asyncio.run(updates.table())]),
    "incident": lambda: iter([asyncio.run(incident.table())]),
    "likeness": lambda: iter(likeness.tables()),
    "words": lambda: iter([word_search.table()]),
    "faults": _faults,
    "alterations": alterations.tables,
    "log": lambda: iter([large_log.table()]),
    "reports": reports.tables,
    "changes": changes.tables,
    "treatment": treatment.tables,
    "intervals": intervals.tables,
    "triage": _triage,
}


def main() -> None:
    """Run the named benchmarks, or all of them."""
    # Arrays are small, as in the product: several threads per array would compete for the same cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1:2] and sys.argv[1] in WITH_ARGUMENTS:
        set_up_logging("warning")
        WITH_ARGUMENTS[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"{', '.join(BENCHMARKS)}; all without an argument")
    names = parser.parse_args().only or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    set_up_logging("warning")
    for name in names:
        # Measured before each benchmark: the machine's load changes between them.
        out.print(noise())
        for table in BENCHMARKS[name]():
            out.print(table)


if __name__ == "__main__":
    main()
