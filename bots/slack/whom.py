"""Whom a duty tells: by role, never somebody excluded; of a restricted one only those who may read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from complaints.actions.authorisation import may_approve
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.opening_hours import on_call_covers
from complaints.obligations.reminders import ReminderLevel
from complaints.permissions import is_excluded, may_read
from complaints.vocabulary import Role, Target
from store.values import Member

MANAGING = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})
#: Nobody answered for so long: the next circle is paged too (docs/surfaces.md, "Danger").
MANAGERS_AFTER = timedelta(minutes=15)
TOP_AFTER = timedelta(minutes=30)
PAGE_EVERY = timedelta(minutes=5)


def as_actor(one: Member) -> Actor:
    """A member as somebody acting."""
    return Actor(one.id, one.roles)


def holding(members: Iterable[Member], *roles: Role) -> list[str]:
    """Who holds any of these roles."""
    return [one.id for one in members if one.roles & set(roles)]


def to_page(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who is paged now: people on call, managers from 15 minutes, top management from 30.

    Where nobody is on call now, or nobody at all, the managers are paged at once.
    """
    since = now - (case.danger_at or now)
    rota = case.rules.on_call
    covered = bool(rota.people) and on_call_covers(now, rota, case.rules.calendar.zone)
    people = [*rota.people, *holding(members, Role.ON_CALL)]
    if since >= MANAGERS_AFTER or not covered:
        people += holding(members, Role.MANAGER)
    if since >= TOP_AFTER or not people:
        people += holding(members, Role.TOP_MANAGEMENT)
    return tuple(dict.fromkeys(one for one in people if not is_excluded(case, one)))


def to_remind(
    case: Case,
    target: Target,
    members: Sequence[Member],
    now: datetime,
    rung: ReminderLevel,
    *,
    asked: str | None = None,
) -> tuple[str, ...]:
    """Who hears of a due time: the owner, from `Rung.LEAD` the unit manager, from `Rung.TOP` top management too.

    For an owner who is away it is the deputy, else those who lead; nobody who is away is reminded while anybody
    else may hear it. `asked` is whose turn it is to take what has no owner; with nobody left to ask those who lead
    hear it.
    """
    if target is Target.APPROVE:
        approving = to_approve(case, members, now)
        return (
            approving
            if rung < ReminderLevel.TOP
            else _cleared(case, (*approving, *_top(members, now)), members)
        )
    here = present(members, now)
    leading = to_lead(case, members, now)
    first: list[str | None] = [case.owner if case.owner is not None else asked]
    if case.owner is not None and case.owner not in {one.id for one in here}:
        first = [*stand_ins(case.owner, members, now)]
    people = list(_cleared(case, first, here)) or list(leading)
    if rung >= ReminderLevel.LEAD or target is Target.SUBJECT:
        people += leading
    if rung >= ReminderLevel.TOP:
        people += _top(members, now)
    return _cleared(case, people, here) or _cleared(case, [case.owner, *holding(members, *MANAGING)], members)


def to_lead(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who leads: the owner's unit manager (`[[staff]] line`), else the managers; who is here and may read it.

    Where a manager is complained about the top stands in for managers (C).
    """
    here = present(members, now)
    if case.fairness.leads:
        return _cleared(case, holding(here, Role.TOP_MANAGEMENT), here)
    line = next((one.line for one in members if one.id == case.owner), None)
    return _cleared(case, [line], here) or _cleared(case, holding(here, Role.MANAGER), here)


def _top(members: Sequence[Member], now: datetime) -> list[str]:
    return holding(present(members, now), Role.TOP_MANAGEMENT)


def present(members: Iterable[Member], now: datetime) -> list[Member]:
    """Those who are not away."""
    return [one for one in members if not one.is_away(now)]


def stand_ins(member: str, members: Sequence[Member], now: datetime) -> list[str]:
    """Who hears what somebody who is away would have heard: the deputy, if there, else the managers who are."""
    here = {one.id for one in present(members, now)}
    deputy = next((one.deputy for one in members if one.id == member), None)
    return [deputy] if deputy is not None and deputy in here else holding(present(members, now), Role.MANAGER)


def to_tell(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who tells the complainant what no chat takes: the owner or who stands in, else those who lead."""
    here = present(members, now)
    people = holding(here, Role.TOP_MANAGEMENT if case.fairness.leads else Role.MANAGER)
    if case.owner is not None:
        is_here = case.owner in {one.id for one in here}
        people = [case.owner] if is_here else stand_ins(case.owner, members, now)
    return _cleared(case, people, here) or _cleared(case, holding(members, *MANAGING), members)


def to_approve(case: Case, members: Sequence[Member], now: datetime | None = None) -> tuple[str, ...]:
    """Who could approve what waits; those who are away only where nobody else may."""
    able = [one for one in members if may_approve(case, as_actor(one))]
    here = able if now is None else present(able, now)
    return tuple(one.id for one in here or able)


def _cleared(case: Case, people: Iterable[str | None], members: Sequence[Member]) -> tuple[str, ...]:
    known = {one.id: one for one in members}
    return tuple(
        dict.fromkeys(
            one for one in people if one is not None and one in known and may_read(case, as_actor(known[one]))
        )
    )
