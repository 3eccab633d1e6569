"""The response and the decision (7.7, 7.8): on the spot, or drafted, approved and communicated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from complaints import authority, permissions
from complaints.doing import Words, allowed, happened, need_words
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.people import Actor
from complaints.priorities import priority_of
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Finding, Priority, Role, Verb


def resolve(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The short road: put right at the front line and decided in one act (Annex F).

    Raises OutOfOrder outside safety 0, severity up to 2, one issue; NotAllowed without authority.
    """
    role = allowed(case, Verb.RESOLVE, by)
    _assessed(case)
    _no_draft(case)
    for path in ("done", "cause", "agreed_how"):
        need_words(words, path, "This is needed to resolve it on the spot.")
    if case.safety > 0 or case.severity > 2 or len(case.issues) > 1:
        raise OutOfOrder(
            f"{case.ref} is too serious or too wide for the short road: investigate and decide.",
            code="not_short",
        )
    findings = [facts["finding"]]
    if authority.needs_approval(case, by, (), [Finding(one) for one in findings]):
        raise OutOfOrder(
            f"{case.ref} needs a second person's approval: investigate and decide.", code="needs_approval"
        )
    told = {**facts, "findings": findings, "level": case.level}
    return happened(case, Verb.RESOLVE, at=at, by=by, role=role, facts=told, words=words)


def respond(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Decide with a finding and reasons for every issue; above the limits it waits for approval.

    Raises OutOfOrder before an assessment, without the evidence its seriousness asks for, or while a draft
    waits; BadFacts for an issue without finding or reasons.
    """
    role = allowed(case, Verb.RESPOND, by)
    _assessed(case)
    _no_draft(case)
    _evidence(case)
    issues = facts.get("issues", [])
    if len(issues) != len(case.issues):
        raise BadFacts(
            f"{case.ref} has {len(case.issues)} issue(s): each needs its finding and reasons.",
            field=f"issues.{min(len(issues), len(case.issues))}.finding",
            code="issue_without_finding",
        )
    for n, _ in enumerate(issues):
        need_words(words, f"issues.{n}.reasons", "Give the reasons for this finding.")
    need_words(words, "root_cause", "Name the root cause.")
    if facts["others_affected"] == "some":
        need_words(words, "others_action", "Say what is done for the others affected (Annex E).")
    if facts["others_affected"] == "unknown" and priority_of(case) in (Priority.P1, Priority.P2):
        raise BadFacts(
            "At this priority, find out who else is affected.", field="others_affected", code="required"
        )
    grants = []
    for n, remedy in enumerate(facts.get("remedies", [])):
        grants += _remedy(case, n, remedy, words, at)
    findings = [Finding(one["finding"]) for one in issues]
    told = {
        **facts,
        "findings": [one.value for one in findings],
        "level": case.level,
        "needs_approval": authority.needs_approval(case, by, grants, findings),
        "above_limit": authority.exceeds(by, grants, case.rules.authority),
    }
    return happened(case, Verb.RESPOND, at=at, by=by, role=role, facts=told, words=words)


def _remedy(
    case: Case, n: int, remedy: Mapping[str, Any], words: Words, at: datetime
) -> list[authority.Grant]:
    if not remedy.get("type"):
        raise BadFacts("Choose what kind of remedy this is.", field=f"remedies.{n}.type", code="required")
    promised = remedy.get("promised_by_date")
    if promised and date.fromisoformat(promised) < at.date():
        raise BadFacts("Promise a day to come.", field=f"remedies.{n}.promised_by_date", code="not_ahead")
    amount, currency = remedy.get("amount"), remedy.get("currency")
    if bool(amount) != bool(currency):
        missing = "currency" if amount else "amount"
        raise BadFacts("An amount needs its currency.", field=f"remedies.{n}.{missing}", code="required")
    if currency and not (len(currency) == 3 and currency.isalpha() and currency.isupper()):
        raise BadFacts(
            "Give the currency in three letters, as GBP.", field=f"remedies.{n}.currency", code="currency"
        )
    return [(amount, currency)] if amount and currency else []


def _assessed(case: Case) -> None:
    if case.assessment is None:
        raise OutOfOrder(f"{case.ref} has not been assessed: assess it first.", code="not_assessed")


def _no_draft(case: Case) -> None:
    if case.drafted is not None:
        raise OutOfOrder(f"A decision on {case.ref} waits for approval.", code="waits_for_approval")


def required_evidence(case: Case) -> frozenset[str]:
    """What must have been gathered before a decision, by priority and complexity (7.6)."""
    needed = {"complainant_heard", "records_checked"}
    hard = case.assessment is not None and case.assessment.complexity >= 2
    if priority_of(case) in (Priority.P1, Priority.P2) or hard:
        needed |= {"staff_statement", "rule_or_contract"}
    return frozenset(needed)


def _evidence(case: Case) -> None:
    missing = required_evidence(case) - case.evidence
    if missing:
        raise OutOfOrder(
            f"{case.ref} lacks evidence ({', '.join(sorted(missing))}): record it with 'investigate'.",
            code="evidence_missing",
        )


def approve(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A second person agrees to the drafted decision or to the reclassification, or sends it back.

    The approver is neither subject, nor the drafter, nor one who judged a lower level, and the sum lies
    within the approver's own limit.
    """
    role = allowed(case, Verb.APPROVE, by)
    if facts["agreed"] == "no":
        need_words(words, "reason", "Say why not, so that it can be mended.")
    if case.reclassification is not None:
        if case.reclassification[1] == by.id:
            raise NotAllowed("A second person approves this.", code="not_allowed.second_person")
        return happened(
            case, Verb.APPROVE, at=at, by=by, role=role, facts={**facts, "of": "reclassify"}, words=words
        )
    drafted = case.drafted
    if drafted is None:
        raise OutOfOrder(f"Nothing on {case.ref} waits for approval.", code="nothing_to_approve")
    if drafted.by == by.id:
        raise NotAllowed("A second person approves this.", code="not_allowed.second_person")
    ranks = {Role.HANDLER: 0, Role.MANAGER: 1, Role.TOP_MANAGEMENT: 2}
    lowest = min(ranks[Role(one)] for one in case.rules.levels[case.level])
    if max(ranks.get(one, -1) for one in by.roles) < lowest:
        raise NotAllowed(f"Level {case.level} approval needs a higher role.", code="not_allowed.level_role")
    grants = [(one.amount, one.currency) for one in case.drafted_remedies if one.amount and one.currency]
    if facts["agreed"] == "yes" and authority.exceeds(by, grants, case.rules.authority):
        raise NotAllowed(f"The sum granted on {case.ref} is above your limit.", code="not_allowed.limit")
    return happened(
        case, Verb.APPROVE, at=at, by=by, role=role, facts={**facts, "of": "respond"}, words=words
    )


def communicate_decision(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The channel accepted the decision: the time to reply starts (7.8)."""
    role = allowed(case, Verb.COMMUNICATE_DECISION, by)
    decision = case.decision
    if decision is None or decision.communicated_at is not None:
        raise OutOfOrder(f"No decision on {case.ref} waits to be told.", code="nothing_to_tell")
    return happened(case, Verb.COMMUNICATE_DECISION, at=at, by=by, role=role, facts=facts, words=words)


def may_approve(case: Case, by: Actor) -> bool:
    """True when this person could approve what waits now; used to know whom to ask."""
    drafter = case.drafted.by if case.drafted else case.reclassification[1] if case.reclassification else None
    return (
        drafter not in (None, by.id)
        and by.has(Role.MANAGER, Role.TOP_MANAGEMENT)
        and not permissions.is_excluded(case, by.id)
        and not permissions.judged_below(case, by.id)
    )
