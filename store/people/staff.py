"""The people of the organisation: names sealed, roles by period, looked up anew for every act.

Who is away until when, and who stands in: kept with the person of staff, whatever Slack says of roles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from complaints.actors import Actor
from complaints.vocabulary import Role
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.proof.seal import place
from store.tables import STAFF, STAFF_ROLES
from store.values import Member


def sync_staff(tx: Tx, members: Sequence[Member]) -> None:
    """The table holds these people with these roles from now on; roles that went are ended, never deleted."""
    held = roles_now(tx)
    wanted = {member.id: member for member in members}
    for member in members:
        _keep(tx, member)
        for role in sorted(member.roles - held.get(member.id, frozenset())):
            tx.add(STAFF_ROLES, member_id=member.id, role=role.value, since=tx.now, until=None)
    for member_id, roles in held.items():
        kept = wanted[member_id].roles if member_id in wanted else frozenset()
        for role in roles - kept:
            tx.connection.execute(
                update(STAFF_ROLES)
                .where(
                    STAFF_ROLES.c.member_id == member_id,
                    STAFF_ROLES.c.role == role.value,
                    STAFF_ROLES.c.until.is_(None),
                )
                .values(until=tx.now)
            )
    here = tx.connection.execute(select(STAFF.c.id).where(STAFF.c.left_at.is_(None))).scalars()
    gone = set(here) - wanted.keys()
    if gone:
        tx.connection.execute(update(STAFF).where(STAFF.c.id.in_(gone)).values(left_at=tx.now))


def _keep(tx: Tx, member: Member) -> None:
    known = tx.connection.execute(
        select(STAFF.c.absent_from, STAFF.c.absent_until, STAFF.c.stand_in).where(STAFF.c.id == member.id)
    ).first()
    said = json.dumps({"name": member.name, "aliases": list(member.aliases)}, ensure_ascii=False)
    tx.put(
        STAFF,
        {
            "id": member.id,
            "slack_id": member.id,
            "line": member.line,
            "sealed": tx.keys.seal(said.encode(), place("staff", member.id, "name")),
            "limits": {},
            # Absence is not Slack's to say: what was recorded stands over every look at the roles.
            "absent_from": None if known is None else known.absent_from,
            "absent_until": member.absent_until if known is None else known.absent_until,
            "deputy": member.deputy,
            "stand_in": None if known is None else known.stand_in,
            "left_at": None,
        },
    )


def roles_now(tx: Tx) -> Mapping[str, frozenset[Role]]:
    """Who holds which roles at this moment."""
    held: dict[str, frozenset[Role]] = {}
    query = select(STAFF_ROLES.c.member_id, STAFF_ROLES.c.role).where(_holds(tx))
    for row in tx.connection.execute(query):
        held[row.member_id] = held.get(row.member_id, frozenset()) | {Role(row.role)}
    return held


def load_actor(tx: Tx, member_id: str) -> Actor:
    """Somebody acting now; a stranger has no role, so everything is refused (fail closed)."""
    query = select(STAFF_ROLES.c.role).where(STAFF_ROLES.c.member_id == member_id, _holds(tx))
    roles = frozenset(Role(row.role) for row in tx.connection.execute(query))
    deputy = func.coalesce(STAFF.c.stand_in, STAFF.c.deputy)
    away = select(STAFF.c.id).where(
        STAFF.c.absent_until > tx.now, deputy == member_id, STAFF.c.left_at.is_(None)
    )
    # Whoever handles nothing themselves stands in for nobody: a deputy hears it, and acts by a role of their own.
    replaced = tx.connection.execute(away).scalars() if roles else ()
    return Actor(member_id, roles, frozenset(replaced))


def _holds(tx: Tx) -> ColumnElement[bool]:
    return (STAFF_ROLES.c.since <= tx.now) & or_(STAFF_ROLES.c.until.is_(None), STAFF_ROLES.c.until > tx.now)


def load_member(tx: Tx, member_id: str) -> Member | None:
    """One person of staff with the roles held now, or None."""
    return next(iter(_members(tx, member_id)), None)


def list_members(tx: Tx) -> list[Member]:
    """Everybody who has not left, by id."""
    return _members(tx, None)


def _members(tx: Tx, member_id: str | None) -> list[Member]:
    held = roles_now(tx)
    query = select(STAFF).where(STAFF.c.left_at.is_(None)).order_by(STAFF.c.id)
    if member_id is not None:
        query = query.where(STAFF.c.id == member_id)
    read = []
    for row in tx.connection.execute(query):
        said = json.loads(tx.keys.unseal(row.sealed, place("staff", row.id, "name")))
        read.append(
            Member(
                id=row.id,
                name=said["name"],
                aliases=tuple(said["aliases"]),
                roles=held.get(row.id, frozenset()),
                line=row.line,
                absent_until=row.absent_until,
                # Whoever stood in for an earlier absence stands in for that one alone.
                deputy=(row.stand_in if _is_away(row, tx) else None) or row.deputy,
                absent_from=row.absent_from,
            )
        )
    return read


def _is_away(row: Any, tx: Tx) -> bool:
    return row.absent_until is not None and tx.now < row.absent_until


def names(tx: Tx) -> Mapping[str, tuple[str, ...]]:
    """Names and aliases by member, for the rule that finds them in a text."""
    return {one.id: (one.name, *one.aliases) for one in list_members(tx)}


def record_absence(tx: Tx, member: str, until: datetime, deputy: str | None = None) -> None:
    """From now on this person is away until then; `deputy` hears what they would have heard.

    Raises UnknownRow for somebody who is none of the staff.
    """
    changed = tx.connection.execute(
        update(STAFF)
        .where(STAFF.c.id == member)
        .values(absent_from=tx.now, absent_until=until, stand_in=deputy)
    )
    if changed.rowcount != 1:
        raise UnknownRow(f"{member} is nobody of the staff: name somebody with a role in the settings")


def end_absence(tx: Tx, member: str) -> bool:
    """The person is here again; False when they were not away."""
    changed = tx.connection.execute(
        update(STAFF)
        .where(STAFF.c.id == member, STAFF.c.absent_until > tx.now)
        # Since when they were away is kept: on the next morning they hear what happened meanwhile.
        .values(absent_until=tx.now, stand_in=None)
    )
    return changed.rowcount == 1
