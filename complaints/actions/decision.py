"""What a role may grant alone, and when a second person must agree (Annex E, docs/surfaces.md, "Who may").

The response and the decision (7.7, 7.8): on the spot, or drafted, and then communicated.

A second person agrees, or sends back (Annex E; docs/surfaces.md, "Who may").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from complaints import permissions
from complaints.actions.assessment import harm_of
from complaints.actions.common import Words, allowed, happened, need_given, need_words
from complaints.actions.investigation import in_time, to_extend, within_bounds
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.deadlines.working_time import closing_time
from complaints.errors import BadFacts, ComplaintError, NotAllowed, OutOfOrder
from complaints.priorities import priority_of
from complaints.rulebook import Limit
from complaints.timestamps import format_time
from complaints.vocabulary import RESTRICTING, Finding, Priority, Role, Verb

Grant = tuple[str, str]


def minor_units(amount: str) -> int:
    """An amount with a decimal point in hundredths of its currency."""
    return int(Decimal(amount) * 100)


def totals(grants: Iterable[Grant]) -> dict[str, int]:
    """Sums by currency, in minor units, of (amount, currency) pairs."""
    sums: dict[str, int] = {}
    for amount, currency in grants:
        sums[currency] = sums.get(currency, 0) + minor_units(amount)
    return sums


def limit_of(by: Actor, authority: Mapping[str, Limit]) -> Limit | None:
    """The highest limit among the actor's roles; None means unlimited (top management without a line)."""
    if by.has(Role.TOP_MANAGEMENT) and Role.TOP_MANAGEMENT not in authority:
        return None
    limits = [authority[role] for role in by.roles if role in authority]
    return max(limits, key=lambda one: one.amount, default=Limit(0, ""))


def exceeds(by: Actor, grants: Iterable[Grant], authority: Mapping[str, Limit]) -> bool:
    """True when any currency's sum lies above the actor's limit, or is not the limit's currency."""
    sums = totals(grants)
    limit = limit_of(by, authority)
    if limit is None or not sums:
        return False
    return any(currency != limit.currency or total > limit.amount for currency, total in sums.items())


def needs_approval(case: Case, by: Actor, grants: Iterable[Grant], findings: Iterable[Finding]) -> bool:
    """True when a second person must agree to this decision."""
    none_upheld = not any(one in (Finding.UPHELD, Finding.PARTLY) for one in findings)
    return (
        exceeds(by, grants, case.rules.authority)
        or case.severity >= 4
        or case.safety >= 1
        or (none_upheld and priority_of(case) in (Priority.P1, Priority.P2))
    )


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
    if needs_approval(case, by, (), [Finding(one) for one in findings]):
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
        "needs_approval": needs_approval(case, by, grants, findings),
        "above_limit": exceeds(by, grants, case.rules.authority),
    }
    return happened(case, Verb.RESPOND, at=at, by=by, role=role, facts=told, words=words)


def _others_known(case: Case, facts: Facts) -> None:
    if facts["others_affected"] == "unknown" and priority_of(case) in (Priority.P1, Priority.P2):
        raise BadFacts(
            f"Who else {case.ref} affects matters at its priority: find out.",
            field="others_affected",
            code="required",
        )


def _remedy(case: Case, n: int, remedy: Mapping[str, Any], words: Words, at: datetime) -> list[Grant]:
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


_RANKS = {Role.HANDLER: 0, Role.MANAGER: 1, Role.TOP_MANAGEMENT: 2}


def approve(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Agree to the drafted decision, to the reclassification or to a later date, or send it back.

    The approver has a role of the level or a higher one, is neither subject, nor the one who proposed it, nor
    one who judged a lower level, and the sum lies within the approver's own limit.
    """
    role = allowed(case, Verb.APPROVE, by)
    agreed = facts["agreed"] == "yes"
    if not agreed:
        need_words(words, "reason", f"Say why not, so that {case.ref} can be mended.")
    _second_person(case, by)
    if case.reclassification is not None:
        if agreed and harm_of(case) >= 3:
            raise NotAllowed(
                f"{case.ref} has severity {harm_of(case)} by now: it stays a complaint; send it back.",
                code="not_allowed.severity",
            )
        of: dict[str, Any] = {"of": "reclassify"}
    elif case.drafted is not None:
        if agreed:
            _within_reach(case, by)
        of = {"of": "respond"}
    else:
        of = {"of": "extend", "extends": _moved(case, at) if agreed else None}
    return happened(case, Verb.APPROVE, at=at, by=by, role=role, facts={**facts, **of}, words=words)


def _moved(case: Case, at: datetime) -> dict[str, Any]:
    """The later date as it is set.

    OutOfOrder where the date passed, was met, or came to lie as late, while this waited; NotAllowed where its
    bounds moved in meanwhile.
    """
    asked = case.extension
    if asked is None:
        raise OutOfOrder(
            f"Nothing on {case.ref} waits for approval: look at it again.", code="nothing_to_approve"
        )
    moved = {"target": asked.target.value, "of": asked.of, "due": format_time(asked.until), "seq": asked.seq}
    target = to_extend(case, moved)
    in_time(case, target, at)
    if asked.until <= target.internal_due:
        raise OutOfOrder(
            f"The {target.target.value} date of {case.ref} is as late by now: send the later date back.",
            code="as_late_already",
        )
    within_bounds(case, target, asked.until)
    return moved


def may_approve(case: Case, by: Actor) -> bool:
    """True when this person could agree to what waits now; used to know whom to ask."""
    try:
        permissions.require(case, Verb.APPROVE, by)
        _second_person(case, by)
        if case.drafted is not None:
            _within_reach(case, by)
    except ComplaintError:
        return False
    return True


def _second_person(case: Case, by: Actor) -> None:
    if case.reclassification is not None:
        first = case.reclassification[1]
    elif case.drafted is not None:
        first = case.drafted.by
    elif case.extension is not None:
        first = case.extension.by
    else:
        raise OutOfOrder(
            f"Nothing on {case.ref} waits for approval: look at it again.", code="nothing_to_approve"
        )
    if first == by.id:
        raise NotAllowed(
            f"You proposed this on {case.ref} yourself: a second person approves it.",
            code="not_allowed.second_person",
        )
    needed = [_RANKS[one] for one in permissions.level_roles(case, case.level) if one in _RANKS]
    if max((_RANKS.get(one, -1) for one in by.roles), default=-1) < min(needed, default=0):
        raise NotAllowed(
            f"This level of {case.ref} needs a higher role: ask {', '.join(case.rules.levels[case.level])}.",
            code="not_allowed.level_role",
        )


def _within_reach(case: Case, by: Actor) -> None:
    drafted = case.drafted
    if drafted is not None and permissions.is_excluded(case, drafted.by):
        raise NotAllowed(
            f"Whoever drafted this on {case.ref} has stepped aside since: send it back.",
            code="not_allowed.subject",
        )
    grants = [(one.amount, one.currency) for one in case.drafted_remedies if one.amount and one.currency]
    if exceeds(by, grants, case.rules.authority):
        raise NotAllowed(
            f"The sum granted on {case.ref} is above your limit: ask somebody with a higher one.",
            code="not_allowed.limit",
        )
