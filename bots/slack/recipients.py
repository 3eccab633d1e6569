"""Who gets a notice, by role: never a person excluded from the complaint; restricted ones only their readers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from complaints.actions.authorisation import (
    Access,
    is_allowed,
    may_approve,
    may_decide_appeal,
    second_readers,
)
from complaints.actors import Actor, level_roles, may_own
from complaints.case import Case
from complaints.deadlines.opening_hours import on_call_covers
from complaints.obligations.approvals import awaits_reader
from complaints.obligations.reminders import ReminderLevel
from complaints.vocabulary import Role, Target, Verb
from store.values import Member

#: The dates of an appeal against a limit on contact, and of the approval of a limit.
APPEAL, LIMIT_APPROVAL = (Target.CONDUCT, 1), (Target.CONDUCT, 2)
MANAGING = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})
#: If a danger is not confirmed for so long, the next circle is paged too (docs/surfaces.md, "Danger").
MANAGERS_AFTER = timedelta(minutes=15)
TOP_AFTER = timedelta(minutes=30)
PAGE_EVERY = timedelta(minutes=5)
#: The same for a possible danger that the complainant denied: it asks for a look.
LOOK_EVERY = timedelta(minutes=15)


def paged_members(case: Case, members: Sequence[Member], now: datetime, start: datetime) -> tuple[str, ...]:
    """Who is paged now, or asked to look: people on call, managers 15 minutes after the start, top management 30.

    The managers are paged at once if there is no rota, or if it covers no time like now.
    """
    since = now - start
    rota = case.rules.on_call
    covered = bool(rota.people) and on_call_covers(now, rota, case.rules.calendar.zone)
    people = [*rota.people, *members_with_role(members, Role.ON_CALL)]
    if since >= MANAGERS_AFTER or not covered:
        people += members_with_role(members, Role.MANAGER)
    if since >= TOP_AFTER or not people:
        people += members_with_role(members, Role.TOP_MANAGEMENT)
    return tuple(dict.fromkeys(member_id for member_id in people if member_id not in case.denied))


def reminded_members(
    case: Case,
    target: Target,
    members: Sequence[Member],
    now: datetime,
    level: ReminderLevel,
    *,
    number: int = 0,
    candidate: str | None = None,
) -> tuple[str, ...]:
    """Who is reminded of a due time: the owner, from LEAD on the unit manager, from TOP on top management too.

    An absent owner is replaced by the deputy, otherwise by the leading members. Absent people are reminded only if
    all others are absent too. What waits for a second person (`second_people`) goes to those who may decide it;
    `number` is that of the target. `candidate` is the member who is asked in turn to take a complaint without an
    owner; without one the leading members are reminded.
    """
    deciders = second_people(case, target, number, members, now)
    if deciders is not None:
        # An appeal is only for people without a part in the limit.
        if level < ReminderLevel.TOP or (target, number) == APPEAL:
            return deciders
        return _readers(case, (*deciders, *_present_top_management(members, now)), members)
    present = present_members(members, now)
    leading = leading_members(case, members, now)
    first: list[str | None] = [candidate if case.is_unowned else case.owner]
    if case.owner is not None and not case.is_unowned and case.owner not in {member.id for member in present}:
        first = [*substitutes(case.owner, members, now)]
    people = list(_readers(case, first, present)) or list(leading)
    if level >= ReminderLevel.LEAD or target in (Target.SUBJECT, Target.CONDUCT):
        people += leading
    if level >= ReminderLevel.TOP:
        people += _present_top_management(members, now)
    managing = [case.owner, *members_with_role(members, *MANAGING)]
    return _readers(case, people, present) or _readers(case, managing, members)


def second_people(
    case: Case, target: Target, number: int, members: Sequence[Member], now: datetime
) -> tuple[str, ...] | None:
    """Who may decide what waits until this date; None where it waits for no second person."""
    match second_decision(target, number):
        case "appeal":
            return appeal_deciders(case, members, now)
        case "approval":
            return possible_approvers(case, members, now)
    return None


def second_decision(target: Target, number: int) -> str:
    """What a second person decides until this date, an approval or an appeal; empty for a date of the owner's."""
    if (target, number) == APPEAL:
        return "appeal"
    return "approval" if target is Target.APPROVE or (target, number) == LIMIT_APPROVAL else ""


def leading_members(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """The owner's unit manager (`[[staff]] line`), otherwise the managers: present, and allowed to read it.

    If the complaint is about a manager, top management takes the managers' place (Annex C).
    """
    present = present_members(members, now)
    if case.fairness.leads:
        return _readers(case, members_with_role(present, Role.TOP_MANAGEMENT), present)
    unit_manager = next((member.line for member in members if member.id == case.owner), None)
    managers = members_with_role(present, Role.MANAGER)
    return _readers(case, [unit_manager], present) or _readers(case, managers, present)


def offline_notifiers(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who reads out or posts what no chat can take: the owner or the substitutes, otherwise the managers."""
    present = present_members(members, now)
    people = members_with_role(present, Role.TOP_MANAGEMENT if case.fairness.leads else Role.MANAGER)
    if case.owner is not None:
        is_present = case.owner in {member.id for member in present}
        people = [case.owner] if is_present else substitutes(case.owner, members, now)
    managing = members_with_role(members, *MANAGING)
    return _readers(case, people, present) or _readers(case, managing, members)


def survey_readers(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who looks at a bad survey answer: managers, otherwise top management, otherwise auditors; present ones first.

    Empty if all of them worked on the complaint, because the survey promises that they see no answer.
    """
    free = [member for member in members if is_allowed(case, Access.SURVEY, member_actor(member))]
    ranks = [
        _readers(case, members_with_role(people, role), people)
        for people in (present_members(free, now), free)
        for role in (Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR)
    ]
    return next(filter(None, ranks), ())


def possible_approvers(case: Case, members: Sequence[Member], now: datetime | None = None) -> tuple[str, ...]:
    """Who may approve what waits for approval; absent people only if no present person may."""
    able = [member for member in members if may_approve(case, member_actor(member))]
    if case.drafted is not None and awaits_reader(case):
        readers = second_readers(case, case.drafted.by, {member.id: member.roles for member in members})
        able = [member for member in able if member.id in readers]
    present = able if now is None else present_members(able, now)
    return tuple(member.id for member in present or able)


def appeal_deciders(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who may decide the appeal against a limit on contact; absent people only if no present person may."""
    able = [member for member in members if may_decide_appeal(case, member_actor(member))]
    return tuple(member.id for member in present_members(able, now) or able)


def substitutes(member_id: str, members: Sequence[Member], now: datetime) -> list[str]:
    """Who gets the notices of an absent member: a present deputy who may act, otherwise the present managers."""
    present = present_members(members, now)
    deputy = next((member.deputy for member in members if member.id == member_id), None)
    if any(member.id == deputy and handles_complaints(member) for member in present):
        return [str(deputy)]
    return members_with_role(present, Role.MANAGER)


def suggested_owner(
    case: Case, members: Sequence[Member], loads: Mapping[str, int], now: datetime
) -> tuple[str, int] | None:
    """Of the members who may decide this one and whose skills fit best, the one with the fewest open complaints.

    The number is that of these complaints. At level 1 handlers come before managers. Absent members, members named in
    the complaint and those who acted at a lower level are never suggested.
    """
    able = possible_owners(case, members, now)
    first = min(
        able, key=lambda member_id: (able[member_id], loads.get(member_id, 0), member_id), default=None
    )
    return None if first is None else (first, loads.get(first, 0))


def possible_owners(case: Case, members: Sequence[Member], now: datetime) -> Mapping[str, int]:
    """Who may be asked to take it, with `skill_gap`; of a restricted complaint only its readers (4.7)."""
    return {member.id: skill_gap(case, member) for member in _able_members(case, members, now)}


def skill_gap(case: Case, member: Member) -> int:
    """How little the skills of a member fit the complaint: 0 for the best.

    A language that they do not have counts most, then a category of others; people without an entry take everything,
    after those who have the category. No member is left out for it, because every complaint needs an owner.
    """
    speaks = not member.languages or case.language in member.languages
    has_category = case.category in member.categories
    return (0 if speaks else 3) + (0 if has_category else 2 if member.categories else 1)


def proposed_owners(
    cases: Sequence[Case], members: Sequence[Member], loads: Mapping[str, int], now: datetime
) -> Mapping[str, str]:
    """For each complaint without an owner the member who fits best and has the fewest complaints so far.

    Every process gets the same answer from the same record, because none keeps a turn of its own.
    """
    counts, owners = dict(loads), {}
    for case in cases:
        able = possible_owners(case, members, now)
        if case.is_unowned and able:
            first = min(able, key=lambda member_id: (able[member_id], counts.get(member_id, 0), member_id))
            counts[first] = counts.get(first, 0) + 1
            owners[case.ref] = first
    return owners


def handles_complaints(member: Member) -> bool:
    """True for people who may own a complaint and act as deputies."""
    return is_allowed(None, Verb.ASSESS, member_actor(member))


def present_members(members: Iterable[Member], now: datetime) -> list[Member]:
    return [member for member in members if not member.is_away(now)]


def members_with_role(members: Iterable[Member], *roles: Role) -> list[str]:
    return [member.id for member in members if member.roles & set(roles)]


def member_actor(member: Member) -> Actor:
    return Actor(member.id, member.roles)


def _present_top_management(members: Sequence[Member], now: datetime) -> list[str]:
    return members_with_role(present_members(members, now), Role.TOP_MANAGEMENT)


def _readers(case: Case, people: Iterable[str | None], members: Sequence[Member]) -> tuple[str, ...]:
    """Of these people the members who may read the complaint, in their order."""
    allowed = {member.id for member in members if is_allowed(case, Access.READ, member_actor(member))}
    return tuple(
        dict.fromkeys(member_id for member_id in people if member_id is not None and member_id in allowed)
    )


def _able_members(case: Case, members: Sequence[Member], now: datetime) -> list[Member]:
    roles = level_roles(case, case.level)
    able = [
        member
        for member in present_members(members, now)
        if member.roles & roles
        and may_own(case, member.id)
        and is_allowed(case, Access.READ, member_actor(member))
    ]
    if case.level > 1:
        return able
    return [member for member in able if Role.HANDLER in member.roles] or able
