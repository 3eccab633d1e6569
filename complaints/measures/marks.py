"""What one complaint contributes to each share of clause 8.4: a success, a failure, or nothing yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from complaints.actions.registry import verbs_that
from complaints.case import Case, Facts
from complaints.case_values import Decision, RemedyOwed
from complaints.deadlines.working_time import due
from complaints.forms import DECISION_QUESTIONS, REVIEW_QUESTIONS
from complaints.history import CaseHistory
from complaints.measures.clocks import (
    Clock,
    Level,
    clocks,
    endings_of,
    first_human_priority,
    inside_priority,
    levels,
)
from complaints.priorities import priority_of
from complaints.vocabulary import WITH_DECISION, CauseClass, CloseCode, Finding, Flag, State, Target, Verb

#: Key of reports.kpis.SHARES, group or None, and whether it counts as a success.
Mark = tuple[str, str | None, bool]
#: A mark, or for what is not done yet the time after which it counts as a failure.
OpenMark = tuple[str, str | None, bool | datetime]

#: Close codes without an answer. Targets that were not due at the closing do not count.
UNANSWERED: frozenset[CloseCode] = frozenset(CloseCode) - WITH_DECISION
#: Causes that affect other complaints too.
_REACHES_FURTHER = frozenset({CauseClass.RECURRING.value, CauseClass.SYSTEMIC.value})
#: A complaint counts as reopened if that happens this soon after a closing.
REOPENED_WITHIN = timedelta(days=90)
#: Questions of the survey: about the handling, about the outcome, and about fairness (one of the first).
PROCESS, OUTCOME, FAIR = ("q1", "q2", "q3", "q4"), "q5", "q3"
_FINDINGS = tuple(finding.value for finding in Finding)
#: The figure of a question, by the first part of its name.
_FIGURES = {"check": "decision_questions", "review": "objectivity"}
#: An event without any of these facts says nothing about second readers and reviewers.
_SECOND_LOOKS = frozenset({"skipped", "check", *DECISION_QUESTIONS, *REVIEW_QUESTIONS})
CLOSING = verbs_that(lambda row: row.ends)


def marks(case: Case, now: datetime) -> Iterator[Mark]:
    """Everything that this complaint contributes; the denominator of a share is the number of its marks."""
    for key, group, success in open_marks(case, levels(case)):
        if not isinstance(success, datetime):
            yield key, group, success
        elif success < now:
            yield key, group, False


def open_marks(case: Case, rounds: tuple[Level, ...]) -> Iterator[OpenMark]:
    """`marks` at any time, of a complaint with these `levels`: what is not done yet has its due time."""
    ended = endings_of(rounds)
    yield from _acknowledged(case)
    yield from _assessed(case, ended)
    yield from _decided(case, rounds)
    yield from _updated(case, ended)
    yield from _persons(case)
    yield from _promised(case)
    yield from _outcomes(case)
    yield from _after(case)
    yield from _proposed(case)


def kept(
    until: datetime, done_at: datetime | None, stopped_at: datetime | None, now: datetime
) -> bool | None:
    """True if done by the due time, False if late or overdue, None if not due yet or stopped before it was due."""
    result = _kept(until, done_at, stopped_at)
    if isinstance(result, datetime):
        return False if result < now else None
    return result


def _kept(until: datetime, done_at: datetime | None, stopped_at: datetime | None) -> bool | datetime | None:
    """`kept` at any time: the due time if it is neither done nor stopped."""
    if done_at is not None:
        return done_at <= until
    if stopped_at is not None:
        return False if until < stopped_at else None
    return until


def _acknowledged(case: Case) -> Iterator[OpenMark]:
    for index, clock in enumerate(clocks(case, Target.ACK)):
        ack_times = [moment for moment in case.acks.values() if _is_during(clock, moment)]
        is_met = _kept(clock.due, min(ack_times, default=None), clock.next_start or clock.met_at)
        if is_met is None and clock.met_at is not None and case.close_code not in (None, *UNANSWERED):
            # It was answered and closed, but no acknowledgement was ever delivered.
            is_met = False
        if is_met is not None:
            yield ("escalation_acknowledged_in_time" if index else "acknowledged_in_time"), None, is_met


def _persons(case: Case) -> Iterator[OpenMark]:
    """Requests for a person, where the scheme says how soon they are met."""
    if case.rules.person_within is None:
        return
    for asked_at, met_at in case.person_waits:
        until = due(asked_at, case.rules.person_within, case.rules.calendar).at
        is_met = _kept(until, met_at, None)
        if is_met is not None:
            yield "person_in_time", None, is_met


def _is_during(clock: Clock, moment: datetime) -> bool:
    return clock.start <= moment and (clock.next_start is None or moment < clock.next_start)


def _assessed(case: Case, ended: frozenset[datetime]) -> Iterator[OpenMark]:
    for clock in clocks(case, Target.LOOK):
        is_assessed = clock.met_at is not None and clock.met_at not in ended
        is_met = _kept(clock.due, clock.met_at if is_assessed else None, clock.next_start or clock.met_at)
        if is_met is not None:
            yield "assessed_in_time", None, is_met
        if is_assessed:
            # Later clocks of this target belong to the next level, not to the initial assessment.
            return


def _decided(case: Case, rounds: tuple[Level, ...]) -> Iterator[OpenMark]:
    for level in rounds:
        clock, communicated_at = level.clock, level.communicated_at
        is_ended = clock.met_at is not None and level.decision is None
        if is_ended or (communicated_at is None and not case.is_open):
            continue
        for key, until in (("decided_in_time", clock.due), ("decided_in_extended_time", clock.extended_due)):
            is_met = _kept(until, communicated_at, clock.next_start)
            if is_met is not None:
                yield key, None, is_met


def _updated(case: Case, ended: frozenset[datetime]) -> Iterator[OpenMark]:
    for clock in clocks(case, Target.UPDATE):
        is_updated = clock.met_at is not None and clock.met_at not in ended
        is_met = _kept(clock.due, clock.met_at if is_updated else None, clock.met_at)
        if is_met is not None:
            yield "updates_on_time", None, is_met


def _promised(case: Case) -> Iterator[OpenMark]:
    for remedy in case.owed_remedies:
        if not on_the_spot(case, remedy):
            is_met = _kept(remedy.due, remedy.done_at, case.closed_at)
            if is_met is not None:
                yield "promise_kept", None, is_met


def on_the_spot(case: Case, remedy: RemedyOwed) -> bool:
    """True if the remedy was carried out with the decision, so that nothing was promised."""
    return any(decision.short and decision.at == remedy.due == remedy.done_at for decision in case.decisions)


def outcome(decision: Decision) -> str:
    """The finding of a decision on all its issues; an issue without a finding is left out."""
    findings = set(decision.findings) - {Finding.NO_FINDING}
    if not findings:
        return Finding.NO_FINDING.value
    return findings.pop().value if len(findings) == 1 else Finding.PARTLY.value


def _upheld_before(case: Case, moment: datetime | None) -> bool | None:
    communicated = [
        decision
        for decision in case.decisions
        if decision.communicated_at is not None and (moment is None or decision.communicated_at < moment)
    ]
    if not communicated:
        return None
    return outcome(communicated[-1]) in (Finding.UPHELD.value, Finding.PARTLY.value)


def _outcomes(case: Case) -> Iterator[Mark]:
    communicated = [decision for decision in case.decisions if decision.communicated_at is not None]
    by_level = {decision.level: decision for decision in communicated}
    for level, decision in sorted(by_level.items()):
        group, result = f"level {level}", outcome(decision)
        for finding in _FINDINGS:
            yield finding, group, finding == result
    if not by_level:
        return
    first = by_level.get(1)
    is_accepted = case.reply == "accept" and case.level == 1 and not case.reopened
    is_on_the_spot = first is not None and first.short and not case.evidence
    yield "first_contact_resolution", None, is_accepted and is_on_the_spot
    if first is not None:
        refused = case.level > 1 or case.reply == "disagree" or case.recourse_at is not None
        yield "escalated", None, refused


def _after(case: Case) -> Iterator[OpenMark]:
    is_external = Flag.EXTERNAL in case.flags
    if is_external or _is_final(case):
        yield "external", None, is_external
    if case.state is State.CLOSED:
        yield "lapsed", None, case.close_code is CloseCode.LAPSED
        yield "answered_no_reply", None, case.close_code is CloseCode.ANSWERED_NO_REPLY
        first = first_human_priority(case)
        if first is not None:
            yield "misprioritised", None, first is not priority_of(case)
    if case.review is not None:
        is_met = _kept(case.review.due, case.review.reviewed_at, None)
        if is_met is not None:
            yield "reviewed_in_time", None, is_met
    for referral in case.outside:
        if referral.overturned is not None:
            yield "overturned", None, referral.overturned
    if case.decisions:
        yield "recurring", None, case.decisions[-1].cause_class in _REACHES_FURTHER


def _is_final(case: Case) -> bool:
    """True if the final decision was communicated: that of the top level, or one that was not refused."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        return False
    is_top_level = case.level >= case.rules.top_level
    return is_top_level or case.reply == "accept" or case.recourse_at is not None or not case.is_open


def _proposed(case: Case) -> Iterator[Mark]:
    assessed, proposed = case.assessment, case.proposed
    if assessed is None or proposed is None:
        return
    first, inside = first_human_priority(case), inside_priority(case)
    if first is not None and inside is not None:
        yield "priority_overruled", None, first is not inside
    if not proposed.abstained:
        yield "category_overruled", None, assessed.category != proposed.category


def missed_danger(case: Case) -> bool:
    """True if a person found a safety risk that neither the model nor a rule had found (7.5, G)."""
    if case.assessment is None or case.assessment.safety == 0 or case.proposed is None:
        return False
    return case.proposed.safety == 0 and not any(sign.safety for sign in case.signs)


def marks_of_events(history: CaseHistory) -> Iterator[Mark]:
    """What only the events show: reopened within 90 days of a closing, and the survey after each closing."""
    was_closed, was_reopened = _closings(history)
    if was_closed:
        yield "reopened", None, was_reopened
    for survey in surveys(history):
        if survey.is_sent:
            yield "survey_response", None, survey.is_answered
            if survey.upheld is not None:
                yield "survey_mix", "answered" if survey.is_answered else "not answered", survey.upheld
        if FAIR in survey.scores:
            yield "fair", None, survey.scores[FAIR] >= 4
    # Without what was taken back: a decision that is written again is drawn and read again.
    for event in history.of_verb(*Verb):
        if not _SECOND_LOOKS.isdisjoint(event.facts):
            yield from _second_looks(event.facts)


def _second_looks(facts: Facts) -> Iterator[Mark]:
    """Decisions drawn for a second reader with that person's answers, and those of a reviewer afterwards (4.5)."""
    if not_read(facts):
        yield "decisions_read", None, False
    elif DECISION_QUESTIONS[0] in facts:
        yield "decisions_read", None, True
        yield "decisions_passed", None, facts["agreed"] == "yes"
    for question in (*DECISION_QUESTIONS, *REVIEW_QUESTIONS):
        if facts.get(question) in ("yes", "no"):
            key, name = question.split("_")
            yield _FIGURES[key], name, facts[question] == "yes"


def not_read(facts: Facts) -> str | None:
    """Why a decision that was drawn was sent unread; None for every other event."""
    reason = facts.get("skipped") or facts.get("check")
    return None if reason == "drawn" else reason


def _closings(history: CaseHistory) -> tuple[bool, bool]:
    closed_at: datetime | None = None
    was_closed = was_reopened = False
    for event in history.events:
        if event.verb is Verb.REOPEN and closed_at is not None:
            was_reopened = was_reopened or event.at - closed_at <= REOPENED_WITHIN
        elif event.verb in CLOSING and _is_end(event.facts):
            was_closed, closed_at = True, event.at
    return was_closed or history.case.closed_at is not None, was_reopened


def _is_end(facts: Facts) -> bool:
    """False for a withdrawn complaint that continues internally, and for an approval that sends it back."""
    is_closed = bool(facts.get("close_code")) and not facts.get("goes_on")
    return is_closed or (facts.get("of") == "reclassify" and facts.get("agreed") == "yes")


@dataclass(frozen=True)
class SurveyRound:
    """The survey after one closing: the last score for each question, and whether the decision upheld something.

    It is the unit of every figure on satisfaction: the answers of a person to one survey depend on each other.
    """

    is_sent: bool
    is_answered: bool
    scores: Mapping[str, int]
    upheld: bool | None

    @property
    def process(self) -> float | None:
        """The mean of the answers on the handling, 1 to 5; None without one."""
        answers = [self.scores[question] for question in PROCESS if question in self.scores]
        return fmean(answers) if answers else None

    @property
    def outcome(self) -> float | None:
        """The answer on the outcome, 1 to 5; None without one."""
        return self.scores.get(OUTCOME)


def surveys(history: CaseHistory) -> Iterator[SurveyRound]:
    """The survey of each closing in order; a reopening ends one and keeps its answers."""
    steps: set[str] = set()
    scores: dict[str, int] = {}
    for event in history.events:
        if event.verb is Verb.REOPEN and steps:
            yield _survey(history.case, steps, scores, event.at)
            steps, scores = set(), {}
        elif event.verb is Verb.SURVEY:
            steps.add(str(event.facts.get("step")))
            if event.facts.get("score") is not None and event.facts.get("question"):
                scores[str(event.facts["question"])] = int(event.facts["score"])
    if steps:
        yield _survey(history.case, steps, scores, None)


def _survey(
    case: Case, steps: set[str], scores: Mapping[str, int], reopened_at: datetime | None
) -> SurveyRound:
    upheld = _upheld_before(case, reopened_at)
    return SurveyRound("sent" in steps, "answered" in steps, scores, upheld)
