"""Are people treated alike (4.5, 8.4)? Between handlers, languages and support needs, beyond what chance does.

The backlog (8.4): what is open now, by age, how much of it is overdue, and the oldest.

Satisfaction scores (8.3): the mean, and the share of 4 and 5, of the process and of the outcome apart.

Redress (8.4): what was promised and what was paid, by currency, and per complaint that was upheld.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

from complaints.case import Case
from complaints.history import CaseHistory
from complaints.timestamps import format_time
from complaints.vocabulary import Finding, Flag, Target
from reports.case_measures import OUTCOME, PROCESS, marks, outcome, scores, upheld_at_all
from reports.kpis import BACKLOG_OVERDUE, PAST_LEGAL, SCORES, Kpi, TargetVerdict
from reports.statistics import FEWEST, Share, wilson

#: So far apart in upholding two handlers may be before somebody looks (docs/domain.md, section 5).
HANDLERS_APART = 0.15
_UPHELD = (Finding.UPHELD.value, Finding.PARTLY.value)
_MEASURES: Mapping[str, str] = {
    "decided_in_time": "decided in time",
    "upheld": "upheld, wholly or partly",
    "satisfied": "4 or 5 on the process",
}


@dataclass(frozen=True)
class Gap:
    """One group against all others of its kind; `difference` and `interval` are None where too few."""

    of: str
    group: str
    measure: str
    here: Share
    others: Share

    @property
    def difference(self) -> float | None:
        """Share here less share of the others."""
        if self.here.value is None or self.others.value is None:
            return None
        return self.here.value - self.others.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which differences the true one lies, with 95 % confidence (Newcombe, 1998)."""
        if self.here.value is None or self.others.value is None:
            return None
        p, q = self.here.value, self.others.value
        (low, high), (lower, higher) = (
            wilson(self.here.hits, self.here.of),
            wilson(self.others.hits, self.others.of),
        )
        below = sqrt((p - low) ** 2 + (higher - q) ** 2)
        above = sqrt((high - p) ** 2 + (q - lower) ** 2)
        return p - q - below, p - q + above

    @property
    def flagged(self) -> bool:
        """More than chance: the interval leaves no difference out."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "of": self.of,
            "group": self.group,
            "measure": self.measure,
            "title": _MEASURES[self.measure],
            "here": [self.here.hits, self.here.of],
            "others": [self.others.hits, self.others.of],
            "difference": None if self.difference is None else round(self.difference, 4),
            "interval": None if self.interval is None else [round(one, 4) for one in self.interval],
            "flagged": self.flagged,
        }


@dataclass(frozen=True)
class Handler:
    """How often one person upheld at level 1; `apart` from another by more than 15 points."""

    id: str
    upheld: Share
    apart: bool

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "handler": self.id,
            "upheld": self.upheld.hits,
            "decided": self.upheld.of,
            "share": None if self.upheld.value is None else round(self.upheld.value, 4),
            "flagged": self.apart,
        }


@dataclass
class Alike:
    """Groups being counted: hits and units by (kind of group, group, measure), and by handler."""

    groups: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    handlers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, seen: CaseHistory, now: datetime) -> None:
        """One complaint in each of its groups."""
        case = seen.case
        need = "told" if Flag.SUPPORT_NEED in case.flags else "none told"
        for measure, hit in _seen(seen, now):
            for of, group in (("language", case.language), ("support need", need)):
                counts = self.groups[of, group, measure]
                counts[0] += hit
                counts[1] += 1
        for one in case.decisions:
            if one.level == 1 and one.communicated_at is not None:
                counts = self.handlers[one.by]
                counts[0] += outcome(one) in _UPHELD
                counts[1] += 1

    def gaps(self) -> tuple[Gap, ...]:
        """Each group against the others of its kind; alone of its kind it is compared with nobody."""
        found = []
        for of, group, measure in sorted(self.groups):
            others = [
                counts
                for (kind, name, what), counts in self.groups.items()
                if (kind, what) == (of, measure) and name != group
            ]
            if others:
                rest = Share(sum(hits for hits, _ in others), sum(units for _, units in others))
                found.append(Gap(of, group, measure, Share(*self.groups[of, group, measure]), rest))
        return tuple(found)

    def by_handler(self) -> tuple[Handler, ...]:
        """Everybody who decided at level 1, by id."""
        shares = {who: Share(*counts) for who, counts in self.handlers.items()}
        known = [one.value for one in shares.values() if one.value is not None]
        return tuple(
            Handler(
                who, one, one.value is not None and any(abs(one.value - it) > HANDLERS_APART for it in known)
            )
            for who, one in sorted(shares.items())
        )


def _seen(seen: CaseHistory, now: datetime) -> Iterator[tuple[str, bool]]:
    for key, _, hit in marks(seen.case, now):
        if key == "decided_in_time":
            yield key, hit
    upheld = upheld_at_all(seen.case)
    if upheld is not None:
        yield "upheld", upheld
    for question, score in scores(seen).items():
        if question in PROCESS:
            yield "satisfied", score >= 4


#: Upper ends of the age bands in whole days since received; the last band has none.
BANDS: tuple[int, ...] = (7, 14, 28, 56)
#: What we wait for, rather than owe: their passing makes nobody late.
_WAITS: frozenset[Target] = frozenset({Target.REPLY_REMINDER, Target.LAPSE, Target.WAITING})
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Band:
    """Open complaints of one age: up to `days` since received, None for all that are older."""

    days: int | None
    overdue: Share


@dataclass(frozen=True)
class Oldest:
    """The complaint that has been open longest; `days` since received."""

    ref: str
    received_at: datetime
    days: int


@dataclass(frozen=True)
class Backlog:
    """Everything open now, whenever it was received."""

    bands: tuple[Band, ...]
    overdue: Share
    past_legal: int
    oldest: Oldest | None

    @property
    def past_legal_verdict(self) -> TargetVerdict:
        """A count against zero needs no minimum: one complaint past the legal maximum is one too many."""
        return TargetVerdict.NOT_MET if self.past_legal else TargetVerdict.MET

    def as_json(self) -> dict[str, Any]:
        """JSON values; shares are null where there is too little to speak of."""
        oldest = self.oldest
        return {
            "open": self.overdue.of,
            "bands": [
                {
                    "up_to_days": one.days,
                    "open": one.overdue.of,
                    "overdue": one.overdue.hits,
                    "share": one.overdue.value,
                }
                for one in self.bands
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
class Pile:
    """Open complaints being counted, one by one."""

    open_by_band: list[int] = field(default_factory=lambda: [0] * (len(BANDS) + 1))
    overdue_by_band: list[int] = field(default_factory=lambda: [0] * (len(BANDS) + 1))
    past_legal: int = 0
    oldest: Case | None = None
    now: datetime | None = None

    def add(self, case: Case, now: datetime) -> None:
        """One more open complaint, judged at `now`."""
        age = (now - case.received_at) // _DAY
        band = next((n for n, days in enumerate(BANDS) if age <= days), len(BANDS))
        late = {one.target for one in case.current_targets() if one.met_at is None and one.internal_due < now}
        self.open_by_band[band] += 1
        self.overdue_by_band[band] += bool(late - _WAITS)
        self.past_legal += Target.LEGAL in late
        self.now = now
        if self.oldest is None or (case.received_at, case.ref) < (self.oldest.received_at, self.oldest.ref):
            self.oldest = case

    def counted(self) -> Backlog:
        """The backlog as it adds up."""
        oldest = None
        if self.oldest is not None and self.now is not None:
            days = (self.now - self.oldest.received_at) // _DAY
            oldest = Oldest(self.oldest.ref, self.oldest.received_at, days)
        counts = zip((*BANDS, None), self.overdue_by_band, self.open_by_band, strict=True)
        return Backlog(
            bands=tuple(Band(days, Share(overdue, of)) for days, overdue, of in counts),
            overdue=Share(sum(self.overdue_by_band), sum(self.open_by_band)),
            past_legal=self.past_legal,
            oldest=oldest,
        )


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
    def verdict(self) -> TargetVerdict:
        """How the mean stands to its target; of all answers only."""
        if self.kpi.goal is None or self.group is not None:
            return TargetVerdict.REPORT
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

    def add(self, seen: CaseHistory) -> None:
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


@dataclass(frozen=True)
class Redress:
    """Sums by currency, in its units; an offer counts once it was accepted."""

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
        """What was promised in this currency for each complaint upheld; None where there is none."""
        return f"{self.promised[currency] / self.upheld:.2f}" if self.upheld else None


@dataclass
class Paid:
    """Sums being made."""

    promised: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    upheld: int = 0

    def add(self, case: Case) -> None:
        """What one complaint was promised, in hundredths."""
        self.upheld += bool(upheld_at_all(case))
        for one in case.owed_remedies:
            if one.amount and one.currency:
                cents = int(Decimal(one.amount) * 100)
                self.promised[one.currency] += cents
                self.paid[one.currency] += cents if one.done_at is not None else 0

    def counted(self) -> Redress:
        """What they add up to."""
        return Redress(
            promised={name: Decimal(cents) / 100 for name, cents in self.promised.items()},
            paid={name: Decimal(cents) / 100 for name, cents in self.paid.items()},
            upheld=self.upheld,
        )
