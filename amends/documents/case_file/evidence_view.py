"""The record of one complaint as its evidence file prints it: staff by role and number, what was late, which zone."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from amends.documents.case_file.record_view import RecordView
from amends.documents.facts import value_words

#: Which acts, words and due times the evidence file shows where.
EVIDENCE = tomllib.loads(Path(__file__).with_name("evidence.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class EvidenceView(RecordView):
    """The record with staff by role and number, and with the offset of each time where the clocks changed."""

    made_at: datetime

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """A number for each member of staff who acted or read, in order of first appearance."""
        members = [
            entry["by"] for name in ("events", "reads") for entry in self.record[name] if self.is_staff(entry)
        ]
        return {member: number for number, member in enumerate(dict.fromkeys(members), start=1)}

    @staticmethod
    def is_staff(entry: Mapping[str, Any]) -> bool:
        return entry["role"] not in ("system", "model", "complainant", "operator")

    def who(self, by: str | None, role: str | None = None) -> str | None:
        if by is None or by not in self.numbers:
            return super().who(by, role)
        return self.label(
            "evidence.member", role=self.labels.code("part", role or "staff"), number=self.numbers[by]
        )

    @cached_property
    def offsets(self) -> list[str]:
        """The offsets from UTC that its times have, the first one first."""
        moments = [self.made_at, *(datetime.fromisoformat(event["at"]) for event in self.record["events"])]
        return list(dict.fromkeys(map(self._offset, sorted(moments))))

    def _offset(self, at: datetime) -> str:
        return f"UTC{at.astimezone(ZoneInfo(self.labels.zone)):%:z}"

    def moment(self, instant: str | None) -> str | None:
        words = super().moment(instant)
        if instant is None or len(self.offsets) == 1:
            return words
        return f"{words} {self._offset(datetime.fromisoformat(instant))}"

    @cached_property
    def due_times(self) -> list[Mapping[str, Any]]:
        """The due times that a complainant or a law knows of, in every version."""
        return [target for target in self.record["targets"] if target["target"] in EVIDENCE["due_times"]]

    def answered_at(self, target: Mapping[str, Any]) -> str | None:
        """When a due time was met; that of a decision when the complainant got it, not when it was taken."""
        met: str | None = target["met_at"]
        if target["target"] not in ("decide", "legal"):
            return met
        decided = (
            row for row in self.record["decisions"] if row["at"] >= target["start"] and not row["external"]
        )
        return met and next(filter(None, (row["communicated_at"] for row in decided)), None)

    @cached_property
    def _set_at(self) -> Mapping[tuple[Any, ...], str]:
        """When each version of a due time was set."""
        return {
            _identity(target): event["at"]
            for event in self.record["events"]
            for target in event["facts"].get("targets", ())
        }

    def verdict(self, target: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether the promised date was missed, and that in words, with how late it was or what came in between."""
        due, closed = datetime.fromisoformat(target["promised_due"]), self.record["closed_at"]
        met, replaced = self.answered_at(target), self._set_at.get(_identity(target, 1))
        end = met or replaced or closed
        late = (datetime.fromisoformat(end) if end else self.made_at) - due
        if late.total_seconds() <= 0:
            outcome = "in_time" if met else "replaced" if replaced else "ended" if closed else "not_due"
            return False, self.label(f"evidence.{outcome}")
        hours = max(1, round(late.total_seconds() / 3600))
        length = value_words("span", f"{hours} h" if hours < 48 else f"{late.days} days", self.labels)
        return True, self.label("evidence.late" if met else "evidence.overdue", length=length)

    def findings(self, decision: Mapping[str, Any]) -> str:
        codes = dict.fromkeys(row["finding"] for row in decision["findings"])
        return ", ".join(self.labels.code("finding", code) or code for code in codes)


def _identity(target: Mapping[str, Any], later: int = 0) -> tuple[Any, ...]:
    return target["target"], target["of"], target["start"], target["version"] + later
