"""What the record shows of clauses 7.6 to 7.9: investigated, answered, told, ended."""

from __future__ import annotations

from collections.abc import Iterator

from complaints.actions.decision import required_evidence
from complaints.case import Case, Event
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.vocabulary import CloseCode, ContactKind, Flag, Role, State, Target, Verb
from reports.case_measures import on_the_spot
from reports.clauses.evidence import House, Point, must
from reports.clauses.queries.principles import hours

#: Endings after which nothing more is told of a decision.
_OVER = frozenset({CloseCode.WITHDRAWN, CloseCode.MERGED, CloseCode.NOT_COMPLAINT, CloseCode.NOT_ACCEPTED})
#: Endings of a complaint that was handled to its end.
_THROUGH = frozenset({CloseCode.RESOLVED, CloseCode.EXHAUSTED, CloseCode.ANSWERED_NO_REPLY, CloseCode.LAPSED})
_ENDS = frozenset({Verb.CLOSE, Verb.LAPSE, Verb.WITHDRAW, Verb.NOT_ACCEPT, Verb.MERGE, Verb.APPROVE})


def investigation(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.6: before a decision the evidence was there that its seriousness asks for."""
    for event in seen.of_verb(Verb.RESPOND):
        before = seen.before(event)
        missing = required_evidence(before) - before.evidence
        yield must(
            "decided with the evidence that its level asks for",
            not missing,
            f"decided without {', '.join(sorted(missing))}: gather it and decide anew",
            (event.seq,),
        )


def response(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.7: every decision names its cause; what was promised was done, or said to be late."""
    case = seen.case
    for event in seen.of_verb(Verb.RESPOND, Verb.RESOLVE):
        named = seen.has_words(event, "root_cause", "cause") or case.erased_at is not None
        yield must(
            "decisions that name the cause",
            named,
            "decided without a cause to prevent: name it",
            (event.seq,),
        )
        if event.verb is Verb.RESPOND:
            yield Point("decisions that change something", (event.seq,), hit=seen.has_words(event, "changes"))
    late = {int(event.facts["remedy"]) for event in seen.of_verb(Verb.REMEDY_LATE)}
    for one in case.owed_remedies:
        if on_the_spot(case, one):
            continue
        overdue = one.done_at is None and due(one.due, "1 bd", case.rules.calendar).at < house.now
        hit = (
            None
            if one.done_at is None and not overdue
            else one.done_at is not None and one.done_at <= one.due
        )
        unsaid = overdue and one.n not in late and case.is_open
        yield Point(
            "remedies done by the promised day",
            hit=hit,
            fault="a remedy is overdue and nobody was told: do it, and say when" if unsaid else None,
        )


def communication_of_the_decision(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.8: told as soon as it was taken, with reasons for every issue."""
    case = seen.case
    for event in seen.of_verb(Verb.RESPOND):
        issues = range(len(event.facts.get("findings", ())))
        bare = [n for n in issues if not seen.has_words(event, f"issues.{n}.reasons")]
        fault = "a finding without reasons: write them and tell them" if bare else None
        if case.erased_at is None:
            yield Point("decisions with reasons for each issue", (event.seq,), hit=not bare, fault=fault)
    for one in case.decisions:
        told = one.communicated_at
        latest = due(one.at, "1 bd", case.rules.calendar).at
        over = case.close_code in _OVER or Flag.WITHDRAWN in case.flags or Flag.NO_CONTACT in case.flags
        waiting = told is None and latest < house.now and one is case.decision and not over
        yield Point(
            "hours from decision to delivery",
            (one.seq,),
            measure=None if told is None else hours(one.at, told),
            fault="decided a working day ago and not told: tell it, by voice if need be" if waiting else None,
        )


def closing(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.9: ended only by acceptance, exhaustion, silence after a reminder, or a coded end; nothing owed."""
    case = seen.case
    for event, after in zip(seen.events, seen.stages, strict=True):
        if event.verb in _ENDS and after.state is State.CLOSED and after.closed_at == event.at:
            fault = _ended_wrongly(seen, event, after)
            yield Point(f"ended as {after.close_code}", (event.seq,), hit=fault is None, fault=fault)
    if case.state is State.CLOSED and case.close_code is None:
        yield Point("ended without a code", fault="closed without a code: open it again and end it properly")
    if case.state is State.DISAGREED and case.reply_at is not None:
        late = due(case.reply_at, "1 bd", case.rules.calendar).at < house.now
        silent = late and Flag.UNREACHABLE not in case.flags
        yield Point(
            "refused at the last level",
            fault="refused, and the outside bodies were not named for a day: name them" if silent else None,
        )


def _ended_wrongly(seen: CaseHistory, event: Event, after: Case) -> str | None:
    before = seen.before(event)
    code = after.close_code
    if code in _THROUGH and not before.everything_verified:
        return "closed while a remedy was not done and checked: open it again, do and check it"
    if code is CloseCode.RESOLVED and before.reply != "accept":
        return "closed as resolved without the complainant's yes: open it again"
    if code is CloseCode.EXHAUSTED and not (before.recourse_at or before.external_final_at):
        return "closed as exhausted although the outside was never offered: open it again and offer it"
    if code in (CloseCode.LAPSED, CloseCode.ANSWERED_NO_REPLY) and not _silence(before, event):
        return "ended for silence before the time for a reply was over: open it again"
    if code is CloseCode.NOT_ACCEPTED and not (
        seen.has_words(event, "reason") or seen.case.erased_at is not None
    ):
        return "refused without a reason: open it again, or give the reason and the outside bodies"
    if code is CloseCode.WITHDRAWN and not _taken_back(seen, event):
        return "ended as withdrawn without the complainant's word: open it again"
    if code is CloseCode.NOT_COMPLAINT and after.kind is ContactKind.COMPLAINT:
        return "ended as no complaint and still called one: open it again"
    return None


def _silence(before: Case, event: Event) -> bool:
    lapse = before.target(Target.LAPSE)
    told = before.decision is not None and before.decision.communicated_at is not None
    return told and before.reply is None and lapse is not None and lapse.internal_due <= event.at


def _taken_back(seen: CaseHistory, event: Event) -> bool:
    said = [one for one in seen.of_verb(Verb.WITHDRAW) if one.seq <= event.seq]
    return any(one.role is Role.COMPLAINANT or one.facts.get("given_at") for one in said)
