"""May this person do this to this complaint now? First the permission, then the lifecycle (4.5, 4.9, C).

`authorise` decides for every route of the product: lists, search, files, forms, buttons, messages, command line.
"""

from collections.abc import Mapping
from enum import StrEnum

from complaints.actions.action import Action
from complaints.actions.approval import require_second_person, require_within_limit
from complaints.actions.registry import ACTIONS
from complaints.actors import (
    HANDLERS,
    MANAGERS,
    ORDER,
    READERS,
    Actor,
    eligible_reviewers,
    is_excluded,
    judged_below,
    level_roles,
    may_manage,
    may_read,
    worked_on,
)
from complaints.case import Case
from complaints.errors import ComplaintError, NotAllowed, OutOfOrder
from complaints.forms import ONE_CONTACT
from complaints.obligations.approvals import awaited_act, awaits_approver
from complaints.registers.definitions import Register, RegisterAct
from complaints.registers.entries import Entry
from complaints.vocabulary import Role, State, Verb

#: What to do instead, by the state in which a verb was refused.
_REMEDIES: Mapping[State, str] = {
    State.RECEIVED: "assess it first",
    State.ASSESSED: "resolve it, or investigate and decide",
    State.INVESTIGATING: "decide it first",
    State.DECIDED: "wait for the reply, or do and verify what is owed",
    State.REMEDYING: "do and verify what is owed",
    State.DISAGREED: "the outside right is being offered",
    State.ESCALATED: "the next level decides",
    State.RECOURSE_OFFERED: "close it as exhausted, or record what the outside body says",
    State.CLOSED: "reopen it first",
}


class Access(StrEnum):
    """What people may do in addition to the acts of `Verb`: see complaints, and use the desk as a whole."""

    #: That a complaint exists, with its codes and dates.
    KNOW = "know"
    #: Its words and files.
    READ = "read"
    #: Who answered the survey, and what.
    SURVEY = "survey"
    #: Its stage, for a caller who was identified.
    STAGE = "stage"
    #: Give it to another person.
    HAND_OVER = "hand_over"
    REPORT = "report"
    #: The absence of others, and obligations that failed.
    MANAGE = "manage"
    #: The templates of letters.
    TEMPLATES = "templates"


_ROLES: Mapping[Access, frozenset[Role]] = {
    Access.KNOW: frozenset(ORDER) - {Role.MODEL},
    # The system is also the operator at the command line, who can read everything; each reading is recorded.
    Access.READ: READERS | {Role.SYSTEM, Role.COMPLAINANT},
    Access.SURVEY: READERS | {Role.SYSTEM, Role.COMPLAINANT},
    Access.STAGE: HANDLERS | {Role.INTAKE},
    Access.HAND_OVER: MANAGERS,
    Access.REPORT: MANAGERS | {Role.AUDITOR, Role.SYSTEM},
    Access.MANAGE: MANAGERS,
    Access.TEMPLATES: MANAGERS,
}


def authorise(case: Case | None, wanted: Verb | Access, actor: Actor) -> Role:
    """The role in which this person may do this, here to this complaint; raises NotAllowed with the reason.

    Without a complaint only the person's roles count.
    """
    if case is not None and actor.is_staff and is_excluded(case, actor.id):
        raise NotAllowed.worded("not_allowed.excluded:not_open", ref=case.ref)
    roles = _ROLES[wanted] if isinstance(wanted, Access) else ACTIONS[wanted].roles
    if isinstance(wanted, Verb) and ACTIONS[wanted].manager_only and case and case.fairness.leads:
        roles -= {Role.MANAGER}
    if wanted in (Access.READ, Access.KNOW) and case is not None and case.alarm is not None:
        roles |= {Role.ON_CALL}
    role = actor.least(roles)
    if role is None:
        staff_roles = sorted(role.value for role in roles - {Role.SYSTEM, Role.COMPLAINANT})
        needed = ", ".join(staff_roles) or "nobody of staff"
        on = "" if case is None else f" on {case.ref}"
        code = "not_allowed.assign" if wanted is Access.HAND_OVER else "not_allowed.role"
        raise NotAllowed.worded(
            "not_allowed.role:needed", code=code, wanted=wanted.value, on=on, needed=needed
        )
    if role is Role.COMPLAINANT and case is not None and actor.id != case.complainant:
        raise NotAllowed.worded("not_allowed.excluded:not_complainant", ref=case.ref)
    if case is None or not actor.is_staff:
        return role
    if isinstance(wanted, Verb):
        return _staff_role(case, wanted, ACTIONS[wanted], actor, role)
    reads = may_read(case, actor)
    is_open = {
        Access.READ: reads,
        Access.KNOW: reads or not case.restricted,
        Access.SURVEY: reads and not worked_on(case, actor.id),
    }
    if not is_open.get(wanted, True):
        raise NotAllowed.worded("not_allowed.read", ref=case.ref)
    return role


def is_allowed(case: Case | None, wanted: Verb | Access, actor: Actor) -> bool:
    """True where `authorise` gives a role."""
    try:
        authorise(case, wanted, actor)
    except NotAllowed:
        return False
    return True


def authorise_entry(entry: Entry | None, act: RegisterAct | Register, actor: Actor) -> Role:
    """The role in which this person may do this act on an entry of a register, or read it; without one, all of it.

    Raises NotAllowed.
    """
    is_own = entry is not None and entry.owner == actor.id
    if isinstance(act, Register):
        role = actor.least(frozenset(ORDER) if is_own else act.readers)
    else:
        is_own = is_own and act.is_owners
        role = actor.least(frozenset(ORDER) if is_own else act.roles)
    if role is None:
        raise NotAllowed.worded("not_allowed.role:entry", act=act.name)
    if isinstance(act, RegisterAct) and act.is_owners_alone and entry and entry.owner != actor.id:
        raise NotAllowed.worded("not_allowed.auditor", act=act.name, entry=entry.code)
    if isinstance(act, RegisterAct) and act.second_to and entry is not None:
        first = entry.acts_of(act.second_to)[-1:]
        if first and first[0].by == actor.id:
            raise NotAllowed.worded("not_allowed.second_person:entry", other_act=act.second_to)
    return role


def may_act_on_entry(entry: Entry | None, act: RegisterAct | Register, actor: Actor) -> bool:
    try:
        authorise_entry(entry, act, actor)
    except NotAllowed:
        return False
    return True


#: Why a person reads a complaint that is not theirs (4.7); they choose one before it opens.
READING_REASONS = ("contact", "help", "similar", "check", "law")


def needs_reason(case: Case, actor: Actor) -> bool:
    """True for a reader who is neither owner, deputy nor manager (so no approver), and cannot take it now."""
    is_own = case.owner is not None and case.owner in {actor.id, *actor.stands_in_for}
    to_take = case.is_unowned and case.is_open and is_allowed(case, Verb.ASSIGN, actor)
    return not (is_own or to_take or may_manage(case, actor))


def _staff_role(case: Case, verb: Verb, action: Action, actor: Actor, role: Role) -> Role:
    managing = actor.least(MANAGERS) if may_manage(case, actor) else None
    if action.reviewer_only:
        review = case.open_review
        if review is None or review.reviewer != actor.id or actor.id in case.participants:
            raise NotAllowed.worded("not_allowed.reviewer", ref=case.ref)
    if case.restricted and not action.without_reading and not may_read(case, actor):
        raise NotAllowed.worded("not_allowed.restricted:staff_role", ref=case.ref)
    limit = case.conduct.limit
    # The letter about the limit promises one person.
    is_of_owner = action.owner_only or (
        action.is_staff_message and limit is not None and ONE_CONTACT in limit.limits
    )
    if is_of_owner and actor.id != case.owner and case.owner not in actor.stands_in_for:
        if managing is None:
            raise NotAllowed.worded("not_allowed.owner", ref=case.ref, verb=verb.value)
        role = managing
    if action.needs_independence and judged_below(case, actor.id):
        raise NotAllowed.worded("not_allowed.level:staff_role", ref=case.ref)
    if action.needs_level_role:
        level_role = actor.least(level_roles(case, case.level))
        if level_role is None:
            needed = ", ".join(case.rules.levels[case.level])
            raise NotAllowed.worded(
                "not_allowed.level_role:decide", level=case.level, ref=case.ref, needed=needed
            )
        role = level_role if role is Role.HANDLER and level_role is not Role.HANDLER else role
    return role


def require_state(case: Case, verb: Verb) -> None:
    """Raise OutOfOrder where the verb is not possible in this state, with what to do instead."""
    if case.erased_at is not None:
        raise OutOfOrder.worded("erased", ref=case.ref, verb=verb.value)
    if not possible_in_state(case, verb):
        raise out_of_order(case, verb.value)


def out_of_order(case: Case, act: str) -> OutOfOrder:
    """The refusal of an act that does not fit the state, with what to do instead."""
    state = case.state.value
    return OutOfOrder.worded(
        "out_of_order:state", code=f"out_of_order.{state}", ref=case.ref, state=state, act=act,
        remedy=_REMEDIES[case.state],
    )  # fmt: skip


def refusal(case: Case, verb: Verb) -> ComplaintError | None:
    """Why the complaint does not admit this act now, by any person and with any form; None where it does."""
    try:
        require_state(case, verb)
        ACTIONS[verb].requires(case)
    except ComplaintError as refused:
        return refused
    return None


def require_possible(case: Case, verb: Verb, actor: Actor) -> Role:
    """The role in which this person may do this now, before anything is filled in: for the form and for the act.

    Raises NotAllowed, or why the complaint does not admit it. Permission comes first: a person without it must not
    learn from other errors what is in the case.
    """
    role = authorise(case, verb, actor)
    refused = refusal(case, verb)
    if refused is not None:
        raise refused
    return role


def possible_in_state(case: Case, verb: Verb) -> bool:
    return case.state in ACTIONS[verb].moves.sources


def may_approve(case: Case, actor: Actor) -> bool:
    """True when this person could agree to what waits for approval now; used to choose the people to ask."""
    verb = awaited_act(case)
    if verb is None:
        return False
    try:
        authorise(case, verb, actor)
        require_second_person(case, actor)
        if awaits_approver(case) and case.drafted is not None:
            require_within_limit(case, actor)
    except ComplaintError:
        return False
    return True


def may_decide_appeal(case: Case, actor: Actor) -> bool:
    """True when an appeal against a limit on contact waits, and this person may decide it (4.5)."""
    limit = case.conduct.limit
    waits = limit is not None and case.conduct.appeal_at is not None and actor.id not in limit.people
    return waits and is_allowed(case, Verb.REVIEW_LIMIT, actor)


def second_readers(case: Case, decider: str, members: Mapping[str, frozenset[Role]]) -> frozenset[str]:
    """Who could read a decision before it is sent (4.5).

    A reader takes part in the decision, so the only person who could review it at the next level is left out (7.9).
    """
    able = {
        name
        for name, roles in members.items()
        if name != decider and is_allowed(case, Verb.CHECK_DECISION, Actor(name, roles))
    }
    if case.level < case.rules.top_level:
        reviewers = set(eligible_reviewers(case, case.level + 1, members)) - {decider}
        able = {name for name in able if not reviewers or reviewers - {name}}
    return frozenset(able)


def file_reviewers(case: Case, members: Mapping[str, frozenset[Role]]) -> set[str]:
    """Who may review a closed complaint: everybody who may read it and took no part in it (4.5, Annex C)."""
    readers = {name for name, roles in members.items() if is_allowed(case, Access.READ, Actor(name, roles))}
    return readers - case.participants


def count_reviewers(
    case: Case, members: Mapping[str, frozenset[Role]], *, approver: str | None = None
) -> int:
    """How many of these could review the decision of the present level: not involved, not excluded (7.9, F).

    `approver` is about to agree to the draft, and so takes part in it.
    """
    if case.level >= case.rules.top_level:
        return 0
    return len(set(eligible_reviewers(case, case.level + 1, members)) - {approver})


def count_reviewers_by_approver(case: Case, members: Mapping[str, frozenset[Role]]) -> dict[str, int]:
    """How many could review the draft once it is approved, by who may approve it; empty without a draft."""
    able = [name for name, roles in members.items() if case.drafted and may_approve(case, Actor(name, roles))]
    return {name: count_reviewers(case, members, approver=name) for name in able}
