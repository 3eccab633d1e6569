"""`make bench`: every benchmark, one table each, with the machine's noise; `DATA=dir` for the labelled sets."""

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
from benchmarks import archive, drain, intake, likeness, prompt, replicas, resting
from benchmarks.noise import noise

out = Console()


def _replicas() -> Iterator[RenderableType]:
    yield from replicas.tables()
    yield replicas.limits()


def _triage() -> Iterator[RenderableType]:
    data = os.environ.get("DATA")
    if not data or not Path(data).is_dir():
        yield "triage: no labelled sets (make bench DATA=folder); its figures are left out."
        return
    subprocess.run([sys.executable, "-m", "benchmarks.triage_quality", "--data", data], check=True)


BENCHMARKS: Mapping[str, Callable[[], Iterator[RenderableType]]] = {
    "intake": lambda: iter([intake.table()]),
    "prompt": lambda: iter([asyncio.run(prompt.table())]),
    "replicas": _replicas,
    "drain": lambda: iter([asyncio.run(drain.table())]),
    "archive": lambda: iter([archive.table()]),
    "resting": lambda: iter([asyncio.run(resting.table())]),
    "likeness": lambda: iter([likeness.table()]),
    "triage": _triage,
}


def main() -> None:
    """Run what was asked for, else everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"{', '.join(BENCHMARKS)}; all without an argument")
    asked = parser.parse_args().only or list(BENCHMARKS)
    if unknown := set(asked) - BENCHMARKS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    set_up_logging("warning")
    for name in asked:
        # Beside each: the machine may be quiet for one and busy for the next.
        out.print(noise())
        for table in BENCHMARKS[name]():
            out.print(table)


if __name__ == "__main__":
    main()
