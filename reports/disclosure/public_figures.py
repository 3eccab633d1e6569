"""Public figures (8.1, 4.2): what the organisation publishes of its complaints, without cells that show a person.

A publication is recorded with its figures. The public page shows the newest one, so page and report never differ.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from complaints.measures.clocks import ALL
from reports.document import Cell, Estimate, KeyFigure, Label, MeasureUnit, Report, Section, Table, text
from reports.monitoring import Monitoring
from reports.shared_tables import columns
from reports.statistics import FEWEST, Share
from reports.tally import Period

#: The shares that are published. Of outcomes, few hits or few misses would say something about single people.
_TIMELY = ("acknowledged_in_time", "decided_in_time")
_OUTCOMES = {"upheld": "level 1", "partly": "level 1", "external": None, "overturned": None}
#: The name of all categories with few complaints together.
REST = "rest"


def public_figures(figures: Monitoring, first: date, last: date) -> dict[str, Any]:
    """The figures as JSON values; what is hidden is null."""
    rows = {(row.key, row.group): row.share for row in figures.shares}
    shares = {key: _percent(rows[key, None], 0) for key in _TIMELY}
    shares |= {key: _percent(rows.get((key, group), Share(0, 0)), FEWEST) for key, group in _OUTCOMES.items()}
    durations = {(row.key, row.group): row.working_days.median for row in figures.durations}
    enough = figures.received >= FEWEST
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "received": figures.received if enough else None,
        "median_days": durations.get(("time_to_decision", ALL)) if enough else None,
        "shares": shares,
        "categories": without_small(figures.volume.get("category", {})),
    }


def _percent(share: Share, cell: int) -> int | None:
    """The share in whole percent; None for few units, or for a cell that is neither empty nor large enough."""
    if not share.enough or any(0 < number < cell for number in (share.hits, share.of - share.hits)):
        return None
    return round(100 * share.hits / share.of)


def without_small(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts with all small ones as one; where that is small too, the next larger joins it."""
    kept = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    rest = 0
    while kept and (min(kept.values()) < FEWEST or 0 < rest < FEWEST):
        rest += kept.pop(list(kept)[-1])
    return kept | ({REST: rest} if rest >= FEWEST else {})


def public_report(figures: Mapping[str, Any], period: Period, now: datetime) -> Report:
    numbers: list[tuple[str, Cell]] = [
        ("received", figures["received"]),
        ("median_days", Estimate(figures["median_days"], MeasureUnit.WORKING_DAYS, 0)),
    ]
    for key, percent in figures["shares"].items():
        numbers.append((key, Estimate(None if percent is None else percent / 100, MeasureUnit.SHARE, 0)))
    rows = tuple(
        (text("public.rest") if name == REST else Label("category", name), number)
        for name, number in figures["categories"].items()
    )
    table = Table(
        "categories", text("public.categories"), columns("public.column", "category", "number"), rows
    )
    return Report(
        "public",
        "8.1",
        text("public.title"),
        now,
        period,
        figures=tuple(KeyFigure(name, text(f"public.{name}"), value) for name, value in numbers),
        sections=(Section("categories", text("public.categories"), tables=(table,)),),
        method=(
            Section(
                "method",
                text("public.method"),
                items=(text("public.hidden", fewest=FEWEST),),
            ),
        ),
    )
