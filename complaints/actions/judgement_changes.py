"""What people judge: assessment, investigation, decision, approval (7.5 to 7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from complaints.actions.access import given
from complaints.actions.closing import closed, nothing_pending
from complaints.actions.intake import contacted
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Assessment, Decision, ExtensionAsked, Issue, RemedyOwed
from complaints.deadlines.working_time import closing_time, due
from complaints.timestamps import parse_time
from complaints.vocabulary import RESTRICTING, CloseCode, ContactKind, Finding, Flag, Role, State, Target


def assessed_as(case: Case, facts: Facts, *, at: datetime | None = None, by: str = "") -> Case:
    """The case as these criteria would leave it; also answers "would this be later?" beforehand."""
    heard = bool(facts.get("media_heard"))
    flags = case.flags - ({Flag.MEDIA_UNHEARD} if heard else frozenset())
    # A manager's release stands while the category does; another restricting category is a new matter.
    known = case.released and facts["category"] == case.category
    if facts["category"] in RESTRICTING and not known:
        flags |= {Flag.RESTRICTED}
    categories = facts.get("issue_categories")
    issues = case.issues if categories is None else tuple(Issue(n, one) for n, one in enumerate(categories))
    return changed(
        case,
        assessment=Assessment(
            at=at or case.logged_at,
            by=by,
            category=facts["category"],
            severity=int(facts["severity"]),
            safety=int(facts["safety"]),
            complexity=int(facts["complexity"]),
            reach=int(facts["reach"]),
            recurrence=int(facts["recurrence"]),
            immediate_needed=facts["immediate_needed"] == "yes",
            immediate_possible=facts.get("immediate_possible") == "yes",
            compensation_likely=bool(facts.get("compensation_likely")),
            seq=case.version + 1,
        ),
        issues=issues,
        media_heard=case.media_heard or heard,
        owner=facts.get("owner", case.owner),
        flags=flags,
    )


def assessed(case: Case, event: Event) -> Case:
    """The first assessment moves a received case on; in every other state it stays where it is."""
    after = assessed_as(case, event.facts, at=event.at, by=event.by)
    return changed(after, state=State.ASSESSED) if case.state is State.RECEIVED else after


def reclassifying(case: Case, event: Event) -> Case:
    """Proposed to be no complaint; a second person will say."""
    return changed(case, reclassification=(ContactKind(event.facts["kind"]), event.by))


def extending(case: Case, event: Event) -> Case:
    """A manager moved a date, or a handler asks for it; the date itself stands in the event."""
    if not event.facts.get("asks"):
        return changed(case, extension=None)
    facts = event.facts
    asked = ExtensionAsked(
        by=event.by,
        target=Target(facts["target"]),
        of=int(facts["of"]),
        until=parse_time(facts["due"]),
        seq=event.seq,
    )
    return changed(case, extension=asked)


def assigned(case: Case, event: Event) -> Case:
    """One owner (4.9)."""
    return changed(case, owner=event.facts["owner"])


def investigating(case: Case, event: Event) -> Case:
    """The evidence adds up over several acts (7.6)."""
    evidence = case.evidence | frozenset(event.facts.get("evidence", ()))
    return changed(given(case, event), state=State.INVESTIGATING, evidence=evidence)


def resolved(case: Case, event: Event) -> Case:
    """Put right and decided in one act; what was done still waits to be checked."""
    decision = _decision(case, event, short=True)
    remedy = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=event.at,
        promised_at=event.at,
        done_at=event.at,
        done_by=event.by,
    )
    return _decide(contacted(case, event), decision, (remedy,))


def responded(case: Case, event: Event) -> Case:
    """A decision, or a draft of one where a second person must agree."""
    decision = _decision(case, event, short=False)
    remedies = tuple(
        _promised(case, len(case.remedies) + n, one, event)
        for n, one in enumerate(event.facts.get("remedies", ()))
    )
    if decision.needs_approval:
        return changed(case, drafted=decision, drafted_remedies=remedies, extension=None)
    return _decide(case, decision, remedies)


def approved(case: Case, event: Event) -> Case:
    """The second person's word on what waits: a reclassification, a drafted decision or a later date."""
    agreed = event.facts["agreed"] == "yes"
    if event.facts["of"] == "extend":
        return changed(case, extension=None)
    if event.facts["of"] == "reclassify":
        if not agreed or case.reclassification is None:
            return changed(case, reclassification=None)
        kind = case.reclassification[0]
        return closed(changed(case, kind=kind), event, CloseCode.NOT_COMPLAINT)
    if case.drafted is None:
        return case
    if not agreed:
        return changed(nothing_pending(case), state=State.INVESTIGATING)
    decision = changed(case.drafted, approved_by=event.by, at=event.at)
    # The time to carry out counts from the decision, which is taken only now.
    remedies = tuple(
        changed(one, promised_at=event.at, due=one.due if one.promised_by else _carried_out(case, event.at))
        for one in case.drafted_remedies
    )
    return _decide(case, decision, remedies)


def communicated(case: Case, event: Event) -> Case:
    """The decision reached them; remedying begins where something is owed."""
    return told_of_decision(
        changed(
            case,
            last_contact_at=event.at,
            contacted=True,
        ),
        event.at,
    )


def told_of_decision(case: Case, at: datetime) -> Case:
    """The present decision as known to the complainant from this instant."""
    decisions = tuple(
        changed(one, communicated_at=at) if one is case.decision else one for one in case.decisions
    )
    # With it they have heard what they were to hear next.
    return remedying(changed(case, decisions=decisions, next_news_by=None))


def remedying(case: Case) -> Case:
    """Remedying begins where something promised is not done (docs/domain.md, section 3)."""
    undone = any(one.done_at is None for one in case.owed_remedies)
    return changed(case, state=State.REMEDYING) if undone else case


def _decision(case: Case, event: Event, *, short: bool) -> Decision:
    facts = event.facts
    return Decision(
        level=case.level,
        by=event.by,
        at=event.at,
        short=short,
        findings=tuple(Finding(one) for one in facts["findings"]),
        cause_class=facts["cause_class"],
        others_affected=facts["others_affected"],
        needs_approval=not short and bool(facts.get("needs_approval", False)),
        seq=event.seq,
    )


def _decide(case: Case, decision: Decision, remedies: tuple[RemedyOwed, ...]) -> Case:
    issues = tuple(
        changed(one, finding=found) for one, found in zip(case.issues, decision.findings, strict=False)
    )
    return changed(
        nothing_pending(case),
        state=State.DECIDED,
        decisions=(*case.decisions, decision),
        remedies=(*case.remedies, *remedies),
        issues=issues,
        reply=None,
        reply_at=None,
        asked_at=None,
        asked_until=None,
        flags=case.flags - {Flag.WAITING_COMPLAINANT},
    )


def _promised(case: Case, n: int, remedy: Mapping[str, Any], event: Event) -> RemedyOwed:
    by = date.fromisoformat(remedy["promised_by_date"]) if remedy.get("promised_by_date") else None
    return RemedyOwed(
        n=n,
        type=remedy["type"],
        level=case.level,
        due=closing_time(by, case.rules.calendar) if by else _carried_out(case, event.at),
        amount=remedy.get("amount"),
        currency=remedy.get("currency"),
        promised_by=by,
        needs_acceptance=bool(remedy.get("needs_acceptance")),
        separate_verifier=bool(event.facts.get("above_limit")),
        promised_at=event.at,
    )


def _carried_out(case: Case, start: datetime) -> datetime:
    return due(start, case.rules.targets.remedy, case.rules.calendar).at


def accepted(case: Case, event: Event) -> Case:
    """An explicit yes: offers become owed; on a resolved complaint it also verifies what was done."""
    known = case if case.decision is None or case.decision.communicated_at else _told_by_voice(case, event)
    decision = known.decision
    remedies = tuple(_taken_up(known, one, event.at) for one in known.remedies)
    if decision is not None and decision.short:
        remedies = tuple(
            changed(one, verified_at=event.at, verified_by=event.by)
            if one.done_at is not None and one.verified_at is None
            else one
            for one in remedies
        )
    early = event.facts.get("settled_early")
    return remedying(
        changed(known, reply="accept", reply_at=event.at, settled_early=early, remedies=remedies)
    )


def _taken_up(case: Case, one: RemedyOwed, at: datetime) -> RemedyOwed:
    if not one.offered:
        return one
    # An offer is carried out from its acceptance on, unless the day promised still lies ahead.
    kept = one.promised_by is not None and one.due > at
    return changed(one, accepted_at=at, due=one.due if kept else _carried_out(case, at))


def disagreed(case: Case, event: Event) -> Case:
    """A no: what was offered is off the table, what was promised stands; the next level or the outside."""
    known = case if case.decision is None or case.decision.communicated_at else _told_by_voice(case, event)
    refused = changed(
        known,
        remedies=tuple(changed(one, ended_at=event.at) if one.offered else one for one in known.remedies),
        question_at=None,
        flags=known.flags - {Flag.QUESTION_OPEN},
    )
    to_level = event.facts.get("to_level")
    if to_level is None:
        return changed(refused, state=State.DISAGREED, reply="disagree", reply_at=event.at)
    return changed(
        refused,
        state=State.ESCALATED,
        level=int(to_level),
        level_started_at=event.at,
        reply=None,
        reply_at=event.at,
        owner=None,
        evidence=frozenset(),
    )


def _told_by_voice(case: Case, event: Event) -> Case:
    """Whoever answers a decision on the phone knows it, though no channel took the letter."""
    return told_of_decision(case, event.at) if event.role is not Role.COMPLAINANT else case


def escalated(case: Case, event: Event) -> Case:
    """One level up before a decision: nobody has judged, so nobody is excluded and no clock starts anew.

    Only a decision from before a reopening keeps those who took it out of the next level.
    """
    up, here = case.level + 1, case.acted_at.get(case.level, frozenset())
    judged = [one for one in case.decisions if one.level == case.level]
    stay = here & {person for one in judged for person in (one.by, one.approved_by)}
    moved = (here - stay) | case.acted_at.get(up, frozenset())
    acted = {**case.acted_at, case.level: stay, up: moved}
    acks = {**case.acks, up: case.acks[case.level]} if case.level in case.acks else case.acks
    return changed(
        nothing_pending(case),
        state=State.ESCALATED,
        level=up,
        owner=None,
        evidence=frozenset(),
        acted_at={level: people for level, people in acted.items() if people},
        acks=acks,
    )
