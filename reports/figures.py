"""A figure as it is handed on: value, uncertainty, formula, target, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.case_clocks import Observation
from reports.kpis import DURATIONS, MEDIAN_GOALS, SHARES, Goal, Kpi, TargetVerdict
from reports.statistics import Share, Survival, survival


@dataclass(frozen=True)
class ShareFigure:
    """A share of the table in reports.kpis; `group` tells the level where there is one figure for each."""

    key: str
    group: str | None
    kpi: Kpi
    share: Share

    @classmethod
    def of(cls, key: str, group: str | None, hits: int, of: int) -> ShareFigure:
        """The figure of this key."""
        return cls(key, group, SHARES[key], Share(hits, of))

    @property
    def verdict(self) -> TargetVerdict:
        """Met, not met, or nothing to say."""
        return verdict(self.kpi.goal, self.share.value, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """Numerator and denominator always; share and interval only where there is enough to speak of."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "numerator": self.share.hits,
            "denominator": self.share.of,
            "share": _rounded(self.share.value),
            "interval": None
            if self.share.interval is None
            else [_rounded(one) for one in self.share.interval],
            "target": None if self.kpi.goal is None else self.kpi.goal.as_json(),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class DurationFigure:
    """A duration in working days and in elapsed days; the target, where one is set, is for the median."""

    key: str
    group: str
    kpi: Kpi
    goal: Goal | None
    working_days: Survival
    days: Survival

    @classmethod
    def of(cls, key: str, group: str, seen: Sequence[Observation]) -> DurationFigure:
        """The figure of this key from what was observed."""
        return cls(
            key=key,
            group=group,
            kpi=DURATIONS[key],
            goal=MEDIAN_GOALS.get((key, group)),
            working_days=survival(
                (one.working_days for one in seen if one.ended),
                (one.working_days for one in seen if not one.ended),
            ),
            days=survival(
                (one.days for one in seen if one.ended), (one.days for one in seen if not one.ended)
            ),
        )

    @property
    def verdict(self) -> TargetVerdict:
        """Met, not met, or nothing to say."""
        return verdict(self.goal, self.working_days.median, self.working_days.n)

    def as_json(self) -> dict[str, Any]:
        """Quantiles are null while so many have not ended yet."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "ended": self.working_days.ended,
            "still_open": self.working_days.still_open,
            "working_days": {"median": self.working_days.median, "p90": self.working_days.p90},
            "days": {"median": _rounded(self.days.median), "p90": _rounded(self.days.p90)},
            "target": None if self.goal is None else self.goal.as_json(),
            "verdict": self.verdict.value,
        }


def verdict(goal: Goal | None, value: float | None, n: int) -> TargetVerdict:
    """How a value of n units stands to its target; without a target it is only reported."""
    return TargetVerdict.REPORT if goal is None else goal.verdict(value, n)


def _rounded(value: float | None) -> float | None:
    """Four places: a tenth of a thousandth is less than any record of a month can tell."""
    return None if value is None else round(value, 4)
