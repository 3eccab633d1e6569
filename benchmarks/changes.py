"""Planted spikes and slow drifts: how many the analysis finds, how soon, and its false alarms, next to three sigma.

Each simulated desk has three and a half years before and one year of monthly reports (45 series, 40 complaints a
day). The plain rule flags a week above the mean of the 12 weeks before by three of their standard deviations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from statistics import median

import numpy as np
from rich.table import Table

from benchmarks.histories import History, Planted, history
from benchmarks.measuring import result_table, verdict
from reports.analysis.changes import find_changes

DESKS = int(os.environ.get("AMENDS_DESKS", "6"))
BEFORE, YEAR, MONTH, DAILY = 3 * 365 + 26 * 7, 365, 30, 40.0
#: A category by its place in size; weeks of 35, 16 and 8 complaints.
ROWS = (0, 5, 9)
FACTORS = (2.0, 3.0)
#: What a rule signals: the series, the day, and whether it is a drift.
Signal = tuple[int, date, bool]
Rule = Callable[..., list[Signal]]


def tables() -> Iterator[Table]:
    table = result_table(
        "Planted changes and false alarms",
        "planted | analysis finds | after | three sigma finds | after | goal",
    )
    for name, is_slow, days, factors in (
        ("spike of 10 days", False, 10, FACTORS),
        ("drift of 26 weeks", True, 182, (1.3, 1.5)),
    ):
        for factor in factors:
            for row in ROWS:
                cells = [_found(rule, row, factor, days, is_slow=is_slow) for rule in (analysed, three_sigma)]
                table.add_row(f"{name}, x{factor}, category {row + 1}", *cells[0], *cells[1], "")
    null = [history(seed, days=BEFORE + YEAR, daily=DAILY) for seed in range(DESKS)]
    counts = [[len(rule(desk)) for desk in null] for rule in (analysed, three_sigma)]
    ours, plain = (sum(counted) / DESKS for counted in counts)
    table.add_row("false alarms a year", f"{ours:.1f}", "", f"{plain:.1f}", "", verdict(ours < plain))
    yield table


def analysed(desk: History, since: int = BEFORE, until: int = BEFORE + YEAR) -> list[Signal]:
    """The signals of the monthly reports that show these days, each once."""
    signals: dict[tuple[int, bool], Signal] = {}
    for month in range((since - BEFORE) // MONTH, min(12, -(-(until - BEFORE) // MONTH))):
        first, last = BEFORE + month * MONTH, BEFORE + (month + 1) * MONTH
        changes = find_changes(
            desk.counts(last), desk.start + timedelta(days=first), desk.start + timedelta(days=last - 1)
        )
        for spike in changes.spikes:
            signals.setdefault(
                (desk.codes.index(spike.code), False), (desk.codes.index(spike.code), spike.since, False)
            )
        for drift in changes.drifts:
            row = desk.codes.index(drift.code)
            signals.setdefault((row, True), (row, drift.signalled, True))
    return list(signals.values())


def three_sigma(desk: History, since: int = BEFORE, until: int = BEFORE + YEAR) -> list[Signal]:
    weeks = desk.days[:, : desk.days.shape[1] // 7 * 7].reshape(len(desk.codes), -1, 7).sum(axis=2)
    signals = []
    for week in range(since // 7, min(until // 7, weeks.shape[1])):
        before = weeks[:, week - 12 : week]
        above = weeks[:, week] > before.mean(axis=1) + 3 * before.std(axis=1, ddof=1)
        day = desk.start + timedelta(days=7 * week + 6)
        signals += [(int(row), day, False) for row in np.flatnonzero(above)]
    return signals


def _found(rule: Rule, row: int, factor: float, days: int, *, is_slow: bool) -> tuple[str, str]:
    """The share of desks that signal the planted category while it is there or within four weeks, and the days."""
    delays = []
    for seed in range(DESKS):
        since = BEFORE + 17 + seed * 11 % 100
        planted = Planted(row, since, days, factor, is_slow)
        desk = history(1000 + seed, days=BEFORE + YEAR, daily=DAILY, planted=(planted,))
        onset = desk.start + timedelta(days=since)
        signalled = [
            (day - onset).days
            for series, day, _ in rule(desk, since, since + days + 28)
            if series == row + 1 and 0 <= (day - onset).days < days + 28
        ]
        delays += [min(signalled)] if signalled else []
    return f"{len(delays)} of {DESKS}", f"{median(delays):.0f} days" if delays else "–"
