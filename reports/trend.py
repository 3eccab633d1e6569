"""Twelve months of the main figures, so that a period can be compared with those before it (8.4)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.measures.clocks import Observation, Run
from complaints.measures.report_counts import MonthCounts
from complaints.measures.row import read_marks, read_pending
from complaints.times import format_time
from reports.kpis import SHARES
from reports.statistics import Share, Survival, rounded, rounded_interval, survival


@dataclass(frozen=True)
class Month:
    """One month: the complaints received in it, those open at its end, the shares by key, the time to decision.

    A share with groups has that of level 1.
    """

    start: datetime
    received: int
    open_at_end: int
    shares: Mapping[str, Share]
    to_decision: Survival

    def as_json(self) -> dict[str, Any]:
        """JSON values; a share of too few cases is null."""
        return {
            "from": format_time(self.start),
            "received": self.received,
            "open_at_end": self.open_at_end,
            "time_to_decision_working_days": {"median": self.to_decision.median, "p90": self.to_decision.p90},
            "figures": {
                key: {
                    "numerator": share.hits,
                    "denominator": share.of,
                    "share": rounded(share.value),
                    "interval": rounded_interval(share.interval),
                }
                for key, share in self.shares.items()
            },
        }


def month_figures(counts: MonthCounts, now: datetime) -> Month:
    """The figures of one month, as `monitor` counts them."""
    shares: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    ended, stopped = list[int](), list[int]()
    incidents = set[int]()
    handled = (group for group in counts.groups if not group.is_history)
    for group in sorted(handled, key=lambda group: group.first_received_at):
        for key, name, success in read_marks(group.marks):
            if name not in (None, "level 1"):
                continue
            times = group.number
            if key == "recurring" and group.incident_id is not None:
                # The cause of an incident is counted once, however many complaints it brings.
                times = group.incident_id not in incidents
                incidents.add(group.incident_id)
            shares[key][0] += success * times
            shares[key][1] += times
        if group.decision_working_days is not None:
            (ended if group.decided else stopped).extend([group.decision_working_days] * group.number)
    for row in counts.still_open:
        for key, _, success in read_pending(row.pending, now):
            shares[key][0] += success
            shares[key][1] += 1
        if row.is_undecided:
            observation: Observation = Run(row.received_at, None, False).observe(row.calendar, now)
            stopped.append(observation.working_days)
    return Month(
        start=counts.start,
        received=sum(group.number for group in counts.groups),
        open_at_end=counts.open_at_end,
        shares={key: Share(*shares[key]) for key in SHARES if key in shares},
        to_decision=survival(ended, stopped),
    )
