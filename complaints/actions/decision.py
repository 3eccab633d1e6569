"""The decision (7.7, 7.8): in one act with `resolve`, or with findings and reasons, and then communicated.

Also what a role may grant alone (Annex E; docs/permissions.md).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from complaints.actions.action import (
    BY_SYSTEM,
    NOBODY,
    Action,
    ActionRequest,
    Fetched,
    WordKind,
    goes,
    require_offline_source,
    require_words,
    something_waits,
)
from complaints.actions.closing import drop_pending
from complaints.actions.correspondence import (
    add_unsent,
    counts_delivered,
    record_contact,
    waits_for_delivery,
    without_letter,
)
from complaints.actions.evidence import missing_evidence
from complaints.actions.quality_check import second_reading
from complaints.actors import HANDLERS, Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Decision, RemedyOwed
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.working_time import due
from complaints.errors import BadFacts, OutOfOrder
from complaints.event_facts import ATTACHMENTS, DRAW, OFFLINE, form_facts, whole
from complaints.obligations import per_event
from complaints.obligations.approvals import is_for_two
from complaints.priorities import priority_of
from complaints.rulebook import Limit
from complaints.times import format_time, parse_time
from complaints.vocabulary import (
    ANSWERED,
    DECIDABLE,
    RESTRICTING,
    Finding,
    Flag,
    Priority,
    Remedy,
    Role,
    State,
    Verb,
)

Grant = tuple[str, str]

_URGENT = (Priority.P1, Priority.P2)


# limits of authority


def minor_units(amount: str) -> int:
    """An amount with a decimal point in hundredths of its currency."""
    return int(Decimal(amount) * 100)


def totals(grants: Iterable[Grant]) -> dict[str, int]:
    """Sums by currency, in minor units, of (amount, currency) pairs."""
    sums: dict[str, int] = {}
    for amount, currency in grants:
        sums[currency] = sums.get(currency, 0) + minor_units(amount)
    return sums


def grants_of(remedies: Iterable[RemedyOwed]) -> list[Grant]:
    return [(remedy.amount, remedy.currency) for remedy in remedies if remedy.amount and remedy.currency]


def exceeds(actor: Actor, grants: Iterable[Grant], authority: Mapping[str, Limit]) -> bool:
    """True when the sum in a currency lies above the highest limit of the actor's roles in that currency.

    Without a limit in a currency every sum is above it, except for top management without a line.
    """
    if actor.has(Role.TOP_MANAGEMENT) and Role.TOP_MANAGEMENT not in authority:
        return False
    limits = [authority[role].by_currency for role in actor.roles if role in authority]
    return any(
        total > max((limit.get(currency, 0) for limit in limits), default=0)
        for currency, total in totals(grants).items()
    )


def is_above_limit(case: Case, actor: Actor, grants: Iterable[Grant]) -> bool:
    """True when these grants and the complaint's earlier ones in their currencies are together above the limit.

    An award of an outside body, and an offer that was refused or lapsed, do not count.
    """
    new = list(grants)
    currencies = {currency for _, currency in new}
    standing = grants_of(remedy for remedy in case.remedies if not (remedy.external or remedy.ended_at))
    earlier = [grant for grant in standing if grant[1] in currencies]
    return exceeds(actor, [*earlier, *new], case.rules.authority)


def needs_approval(case: Case, actor: Actor, grants: Iterable[Grant], findings: Iterable[Finding]) -> bool:
    return is_above_limit(case, actor, grants) or is_for_two(case, findings)


# resolve


def require_short(case: Case) -> None:
    """Raise OutOfOrder outside level 1, safety 0, severity up to 2 and one issue."""
    _require_assessed(case)
    _require_fairness(case)
    if case.level > 1 or case.safety > 0 or case.severity > 2 or len(case.issues) > 1:
        raise OutOfOrder.worded("not_short", ref=case.ref)


def check_resolve(case: Case, request: ActionRequest) -> Facts:
    """Put a small matter right and decide it in one act, at the front line (Annex F).

    Raises OutOfOrder where a second person must agree.
    """
    for path in ("done", "cause", "agreed_how"):
        require_words(request, path, BadFacts.worded("required:resolve", ref=case.ref))
    _require_others_known(case, request.facts)
    findings = [request.facts["finding"]]
    if is_above_limit(case, request.actor, _grant(request.facts, "")):
        raise BadFacts.worded("above_limit", field="amount", ref=case.ref)
    if is_for_two(case, [Finding(finding) for finding in findings]):
        raise OutOfOrder.worded("needs_approval", ref=case.ref)
    return {
        **request.facts,
        "findings": findings,
        "level": case.level,
        **second_reading(case, request),
        **counts_delivered(case),
    }


def apply_resolve(case: Case, event: Event) -> Case:
    amount = event.facts.get("amount")
    remedy = RemedyOwed(
        n=len(case.remedies),
        type=event.facts.get("type", Remedy.COMPENSATION.value) if amount else "other",
        level=case.level,
        due=event.at,
        amount=amount,
        currency=event.facts.get("currency") if amount else None,
        promised_at=event.at,
        done_at=event.at,
        done_by=event.by,
    )
    decision = _decision(case, event, short=True)
    if decision.checked:
        return changed(case, drafted=decision, drafted_remedies=(remedy,), extension=None)
    if waits_for_delivery(event):
        return _unsent_decision(case, event, decision, (remedy,))
    return decide(record_contact(case, event), decision, (remedy,))


def _unsent_decision(case: Case, event: Event, decision: Decision, remedies: tuple[RemedyOwed, ...]) -> Case:
    """The decision is taken; until a channel accepts it, its sender may take it back and its targets run on."""
    return add_unsent(decide(case, decision, remedies), event, case)


# respond


def require_decidable(case: Case) -> None:
    """Raise OutOfOrder before an assessment, without the evidence that it needs, or while a draft waits."""
    _require_assessed(case)
    if missing := missing_evidence(case):
        raise OutOfOrder.worded("evidence_missing", ref=case.ref, missing=", ".join(missing))
    _require_fairness(case)


def check_respond(case: Case, request: ActionRequest) -> Facts:
    """Decide with a finding and reasons for every issue; above the limits the decision waits for approval.

    Raises BadFacts for an issue without finding or reasons.
    """
    facts = request.facts
    issues = facts.get("issues", [])
    if len(issues) != len(case.issues):
        raise BadFacts.worded(
            "issue_without_finding",
            field=f"issues.{min(len(issues), len(case.issues))}.finding",
            ref=case.ref,
            number=len(case.issues),
        )
    for number, _ in enumerate(issues):
        require_words(
            request,
            f"issues.{number}.reasons",
            BadFacts.worded("required:reasons", number=number + 1, ref=case.ref),
        )
    require_words(request, "root_cause", BadFacts.worded("required:root_cause", ref=case.ref))
    if facts["others_affected"] == "some":
        require_words(request, "others_action", BadFacts.worded("required:others_action", ref=case.ref))
    _require_others_known(case, facts)
    upheld = any(issue["finding"] in (Finding.UPHELD, Finding.PARTLY) for issue in issues)
    if upheld and not facts.get("remedies") and not request.words.get("changes", "").strip():
        require_words(
            request,
            "nothing_why",
            BadFacts.worded("required:nothing_why", ref=case.ref),
        )
    grants = []
    for number, remedy in enumerate(facts.get("remedies") or ()):
        grants += _grants(case, number, remedy, request.at)
    findings = [Finding(issue["finding"]) for issue in issues]
    # One decision on many complaints (`batch`) always needs a second person.
    approval = bool(facts.get("batch")) or needs_approval(case, request.actor, grants, findings)
    return {
        **facts,
        "findings": [finding.value for finding in findings],
        "level": case.level,
        "needs_approval": approval,
        **second_reading(case, request, approval=approval),
        "above_limit": is_above_limit(case, request.actor, grants),
        **counts_delivered(case),
    }


def apply_respond(case: Case, event: Event) -> Case:
    decision = _decision(case, event, short=False)
    remedies = tuple(
        _promised_remedy(case, len(case.remedies) + row_number, row, event)
        for row_number, row in enumerate(event.facts.get("remedies", ()))
    )
    if decision.needs_approval or decision.checked:
        return changed(case, drafted=decision, drafted_remedies=remedies, extension=None)
    if waits_for_delivery(event):
        return _unsent_decision(case, event, decision, remedies)
    return decide(case, decision, remedies)


def _grants(case: Case, number: int, remedy: Mapping[str, Any], at: datetime) -> list[Grant]:
    """The amount that a remedy grants; raises BadFacts for a remedy that is incomplete."""
    path = f"remedies.{number}"
    if not remedy.get("type"):
        raise BadFacts.worded("required:remedy_type", field=f"{path}.type", number=number + 1)
    promised = remedy.get("promised_by_date")
    if promised and closing_time(date.fromisoformat(promised), case.rules.calendar) <= at:
        raise BadFacts.worded("not_ahead:promise", field=f"{path}.promised_by_date")
    return _grant(remedy, f"{path}.")


def _grant(facts: Mapping[str, Any], prefix: str) -> list[Grant]:
    amount, currency = facts.get("amount"), facts.get("currency")
    if amount and not currency:
        raise BadFacts.worded("required:currency", field=f"{prefix}currency")
    if currency and not (
        len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        raise BadFacts.worded("currency", field=f"{prefix}currency")
    return [(amount, currency)] if amount and currency else []


def _promised_remedy(case: Case, number: int, row: Mapping[str, Any], event: Event) -> RemedyOwed:
    promised_by = date.fromisoformat(row["promised_by_date"]) if row.get("promised_by_date") else None
    return RemedyOwed(
        n=number,
        type=row["type"],
        level=case.level,
        due=closing_time(promised_by, case.rules.calendar) if promised_by else remedy_due(case, event.at),
        amount=row.get("amount"),
        currency=row.get("currency"),
        promised_by=promised_by,
        needs_acceptance=bool(row.get("needs_acceptance")),
        separate_verifier=bool(event.facts.get("above_limit")),
        promised_at=event.at,
    )


# what both need


def _require_assessed(case: Case) -> None:
    if case.assessment is None:
        raise OutOfOrder.worded("not_assessed:decidable", ref=case.ref)
    if case.drafted is not None or case.reclassification is not None:
        raise something_waits(case)


def fairness_owed(case: Case) -> bool:
    """True while the staff complained about still wait for information and a hearing, without a reason on record (C).

    After a manager's release the matter is not about staff any more; the people named stay excluded.
    """
    about_staff = case.restricted or case.category in RESTRICTING
    return bool(case.subjects) and about_staff and not case.fairness.allows_decision


def _require_fairness(case: Case) -> None:
    if fairness_owed(case):
        raise OutOfOrder.worded("subject_not_heard", ref=case.ref)


def _require_others_known(case: Case, facts: Facts) -> None:
    if facts["others_affected"] == "unknown" and priority_of(case) in _URGENT:
        raise BadFacts.worded("others_unknown", field="others_affected", ref=case.ref)


def _decision(case: Case, event: Event, *, short: bool) -> Decision:
    facts = event.facts
    return Decision(
        level=case.level,
        by=event.by,
        at=event.at,
        short=short,
        findings=tuple(Finding(finding) for finding in facts["findings"]),
        cause_class=facts["cause_class"],
        others_affected=facts["others_affected"],
        needs_approval=not short and bool(facts.get("needs_approval", False)),
        seq=event.seq,
        attachments=tuple(facts.get(ATTACHMENTS, ())),
        checked=facts.get("check") == "drawn",
    )


def decide(case: Case, decision: Decision, remedies: tuple[RemedyOwed, ...]) -> Case:
    """The decision is taken: its findings and remedies are part of the case."""
    issues = tuple(
        changed(issue, finding=finding)
        for issue, finding in zip(case.issues, decision.findings, strict=False)
    )
    return changed(
        drop_pending(case),
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


def take_draft(case: Case, event: Event, *, approved_by: str | None = None) -> Case:
    """The drafted decision is taken now: the time to carry out a remedy counts from now."""
    draft = case.drafted
    if draft is None:
        return case
    remedies = tuple(
        changed(remedy, promised_at=event.at, due=event.at, done_at=event.at)
        if draft.short
        else changed(
            remedy, promised_at=event.at, due=remedy.due if remedy.promised_by else remedy_due(case, event.at)
        )
        for remedy in case.drafted_remedies
    )
    decision = changed(draft, approved_by=approved_by, at=event.at)
    decided = decide(case, decision, remedies)
    if waits_for_delivery(event):
        return add_unsent(decided, event, case)
    return record_contact(decided, event) if draft.short else decided


def remedy_due(case: Case, start: datetime) -> datetime:
    """When a remedy is due that was promised at `start` without a day of its own."""
    return due(start, case.rules.targets.remedy, case.rules.calendar).at


# communicate_decision


def check_communicate_decision(case: Case, request: ActionRequest) -> Facts:
    """A channel accepted the decision, or staff gave it by voice: the time to reply starts (7.8)."""
    require_offline_source(case, request)
    decision = case.decision
    seq = request.facts.get("seq")
    if decision is None or decision.communicated_at is not None or (seq and int(seq) != decision.seq):
        raise OutOfOrder.worded("nothing_to_tell", ref=case.ref)
    return {**request.facts, **told_at(case, request)}


def apply_communicate_decision(case: Case, event: Event) -> Case:
    communicated = mark_communicated(changed(case, contacted=True), event.told_at)
    return changed(communicated, last_contact_at=max(case.last_contact_at or event.told_at, event.told_at))


def told_at(case: Case, request: ActionRequest) -> Facts:
    """When a person communicated the decision, which no channel took before; not before it was taken."""
    given_at, decision = request.facts.get("given_at"), case.decision
    if not given_at or decision is None or decision.communicated_at is not None:
        return {}
    return {"told_at": format_time(max(parse_time(str(given_at)), decision.at))}


def mark_communicated(case: Case, at: datetime) -> Case:
    """The complainant knows the present decision from this time on; it is also the next news that they expected."""
    letter = case.unsent_decision
    if letter is not None:
        if case.decision is not None and case.decision.short:
            case = record_contact(case, changed(letter.event, at=at))
        case = changed(case, unsent=without_letter(case, letter))
    decisions = tuple(
        changed(decision, communicated_at=at) if decision is case.decision else decision
        for decision in case.decisions
    )
    return start_remedying(changed(case, decisions=decisions, next_news_by=None))


def start_remedying(case: Case) -> Case:
    """In the state `remedying` while something promised is not done (docs/domain.md, section 3)."""
    undone = any(remedy.done_at is None for remedy in case.owed_remedies)
    return changed(case, state=State.REMEDYING) if undone else case


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.RESOLVE: Action(
        "7.7", HANDLERS, goes(DECIDABLE - {State.ESCALATED}, State.DECIDED, or_stays=True),
        requires=require_short, check=check_resolve, apply=apply_resolve,
        words=WordKind.DECISION, form="resolve", shown_in=("remedy", "verify", "close"),
        facts=form_facts("resolve").plus(**DRAW), leaves=(per_event.decision,), fetches=Fetched.DRAW,
        owner_only=True, judges=True, needs_independence=True, needs_level_role=True, is_staff_message=True,
        needs_latest=True, is_handling=True, sees_danger=True, asks="respond",
    ),
    Verb.RESPOND: Action(
        "7.7", HANDLERS, goes(DECIDABLE, State.DECIDED, or_stays=True),
        requires=require_decidable, check=check_respond, apply=apply_respond,
        words=WordKind.DECISION, form="decide", shown_in=("remedy", "verify", "close"),
        facts=form_facts("decide").plus(**DRAW), leaves=(per_event.decision,), fetches=Fetched.DRAW,
        owner_only=True, judges=True, needs_independence=True, needs_level_role=True, needs_latest=True,
        is_handling=True, sees_danger=True, asks="respond", decided_together=True,
    ),
    Verb.COMMUNICATE_DECISION: Action(
        "7.8", BY_SYSTEM | HANDLERS, goes(ANSWERED, State.REMEDYING, or_stays=True),
        check=check_communicate_decision, apply=apply_communicate_decision,
        words=WordKind.INTERNAL, spoken=("decision",), facts=OFFLINE.plus(seq=whole(1)), raises_work_version=NOBODY,
        leaves=(per_event.confirmation,), records="decision", done="communicate_decision",
    ),
}
# fmt: on
