"""Who may do what (docs/surfaces.md, "Who may"; 4.5, 4.9, C): roles, ownership, closeness, levels."""

from __future__ import annotations

from collections.abc import Mapping

from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import NotAllowed
from complaints.vocabulary import Role, Verb

R = Role
_HANDLERS = frozenset({R.HANDLER, R.MANAGER, R.TOP_MANAGEMENT})
_MANAGERS = frozenset({R.MANAGER, R.TOP_MANAGEMENT})
_SYSTEM = frozenset({R.SYSTEM})
_COMPLAINANT = frozenset({R.COMPLAINANT})

WHO: Mapping[Verb, frozenset[Role]] = {
    Verb.RECEIVE: _COMPLAINANT | _HANDLERS | {R.INTAKE},
    Verb.ADD: _COMPLAINANT,
    Verb.CONFIRM: _COMPLAINANT,
    Verb.END_FORM: _SYSTEM | _COMPLAINANT,
    # Whoever logs a complaint reads the acknowledgement out.
    Verb.ACKNOWLEDGE: _SYSTEM | _HANDLERS | {R.INTAKE},
    Verb.FAIL_DELIVERY: _SYSTEM,
    Verb.PROPOSE: frozenset({R.MODEL}),
    Verb.ASSESS: _HANDLERS,
    Verb.REASSESS: _HANDLERS,
    Verb.RECLASSIFY: _HANDLERS,
    Verb.ASSIGN: _HANDLERS,
    Verb.NOTE: _HANDLERS | {R.INTAKE},
    Verb.REPLY: _HANDLERS,
    Verb.ASK: _HANDLERS,
    Verb.ANSWER: _COMPLAINANT,
    Verb.INFORM: _HANDLERS | _SYSTEM,
    Verb.INVESTIGATE: _HANDLERS,
    Verb.RESOLVE: _HANDLERS,
    Verb.RESPOND: _HANDLERS,
    Verb.APPROVE: _MANAGERS,
    Verb.COMMUNICATE_DECISION: _SYSTEM | _HANDLERS,
    Verb.ACCEPT: _COMPLAINANT | _HANDLERS,
    Verb.DISAGREE: _COMPLAINANT | _HANDLERS,
    Verb.ESCALATE: _HANDLERS,
    Verb.OFFER_RECOURSE: _SYSTEM | _HANDLERS,
    Verb.NOTIFY_EXTERNAL: _HANDLERS,
    Verb.CONCLUDE_EXTERNAL: _HANDLERS,
    Verb.REMEDY_DONE: _HANDLERS,
    Verb.REMEDY_LATE: _SYSTEM,
    Verb.VERIFY: _HANDLERS,
    Verb.EXTEND: _HANDLERS,
    # The operator's, at the command line.
    Verb.REDATE: _SYSTEM,
    Verb.CLOSE: _HANDLERS,
    Verb.LAPSE: _SYSTEM,
    Verb.WITHDRAW: _COMPLAINANT | _HANDLERS,
    Verb.REOPEN: _COMPLAINANT | _MANAGERS,
    Verb.NOT_ACCEPT: _MANAGERS,
    Verb.LINK: _HANDLERS | _COMPLAINANT,
    Verb.MERGE: _HANDLERS,
    Verb.BIND: _COMPLAINANT | _HANDLERS,
    Verb.RESTRICT: _HANDLERS | _SYSTEM,
    Verb.UNRESTRICT: _MANAGERS,
    Verb.DECLARE_CONFLICT: _HANDLERS,
    Verb.HOLD: _MANAGERS,
    Verb.RELEASE: _MANAGERS,
    Verb.RECEIPT: _MANAGERS | {R.ON_CALL},
    Verb.SURVEY: _COMPLAINANT | _SYSTEM,
    Verb.ERASE: _SYSTEM | {R.TOP_MANAGEMENT},
}

#: Who may see the words of a complaint (each opening is a read on the record, 4.7).
READERS: frozenset[Role] = _HANDLERS | {R.AUDITOR}

#: Verbs by which somebody judges a level; whoever did one may not judge a higher level.
JUDGING: frozenset[Verb] = frozenset({Verb.RESPOND, Verb.RESOLVE, Verb.APPROVE, Verb.INVESTIGATE})

#: Verbs that need a mind that has not judged this complaint at a lower level.
_FRESH_EYES: frozenset[Verb] = JUDGING | {Verb.ASSESS, Verb.REASSESS}

#: What only managers may do: where one is complained about, only the top.
MANAGING: frozenset[Verb] = frozenset(
    {Verb.APPROVE, Verb.NOT_ACCEPT, Verb.UNRESTRICT, Verb.HOLD, Verb.RELEASE, Verb.REOPEN}
)

#: Only the owner, the deputy of an owner who is away, or a manager may do these.
OWNERS_ONLY: frozenset[Verb] = frozenset({Verb.RESOLVE, Verb.RESPOND, Verb.CLOSE})


def is_excluded(case: Case, member: str) -> bool:
    """The person complained about, their manager, or one in conflict, never touches nor sees it (4.5, C)."""
    return member in case.denied


def manages(case: Case, by: Actor) -> bool:
    """May this person do what managers do here? Where a manager is complained about only the top may (C)."""
    return bool(by.roles & (_MANAGERS - {R.MANAGER} if case.fairness.leads else _MANAGERS))


def judged_below(case: Case, member: str) -> bool:
    """True when this person decided, approved or investigated at a lower level."""
    return any(member in people for level, people in case.acted_at.items() if level < case.level)


def may_read(case: Case, by: Actor) -> bool:
    """True when this person may open the words: a reading role, not excluded, and cleared if restricted."""
    if is_excluded(case, by.id) or not by.roles & READERS:
        return False
    if not case.restricted:
        return True
    return by.id == case.owner or manages(case, by) or by.has(Role.AUDITOR)


def require(case: Case, verb: Verb, by: Actor) -> Role:
    """The role in which this person may do this to this complaint; raises NotAllowed with the reason."""
    if by.is_staff and is_excluded(case, by.id):
        raise NotAllowed(
            f"{case.ref} is not open to you: leave it to the others.", code="not_allowed.excluded"
        )
    who = WHO[verb] - {R.MANAGER} if case.fairness.leads and verb in MANAGING else WHO[verb]
    role = by.least(who)
    if role is None:
        needed = ", ".join(sorted(one.value for one in who - _SYSTEM - _COMPLAINANT)) or "nobody of staff"
        raise NotAllowed(
            f"'{verb.value}' on {case.ref} needs one of these roles: {needed}.", code="not_allowed.role"
        )
    if role is Role.COMPLAINANT and by.id != case.complainant:
        raise NotAllowed(
            f"{case.ref} is not yours: only the person who complains may do this.",
            code="not_allowed.excluded",
        )
    if by.is_staff:
        role = _staff_rules(case, verb, by, role)
    return role


def _staff_rules(case: Case, verb: Verb, by: Actor, role: Role) -> Role:
    managing = by.least(_MANAGERS) if manages(case, by) else None
    if (
        verb is not Verb.RECEIPT
        and case.restricted
        and not may_read(case, by)
        and verb is not Verb.DECLARE_CONFLICT
    ):
        raise NotAllowed(
            f"{case.ref} is restricted: ask a manager to assign it.", code="not_allowed.restricted"
        )
    if verb in OWNERS_ONLY and by.id != case.owner and case.owner not in by.stands_in_for:
        if managing is None:
            raise NotAllowed(
                f"Only the owner of {case.ref} or a manager may '{verb.value}' it: take it first.",
                code="not_allowed.owner",
            )
        role = managing
    if verb in _FRESH_EYES and judged_below(case, by.id):
        raise NotAllowed(
            f"You acted on {case.ref} at an earlier level: another person reviews it.",
            code="not_allowed.level",
        )
    if verb in (Verb.RESPOND, Verb.RESOLVE):
        level = by.least(level_roles(case, case.level))
        if level is None:
            needed = ", ".join(case.rules.levels[case.level])
            raise NotAllowed(
                f"Level {case.level} of {case.ref} is decided by: {needed}.",
                code="not_allowed.level_role",
            )
        role = level if role is Role.HANDLER and level is not Role.HANDLER else role
    return role


def level_roles(case: Case, level: int) -> frozenset[Role]:
    """The roles that decide at this level."""
    return frozenset(Role(name) for name in case.rules.levels.get(level, ()))


def eligible_reviewers(case: Case, level: int, members: Mapping[str, frozenset[Role]]) -> tuple[str, ...]:
    """Who of these could decide at `level`: a role of the level, not excluded, no part in a lower level."""
    roles = level_roles(case, level)
    lower = {member for at, people in case.acted_at.items() if at < level for member in people}
    return tuple(
        member
        for member, held in sorted(members.items())
        if held & roles and member not in lower and not is_excluded(case, member)
    )
