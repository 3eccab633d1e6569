"""What one complaint says on each share of clause 8.4: kept or not, or nothing yet.

What the events of one complaint tell that the case alone does not keep: reopened when, and every score (8.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.case import Case, Facts
from complaints.case_values import Decision, RemedyOwed
from complaints.history import CaseHistory
from complaints.priorities import priority_of
from complaints.vocabulary import CauseClass, CloseCode, Finding, Flag, State, Target, Verb
from reports.case_clocks import Clock, clocks, endings, first_human_priority, inside_priority, levels

#: (key of reports.kpis.SHARES, group or None, does it count as a success)
Mark = tuple[str, str | None, bool]

#: Handling stopped before it came to an answer: a duty that was not due yet fell away with it.
UNANSWERED: frozenset[CloseCode] = frozenset(
    {CloseCode.WITHDRAWN, CloseCode.NOT_ACCEPTED, CloseCode.NOT_COMPLAINT, CloseCode.MERGED}
)
#: Causes that reach beyond the one complaint.
_REACHES_FURTHER = frozenset({CauseClass.RECURRING.value, CauseClass.SYSTEMIC.value})


def marks(case: Case, now: datetime) -> Iterator[Mark]:
    """Everything that this complaint contributes; a denominator is the number of marks with its key."""
    yield from _acknowledged(case, now)
    yield from _assessed(case, now)
    yield from _decided(case, now)
    yield from _updated(case, now)
    yield from _promised(case, now)
    yield from _outcomes(case)
    yield from _after(case)
    yield from _proposed(case)


def kept(due: datetime, done_at: datetime | None, stopped_at: datetime | None, now: datetime) -> bool | None:
    """Done by the due time; False also when overdue. None: not due yet, or it fell away before it was."""
    if done_at is not None:
        return done_at <= due
    return False if due < (stopped_at or now) else None


def _acknowledged(case: Case, now: datetime) -> Iterator[Mark]:
    for n, clock in enumerate(clocks(case, Target.ACK)):
        given = [at for at in case.acks.values() if _within(clock, at)]
        answer = kept(clock.due, min(given, default=None), clock.next_start or clock.met_at, now)
        if answer is None and clock.met_at is not None and case.close_code not in (None, *UNANSWERED):
            # Answered to the end without an acknowledgement that reached anybody.
            answer = False
        if answer is not None:
            yield ("escalation_acknowledged_in_time" if n else "acknowledged_in_time"), None, answer


def _within(clock: Clock, at: datetime) -> bool:
    return clock.start <= at and (clock.next_start is None or at < clock.next_start)


def _assessed(case: Case, now: datetime) -> Iterator[Mark]:
    ended = endings(case)
    for clock in clocks(case, Target.LOOK):
        looked = clock.met_at is not None and clock.met_at not in ended
        answer = kept(clock.due, clock.met_at if looked else None, clock.next_start or clock.met_at, now)
        if answer is not None:
            yield "assessed_in_time", None, answer
        if looked:
            # Later looks are the next level's: who takes it, not the initial assessment.
            return


def _decided(case: Case, now: datetime) -> Iterator[Mark]:
    for one in levels(case):
        clock, told = one.clock, one.told_at
        ended = clock.met_at is not None and one.decision is None
        if ended or (told is None and not case.is_open):
            continue
        for key, due in (
            ("decided_in_time", clock.due),
            ("decided_in_extended_time", clock.extended_due),
        ):
            answer = kept(due, told, clock.next_start, now)
            if answer is not None:
                yield key, None, answer


def _updated(case: Case, now: datetime) -> Iterator[Mark]:
    ended = endings(case)
    for clock in clocks(case, Target.UPDATE):
        spoken = clock.met_at is not None and clock.met_at not in ended
        answer = kept(clock.due, clock.met_at if spoken else None, clock.met_at, now)
        if answer is not None:
            yield "updates_on_time", None, answer


def _promised(case: Case, now: datetime) -> Iterator[Mark]:
    for remedy in case.owed_remedies:
        if not on_the_spot(case, remedy):
            answer = kept(remedy.due, remedy.done_at, case.closed_at, now)
            if answer is not None:
                yield "promise_kept", None, answer


def on_the_spot(case: Case, remedy: RemedyOwed) -> bool:
    """Put right in the act of deciding: nothing was promised, so nothing could be broken."""
    return any(one.short and one.at == remedy.due == remedy.done_at for one in case.decisions)


def outcome(decision: Decision) -> str:
    """One word for a decision on several issues; an issue without a finding weighs nothing."""
    found = set(decision.findings) - {Finding.NO_FINDING}
    if not found:
        return Finding.NO_FINDING.value
    return found.pop().value if len(found) == 1 else Finding.PARTLY.value


def upheld_at_all(case: Case) -> bool | None:
    """Was something upheld in the last decision that was told? None where there is none."""
    told = [one for one in case.decisions if one.communicated_at is not None]
    if not told:
        return None
    return outcome(told[-1]) in (Finding.UPHELD.value, Finding.PARTLY.value)


def _outcomes(case: Case) -> Iterator[Mark]:
    told = {one.level: one for one in case.decisions if one.communicated_at is not None}
    for level, decision in sorted(told.items()):
        for finding in Finding:
            yield finding.value, f"level {level}", outcome(decision) == finding.value
    if not told:
        return
    first = told.get(1)
    accepted = case.reply == "accept" and case.level == 1 and not case.reopened
    on_the_spot = first is not None and first.short and not case.evidence
    yield "first_contact_resolution", None, accepted and on_the_spot
    if first is not None:
        refused = case.level > 1 or case.reply == "disagree" or case.recourse_at is not None
        yield "escalated", None, refused


def _after(case: Case) -> Iterator[Mark]:
    outside = Flag.EXTERNAL in case.flags
    if outside or _is_final(case):
        yield "external", None, outside
    if case.state is State.CLOSED:
        yield "lapsed", None, case.close_code is CloseCode.LAPSED
        yield "answered_no_reply", None, case.close_code is CloseCode.ANSWERED_NO_REPLY
        first = first_human_priority(case)
        if first is not None:
            yield "misprioritised", None, first is not priority_of(case)
    for one in case.outside:
        if one.overturned is not None:
            yield "overturned", None, one.overturned
    if case.decisions:
        yield "recurring", None, case.decisions[-1].cause_class in _REACHES_FURTHER
    if "sent" in case.surveys:
        answered = "answered" in case.surveys
        yield "survey_response", None, answered
        upheld = upheld_at_all(case)
        if upheld is not None:
            yield "survey_mix", "answered" if answered else "not answered", upheld


def _is_final(case: Case) -> bool:
    """The last word of ours reached the complainant: the top level's, or one that stands unrefused."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        return False
    top = case.level >= case.rules.top_level
    return top or case.reply == "accept" or case.recourse_at is not None or not case.is_open


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
    """A person found a question of safety where neither the model nor a rule had seen any (7.5, G)."""
    if case.assessment is None or case.assessment.safety == 0 or case.proposed is None:
        return False
    return case.proposed.safety == 0 and not any(one.safety for one in case.signs)


REOPENED_WITHIN = timedelta(days=90)
#: The questions about the handling, the one about the outcome, and the one about fairness among the first.
PROCESS, OUTCOME, FAIR = ("q1", "q2", "q3", "q4"), "q5", "q3"
_CLOSING = frozenset({Verb.CLOSE, Verb.LAPSE, Verb.WITHDRAW, Verb.NOT_ACCEPT, Verb.MERGE, Verb.APPROVE})


def marks_of_events(seen: CaseHistory) -> Iterator[Mark]:
    """Reopened within 90 days of a closing; fairness as it was scored."""
    closed, back = _closings(seen)
    if closed:
        yield "reopened", None, back
    if FAIR in (given := scores(seen)):
        yield "fair", None, given[FAIR] >= 4


def _closings(seen: CaseHistory) -> tuple[bool, bool]:
    closed_at: datetime | None = None
    closed = back = False
    for event in seen.events:
        if event.verb is Verb.REOPEN and closed_at is not None:
            back = back or event.at - closed_at <= REOPENED_WITHIN
        elif event.verb in _CLOSING and _ends(event.facts):
            closed, closed_at = True, event.at
    return closed or seen.case.closed_at is not None, back


def _ends(facts: Facts) -> bool:
    """A withdrawn matter that goes on inside has not ended, nor has what a second person sent back."""
    coded = bool(facts.get("close_code")) and not facts.get("goes_on")
    return coded or (facts.get("of") == "reclassify" and facts.get("agreed") == "yes")


def scores(seen: CaseHistory) -> dict[str, int]:
    """The last score for each question of the survey, 1 to 5."""
    return {
        str(event.facts["question"]): int(event.facts["score"])
        for event in seen.events
        if event.verb is Verb.SURVEY and event.facts.get("score") is not None and event.facts.get("question")
    }
