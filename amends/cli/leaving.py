"""Files that leave the desk with personal data: for the eyes of whoever asked for them alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.printing import err

Output = Annotated[Path, typer.Option("-o", "--output", dir_okay=False, help="Write to this file.")]


def writable(file: Path) -> None:
    """Refuse a place that is none, before anything is opened and put on the record as read."""
    if not file.parent.is_dir():
        raise typer.BadParameter(f"{file.parent} is no folder: make it first", param_hint="-o")
    if file.exists() and not os.access(file, os.W_OK):
        raise typer.BadParameter(f"{file} may not be written: choose another name", param_hint="-o")


def write(file: Path, data: bytes) -> None:
    """Write the file, readable only by its owner, and say so on standard error."""
    write_private(file, data)
    err.print(f"wrote {file}")


def write_private(file: Path, data: bytes) -> None:
    """Write the file, readable only by its owner."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        # One that was there before keeps its own rights otherwise.
        os.fchmod(out.fileno(), 0o600)
        out.write(data)
