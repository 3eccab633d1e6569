"""The initial assessment, made by a person who has read (7.5), and who has the complaint (4.9)."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import Words, allowed, happened, need_words
from complaints.errors import BadFacts, NotAllowed
from complaints.people import Actor
from complaints.priorities import priority_of
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Kind, Role, Verb

_MANAGING = (Role.MANAGER, Role.TOP_MANAGEMENT)


def assess(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Set the criteria for the first time; the first real dates follow.

    Raises NotAllowed when severity or safety lie below a fired safety rule and the assessor is no manager,
    BadFacts when media was not heard or a reason is missing, OutOfOrder after a decision.
    """
    role = allowed(case, Verb.ASSESS, by)
    if case.assessment is not None:
        raise BadFacts(f"{case.ref} is assessed: assess it again.", code="assessed_before")
    _check(case, by, facts, words, lowering=False)
    return happened(case, Verb.ASSESS, at=at, by=by, role=role, facts=_facts(case, by, facts), words=words)


def reassess(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Change the criteria later; any lowering needs a manager and a reason."""
    role = allowed(case, Verb.REASSESS, by)
    before = case.assessment
    if before is None:
        raise BadFacts(f"{case.ref} is not assessed yet: assess it.", code="not_assessed")
    lowers = int(facts["severity"]) < before.severity or int(facts["safety"]) < before.safety
    _check(case, by, facts, words, lowering=lowers or _later(case, facts))
    return happened(case, Verb.REASSESS, at=at, by=by, role=role, facts=_facts(case, by, facts), words=words)


def _later(case: Case, facts: Facts) -> bool:
    """True when the new criteria give a later priority than the one in force."""
    from complaints.folding import assessed_as  # folding reads the verbs' facts; this asks it "what if"

    return priority_of(assessed_as(case, facts)) > priority_of(case)


def _check(case: Case, by: Actor, facts: Facts, words: Words, *, lowering: bool) -> None:
    if case.told_only_in_media and not case.media_heard and not facts.get("media_heard"):
        raise BadFacts(
            f"{case.ref} was told only in media: listen or look first, then say so.",
            field="media_heard",
            code="required",
        )
    if facts["immediate_needed"] == "yes" and not facts.get("immediate_possible"):
        raise BadFacts(
            "Say whether the immediate action is possible.", field="immediate_possible", code="required"
        )
    severity = max((sign.severity for sign in case.signs), default=0)
    safety = max((sign.safety for sign in case.signs), default=0)
    below = int(facts["severity"]) < severity or int(facts["safety"]) < safety
    if below or lowering:
        need_words(words, "override_reason", "Say why this is lower than the rules or the assessment before.")
        if not by.has(*_MANAGING):
            raise NotAllowed(
                f"Only a manager may lower {case.ref} below a fired rule or an earlier assessment.",
                code="not_allowed.lower",
            )


def _facts(case: Case, by: Actor, facts: Facts) -> dict[str, object]:
    takes = {"owner": by.id} if case.owner is None else {}
    categories = [one.get("category") or facts["category"] for one in facts.get("issues", ())]
    return {**facts, "issue_categories": categories or [facts["category"]], **takes}


def assign(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Give the complaint one owner (4.9). Giving it to somebody else than oneself is a manager's act."""
    role = allowed(case, Verb.ASSIGN, by)
    owner = facts.get("owner") or by.id
    if by.is_staff and owner != by.id and not by.has(*_MANAGING):
        raise NotAllowed(f"Only a manager gives {case.ref} to somebody else.", code="not_allowed.assign")
    if by.is_staff and case.owner not in (None, by.id) and owner == by.id and not by.has(*_MANAGING):
        raise NotAllowed(
            f"{case.ref} has an owner already: a manager can give it to you.", code="not_allowed.owned"
        )
    if owner in case.subjects or owner in case.conflicted:
        raise NotAllowed(
            f"{owner} cannot own {case.ref}: named in it or conflicted.", code="not_allowed.subject"
        )
    if case.owner == owner:
        raise BadFacts(f"{owner} owns {case.ref} already.", code="owned_before", field="owner")
    return happened(case, Verb.ASSIGN, at=at, by=by, role=role, facts={**facts, "owner": owner}, words=words)


def reclassify(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Propose that this is no complaint (clause 3); takes effect when a second person approves.

    Raises NotAllowed at severity 3 or more: harm is a complaint whatever its words.
    """
    role = allowed(case, Verb.RECLASSIFY, by)
    need_words(words, "reason", "Say why this is no complaint.")
    if facts["kind"] == Kind.COMPLAINT:
        raise BadFacts("It is a complaint already.", field="kind", code="not_an_option")
    judged = [case.assessment.severity] if case.assessment else []
    harmed = max([*judged, *(sign.severity for sign in case.signs)], default=0)
    if harmed >= 3:
        raise NotAllowed(
            f"{case.ref} has severity {harmed}: it stays a complaint.", code="not_allowed.severity"
        )
    return happened(case, Verb.RECLASSIFY, at=at, by=by, role=role, facts=facts, words=words)
