"""What the complainant makes of the decision (7.9) and what comes from outside.

An answer heard by voice is recorded by staff with when and from whom; it also shows that the decision was
known, so that a complaint whose letter no channel took can go on.

What an outside body does to a complaint: a flag beside the state, and a decision above ours (7.9).
"""

from __future__ import annotations

from datetime import date, datetime

from complaints.actions.closing import nothing_pending
from complaints.actions.common import Words, allowed, happened, need_given, need_words
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Improvement, OutsideDecision, RemedyOwed
from complaints.deadlines.fast_track import settled_early
from complaints.deadlines.working_time import closing_time, due
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder
from complaints.vocabulary import Flag, State, Verb


def _known(case: Case, by: Actor) -> None:
    decision = case.decision
    if decision is None or (decision.communicated_at is None and not by.is_staff):
        raise OutOfOrder(
            f"The decision on {case.ref} has not reached the complainant yet: tell it first.",
            code="not_communicated",
        )


def accept(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An explicit yes; silence never is one. On a resolved complaint it also verifies the remedy.

    Within the scheme's fast track the event says how that is confirmed.
    """
    role = allowed(case, Verb.ACCEPT, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    _known(case, by)
    if case.reply == "accept":
        raise AlreadyDone(f"{case.ref} was accepted before: nothing more is needed.", code="accepted_before")
    early = settled_early(case, facts, at)
    told = {**facts, "settled_early": early} if early is not None else facts
    return happened(case, Verb.ACCEPT, at=at, by=by, role=role, facts=told, words=words)


def disagree(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A no: the complaint stays open and goes to the next level with other people, or outside (7.9, F).

    `facts["reviewers"]` is the number of people who could review it at the next level; with none left, or at
    the top, the outside is offered at once.
    """
    role = allowed(case, Verb.DISAGREE, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    _known(case, by)
    next_level = case.level + 1
    onward = next_level <= case.rules.top_level and int(facts.get("reviewers") or 0) > 0
    told = {**facts, "to_level": next_level if onward else None}
    return happened(case, Verb.DISAGREE, at=at, by=by, role=role, facts=told, words=words)


def offer_recourse(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The notice of the outside steps was accepted by the channel, or given by voice or letter (7.9)."""
    role = allowed(case, Verb.OFFER_RECOURSE, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    return happened(case, Verb.OFFER_RECOURSE, at=at, by=by, role=role, facts=facts, words=words)


def notify_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An outside body stepped in; possible in every state, closed too."""
    role = allowed(case, Verb.NOTIFY_EXTERNAL, by)
    need_words(words, "body", f"Name the body that looks at {case.ref}.")
    if facts["event"] in ("final", "complied"):
        raise BadFacts(
            f"'{facts['event']}' concludes {case.ref} outside: record it as its conclusion.",
            field="event",
            code="not_an_option",
        )
    return happened(case, Verb.NOTIFY_EXTERNAL, at=at, by=by, role=role, facts=facts, words=words)


def conclude_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The outside body decided, or we complied: what it orders is owed, whatever we decided before."""
    role = allowed(case, Verb.CONCLUDE_EXTERNAL, by)
    need_words(words, "body", f"Name the body that looked at {case.ref}.")
    if facts["event"] not in ("final", "complied"):
        raise BadFacts(
            f"'{facts['event']}' concludes nothing on {case.ref}: record it as a notice.",
            field="event",
            code="not_an_option",
        )
    told = dict(facts)
    if facts["event"] == "final":
        # Whoever orders something of us has found that we did not put it right.
        told.setdefault("overturned", "yes" if facts.get("comply_by") else None)
    told = {name: value for name, value in told.items() if value is not None}
    return happened(case, Verb.CONCLUDE_EXTERNAL, at=at, by=by, role=role, facts=told, words=words)


def external(case: Case, event: Event) -> Case:
    """An outside body is at work: a flag beside the state."""
    refused = event.facts.get("complainant_accepts") == "no"
    return changed(
        case,
        external_open=True,
        outside_refused=case.outside_refused + refused,
        flags=case.flags | {Flag.EXTERNAL},
    )


def external_concluded(case: Case, event: Event) -> Case:
    """Its decision stands above ours, which stay as they are; having complied carries its orders out."""
    flagged = changed(external(case, event), external_open=False)
    if event.facts.get("event") == "complied":
        return changed(
            flagged,
            remedies=tuple(
                changed(one, done_at=event.at, done_by=event.by)
                if one.external and one.done_at is None
                else one
                for one in flagged.remedies
            ),
        )
    return _ordered(_decided(flagged, event), event)


def _decided(case: Case, event: Event) -> Case:
    """The decision itself, and where it overturns ours what we must improve."""
    overturned = event.facts.get("overturned")
    decision = OutsideDecision(
        seq=event.seq,
        at=event.at,
        by=event.by,
        level=case.level,
        overturned=None if overturned is None else overturned == "yes",
        refused=event.facts.get("complainant_accepts") == "no",
    )
    improvements = case.improvements
    if decision.overturned:
        last = case.decisions[-1] if case.decisions else None
        opened = Improvement(
            seq=event.seq,
            opened_at=event.at,
            due=due(event.at, case.rules.targets.improvement, case.rules.calendar).at,
            cause_class=last.cause_class if last else None,
        )
        improvements = (*improvements, opened)
    return changed(
        case, external_final_at=event.at, outside=(*case.outside, decision), improvements=improvements
    )


def _ordered(case: Case, event: Event) -> Case:
    """What it orders is owed, whatever we decided; one that the complainant refuses binds nobody."""
    comply_by = event.facts.get("comply_by")
    if not comply_by or event.facts.get("complainant_accepts") == "no":
        return case
    ordered = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=closing_time(date.fromisoformat(comply_by), case.rules.calendar),
        promised_by=date.fromisoformat(comply_by),
        promised_at=event.at,
        external=True,
    )
    return changed(
        nothing_pending(case),
        remedies=(*case.remedies, ordered),
        state=State.REMEDYING,
        close_code=None,
        closed_at=None,
    )
