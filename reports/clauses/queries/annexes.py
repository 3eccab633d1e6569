"""What the record shows of the annexes: the complainant's form, fairness, follow-up, remedies, levels, figures."""

from __future__ import annotations

from collections.abc import Iterator

from complaints.actions.decision import Grant, exceeds
from complaints.actors import Actor
from complaints.case import Event
from complaints.case_values import Decision, RemedyOwed
from complaints.history import CaseHistory
from complaints.priorities import priority_of
from complaints.vocabulary import CloseCode, Priority, Role, State, Verb
from reports.case_clocks import first_human_priority
from reports.clauses.evidence import House, Point, must
from reports.clauses.queries.principles import hours

_FORM = ("description", "where_and_when", "remedy_requested")
_THROUGH = frozenset({CloseCode.RESOLVED, CloseCode.EXHAUSTED, CloseCode.ANSWERED_NO_REPLY, CloseCode.LAPSED})


def form(seen: CaseHistory, house: House) -> Iterator[Point]:
    """B: filled by the complainant, signed by nobody else; how complete it is."""
    case = seen.case
    if case.form_ended_at is None or case.erased_at is not None:
        return
    told = {name.split("#")[0] for fields in seen.fields.values() for name in fields}
    asked = {str(one.facts.get("field")) for one in seen.events if one.facts.get("remedy_requested")}
    for name in _FORM:
        filled = name in told or name in asked or (name == "description" and case.media > 0)
        empty = name == "description" and not filled
        yield Point(
            f"forms with {name}",
            hit=filled,
            fault="a form without a word on what happened: ask for it" if empty else None,
        )
    for event in seen.of_verb(Verb.CONFIRM):
        own = event.role is Role.COMPLAINANT and event.by == case.complainant
        yield must(
            "signed by the complainant",
            own,
            "signed by somebody else than the complainant: ask for their word",
            (event.seq,),
        )


def fairness(seen: CaseHistory, house: House) -> Iterator[Point]:
    """C: staff complained about were told and heard before anything was decided."""
    given = seen.case.fairness
    if given.named_at is not None and given.informed_at is not None:
        told = max(0.0, hours(given.named_at, given.informed_at))
        yield Point("hours until the person complained about was told", measure=told)
    for event in seen.of_verb(Verb.RESPOND, Verb.RESOLVE):
        before = seen.before(event)
        if before.subjects:
            fair = before.fairness.given
            yield must(
                "decided after the person complained about was told and heard",
                fair,
                "decided before they were told and heard: tell, hear, decide anew",
                (event.seq,),
            )


def follow_up(seen: CaseHistory, house: House) -> Iterator[Point]:
    """D: every step is in the log, that the correction was checked too, where asked by another person."""
    case = seen.case
    for one in case.remedies:
        if one.verified_at is None or one.done_by is None or one.verified_by != one.done_by:
            continue
        # The complainant's own yes is no check by the one who did it.
        checks = [it for it in seen.of_verb(Verb.VERIFY) if str(it.facts.get("remedy")) == str(one.n)]
        urgent = bool(checks) and priority_of(seen.before(checks[-1])) in (Priority.P1, Priority.P2)
        if urgent or one.separate_verifier:
            yield Point(
                "corrections checked",
                hit=False,
                fault="checked by the person who did it: somebody else checks it again",
            )
    if case.state is not State.CLOSED or case.close_code not in _THROUGH:
        return
    steps = {
        "acknowledgement": bool(case.acks) or case.other_route,
        "assessment": case.assessment is not None,
        "decision": bool(case.decisions),
        "delivery of the decision": any(one.communicated_at is not None for one in case.decisions),
        "correction done": all(one.done_at is not None for one in case.owed_remedies),
        "correction checked": case.everything_verified,
    }
    missing = [name for name, done in steps.items() if not done]
    yield must(
        "step logs without a gap",
        not missing,
        f"closed without {', '.join(missing)}: open it again and do it",
    )


def remedies(seen: CaseHistory, house: House) -> Iterator[Point]:
    """E: others who may be affected were thought of; nobody granted more than they may alone."""
    case = seen.case
    for event in seen.of_verb(Verb.RESPOND, Verb.RESOLVE):
        before = seen.before(event)
        others = event.facts.get("others_affected")
        unknown = others == "unknown" and priority_of(before) in (Priority.P1, Priority.P2)
        empty = not others or unknown
        yield must(
            "decisions that say who else is affected",
            not empty,
            "decided without asking who else is affected: find out and record it",
            (event.seq,),
        )
    for one in case.decisions:
        drafted = next((it for it in seen.events if it.seq == one.seq), None)
        grants = _grants(case.remedies, one)
        if drafted is None or not grants:
            continue
        alone = one.approved_by is None or one.approved_by == one.by
        over = alone and exceeds(_who(drafted, house), grants, case.rules.authority)
        yield must(
            "grants within authority or agreed to",
            not over,
            "granted above the limit without a second person: a manager looks at it",
            (one.seq,),
        )


def _grants(owed: tuple[RemedyOwed, ...], decision: Decision) -> list[Grant]:
    return [
        (one.amount, one.currency)
        for one in owed
        if one.amount and one.currency and one.promised_at == decision.at
    ]


def _who(event: Event, house: House) -> Actor:
    return Actor(event.by, house.roles_at(event.by, event.at, event.role))


def levels(seen: CaseHistory, house: House) -> Iterator[Point]:
    """F: level after level, each by somebody who had no part in a lower one."""
    case = seen.case
    before: list[Decision] = []
    for one in case.decisions:
        people = {one.by, one.approved_by} - {None}
        again = [it for it in before if it.level < one.level and people & {it.by, it.approved_by}]
        downward = bool(before) and one.level < before[-1].level
        fault = None
        if again:
            fault = "the same person decided two levels: somebody else reviews it"
        elif downward:
            fault = "decided at a lower level than before: take it up at the next"
        yield Point(f"decided at level {one.level}", (one.seq,), hit=fault is None, fault=fault)
        before.append(one)
    for event, stage in zip(seen.events, seen.stages, strict=True):
        was = seen.before(event).level
        if stage.level > was and event.verb not in (Verb.DISAGREE, Verb.ESCALATE):
            yield Point("level raised", (event.seq,), fault="raised without a refusal: look at it again")
        if stage.level > was + 1:
            yield Point("level left out", (event.seq,), fault="a level was left out: it reviews the matter")


def figures(seen: CaseHistory, house: House) -> Iterator[Point]:
    """G: what the person saw first is what it was in the end."""
    case = seen.case
    first = first_human_priority(case)
    if first is not None and not case.is_open:
        yield Point("first priority kept to the end", hit=first is priority_of(case))
