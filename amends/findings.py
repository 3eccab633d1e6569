"""A line of `amends check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line: ok, warn or fail; what was looked at, what was found, what to do."""

    mark: str
    what: str
    found: str
    remedy: str = ""
