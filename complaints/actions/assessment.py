"""The initial assessment, made by a person who has read (7.5), and who has the complaint (4.9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from complaints.actions.common import Words, allowed, happened, need_words
from complaints.actions.judgement_changes import assessed_as
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.case_values import RecordedSign
from complaints.deadlines.targets import decide_due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.permissions import is_excluded, judged_below, manages
from complaints.priorities import priority_of
from complaints.vocabulary import ContactKind, Verb


def assess(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Set the criteria for the first time; the first real dates follow.

    Raises NotAllowed when severity or safety lie below a fired safety rule and the assessor is no manager,
    BadFacts when media was not heard or a reason is missing, OutOfOrder after a decision.
    """
    role = allowed(case, Verb.ASSESS, by)
    if case.assessment is not None:
        raise BadFacts(f"{case.ref} is assessed: assess it again.", code="assessed_before")
    _heard(case, facts)
    _lowering(case, by, facts, words, lowers=_below(facts, case.signs))
    return happened(case, Verb.ASSESS, at=at, by=by, role=role, facts=_facts(case, by, facts), words=words)


def reassess(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Change the criteria later; any lowering or later date needs a manager and a reason.

    What a manager once set below a rule stands for that rule; one that fired since needs a manager again.
    """
    role = allowed(case, Verb.REASSESS, by)
    before = case.assessment
    if before is None:
        raise BadFacts(f"{case.ref} is not assessed yet: assess it.", code="not_assessed")
    _heard(case, facts)
    lowers = int(facts["severity"]) < before.severity or int(facts["safety"]) < before.safety
    fresh = _below(facts, case.fresh_signs)
    _lowering(case, by, facts, words, lowers=lowers or fresh or _later(case, facts))
    return happened(case, Verb.REASSESS, at=at, by=by, role=role, facts=_facts(case, by, facts), words=words)


def _below(facts: Facts, signs: tuple[RecordedSign, ...]) -> bool:
    severity = max((sign.severity for sign in signs), default=0)
    safety = max((sign.safety for sign in signs), default=0)
    return int(facts["severity"]) < severity or int(facts["safety"]) < safety


def _later(case: Case, facts: Facts) -> bool:
    """True when the new criteria give a later priority, or a later day to decide, than those in force."""
    after = assessed_as(case, facts)
    return priority_of(after) > priority_of(case) or decide_due(after) > decide_due(case)


def _heard(case: Case, facts: Facts) -> None:
    if case.told_only_in_media and not case.media_heard and not facts.get("media_heard"):
        raise BadFacts(
            f"{case.ref} was told only in media: listen or look first, then say so.",
            field="media_heard",
            code="required",
        )


def _lowering(case: Case, by: Actor, facts: Facts, words: Words, *, lowers: bool) -> None:
    if not lowers:
        return
    if not manages(case, by):
        raise NotAllowed(
            f"Only a manager may lower {case.ref} below a fired rule or an earlier assessment: ask one.",
            code="not_allowed.lower",
        )
    need_words(
        words,
        "override_reason",
        f"Say why {case.ref} is lower or later than the rules or the assessment before.",
    )


def _facts(case: Case, by: Actor, facts: Facts) -> dict[str, Any]:
    """The facts with the issues they name; one row at least, and none given keeps those there are.

    Once there is a finding, or a draft of one, the issues stand: a new matter is a new complaint.
    """
    takes = {"owner": by.id} if case.owner is None else {}
    named = [one.get("category") or facts["category"] for one in facts.get("issues") or ()]
    if not named and case.issues:
        return {**facts, **takes}
    fixed = case.drafted is not None or any(one.finding for one in case.issues)
    if fixed and named != [one.category for one in case.issues]:
        raise BadFacts(
            f"The issues of {case.ref} are being decided or were: leave their rows as they are.",
            field="issues.0.category",
            code="issues_fixed",
        )
    if fixed:
        return {**facts, **takes}
    return {**facts, "issue_categories": named or [facts["category"]], **takes}


def assign(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Give the complaint one owner (4.9). Giving it to somebody else than oneself is a manager's act."""
    role = allowed(case, Verb.ASSIGN, by)
    owner = str(facts.get("owner") or by.id)
    managing = manages(case, by)
    if owner != by.id and not managing:
        raise NotAllowed(
            f"Only a manager gives {case.ref} to somebody else: ask one.", code="not_allowed.assign"
        )
    if case.owner == owner:
        raise AlreadyDone(f"{owner} owns {case.ref} already: nothing to do.", code="owned_before")
    if case.owner is not None and not managing:
        raise NotAllowed(
            f"{case.ref} has an owner already: a manager can give it to you.", code="not_allowed.owned"
        )
    if is_excluded(case, owner):
        raise NotAllowed(
            f"{owner} cannot own {case.ref}, named in it or conflicted: choose another person.",
            code="not_allowed.subject",
        )
    if judged_below(case, owner):
        raise NotAllowed(
            f"{owner} acted on {case.ref} at an earlier level: choose another person.",
            code="not_allowed.level",
        )
    return happened(case, Verb.ASSIGN, at=at, by=by, role=role, facts={**facts, "owner": owner}, words=words)


def harm_of(case: Case) -> int:
    """The severity that bars a reclassification: the person's, else what the rules saw; never the model."""
    judged = case.assessment.severity if case.assessment else 0
    return max([judged, *(sign.severity for sign in case.fresh_signs)])


def reclassify(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Propose that this is no complaint (clause 3); takes effect when a second person approves.

    Raises NotAllowed at severity 3 or more: harm is a complaint whatever its words; OutOfOrder once it was
    decided at any level or while something waits for approval.
    """
    role = allowed(case, Verb.RECLASSIFY, by)
    need_words(words, "reason", f"Say why {case.ref} is no complaint.")
    if facts["kind"] == ContactKind.COMPLAINT:
        raise BadFacts(
            f"{case.ref} is a complaint already: choose another kind.", field="kind", code="not_an_option"
        )
    if case.decisions:
        raise OutOfOrder(
            f"{case.ref} was decided as a complaint: it stays one; go on with it.", code="decided_before"
        )
    if case.awaits_approval:
        raise OutOfOrder(
            f"Something on {case.ref} waits for approval: approve it or send it back first.",
            code="waits_for_approval",
        )
    if harm_of(case) >= 3:
        raise NotAllowed(
            f"{case.ref} has severity {harm_of(case)}: it stays a complaint; investigate it.",
            code="not_allowed.severity",
        )
    return happened(case, Verb.RECLASSIFY, at=at, by=by, role=role, facts=facts, words=words)
