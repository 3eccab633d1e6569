"""Are people treated alike (4.5, 8.4)? Between handlers, languages and support needs, beyond what chance does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any

from complaints.followed import Followed
from complaints.vocabulary import Finding, Flag
from reports.measures import marks, outcome, upheld_at_all
from reports.proportions import Share, wilson
from reports.told import PROCESS, scores

#: So far apart in upholding two handlers may be before somebody looks (iso10002.md section 5).
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

    def add(self, seen: Followed, now: datetime) -> None:
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


def _seen(seen: Followed, now: datetime) -> Iterator[tuple[str, bool]]:
    for key, _, hit in marks(seen.case, now):
        if key == "decided_in_time":
            yield key, hit
    upheld = upheld_at_all(seen.case)
    if upheld is not None:
        yield "upheld", upheld
    for question, score in scores(seen).items():
        if question in PROCESS:
            yield "satisfied", score >= 4
