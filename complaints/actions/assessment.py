"""The initial assessment by a person who has read the complaint (7.5), its owner (4.9), and reclassification (3)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from complaints.actions.action import (
    Action,
    ActionRequest,
    Fetched,
    Move,
    WordKind,
    require_words,
    something_waits,
    stays,
)
from complaints.actors import HANDLERS, Actor, is_excluded, judged_below, may_manage
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Assessment, Issue
from complaints.deadlines.legal_time import legal_time
from complaints.deadlines.targets import decide_due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import FactShapes, code
from complaints.obligations import per_event
from complaints.priorities import priority_of
from complaints.vocabulary import OPEN, RESTRICTING, UNDECIDED, ContactKind, Flag, State, Verb

#: The lowest severity and safety of all.
ANY_GRADE = {"severity": 1, "safety": 0}


def check_assess(case: Case, request: ActionRequest) -> Facts:
    """Set the criteria for the first time; the first real dates follow (7.5).

    Raises NotAllowed when severity or safety lie below a fired safety rule and the assessor is no manager,
    BadFacts when media was not listened to or a reason is missing.
    """
    if case.assessment is not None:
        raise BadFacts.worded("assessed_before", ref=case.ref)
    _require_media_heard(case, request.facts)
    lowered = _lowered_field(request.facts, case)
    if lowered is not None:
        _require_manager_and_reason(case, request, lowered)
    return _with_issues(case, request)


def check_reassess(case: Case, request: ActionRequest) -> Facts:
    """Change the criteria; a lower value or a later date needs a manager and a reason.

    A manager's decision to go below a safety rule stays valid for that rule. A rule that fired since then
    needs a manager again.
    """
    facts, before = request.facts, case.assessment
    if before is None:
        raise BadFacts.worded("not_assessed:reassess", ref=case.ref)
    _require_media_heard(case, facts)
    lowered = _lowered_field(facts, case)
    all_facts = _with_issues(case, request)
    if lowered is not None or _is_later(case, all_facts):
        _require_manager_and_reason(case, request, lowered or "complexity")
    return all_facts


def lowest_allowed(case: Case, actor: Actor | None) -> dict[str, int]:
    """The lowest severity and safety that this person may save: not below a fired rule or the assessment before.

    A manager may go lower.
    """
    if actor is not None and may_manage(case, actor):
        return ANY_GRADE
    raised = [*case.fresh_signs, *([case.assessment] if case.assessment else [])]
    return {
        name: max([value, *(getattr(grades, name) for grades in raised)]) for name, value in ANY_GRADE.items()
    }


def _lowered_field(facts: Facts, case: Case) -> str | None:
    """The field that lies below a fired rule or the assessment before; None if neither does."""
    lowest = lowest_allowed(case, None)
    return next((name for name, value in lowest.items() if int(facts[name]) < value), None)


def _is_later(case: Case, facts: Facts) -> bool:
    """True when the new criteria give a lower priority, or a later day to decide, than those in force."""
    after = with_criteria(case, facts)
    legal, legal_after = legal_time(case), legal_time(after)
    legal_is_later = legal is not None and (legal_after is None or legal_after.due > legal.due)
    return priority_of(after) > priority_of(case) or decide_due(after) > decide_due(case) or legal_is_later


def _require_media_heard(case: Case, facts: Facts) -> None:
    if case.only_in_media and not case.media_heard and not facts.get("media_heard"):
        raise BadFacts.worded("required:media_heard", field="media_heard", ref=case.ref)


def _require_manager_and_reason(case: Case, request: ActionRequest, lowered: str) -> None:
    if not may_manage(case, request.actor):
        raise NotAllowed.worded("not_allowed.lower", field=lowered, ref=case.ref)
    require_words(
        request,
        "override_reason",
        BadFacts.worded("required:override_reason", ref=case.ref),
    )


def _with_issues(case: Case, request: ActionRequest) -> dict[str, Any]:
    """The facts with the categories of all issues; facts without rows of issues leave them as they are.

    Once evidence or a finding names an issue by its number, issues may only be added. After a decision or a draft
    they no longer change: a new matter is a new complaint.
    """
    facts, rows = request.facts, request.facts.get("issues")
    unchanged = {**facts, **({"owner": request.actor.id} if case.is_unowned else {})}
    before = [issue.category for issue in case.issues]
    if not rows and len(before) > 1 and rows is not None:
        raise BadFacts.worded("issues_left_out", field="issues.0.category", ref=case.ref)
    decided, named = issues_are_decided(case), issues_are_named(case)
    if before and (rows is None or (not rows and (decided or named))):
        return unchanged
    new_rows: Sequence[Facts] = rows or ({},)
    categories = [row.get("category") or facts["category"] for row in new_rows]
    if decided and categories != before:
        raise BadFacts.worded("issues_fixed", field="issues.0.category", ref=case.ref)
    if named and categories[: len(before)] != before:
        pairs = enumerate(zip_longest(before, categories))
        first = next(number for number, (old, new) in pairs if old != new)
        raise BadFacts.worded("issues_investigated", field=f"issues.{first}.category", ref=case.ref)
    return unchanged if decided else {**unchanged, "issue_categories": categories}


def issues_are_named(case: Case) -> bool:
    """True once evidence or a finding names an issue by its number."""
    return bool(case.issue_findings) or any(item.issue is not None for item in case.evidence_items)


def issues_are_decided(case: Case) -> bool:
    return case.drafted is not None or any(issue.finding for issue in case.issues)


def issues_event(events: Sequence[Event]) -> Event | None:
    """The last assessment that gave the issues: its words are those of the issues in force, by their numbers."""
    verbs = (Verb.ASSESS, Verb.REASSESS)
    assessments = [event for event in events if event.verb in verbs and "issue_categories" in event.facts]
    return assessments[-1] if assessments else None


def issue_texts(case: Case, events: Sequence[Event]) -> tuple[str, ...]:
    """The issues in the words of the assessor, empty where there are none; `events` with the words of assessments."""
    event = issues_event(events)
    words = event.words if event is not None else {}
    return tuple(words.get(f"issues.{issue.n}.text", "") for issue in case.issues)


def apply_assess(case: Case, event: Event) -> Case:
    """The first assessment moves a received case on; in every other state the state stays."""
    assessed = with_criteria(case, event.facts, at=event.at, actor_id=event.by)
    assessed = changed(
        assessed,
        highest_severity=max(case.highest_severity, case.severity, assessed.severity),
        highest_safety=max(case.highest_safety, case.safety, assessed.safety),
    )
    return changed(assessed, state=State.ASSESSED) if case.state is State.RECEIVED else assessed


def with_criteria(case: Case, facts: Facts, *, at: datetime | None = None, actor_id: str = "") -> Case:
    """The case with these criteria; also used before the act to see whether they make anything later."""
    media_heard = bool(facts.get("media_heard"))
    flags = case.flags - ({Flag.MEDIA_UNHEARD} if media_heard else frozenset())
    # A manager's release holds for one category; another restricting category is a new matter.
    released = case.released and facts["category"] == case.category
    if facts["category"] in RESTRICTING and not released:
        flags |= {Flag.RESTRICTED}
    categories = facts.get("issue_categories")
    issues = (
        case.issues
        if categories is None
        else tuple(Issue(number, category) for number, category in enumerate(categories))
    )
    return changed(
        case,
        assessment=Assessment(
            at=at or case.logged_at,
            by=actor_id,
            category=facts["category"],
            severity=int(facts["severity"]),
            safety=int(facts["safety"]),
            complexity=int(facts["complexity"]),
            reach=int(facts["reach"]),
            recurrence=int(facts["recurrence"]),
            immediate_needed=facts["immediate_needed"] == "yes",
            immediate_possible=facts.get("immediate_possible") == "yes",
            compensation_likely=bool(facts.get("compensation_likely")),
            period_from=date.fromisoformat(facts["period_from"]) if facts.get("period_from") else None,
            # Menus cannot be emptied, so a form that does not name one changes nothing.
            product=facts.get("product") or (None if case.assessment is None else case.assessment.product),
            branch=facts.get("branch") or (None if case.assessment is None else case.assessment.branch),
            seq=case.version + 1,
        ),
        issues=issues,
        media_heard=case.media_heard or media_heard,
        owner=facts.get("owner", case.owner),
        flags=flags,
    )


def require_reclassifiable(case: Case) -> None:
    """Raise NotAllowed at severity 3 or more, because harm is a complaint in any words.

    Raise OutOfOrder once it was decided at any level, or while something waits for approval.
    """
    if case.decisions:
        raise OutOfOrder.worded("decided_before:reclassify", ref=case.ref)
    if case.awaits_approval:
        raise something_waits(case)
    if harm_of(case) >= 3:
        raise NotAllowed.worded(
            "not_allowed.severity:reclassify", field="kind", ref=case.ref, severity=harm_of(case)
        )


def check_reclassify(case: Case, request: ActionRequest) -> Facts:
    """Propose that this is no complaint (clause 3); it takes effect when a second person approves."""
    require_words(request, "reason", BadFacts.worded("required:reclassify", ref=case.ref))
    if request.facts["kind"] == ContactKind.COMPLAINT:
        raise BadFacts.worded("not_an_option:reclassify", field="kind", ref=case.ref)
    return request.facts


def apply_reclassify(case: Case, event: Event) -> Case:
    return changed(case, reclassification=(ContactKind(event.facts["kind"]), event.by))


def harm_of(case: Case) -> int:
    """The severity that forbids a reclassification: the assessor's or that of later safety signs, not the model's."""
    assessed = case.assessment.severity if case.assessment else 0
    return max([assessed, *(sign.severity for sign in case.fresh_signs)])


def check_assign(case: Case, request: ActionRequest) -> Facts:
    """Give the complaint one owner (4.9). Only a manager gives it to another person, or takes it from its owner."""
    actor = request.actor
    owner = str(request.facts.get("owner") or actor.id)
    is_manager = may_manage(case, actor)
    if owner != actor.id and not is_manager:
        raise NotAllowed.worded("not_allowed.assign", field="owner", ref=case.ref)
    if case.owner == owner:
        raise AlreadyDone.worded("owned_before", owner=owner, ref=case.ref)
    if not case.is_unowned and not is_manager:
        raise NotAllowed.worded("not_allowed.owned", field="owner", ref=case.ref)
    if is_excluded(case, owner):
        raise NotAllowed.worded("not_allowed.subject:assign", field="owner", owner=owner, ref=case.ref)
    if judged_below(case, owner):
        raise NotAllowed.worded("not_allowed.level:assign", field="owner", owner=owner, ref=case.ref)
    if not (is_manager and request.words.get("reason", "").strip()):
        require_trained(case, request.facts.get("untrained", ()))
    missing = list(request.facts.get("untrained", ()))
    rest = {name: value for name, value in request.facts.items() if name != "untrained"}
    return {**rest, "owner": owner} | ({"untrained": missing} if missing else {})


def require_trained(case: Case, missing: Sequence[str]) -> None:
    """Raises OutOfOrder for training that the person who would own the complaint lacks (6.4)."""
    if missing:
        raise OutOfOrder.worded("not_trained", ref=case.ref, missing=", ".join(missing))


def apply_assign(case: Case, event: Event) -> Case:
    return changed(case, owner=event.facts["owner"])


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.ASSESS: Action(
        "7.5", HANDLERS, Move({**stays(UNDECIDED).ways, State.RECEIVED: (State.ASSESSED,)}),
        check=check_assess, apply=apply_assess,
        words=WordKind.NOTE, form="assess", shown_in=("decide",), leaves=(per_event.first_dates,),
        fetches=Fetched.TRAINING_OF_ASSESSOR, needs_independence=True, is_handling=True, shows_reading=True,
        sees_danger=True, decided_together=True, done="assess",
    ),
    Verb.REASSESS: Action(
        "7.5", HANDLERS, stays(OPEN),
        check=check_reassess, apply=apply_assess,
        words=WordKind.NOTE, form="assess", chosen_by=("assessed", (True,)), shown_in=("decide",),
        leaves=(per_event.first_dates,), needs_independence=True, is_handling=True,
    ),
    Verb.RECLASSIFY: Action(
        "3", HANDLERS, stays(UNDECIDED),
        requires=require_reclassifiable, check=check_reclassify, apply=apply_reclassify,
        words=WordKind.NOTE, form="reclassify", shown_in=("reclassify",), leaves=(per_event.second_person,),
        asks="reclassify",
    ),
    Verb.ASSIGN: Action(
        "4.9", HANDLERS, stays(OPEN),
        check=check_assign, apply=apply_assign,
        words=WordKind.INTERNAL, form="assign", other_forms=("take",),
        facts=FactShapes(shapes={"owner": code, "batch": code}), leaves=(per_event.new_owner,),
        fetches=Fetched.TRAINING_OF_OWNER, is_work=False, done="assign",
    ),
}
# fmt: on
