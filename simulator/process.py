"""The simulator as a child process, for tests that must outlive what they kill."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def start(port: int = 0) -> Iterator[dict[str, Any]]:
    """Run it; gives addresses and tokens; ends it afterwards. Raises RuntimeError if it does not start."""
    command = [sys.executable, "-m", "simulator", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        line = process.stdout.readline() if process.stdout else ""
        try:
            if not line:
                raise RuntimeError("The simulator did not start: see its messages above.")
            yield json.loads(line)
        finally:
            process.terminate()
