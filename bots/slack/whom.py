"""Whom a duty tells: by role, never somebody excluded; of a restricted one only those who may read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from complaints.approving import may_approve
from complaints.hours import on_call_covers
from complaints.people import Actor
from complaints.permissions import is_excluded, may_read
from complaints.record import Case
from complaints.vocabulary import Role, Target
from store.values import Member

MANAGING = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})
#: Nobody answered for so long: the next circle is paged too (surfaces.md, Danger).
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


def to_remind(case: Case, target: Target, members: Sequence[Member], *, missed: bool) -> tuple[str, ...]:
    """Who hears of a due time: the owner, else managers and handlers; of a missed one managers too."""
    if target is Target.APPROVE:
        return to_approve(case, members)
    people = [case.owner] if case.owner is not None else holding(members, Role.MANAGER, Role.HANDLER)
    if missed:
        people += holding(members, Role.MANAGER)
    return _cleared(case, people, members)


def to_approve(case: Case, members: Sequence[Member]) -> tuple[str, ...]:
    """Who could approve what waits."""
    return tuple(one.id for one in members if may_approve(case, as_actor(one)))


def _cleared(case: Case, people: Iterable[str | None], members: Sequence[Member]) -> tuple[str, ...]:
    known = {one.id: one for one in members}
    return tuple(
        dict.fromkeys(
            one for one in people if one is not None and one in known and may_read(case, as_actor(known[one]))
        )
    )
