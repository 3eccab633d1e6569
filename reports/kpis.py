"""The figures of clause 8.4: title, formula and target of each, its value, and what the record cannot show.

kpis.toml has the table; docs/reports.md has the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from complaints.measures.clocks import Observation
from reports.statistics import FEWEST, Share, Survival, rounded, rounded_interval, survival


class TargetVerdict(StrEnum):
    """A figure against its target; `report` without a target, `too_few` if chance would decide."""

    MET = "met"
    NOT_MET = "not_met"
    TOO_FEW = "too_few"
    REPORT = "report"


@dataclass(frozen=True)
class Goal:
    """A target: at least or at most a value (a share between 0 and 1, working days, or a count)."""

    at_least: float | None = None
    at_most: float | None = None

    def verdict(self, value: float | None, n: int) -> TargetVerdict:
        """Compare a value of n units; None, a median that is not reached yet, is above every target."""
        if n < FEWEST:
            return TargetVerdict.TOO_FEW
        if value is None:
            return TargetVerdict.NOT_MET
        is_too_low = self.at_least is not None and value < self.at_least
        is_too_high = self.at_most is not None and value > self.at_most
        return TargetVerdict.NOT_MET if is_too_low or is_too_high else TargetVerdict.MET

    def as_json(self) -> dict[str, float]:
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {name: value for name, value in bounds.items() if value is not None}


@dataclass(frozen=True)
class Kpi:
    """One figure: its title, its formula and its target (None: only reported)."""

    title: str
    formula: str
    goal: Goal | None = None


FILE = Path(__file__).with_name("kpis.toml")
_TABLES = tomllib.loads(FILE.read_text(encoding="utf-8"))


def _kpis(table: str) -> Mapping[str, Kpi]:
    return {
        key: Kpi(row["title"], row["formula"], Goal(**row["goal"]) if "goal" in row else None)
        for key, row in _TABLES[table].items()
    }


SHARES, DURATIONS, SCORES = _kpis("shares"), _kpis("durations"), _kpis("scores")
#: Targets for the median duration in working days, by duration and priority.
MEDIAN_GOALS: Mapping[tuple[str, str], Goal] = {("time_to_decision", "P3"): Goal(at_most=8)}
OTHERS = _kpis("others")
REPEAT, EMPTY_FIELDS, CHAIN = OTHERS["repeat"], OTHERS["empty_fields"], OTHERS["chain"]
BACKLOG_OVERDUE, PAST_LEGAL = OTHERS["backlog_overdue"], OTHERS["past_legal"]
#: What is not counted, by key: its name and the reason. The report has each: a missing figure must not look like 0.
NOT_REPORTED: Mapping[str, Sequence[str]] = _TABLES["not_reported"]


@dataclass(frozen=True)
class ShareFigure:
    """A share of the table in reports.kpis; `group` is for example the level, if each has a figure."""

    key: str
    group: str | None
    kpi: Kpi
    share: Share

    @classmethod
    def of(cls, key: str, group: str | None, hits: int, total: int) -> ShareFigure:
        return cls(key, group, SHARES[key], Share(hits, total))

    @property
    def verdict(self) -> TargetVerdict:
        return verdict(self.kpi.goal, self.share.value, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; the share and its interval are null for too few cases."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "numerator": self.share.hits,
            "denominator": self.share.of,
            "share": rounded(self.share.value),
            "interval": rounded_interval(self.share.interval),
            "target": None if self.kpi.goal is None else self.kpi.goal.as_json(),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class DurationFigure:
    """A duration in working days and in elapsed days; the target, if any, is for the median working days."""

    key: str
    group: str
    kpi: Kpi
    goal: Goal | None
    working_days: Survival
    days: Survival

    @classmethod
    def of(cls, key: str, group: str, observations: Sequence[Observation]) -> DurationFigure:
        ended = [observation for observation in observations if observation.ended]
        still_open = [observation for observation in observations if not observation.ended]
        return cls(
            key=key,
            group=group,
            kpi=DURATIONS[key],
            goal=MEDIAN_GOALS.get((key, group)),
            working_days=survival(
                (observation.working_days for observation in ended),
                (observation.working_days for observation in still_open),
            ),
            days=survival(
                (observation.days for observation in ended), (observation.days for observation in still_open)
            ),
        )

    @property
    def verdict(self) -> TargetVerdict:
        return verdict(self.goal, self.working_days.median, self.working_days.n)

    def as_json(self) -> dict[str, Any]:
        """JSON values; a quantile is null while too many have not ended."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "ended": self.working_days.ended,
            "still_open": self.working_days.still_open,
            "working_days": {"median": self.working_days.median, "p90": self.working_days.p90},
            "median_interval": self.working_days.median_interval,
            "days": {"median": rounded(self.days.median), "p90": rounded(self.days.p90)},
            "target": None if self.goal is None else self.goal.as_json(),
            "verdict": self.verdict.value,
        }


def verdict(goal: Goal | None, value: float | None, n: int) -> TargetVerdict:
    return TargetVerdict.REPORT if goal is None else goal.verdict(value, n)
