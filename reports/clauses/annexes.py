"""Annexes A to H, small business to audit: the evidence for each."""

from collections.abc import Iterator

from complaints.actions.decision import exceeds, grants_of
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case_values import Decision
from complaints.history import CaseHistory
from complaints.measures.clocks import first_human_priority
from complaints.priorities import priority_of
from complaints.vocabulary import WITH_DECISION, Priority, Role, State, Verb
from reports.clauses.clause_evidence import OrganisationFacts, Point, hours, must, violated
from reports.clauses.delivery import delivered_at

_FORM_FIELDS = ("description", "where_and_when", "remedy_requested")


def form(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """B: how complete the form is, and that only the complainant confirmed it."""
    case = history.case
    if case.form_ended_at is None or case.erased_at is not None:
        return
    in_words = {name.split("#")[0] for fields in history.fields.values() for name in fields}
    coded = {str(event.facts.get("field")) for event in history.events if event.facts.get("remedy_requested")}
    for name in _FORM_FIELDS:
        is_filled = name in in_words or name in coded or (name == "description" and case.media > 0)
        is_empty = name == "description" and not is_filled
        yield Point(
            f"forms with {name}",
            hit=is_filled,
            fault="a form without a description: ask for it" if is_empty else None,
        )
    for event in history.of_verb(Verb.CONFIRM):
        is_own = event.role is Role.COMPLAINANT and event.by == case.complainant
        yield must("signed by the complainant", is_own, (event.seq,))


def fairness(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """C: a person complained about was informed, and could reply, before a decision."""
    steps = history.case.fairness
    if steps.named_at is not None and steps.informed_at is not None:
        elapsed = max(0.0, hours(steps.named_at, steps.informed_at))
        yield Point("hours until the person complained about was told", measure=elapsed)
    for event in history.of_verb(Verb.RESPOND, Verb.RESOLVE):
        before = history.before(event)
        if before.subjects:
            is_fair = before.fairness.allows_decision
            yield must("decided after the person complained about was told and heard", is_fair, (event.seq,))


def follow_up(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """D: every step is recorded, also that the correction was checked, by another person if required."""
    case = history.case
    for remedy in case.remedies:
        if remedy.verified_at is None or remedy.done_by is None or remedy.verified_by != remedy.done_by:
            continue
        # Without such an event the complainant confirmed the remedy, and no second person is needed.
        checks = [
            event for event in history.of_verb(Verb.VERIFY) if str(event.facts.get("remedy")) == str(remedy.n)
        ]
        is_urgent = bool(checks) and priority_of(history.before(checks[-1])) in (Priority.P1, Priority.P2)
        if is_urgent or remedy.separate_verifier:
            yield Point(
                "corrections checked",
                hit=False,
                fault="checked by the person who did it: another person must check it",
            )
    if case.state is not State.CLOSED or case.close_code not in WITH_DECISION:
        return
    steps = {
        "acknowledgement": case.other_route
        or any(delivered_at(history, Verb.ACKNOWLEDGE, at) for at in case.acks.values()),
        "assessment": case.assessment is not None,
        "decision": bool(case.decisions),
        "delivery of the decision": any(
            decision.communicated_at is not None
            and delivered_at(history, Verb.COMMUNICATE_DECISION, decision.communicated_at)
            for decision in case.decisions
        ),
        "correction done": all(remedy.done_at is not None for remedy in case.owed_remedies),
        "correction checked": case.everything_verified,
    }
    missing = [name for name, is_done in steps.items() if not is_done]
    yield must("step logs without a gap", not missing, missing=", ".join(missing))


def remedies(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """E: decisions say whether others are affected; no person granted more than their authority."""
    case = history.case
    for event in history.of_verb(Verb.RESPOND, Verb.RESOLVE):
        before = history.before(event)
        others = event.facts.get("others_affected")
        is_unknown = others == "unknown" and priority_of(before) in (Priority.P1, Priority.P2)
        is_empty = not others or is_unknown
        yield must("decisions that say who else is affected", not is_empty, (event.seq,))
    for decision in case.decisions:
        decision_event = next((event for event in history.events if event.seq == decision.seq), None)
        grants = grants_of(remedy for remedy in case.remedies if remedy.promised_at == decision.at)
        if decision_event is None or not grants:
            continue
        roles = house.roles_at(decision_event.by, decision_event.at, decision_event.role)
        actor = Actor(decision_event.by, roles)
        is_alone = decision.approved_by is None or decision.approved_by == decision.by
        yield must(
            "grants within authority or agreed to",
            not (is_alone and exceeds(actor, grants, case.rules.authority)),
            (decision.seq,),
        )


def levels(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """F: one level after the other, each decided by a person without a part in a lower one."""
    case = history.case
    earlier: list[Decision] = []
    for decision in case.decisions:
        people = {decision.by, decision.approved_by} - {None}
        lower = (lower for lower in earlier if lower.level < decision.level)
        fault = None
        if any(people & {other.by, other.approved_by} for other in lower):
            fault = "the same person decided two levels: another person must review it"
        elif earlier and decision.level < earlier[-1].level:
            fault = "decided at a lower level than before: take it up at the next"
        yield Point(f"decided at level {decision.level}", (decision.seq,), hit=fault is None, fault=fault)
        earlier.append(decision)
    for event, stage in zip(history.events, history.stages, strict=True):
        level = history.before(event).level
        if stage.level > level and not ACTIONS[event.verb].raises_level:
            yield violated("level raised", (event.seq,))
        if stage.level > level + 1:
            yield violated("level left out", (event.seq,))


def figures(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """G: the first priority set by a person was still right at the end."""
    case = history.case
    first = first_human_priority(case)
    if first is not None and not case.is_open:
        yield Point("first priority kept to the end", hit=first is priority_of(case))
