"""Requests for a person in the chat: how many, how many met, and how long people waited (7.3, docs/law.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from complaints.case import Case


@dataclass
class PersonRequests:
    """The requests so far, those that staff answered, and the sum of their waits."""

    requests: int = 0
    met: int = 0
    waited: timedelta = timedelta()

    def add(self, case: Case) -> None:
        for asked_at, met_at in case.person_waits:
            self.requests += 1
            if met_at is not None:
                self.met += 1
                self.waited += met_at - asked_at

    @property
    def mean_wait(self) -> timedelta | None:
        """The mean wait of the requests that were met; None without one."""
        return self.waited / self.met if self.met else None

    def as_json(self) -> dict[str, Any]:
        mean = self.mean_wait
        seconds = None if mean is None else round(mean.total_seconds())
        return {"requests": self.requests, "met": self.met, "mean_wait_seconds": seconds}
