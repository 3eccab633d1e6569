"""A second person agrees, or sends back (Annex E; surfaces.md, "Who may")."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from complaints import authority, permissions
from complaints.assessing import harm_of
from complaints.doing import Words, allowed, happened, need_words, stamp
from complaints.errors import ComplaintError, NotAllowed, OutOfOrder
from complaints.handling import in_time, to_extend, within_bounds
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Role, Verb

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
    moved = {"target": asked.target.value, "of": asked.of, "due": stamp(asked.until), "seq": asked.seq}
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
    if authority.exceeds(by, grants, case.rules.authority):
        raise NotAllowed(
            f"The sum granted on {case.ref} is above your limit: ask somebody with a higher one.",
            code="not_allowed.limit",
        )
