"""`make bench`: every benchmark, one table each, with the machine's noise; `DATA=dir` for the labelled sets."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from amends.logs import set_up_logging
from benchmarks import intake, likeness, prompt
from benchmarks.noise import noise

out = Console()


def main() -> None:
    """Run what was asked for, else everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="intake, prompt, likeness, triage; all without an argument")
    only = set(parser.parse_args().only) or {"intake", "prompt", "likeness", "triage"}
    set_up_logging("warning")
    out.print(noise())
    if "intake" in only:
        out.print(intake.table())
    if "prompt" in only:
        out.print(asyncio.run(prompt.table()))
    if "likeness" in only:
        out.print(likeness.table())
    if "triage" in only:
        data = os.environ.get("DATA")
        if not data or not Path(data).is_dir():
            out.print("triage: no labelled sets (make bench DATA=folder); its figures are left out.")
        else:
            command = [sys.executable, "-m", "benchmarks.triage_quality", "--data", data]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
