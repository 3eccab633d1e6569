"""The row of measures of one complaint (8.4): all that reports count, without the complaint's events.

It holds codes, times and ids only. What depends on the time of the report is kept as the due time or the start.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from string import ascii_letters
from typing import Any, NamedTuple

from complaints.case import Case, Event, events_of
from complaints.event_facts import OVERRULED
from complaints.history import CaseHistory
from complaints.measures.clocks import Observation, Run, first_human_priority, levels, runs
from complaints.measures.marks import (
    Mark,
    OpenMark,
    SurveyRound,
    marks_of_events,
    missed_danger,
    not_read,
    open_marks,
    outcome,
    surveys,
)
from complaints.priorities import priority_of
from complaints.rulebook import Calendar
from complaints.times import local_time
from complaints.vocabulary import WITH_DECISION, Finding, Flag, State, Target, Verb

#: Raise it with every change of what a row holds: rows of another version are computed again.
MEASURE_VERSION = 4
#: The keys of reports.kpis.SHARES. A stored mark is the letter at its place, so only append.
MARK_KEYS = (
    "acknowledged_in_time", "escalation_acknowledged_in_time", "assessed_in_time", "decided_in_time",
    "decided_in_extended_time", "updates_on_time", "person_in_time", "promise_kept", "first_contact_resolution",
    "upheld", "partly", "not_upheld", "no_finding", "escalated", "external", "overturned", "reopened", "recurring",
    "lapsed", "answered_no_reply", "misprioritised", "priority_overruled", "category_overruled", "survey_response",
    "survey_mix", "fair", "decisions_read", "decisions_passed", "decision_questions", "reviewed_in_time",
    "objectivity",
)  # fmt: skip
_LETTERS = dict(zip(MARK_KEYS, ascii_letters, strict=False))
_KEYS = dict(zip(ascii_letters, MARK_KEYS, strict=False))
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: How the stage of a closed complaint ends; one that was opened again has a further stage after it.
CLOSED = "!;"
#: Targets that the organisation waits for. When one passes, the complaint is not overdue.
_WAITS: frozenset[Target] = frozenset({Target.REPLY_REMINDER, Target.LAPSE, Target.WAITING})
UPHELD = (Finding.UPHELD.value, Finding.PARTLY.value)


class Stage(NamedTuple):
    """Between two events: who has it, and the earliest open due time of the organisation, and of the law."""

    is_open: bool
    owner: str | None
    due: datetime | None
    legal_due: datetime | None


class CaseMeasures(NamedTuple):
    """The row. Durations that still run are None. `decided` is true once a decision reached the complainant.

    `marks`, `pending`, `stages` and `details` are read by the functions below.
    """

    ref: str
    rule: int
    version: int
    rulebook_id: str
    received_at: datetime
    received_on: date
    logged_at: datetime
    acknowledged_at: datetime | None
    assessed_at: datetime | None
    decided_at: datetime | None
    closed_at: datetime | None
    is_simulation: bool
    is_history: bool
    kind: str
    channel: str
    language: str
    written_in: str | None
    category: str | None
    product: str | None
    branch: str | None
    severity: int
    safety: int
    priority: str
    first_priority: str | None
    state: str
    level: int
    close_code: str | None
    outcome: str | None
    cause_class: str | None
    incident_id: int | None
    support_need: bool
    missed_danger: bool
    incomplete: bool
    decision_working_days: int | None
    decision_days: float | None
    closure_working_days: int | None
    closure_days: float | None
    process_score: float | None
    outcome_score: float | None
    marks: str
    pending: str | None
    stages: str
    details: str | None


class Coverage(NamedTuple):
    """How many complaints there are, and how many of them have a row that is not outdated."""

    complaints: int
    measured: int


def measure(case: Case, events: tuple[Event, ...]) -> CaseMeasures:
    """The row of this complaint; its `stages` has only the present one (`measure_history` has them all)."""
    history = CaseHistory(case, events)
    at_each_level = levels(case)
    to_decision, to_closure, at_levels = runs(case, at_each_level)
    calendar = case.rules.calendar
    decision, closure = (_stopped(run, calendar) for run in (to_decision, to_closure))
    rounds = tuple(surveys(history))
    last = case.decisions[-1] if case.decisions else None
    sent = [decision for decision in case.decisions if decision.communicated_at is not None]
    kept = [*open_marks(case, at_each_level), *marks_of_events(history)]
    with_rules = (event for event in reversed(events) if "rulebook" in event.facts)
    rules_event = next(with_rules, None)
    first = first_human_priority(case)
    return CaseMeasures(
        ref=case.ref,
        rule=MEASURE_VERSION,
        version=case.version,
        rulebook_id=case.rules.id if rules_event is None else rules_event.facts["rulebook"],
        received_at=case.received_at,
        received_on=local_time(case.received_at, calendar.zone).date(),
        logged_at=case.logged_at,
        acknowledged_at=min(case.acks.values(), default=None),
        assessed_at=next((event.at for event in events_of(events, Verb.ASSESS)), None),
        decided_at=to_decision.until if to_decision.ended else None,
        closed_at=case.closed_at,
        is_simulation=case.is_simulation,
        is_history=case.is_history,
        kind=case.kind.value,
        channel=case.channel,
        language=case.language,
        written_in=history.written_in,
        category=case.category,
        product=None if case.assessment is None else case.assessment.product,
        branch=None if case.assessment is None else case.assessment.branch,
        severity=case.severity,
        safety=case.safety,
        priority=priority_of(case).value,
        first_priority=None if first is None else first.value,
        state=case.state.value,
        level=case.level,
        close_code=None if case.close_code is None else case.close_code.value,
        outcome=outcome(sent[-1]) if sent else None,
        cause_class=None if last is None else last.cause_class,
        incident_id=case.incident,
        support_need=Flag.SUPPORT_NEED in case.flags,
        missed_danger=missed_danger(case),
        incomplete=any(True for _ in empty_fields(case)),
        decision_working_days=decision and decision.working_days,
        decision_days=decision and decision.days,
        closure_working_days=closure and closure.working_days,
        closure_days=closure and closure.days,
        process_score=rounds[-1].process if rounds else None,
        outcome_score=rounds[-1].outcome if rounds else None,
        marks=_encode_marks(mark for mark in kept if isinstance(mark[2], bool)),
        pending=_encode_pending(kept) or None,
        stages=encode_stage(stage_of(case), events[-1].at if events else case.received_at),
        details=_details(history, at_levels, rounds),
    )


def measure_history(history: CaseHistory) -> CaseMeasures:
    """The row with every stage, computed from all events."""
    parts, before = list[str](), None
    for case, event in zip(history.stages, history.events, strict=True):
        stage = stage_of(case)
        if stage != before:
            parts.append(encode_stage(stage, event.at))
        before = stage
    row = measure(history.case, history.events)
    return row._replace(stages="".join(parts)) if parts else row


def empty_fields(case: Case) -> Iterator[str]:
    """Mandatory fields that are empty although the complaint must have them by now; none for an imported one."""
    if case.is_history:
        return
    for name, value in (
        ("complainant", case.complainant),
        ("channel", case.channel),
        ("language", case.language),
    ):
        if not value:
            yield name
    if case.assessment is not None and not case.issues:
        yield "issues"
    if case.state is State.CLOSED:
        if case.close_code is None:
            yield "close_code"
        elif case.close_code in WITH_DECISION:
            last = case.decisions[-1] if case.decisions else None
            if last is None or not last.cause_class:
                yield "cause_class"
            if last is None or not last.others_affected:
                yield "others_affected"


# --- the stages ---


def stage_of(case: Case) -> Stage:
    """Who has the complaint now, and what is due next."""
    if not case.is_open:
        return Stage(False, None, None, None)
    due = legal_due = None
    for target in case.current_targets():
        if target.met_at is None and target.target not in _WAITS:
            due = target.internal_due if due is None else min(due, target.internal_due)
            if target.target is Target.LEGAL:
                legal_due = target.internal_due if legal_due is None else min(legal_due, target.internal_due)
    return Stage(True, case.owner, due, legal_due)


def encode_stage(stage: Stage, since: datetime) -> str:
    """`since,due,legal,owner;` with times in microseconds since 1970; `since!;` while it is closed."""
    if not stage.is_open:
        return f"{_micros(since)}{CLOSED}"
    due, legal = ("" if at is None else _micros(at) for at in (stage.due, stage.legal_due))
    return f"{_micros(since)},{due},{legal},{stage.owner or ''};"


def stage_at(stages: str, moment: datetime | None) -> Stage | None:
    """The stage just before the moment (None: the last one); None if the complaint was not recorded by then."""
    limit = None if moment is None else _micros(moment)
    for part in reversed(stages[:-1].split(";")):
        since, *rest = part.split(",", 3)
        if limit is not None and int(since.removesuffix("!")) >= limit:
            continue
        if not rest:
            return Stage(False, None, None, None)
        due, legal, owner = rest
        return Stage(True, owner or None, _moment(due) if due else None, _moment(legal) if legal else None)
    return None


# --- marks and details ---


def read_marks(marks: str) -> Iterator[Mark]:
    """The marks of a row that no longer change."""
    for part in marks[:-1].split(";") if marks else ():
        yield _KEYS[part[0]], part[2:] or None, part[1] == "+"


def read_pending(pending: str | None, now: datetime) -> Iterator[Mark]:
    """The marks that failed because their due time has passed."""
    for part in pending[:-1].split(";") if pending else ():
        if int(part[1:]) < _micros(now):
            yield _KEYS[part[0]], None, False


def read_details(row: CaseMeasures) -> Mapping[str, Any]:
    """What only some complaints have, or have several of (`_details`)."""
    details: Mapping[str, Any] = json.loads(row.details) if row.details else {}
    return details


def due_times(micros: Iterable[int]) -> list[datetime]:
    """The times that a list of `details` holds."""
    return [_moment(number) for number in micros]


def observations_of(
    row: CaseMeasures, details: Mapping[str, Any], calendar: Calendar, now: datetime
) -> Iterator[tuple[str, str | None, Observation]]:
    """Key, level, and duration; as `clocks.observations`, without those by priority."""
    for key, working_days, days, ended in (
        ("time_to_decision", row.decision_working_days, row.decision_days, row.decided_at is not None),
        ("time_to_closure", row.closure_working_days, row.closure_days, row.closed_at is not None),
    ):
        if working_days is None or days is None:
            yield key, None, Run(row.received_at, None, False).observe(calendar, now)
        else:
            yield key, None, Observation(working_days, days, ended)
    for level, *values in details.get("levels", ()):
        if len(values) == 1:
            yield (
                "time_at_level",
                f"level {level}",
                Run(_moment(values[0]), None, False).observe(calendar, now),
            )
        else:
            yield "time_at_level", f"level {level}", Observation(values[0], values[1], bool(values[2]))


def _stopped(run: Run, calendar: Calendar) -> Observation | None:
    return None if run.until is None else run.observe(calendar, run.until)


def _encode_marks(marks: Iterator[OpenMark]) -> str:
    return "".join(f"{_LETTERS[key]}{'+' if success else '-'}{group or ''};" for key, group, success in marks)


def _encode_pending(marks: Sequence[OpenMark]) -> str:
    return "".join(f"{_LETTERS[key]}{_micros(due)};" for key, _, due in marks if isinstance(due, datetime))


def _details(
    history: CaseHistory, at_levels: Sequence[tuple[int, Run]], rounds: Sequence[SurveyRound]
) -> str | None:
    """The lists of a row as JSON, without empty ones.

    `levels`: [level, working days, days, ended] or [level, start]; `surveys`: [process, outcome, upheld];
    `redress`: {currency: [promised, paid]} in hundredths; `persons`:
    requests for a person, those met, their waits; `improvements`: due times; `volume`: {count: {code: number}}.
    `alarms`: `page` or `look` for each danger. Times are microseconds, since 1970 or of a wait.
    """
    case = history.case
    details = {
        "levels": [_level(number, run, case.rules.calendar) for number, run in at_levels],
        "surveys": [[survey.process, survey.outcome, survey.upheld] for survey in rounds],
        "redress": _redress(case),
        "persons": _persons(case),
        "improvements": [_micros(improvement.due) for improvement in case.improvements],
        "volume": _volume(history.events),
        "alarms": [alarm.kind for alarm in case.alarms],
    }
    filled = {name: value for name, value in details.items() if value}
    return _ENCODER.encode(filled) if filled else None


def _level(number: int, run: Run, calendar: Calendar) -> list[Any]:
    stopped = _stopped(run, calendar)
    if stopped is None:
        return [number, _micros(run.start)]
    return [number, stopped.working_days, stopped.days, int(stopped.ended)]


def _redress(case: Case) -> dict[str, list[int]]:
    amounts: dict[str, list[int]] = {}
    for remedy in case.owed_remedies:
        if remedy.amount and remedy.currency:
            cents = int(Decimal(remedy.amount) * 100)
            promised = amounts.setdefault(remedy.currency, [0, 0])
            promised[0] += cents
            promised[1] += cents if remedy.done_at is not None else 0
    return amounts


def _persons(case: Case) -> list[int]:
    met = [met_at - asked_at for asked_at, met_at in case.person_waits if met_at is not None]
    waited = sum(met, timedelta()) // _MICROSECOND
    return [len(case.person_waits), len(met), waited] if case.person_waits else []


def _volume(events: Sequence[Event]) -> dict[str, dict[str, int]]:
    volume: dict[str, dict[str, int]] = {}

    def count(name: str, code: str) -> None:
        codes = volume.setdefault(name, {})
        codes[code] = codes.get(code, 0) + 1

    for event in events:
        facts = event.facts
        for warning in facts.get(OVERRULED, ()):
            count("warnings_overruled", warning)
        if "template_edited" in facts:
            count(
                "templates_edited" if facts["template_edited"] else "templates_unchanged", facts["template"]
            )
        if (reason := not_read(facts)) is not None:
            count("drawn_but_not_read", reason)
    return volume


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: str | int) -> datetime:
    return _EPOCH + int(micros) * _MICROSECOND
