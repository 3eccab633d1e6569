"""A figure of the report with its uncertainty, formula, target and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.case_clocks import Observation
from reports.kpis import DURATIONS, MEDIAN_GOALS, SHARES, Goal, Kpi, TargetVerdict
from reports.statistics import Share, Survival, rounded, rounded_interval, survival


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
            "days": {"median": rounded(self.days.median), "p90": rounded(self.days.p90)},
            "target": None if self.goal is None else self.goal.as_json(),
            "verdict": self.verdict.value,
        }


def verdict(goal: Goal | None, value: float | None, n: int) -> TargetVerdict:
    return TargetVerdict.REPORT if goal is None else goal.verdict(value, n)
