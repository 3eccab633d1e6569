"""Unusual reading of complaints, for auditors (4.7): each finding is a question to ask, not a verdict."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median

from complaints.actions.authorisation import needs_reason
from complaints.actors import Actor
from complaints.history import CaseHistory, ReadEntry
from complaints.times import local_time
from complaints.vocabulary import Role

#: Local hours. Reading from the first to the second is at night, unless a danger waits for its receipt.
NIGHT = (22, 6)
#: Complaints that one person read on one day: more than this, and than three times the median of
#: their other days, are many.
MANY, TIMES_USUAL = 40, 3
#: An act of the reader within this time after the read says why they read it.
ACTS_WITHIN = timedelta(days=7)
#: A former owner may still finish something for so long after the closing.
AFTER_CLOSING = timedelta(days=7)


class AccessSign(StrEnum):
    """Why a reading is unusual."""

    UNASSIGNED = "without assignment"
    FORMER = "former owner, long after closing"
    NIGHT = "at night"
    MANY = "many on one day"


@dataclass(frozen=True)
class UnusualAccess:
    """One finding: the reader's first such read of the complaint on this day. `ref` is None for many complaints."""

    sign: AccessSign
    by: str
    at: datetime
    ref: str | None
    count: int
    reason: str | None = None


def find_unusual_access(
    histories: Iterable[CaseHistory], start: datetime, end: datetime, zone: str
) -> list[UnusualAccess]:
    """The unusual readings from `start` (included) to `end` (excluded), the earliest first."""
    unusual: dict[tuple[object, ...], UnusualAccess] = {}
    read_by: dict[str, dict[date, dict[str, datetime]]] = defaultdict(lambda: defaultdict(dict))
    for history in histories:
        for entry in history.reads:
            # Version 0: no words of the complainant. Their own export is not a colleague's reading.
            if not start <= entry.at < end or not entry.version or entry.role == Role.COMPLAINANT:
                continue
            local, ref = local_time(entry.at, zone), history.case.ref
            read_by[entry.by][local.date()].setdefault(ref, entry.at)
            for sign in _signs(history, entry, local.hour):
                finding = UnusualAccess(sign, entry.by, entry.at, ref, 1, entry.reason)
                unusual.setdefault((sign, entry.by, ref, local.date()), finding)
    for by, days in read_by.items():
        for day, refs in days.items():
            usual = median([len(others) for other, others in days.items() if other != day] or [0])
            if len(refs) > max(MANY, TIMES_USUAL * usual):
                many = UnusualAccess(AccessSign.MANY, by, min(refs.values()), None, len(refs))
                unusual[AccessSign.MANY, by, day] = many
    return sorted(unusual.values(), key=lambda finding: (finding.at, finding.by, finding.sign))


def _signs(history: CaseHistory, entry: ReadEntry, hour: int) -> Iterable[AccessSign]:
    case = history.at_version(entry.version)
    if (hour >= NIGHT[0] or hour < NIGHT[1]) and case.unseen_alarm is None:
        yield AccessSign.NIGHT
    if entry.role != Role.HANDLER:
        return  # Managers and auditors read by their office, the operator by the command line's own reasons.
    owned = any(stage.owner == entry.by for stage in history.stages if stage.version <= entry.version)
    if owned and case.closed_at is not None and entry.at > case.closed_at + AFTER_CLOSING:
        yield AccessSign.FORMER
    acted = any(event.by == entry.by and event.at < entry.at + ACTS_WITHIN for event in history.events)
    if not acted and not owned and needs_reason(case, Actor(entry.by, frozenset({Role.HANDLER}))):
        yield AccessSign.UNASSIGNED
