"""The legal maximum of a complaint: the time of the law for its subject, and its start (7.3, docs/law.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from complaints.case import Case
from complaints.deadlines.working_time import due
from complaints.rulebook import SubjectClock
from complaints.times import MINUTES_A_DAY, at_minute


@dataclass(frozen=True)
class LegalTime:
    """A time of the law: its rule ("legal", "clock.billing"), start, span and end."""

    rule: str
    start: datetime
    span: str
    due: datetime


def legal_time(case: Case, *, proposed: bool = False) -> LegalTime | None:
    """The shortest time of the law in which the complaint must be decided; None if there is none.

    Only a person's assessment says what it is about. With `proposed` the model's proposal counts until then: staff
    work to that time, and nothing is promised by it.
    """
    return _shortest(case, "decision", proposed=proposed)


def news_time(case: Case) -> LegalTime | None:
    """The shortest time of the law for a first answer by a person, for the assessed or the proposed subject."""
    return _shortest(case, "news", proposed=True)


def legal_runs(case: Case) -> bool:
    """True while the legal maximum runs: until our first decision, or through all levels.

    Not while an incomplete complaint waits for its completion, if the scheme says so: it counts from there.
    """
    if case.incomplete_at is not None and case.completed_at is None:
        return False
    return not case.decisions or case.rules.targets.legal_for_all_levels


def held_off(case: Case) -> frozenset[str]:
    """What the scheme forbids over the matter now: "cutoff", "collection"."""
    rule = case.rules.hold_off
    return frozenset((*(rule.open if case.is_open else ()), *(rule.outside if case.external_open else ())))


def all_levels_passed(case: Case, legal: LegalTime) -> bool:
    """True if the maximum of all levels together had passed before the present level began."""
    began = case.level_started_at
    return bool(case.decisions) and began is not None and legal.due <= began


def _shortest(case: Case, answer: str, *, proposed: bool) -> LegalTime | None:
    times = (_counted(case, clock) for clock in _clocks(case, answer, proposed=proposed))
    return min(times, key=lambda time: time.due, default=None)


def _clocks(case: Case, answer: str, *, proposed: bool) -> Iterator[SubjectClock]:
    """The clocks of each matter: those for its category, or without one those for every complaint."""
    targets = case.rules.targets
    clocks = [clock for clock in targets.clocks if clock.answer == answer]
    general = [clock for clock in clocks if not clock.about]
    if answer == "decision" and targets.legal is not None:
        general.append(SubjectClock("", targets.legal))
    for category in _categories(case, proposed=proposed) or {""}:
        yield from [clock for clock in clocks if category in clock.about] or general


def _categories(case: Case, *, proposed: bool) -> set[str]:
    if case.assessment is not None:
        return {case.assessment.category, *(issue.category for issue in case.issues)}
    return {case.proposed.category} if proposed and case.proposed is not None else set()


def _period_start(case: Case, start: datetime) -> datetime:
    """The end of the day on which the period before the clock began, where the assessment says it; or the start."""
    day = case.assessment.period_from if case.assessment is not None else None
    return start if day is None else at_minute(day, MINUTES_A_DAY, case.rules.calendar.zone)


def _counted(case: Case, clock: SubjectClock) -> LegalTime:
    rule = clock.rule if clock.name else "legal"
    calendar = case.rules.calendar_of(rule)
    start = case.completed_at or case.received_at
    if clock.after is not None:
        start = due(_period_start(case, start), clock.after, calendar).at
    return LegalTime(rule, start, clock.within, due(start, clock.within, calendar).at)
