"""Planted unequal treatment: how often monthly reports find it, how soon, and their false alarms, next to 3 sigma.

Each simulated desk has twelve monthly reports. People write in four languages; people of a small group wait longer,
are upheld less often or are less satisfied. The plain rule looks where a group differs by three standard errors, for
the time in the complaints that have ended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from math import sqrt
from statistics import median

import numpy as np
from rich.table import Table

from benchmarks.measuring import verdict
from reports.breakdowns import Gap
from reports.fairness.equal_treatment import AnyGap, TreatmentCount
from reports.statistics import FEWEST

DESKS = int(os.environ.get("AMENDS_DESKS", "40"))
MONTHS = 12
#: Languages and the share of complaints in each; the planted group is the second.
LANGUAGES = {"en": 0.7, "tr": 0.15, "de": 0.1, "es": 0.05}
PLANTED = "tr"
#: Working days to the decision are log-normal; those of one complaint in eight are not known yet.
DAYS, SPREAD, STILL_OPEN = 6.0, 0.6, 1 / 8
SHARES = {"decided_in_time": 0.9, "upheld": 0.45, "satisfied": 0.75}
#: How many of the complaints have an answered survey.
ANSWERED = 0.3
#: What is planted, and in which figure it is found.
EFFECTS = {
    "waits 1.3 times as long": ("time", 1.3),
    "waits 1.6 times as long": ("time", 1.6),
    "upheld 10 points less often": ("upheld", -0.10),
    "upheld 20 points less often": ("upheld", -0.20),
    "satisfied 15 points less often": ("satisfied", -0.15),
    "satisfied 30 points less often": ("satisfied", -0.30),
}
Rule = Callable[[AnyGap], bool]


def tables() -> Iterator[Table]:
    table = Table(title="Planted unequal treatment", title_justify="left", show_edge=False)
    for column in (
        "planted",
        "complaints a month",
        "report finds",
        "after",
        "three sigma finds",
        "after",
        "goal",
    ):
        table.add_column(column)
    for size in (300, 1200):
        for name, (measure, effect) in EFFECTS.items():
            desks = [list(_year(seed, size, measure, effect)) for seed in range(DESKS)]
            cells = [_found(rule, desks, measure) for rule in (_flagged, _three_sigma)]
            table.add_row(name, f"{size:,}", *cells[0], *cells[1], "")
        null = [list(_year(1000 + seed, size)) for seed in range(DESKS)]
        ours, plain = (
            sum(any(map(rule, month)) for year in null for month in year) / DESKS
            for rule in (_flagged, _three_sigma)
        )
        table.add_row(
            "reports with a false alarm, a year", f"{size:,}", f"{ours:.2f}", "", f"{plain:.2f}", "",
            verdict(ours <= 0.05 * MONTHS),
        )  # fmt: skip
    yield table


def _year(seed: int, size: int, measure: str = "", effect: float = 0.0) -> Iterator[list[AnyGap]]:
    """The comparisons of each monthly report."""
    chance = np.random.default_rng(seed)
    for _ in range(MONTHS):
        count = TreatmentCount()
        for language, share in LANGUAGES.items():
            number, planted = int(chance.poisson(size * share)), measure if language == PLANTED else ""
            days = chance.lognormal(
                np.log(DAYS * (effect if planted == "time" else 1)), SPREAD, number
            ).astype(int)
            is_open = chance.random(number) < STILL_OPEN
            durations = count.times["language"][language]
            durations.ended = Counter(days[~is_open].tolist())
            # An open complaint was watched for a part of its time.
            durations.censored = Counter((days[is_open] * chance.random(is_open.sum())).astype(int).tolist())
            for name, rate in SHARES.items():
                total = (
                    int(chance.binomial(number, ANSWERED)) if name == "satisfied" else int((~is_open).sum())
                )
                rate += effect if planted == name else 0
                count.shares.groups["language", language, name] = [int(chance.binomial(total, rate)), total]
        yield count.gaps()


def _flagged(gap: AnyGap) -> bool:
    return gap.flagged


def _three_sigma(gap: AnyGap) -> bool:
    """Whether group and others differ by three standard errors."""
    if isinstance(gap, Gap):
        if min(gap.here.of, gap.others.of) < FEWEST:
            return False
        pooled = (gap.here.hits + gap.others.hits) / (gap.here.of + gap.others.of)
        error = sqrt(pooled * (1 - pooled) * (1 / gap.here.of + 1 / gap.others.of))
        return abs(gap.here.hits / gap.here.of - gap.others.hits / gap.others.of) > 3 * error
    here, others = (np.fromiter(side.ended.elements(), int) for side in (gap.here, gap.others))
    if min(len(here), len(others)) < FEWEST:
        return False
    error = sqrt(here.var(ddof=1) / len(here) + others.var(ddof=1) / len(others))
    return bool(abs(here.mean() - others.mean()) > 3 * error)


def _found(rule: Rule, desks: list[list[list[AnyGap]]], measure: str) -> tuple[str, str]:
    """The share of months whose report flags the planted group, and the first month that does."""
    flags = [
        [any(rule(gap) for gap in month if (gap.group, gap.measure) == (PLANTED, measure)) for month in year]
        for year in desks
    ]
    first = [year.index(True) + 1 for year in flags if any(year)]
    share = sum(map(sum, flags)) / (len(desks) * MONTHS)
    return f"{share:.0%}", f"{median(first):.0f} months ({len(first)} of {len(desks)})" if first else "–"
