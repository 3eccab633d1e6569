"""The response and the decision (7.7, 7.8): on the spot, or drafted, and then communicated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from complaints import authority
from complaints.doing import Words, allowed, happened, need_given, need_words
from complaints.errors import BadFacts, OutOfOrder
from complaints.people import Actor
from complaints.priorities import priority_of
from complaints.record import Case, Event, Facts
from complaints.vocabulary import RESTRICTING, Finding, Priority, Verb
from complaints.worktime import closing_time


def resolve(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The short road: put right at the front line and decided in one act (Annex F).

    Raises OutOfOrder outside level 1, safety 0, severity up to 2, one issue, or where a second person must
    agree.
    """
    role = allowed(case, Verb.RESOLVE, by)
    _assessed(case)
    _nothing_waits(case)
    _fair(case)
    for path in ("done", "cause", "agreed_how"):
        need_words(words, path, f"Say what is asked for here to resolve {case.ref} on the spot.")
    if case.level > 1 or case.safety > 0 or case.severity > 2 or len(case.issues) > 1:
        raise OutOfOrder(
            f"{case.ref} is too serious or too wide for the short road: investigate and decide.",
            code="not_short",
        )
    _others_known(case, facts)
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
    _nothing_waits(case)
    _evidence(case)
    _fair(case)
    issues = facts.get("issues", [])
    if len(issues) != len(case.issues):
        raise BadFacts(
            f"{case.ref} has {len(case.issues)} issue(s): each needs its finding and reasons.",
            field=f"issues.{min(len(issues), len(case.issues))}.finding",
            code="issue_without_finding",
        )
    for n, _ in enumerate(issues):
        need_words(words, f"issues.{n}.reasons", f"Give the reasons for finding {n + 1} of {case.ref}.")
    need_words(words, "root_cause", f"Name the root cause of {case.ref}.")
    if facts["others_affected"] == "some":
        need_words(
            words, "others_action", f"Say what is done for the others that {case.ref} affects (Annex E)."
        )
    _others_known(case, facts)
    grants = []
    for n, remedy in enumerate(facts.get("remedies") or ()):
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


def _others_known(case: Case, facts: Facts) -> None:
    if facts["others_affected"] == "unknown" and priority_of(case) in (Priority.P1, Priority.P2):
        raise BadFacts(
            f"Who else {case.ref} affects matters at its priority: find out.",
            field="others_affected",
            code="required",
        )


def _remedy(
    case: Case, n: int, remedy: Mapping[str, Any], words: Words, at: datetime
) -> list[authority.Grant]:
    path = f"remedies.{n}"
    if not remedy.get("type"):
        raise BadFacts(
            f"Choose what kind of remedy number {n + 1} is.", field=f"{path}.type", code="required"
        )
    promised = remedy.get("promised_by_date")
    if promised and closing_time(date.fromisoformat(promised), case.rules.calendar) <= at:
        raise BadFacts(
            "That day is over: promise a day to come.", field=f"{path}.promised_by_date", code="not_ahead"
        )
    amount, currency = remedy.get("amount"), remedy.get("currency")
    if bool(amount) != bool(currency):
        missing = "currency" if amount else "amount"
        raise BadFacts(
            f"An amount needs its currency: give the {missing}.", field=f"{path}.{missing}", code="required"
        )
    if currency and not (
        len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        raise BadFacts(
            "That is no currency: give it in three letters, as GBP.",
            field=f"{path}.currency",
            code="currency",
        )
    return [(amount, currency)] if amount and currency else []


def _assessed(case: Case) -> None:
    if case.assessment is None:
        raise OutOfOrder(f"{case.ref} has not been assessed: assess it first.", code="not_assessed")


def _nothing_waits(case: Case) -> None:
    if case.drafted is not None or case.reclassification is not None:
        raise OutOfOrder(
            f"Something on {case.ref} waits for approval: approve it or send it back first.",
            code="waits_for_approval",
        )


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


def fairness_owed(case: Case) -> bool:
    """True while staff complained about are neither told nor heard, nor a manager has said why not yet (C).

    A manager's release says that nobody of staff is the matter; the people named stay away all the same.
    """
    about_staff = case.restricted or case.category in RESTRICTING
    return bool(case.subjects) and about_staff and not case.fairness.given


def _fair(case: Case) -> None:
    if fairness_owed(case):
        raise OutOfOrder(
            f"The person complained about in {case.ref} was not told and heard: record when with 'investigate', "
            "or a manager records why not yet.",
            code="subject_not_heard",
        )


def communicate_decision(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The channel accepted the decision, or it was told otherwise: the time to reply starts (7.8)."""
    role = allowed(case, Verb.COMMUNICATE_DECISION, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    decision = case.decision
    told = facts.get("seq")
    if decision is None or decision.communicated_at is not None or (told and int(told) != decision.seq):
        raise OutOfOrder(
            f"No decision on {case.ref} waits to be told: take one first.", code="nothing_to_tell"
        )
    return happened(case, Verb.COMMUNICATE_DECISION, at=at, by=by, role=role, facts=facts, words=words)
