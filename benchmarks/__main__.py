"""`make bench`: every benchmark, one table each, with the machine's noise; `DATA=dir` for the labelled sets."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from rich.console import Console

from benchmarks import intake, prompt
from benchmarks.noise import noise

out = Console()


def main() -> None:
    """Run what was asked for, else everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="intake, prompt, triage; all without an argument")
    only = set(parser.parse_args().only) or {"intake", "prompt", "triage"}
    out.print(noise())
    if "intake" in only:
        out.print(intake.table())
    if "prompt" in only:
        out.print(asyncio.run(prompt.table()))
    if "triage" in only:
        data = os.environ.get("DATA")
        if not data or not Path(data).is_dir():
            out.print("triage: no labelled sets (make bench DATA=folder); its figures are left out.")
        else:
            from benchmarks import triage_quality  # needs the sets; loading scikit-learn takes its time

            for table in triage_quality.tables(Path(data)):
                out.print(table)


if __name__ == "__main__":
    main()
