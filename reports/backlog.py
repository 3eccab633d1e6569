"""The backlog (8.4): what is open now, by age, how much of it is overdue, and the oldest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from complaints.doing import stamp
from complaints.record import Case
from complaints.vocabulary import Target
from reports.kpis import BACKLOG_OVERDUE, PAST_LEGAL, Verdict
from reports.proportions import Share

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
    def past_legal_verdict(self) -> Verdict:
        """A count against zero needs no minimum: one complaint past the legal maximum is one too many."""
        return Verdict.NOT_MET if self.past_legal else Verdict.MET

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
            else {"ref": oldest.ref, "received_at": stamp(oldest.received_at), "days": oldest.days},
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
