"""Sections of the monitoring report: backlog, satisfaction, equal treatment and redress (4.5, 8.3, 8.4).

Each section has a class that counts, one complaint at a time, and a frozen class with the result.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from statistics import NormalDist
from typing import Any

from complaints.measures.row import Stage
from complaints.times import format_time
from reports.kpis import BACKLOG_OVERDUE, PAST_LEGAL, SCORES, Kpi, TargetVerdict
from reports.statistics import FEWEST, Share, exact_p_value, mean_interval, rounded, rounded_interval, wilson

#: Upper limits of the age bands in whole days since receipt; the last band has none.
BANDS: tuple[int, ...] = (7, 14, 28, 56)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class AgeBand:
    """Open complaints received up to `days` days ago; None for all older ones."""

    days: int | None
    overdue: Share


@dataclass(frozen=True)
class OldestComplaint:
    """The complaint that has been open longest; `days` are counted since receipt."""

    ref: str
    received_at: datetime
    days: int


@dataclass(frozen=True)
class Backlog:
    """All complaints that were open at `as_of`, whenever they were received."""

    as_of: datetime
    bands: tuple[AgeBand, ...]
    overdue: Share
    past_legal: int
    oldest: OldestComplaint | None

    @property
    def past_legal_verdict(self) -> TargetVerdict:
        """Not met if even one complaint is past the legal maximum; this needs no minimum number."""
        return TargetVerdict.NOT_MET if self.past_legal else TargetVerdict.MET

    def as_json(self) -> dict[str, Any]:
        """JSON values; a share of too few complaints is null."""
        oldest = self.oldest
        return {
            "as_of": format_time(self.as_of),
            "open": self.overdue.of,
            "bands": [
                {
                    "up_to_days": band.days,
                    "open": band.overdue.of,
                    "overdue": band.overdue.hits,
                    "share": band.overdue.value,
                }
                for band in self.bands
            ],
            "overdue": {
                "formula": BACKLOG_OVERDUE.formula,
                "numerator": self.overdue.hits,
                "denominator": self.overdue.of,
                "share": self.overdue.value,
                "interval": None if self.overdue.interval is None else list(self.overdue.interval),
            },
            "past_legal": {
                "formula": PAST_LEGAL.formula,
                "count": self.past_legal,
                "target": {"at_most": 0},
                "verdict": self.past_legal_verdict.value,
            },
            "oldest": None
            if oldest is None
            else {"ref": oldest.ref, "received_at": format_time(oldest.received_at), "days": oldest.days},
        }


@dataclass
class BacklogCount:
    """Counts the complaints that were open at `as_of`."""

    as_of: datetime
    open_by_band: list[int] = field(default_factory=lambda: [0] * (len(BANDS) + 1))
    overdue_by_band: list[int] = field(default_factory=lambda: [0] * (len(BANDS) + 1))
    past_legal: int = 0
    #: When the oldest complaint was received, and its reference.
    oldest: tuple[datetime, str] | None = None

    def add(self, ref: str, received_at: datetime, stage: Stage) -> None:
        age = (self.as_of - received_at) // _DAY
        band = next((number for number, days in enumerate(BANDS) if age <= days), len(BANDS))
        self.open_by_band[band] += 1
        self.overdue_by_band[band] += stage.due is not None and stage.due < self.as_of
        self.past_legal += stage.legal_due is not None and stage.legal_due < self.as_of
        if self.oldest is None or (received_at, ref) < self.oldest:
            self.oldest = (received_at, ref)

    def result(self) -> Backlog:
        oldest = None
        if self.oldest is not None:
            received_at, ref = self.oldest
            oldest = OldestComplaint(ref, received_at, (self.as_of - received_at) // _DAY)
        counts = zip((*BANDS, None), self.overdue_by_band, self.open_by_band, strict=True)
        return Backlog(
            as_of=self.as_of,
            bands=tuple(AgeBand(days, Share(overdue, total)) for days, overdue, total in counts),
            overdue=Share(sum(self.overdue_by_band), sum(self.open_by_band)),
            past_legal=self.past_legal,
            oldest=oldest,
        )


@dataclass(frozen=True)
class Score:
    """The scores of one kind: `group` is the outcome decided, or None for all. `mean` is None below ten answers.

    One unit is what one person answered after one closing, averaged over the questions of this kind. `share` is
    that of the units with 4 or more.
    """

    key: str
    group: str | None
    kpi: Kpi
    total: float
    share: Share
    squares: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean score, from 1 to 5."""
        return self.total / self.share.of if self.share.of >= FEWEST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean."""
        return mean_interval(self.total, self.squares, self.share.of)

    @property
    def verdict(self) -> TargetVerdict:
        """The mean against its target; only for all answers together."""
        if self.kpi.goal is None or self.group is not None:
            return TargetVerdict.REPORT
        return self.kpi.goal.verdict(self.mean, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; null for too few answers."""
        goal = None if self.kpi.goal is None or self.group is not None else self.kpi.goal.as_json()
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "answers": self.share.of,
            "mean": rounded(self.mean, 2),
            "mean_interval": rounded_interval(self.interval),
            "four_or_five": self.share.hits,
            "share": rounded(self.share.value),
            "interval": rounded_interval(self.share.interval),
            "target": goal,
            "verdict": self.verdict.value,
        }


@dataclass
class ScoreCount:
    """Counts the average scores of each survey: their sum, those of 4 or more, and the surveys."""

    counts: dict[tuple[str, str | None], list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0])
    )

    def add(self, surveys: Iterable[tuple[float | None, int | None, bool | None]]) -> None:
        """Count process, outcome and whether something was upheld, of each survey of a complaint."""
        for process, outcome, upheld in surveys:
            group = None if upheld is None else "upheld" if upheld else "not upheld"
            for key, score in (("process", process), ("outcome", outcome)):
                if score is None:
                    continue
                for outcome_group in {None, group}:
                    counts = self.counts[key, outcome_group]
                    counts[0] += score
                    counts[1] += score >= 4
                    counts[2] += 1
                    counts[3] += score * score

    def result(self) -> tuple[Score, ...]:
        results = []
        for key, kpi in SCORES.items():
            for group in (None, "upheld", "not upheld"):
                total, high, answers, squares = self.counts.get((key, group), (0, 0, 0, 0))
                if group is None or answers:
                    results.append(Score(key, group, kpi, total, Share(int(high), int(answers)), squares))
        return tuple(results)


#: Of the intervals of all comparisons together.
CONFIDENCE = 0.95
_MEASURES: Mapping[str, str] = {
    "decided_in_time": "decided in time",
    "upheld": "upheld, wholly or partly",
    "satisfied": "4 or 5 on the process",
}


@dataclass(frozen=True)
class Gap:
    """One group compared with all others of its kind; `difference` and `interval` are None for too few cases.

    `comparisons` is how many are made together: with more of them each interval is wider (Bonferroni), so that
    chance alone flags one in at most 5 % of reports.
    """

    of: str
    group: str
    measure: str
    here: Share
    others: Share
    comparisons: int = 1

    @property
    def difference(self) -> float | None:
        """The group's share minus the share of the others."""
        if self.here.value is None or self.others.value is None:
            return None
        return self.here.value - self.others.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """The simultaneous 95 % confidence interval of the difference (Newcombe, 1998)."""
        if self.here.value is None or self.others.value is None:
            return None
        p, q = self.here.value, self.others.value
        z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * self.comparisons))
        p_low, p_high = wilson(self.here.hits, self.here.of, z)
        q_low, q_high = wilson(self.others.hits, self.others.of, z)
        below = sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
        above = sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
        return p - q - below, p - q + above

    @property
    def flagged(self) -> bool:
        """True if chance does not explain the difference: neither the interval nor an exact test contains zero."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return False
        return exact_p_value(self.here, self.others) * self.comparisons <= 1 - CONFIDENCE

    def as_json(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "group": self.group,
            "measure": self.measure,
            "title": _MEASURES[self.measure],
            "here": [self.here.hits, self.here.of],
            "others": [self.others.hits, self.others.of],
            "difference": rounded(self.difference),
            "interval": rounded_interval(self.interval),
            "flagged": self.flagged,
        }


@dataclass
class EqualTreatmentCount:
    """Counts hits and units by (kind of group, group, measure)."""

    groups: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(
        self, language: str, *, supported: bool, measures: Iterable[tuple[str, bool]], times: int = 1
    ) -> None:
        """Count these measures of complaints of one language, with or without a support need."""
        need = "told" if supported else "none told"
        for measure, hit in measures:
            for kind, group in (("language", language), ("support need", need)):
                counts = self.groups[kind, group, measure]
                counts[0] += hit * times
                counts[1] += times

    def gaps(self) -> tuple[Gap, ...]:
        """Each group compared with the others of its kind; a group without others is left out."""
        by_kind: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(dict)
        for (kind, group, measure), counts in sorted(self.groups.items()):
            by_kind[kind, measure][group] = counts
        gaps = [
            _gaps(kind, measure, counts) for (kind, measure), counts in by_kind.items() if len(counts) > 1
        ]
        comparisons = sum(map(_comparisons, gaps))
        every_gap = (replace(gap, comparisons=max(1, comparisons)) for family in gaps for gap in family)
        return tuple(sorted(every_gap, key=lambda gap: (gap.of, gap.group, gap.measure)))


def _gaps(kind: str, measure: str, counts: Mapping[str, list[int]]) -> list[Gap]:
    hits, units = (sum(column) for column in zip(*counts.values(), strict=True))
    return [
        Gap(kind, group, measure, Share(here, of), Share(hits - here, units - of))
        for group, (here, of) in counts.items()
    ]


def _comparisons(gaps: Sequence[Gap]) -> int:
    """How many different comparisons have enough units; of two groups each is the mirror of the other."""
    enough = sum(gap.difference is not None for gap in gaps)
    return min(enough, 1) if len(gaps) == 2 else enough


@dataclass(frozen=True)
class Redress:
    """Amounts promised and paid by currency, and the number upheld; an offer counts once it is accepted."""

    promised: Mapping[str, Decimal]
    paid: Mapping[str, Decimal]
    upheld: int

    def as_json(self) -> dict[str, Any]:
        """JSON values; amounts are strings with a decimal point."""
        return {
            "upheld": self.upheld,
            "currencies": [
                {
                    "currency": currency,
                    "promised": str(self.promised[currency]),
                    "paid": str(self.paid.get(currency, Decimal(0))),
                    "promised_per_upheld": self.per_upheld(currency),
                }
                for currency in sorted(self.promised)
            ],
        }

    def per_upheld(self, currency: str) -> str | None:
        """The amount promised in this currency for each upheld complaint; None if none was upheld."""
        return f"{self.promised[currency] / self.upheld:.2f}" if self.upheld else None


@dataclass
class RedressCount:
    """Adds up the amounts, in hundredths of the currency."""

    promised: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    upheld: int = 0

    def add(self, amounts: Mapping[str, Sequence[int]]) -> None:
        for currency, (promised, paid) in amounts.items():
            self.promised[currency] += promised
            self.paid[currency] += paid

    def result(self) -> Redress:
        return Redress(
            promised={currency: Decimal(cents) / 100 for currency, cents in self.promised.items()},
            paid={currency: Decimal(cents) / 100 for currency, cents in self.paid.items()},
            upheld=self.upheld,
        )
