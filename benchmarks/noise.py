"""How busy the machine is: printed with every figure, because other work changes all of them."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from rich.table import Table

from benchmarks.measuring import result_table


def noise(rounds: int = 50) -> Table:
    """Median and worst time of a flush to disk and of a fixed calculation, and the load average."""
    table = result_table("This machine, now", "what | median | worst")
    with tempfile.TemporaryDirectory() as folder:
        table.add_row("one durable write", *_spread([_flush(Path(folder) / "f") for _ in range(rounds)]))
    table.add_row("1,000,000 additions", *_spread([_spin() for _ in range(rounds // 5)]))
    table.add_row("load average", f"{os.getloadavg()[0]:.2f}", f"{os.cpu_count()} cores")
    return table


def _flush(file: Path) -> float:
    started = time.perf_counter()
    with file.open("ab") as handle:
        handle.write(b"x" * 1024)
        handle.flush()
        os.fsync(handle.fileno())
    return time.perf_counter() - started


def _spin() -> float:
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return time.perf_counter() - started


def _spread(seconds: list[float]) -> tuple[str, str]:
    return f"{statistics.median(seconds) * 1000:.2f} ms", f"{max(seconds) * 1000:.2f} ms"
