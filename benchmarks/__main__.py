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
from benchmarks import faults, intake, likeness, prompt, soak
from benchmarks.noise import noise

out = Console()
#: These take arguments of their own (`python -m benchmarks faults --help`).
ALONE = {"faults": faults.main, "soak": soak.main}


def main() -> None:
    """Run what was asked for, else everything."""
    # Arrays are small here, as in the product: several threads for each would fight for the same cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        set_up_logging("warning")
        ALONE[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help="intake, prompt, likeness, faults, triage; all without an argument"
    )
    only = set(parser.parse_args().only) or {"intake", "prompt", "likeness", "faults", "triage"}
    set_up_logging("warning")
    out.print(noise())
    if "intake" in only:
        out.print(intake.table())
    if "prompt" in only:
        out.print(asyncio.run(prompt.table()))
    if "likeness" in only:
        out.print(likeness.table())
    if "faults" in only:
        out.print(faults.kills(faults.Load(400, 400, 8), faults.STORES))
        out.print(faults.costs(faults.STORES, 20))
        out.print(faults.weather(2.0, faults.STORES))
    if "triage" in only:
        data = os.environ.get("DATA")
        if not data or not Path(data).is_dir():
            out.print("triage: no labelled sets (make bench DATA=folder); its figures are left out.")
        else:
            command = [sys.executable, "-m", "benchmarks.triage_quality", "--data", data]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
