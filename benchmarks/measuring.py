"""Quantiles, and the formats of benchmark tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ms(seconds: float) -> str:
    """Seconds, written as milliseconds."""
    return f"{seconds * 1000:.1f} ms"


def verdict(holds: bool) -> str:
    """Whether the goal is met, in words."""
    return "met" if holds else "NOT met"


def result_table(title: str, head: str) -> Table:
    """An empty table; `head` has the names of its columns with | between them."""
    columns = (name.strip() for name in head.split("|"))
    return Table(*columns, title=title, title_justify="left", show_edge=False)
