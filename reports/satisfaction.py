"""Satisfaction scores (8.3): the mean, and the share of 4 and 5, of the process and of the outcome apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from complaints.followed import Followed
from reports.kpis import SCORES, Kpi, Verdict
from reports.measures import upheld_at_all
from reports.proportions import FEWEST, Share
from reports.told import OUTCOME, PROCESS, scores


@dataclass(frozen=True)
class Score:
    """Scores of one kind: `group` is what was decided, or None for all. `mean` is None below ten answers."""

    key: str
    group: str | None
    kpi: Kpi
    total: int
    share: Share

    @property
    def mean(self) -> float | None:
        """From 1 to 5."""
        return self.total / self.share.of if self.share.of >= FEWEST else None

    @property
    def verdict(self) -> Verdict:
        """How the mean stands to its target; of all answers only."""
        if self.kpi.goal is None or self.group is not None:
            return Verdict.REPORT
        return self.kpi.goal.verdict(self.mean, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; null where there is too little to speak of."""
        goal = None if self.kpi.goal is None or self.group is not None else self.kpi.goal.as_json()
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "answers": self.share.of,
            "mean": None if self.mean is None else round(self.mean, 2),
            "four_or_five": self.share.hits,
            "share": None if self.share.value is None else round(self.share.value, 4),
            "interval": None
            if self.share.interval is None
            else [round(one, 4) for one in self.share.interval],
            "target": goal,
            "verdict": self.verdict.value,
        }


@dataclass
class Scores:
    """Scores being counted: total, 4 or 5, answers."""

    counts: dict[tuple[str, str | None], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )

    def add(self, seen: Followed) -> None:
        """The answers of one complaint."""
        upheld = upheld_at_all(seen.case)
        group = None if upheld is None else "upheld" if upheld else "not upheld"
        for question, score in scores(seen).items():
            key = "outcome" if question == OUTCOME else "process" if question in PROCESS else None
            if key is None:
                continue
            for of in {None, group}:
                counts = self.counts[key, of]
                counts[0] += score
                counts[1] += score >= 4
                counts[2] += 1

    def counted(self) -> tuple[Score, ...]:
        """What they add up to; those without an answer too."""
        found = []
        for key, kpi in SCORES.items():
            for group in (None, "upheld", "not upheld"):
                total, high, of = self.counts.get((key, group), (0, 0, 0))
                if group is None or of:
                    found.append(Score(key, group, kpi, total, Share(high, of)))
        return tuple(found)
