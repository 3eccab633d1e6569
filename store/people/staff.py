"""The members of staff: names sealed, roles by period, absences and deputies. Roles are read for every act."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, false, func, or_, select

from complaints.actions import authorisation
from complaints.actors import Actor
from complaints.case import Case
from complaints.times import format_time
from complaints.vocabulary import Role, Verb
from store.database.errors import Altered, UnknownRow, note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.proof.hash_chain import record_instance_event
from store.tables import ABSENCES, COMPLAINTS, STAFF, STAFF_ROLES
from store.tables.complaints import OPEN
from store.values import Absence, Member, absence_at

# Built once, since every act runs them.
_NOW = bindparam("now", type_=STAFF_ROLES.c.since.type)
_IS_MEMBER = bindparam("member", type_=STAFF.c.id.type)
_CURRENT_ROLES = select(STAFF_ROLES.c.member_id, STAFF_ROLES.c.role).where(
    STAFF_ROLES.c.since <= _NOW, or_(STAFF_ROLES.c.until.is_(None), STAFF_ROLES.c.until > _NOW)
)
_ROLES_OF_MEMBER = _CURRENT_ROLES.with_only_columns(STAFF_ROLES.c.role).where(
    STAFF_ROLES.c.member_id == _IS_MEMBER
)
#: Removed ones have no length and are left out.
_ABSENCES = select(ABSENCES).where(ABSENCES.c.since < ABSENCES.c.until).order_by(ABSENCES.c.since)
#: The people away now with their deputies; of absences that overlap the one that began last counts.
_DEPUTIES = (
    _ABSENCES.with_only_columns(
        ABSENCES.c.member_id, func.coalesce(ABSENCES.c.deputy, STAFF.c.deputy).label("deputy")
    )
    .join(STAFF, STAFF.c.id == ABSENCES.c.member_id)
    .where(ABSENCES.c.since <= _NOW, ABSENCES.c.until > _NOW, STAFF.c.left_at.is_(None))
)
#: So long an absence that is over is kept: the digest of the first morning back lists what happened since it began.
_KEPT = timedelta(days=31)


def sync_staff(tx: Tx, members: Sequence[Member]) -> None:
    """Set the members of staff and their roles; roles that are gone get an end time and are never deleted."""
    roles_by_member = load_current_roles(tx)
    wanted = {member.id: member for member in members}
    for member in members:
        _write(tx, member)
        for role in sorted(member.roles - roles_by_member.get(member.id, frozenset())):
            tx.add(STAFF_ROLES, member_id=member.id, role=role.value, since=tx.now, until=None)
    for member_id, roles in roles_by_member.items():
        kept = wanted[member_id].roles if member_id in wanted else frozenset()
        for role in roles - kept:
            current = STAFF_ROLES.c.member_id == member_id, STAFF_ROLES.c.until.is_(None)
            tx.update(STAFF_ROLES, *current, STAFF_ROLES.c.role == role.value, until=tx.now)
    present = tx.connection.execute(select(STAFF.c.id).where(STAFF.c.left_at.is_(None))).scalars()
    left = set(present) - wanted.keys()
    if left:
        tx.update(STAFF, STAFF.c.id.in_(left), left_at=tx.now)


def load_actor(tx: Tx, member_id: str) -> Actor:
    """The actor with the present roles; a stranger has no role, so everything is refused (fail closed)."""
    values = {"member": member_id, "now": tx.now}
    roles = frozenset(map(Role, tx.connection.execute(_ROLES_OF_MEMBER, values).scalars()))
    actor = Actor(member_id, roles)
    # Only people who may own complaints act for an absent member.
    if not authorisation.is_allowed(None, Verb.ASSESS, actor):
        return actor
    rows = tx.connection.execute(_DEPUTIES, {"now": tx.now})
    deputies = {row.member_id: row.deputy for row in rows}
    return replace(actor, stands_in_for=frozenset(who for who in deputies if deputies[who] == member_id))


def load_current_roles(tx: Tx) -> Mapping[str, frozenset[Role]]:
    """The present roles by member of staff."""
    roles_by_member: dict[str, frozenset[Role]] = {}
    for row in tx.connection.execute(_CURRENT_ROLES, {"now": tx.now}):
        roles_by_member[row.member_id] = roles_by_member.get(row.member_id, frozenset()) | {Role(row.role)}
    return roles_by_member


def count_reviewers(tx: Tx, case: Case, approver: str | None = None) -> int:
    """How many members of staff could review the decision of the present level (authorisation.count_reviewers)."""
    return authorisation.count_reviewers(case, load_current_roles(tx), approver=approver)


def count_reviewers_by_approver(tx: Tx, case: Case) -> dict[str, int]:
    return authorisation.count_reviewers_by_approver(case, load_current_roles(tx))


def load_member(tx: Tx, member_id: str) -> Member | None:
    """One member of staff with the present roles; None if unknown or gone."""
    return next(iter(_members(tx, member_id)), None)


def list_members(tx: Tx, *, with_owners: bool = False) -> list[Member]:
    """The members of staff who have not left, sorted by id; `with_owners`: and who left with open complaints."""
    return _members(tx, None, with_owners=with_owners)


def list_names(tx: Tx) -> Mapping[str, tuple[str, ...]]:
    """Names and aliases by member of staff, for the rule that finds them in a text."""
    return {member.id: (member.name, *member.aliases) for member in list_members(tx)}


def record_absence(
    tx: Tx,
    member: str,
    until: datetime,
    deputy: str | None = None,
    *,
    by: str | None = None,
    since: datetime | None = None,
) -> Absence:
    """Record that a member of staff is absent until `until`; `deputy` gets their notices.

    It begins now, or at `since`. It changes the absence that runs already, or the one that begins then; the others
    stay. The desk's log says who entered it: `by`, otherwise the member. Raises UnknownRow if `member` is not of the
    staff.
    """
    if load_member(tx, member) is None:
        raise UnknownRow(f"{member} is not a member of staff: name a person with a role in the settings")
    absence = Absence(since or tx.now, until, deputy)
    changed = _recorded(tx, member, since)
    if changed:
        absence = replace(absence, since=changed[-1].since, number=changed[-1].number)
        _change(tx, absence)
    else:
        tx.delete(ABSENCES, ABSENCES.c.until < tx.now - _KEPT)
        tx.add(ABSENCES, member_id=member, since=absence.since, until=until, deputy=deputy)
    _log_absence(tx, member, until, deputy, by, since)
    return absence


def end_absence(tx: Tx, member: str, *, by: str | None = None, since: datetime | None = None) -> bool:
    """Record that a member of staff is back, and who entered it; False if they were not absent.

    With `since` the absence that begins then ends, or is removed if it is only planned.
    """
    ended = _recorded(tx, member, since)
    for absence in ended:
        # The start of one that ran is kept: the next morning's digest lists what happened since.
        _change(tx, replace(absence, since=min(absence.since, tx.now), until=tx.now))
        planned = None if absence.runs(tx.now) else absence.since
        _log_absence(tx, member, planned or tx.now, None, by, planned)
    return bool(ended)


def _recorded(tx: Tx, member: str, since: datetime | None) -> list[Absence]:
    """The absences of a member that run, or with `since` those that begin then and are not over."""
    return [
        absence
        for absence in _absences(tx, member).get(member, ())
        if (absence.runs(tx.now) if since is None else absence.since == since and absence.until > tx.now)
    ]


def _absences(tx: Tx, member_id: str | None) -> Mapping[str, tuple[Absence, ...]]:
    query = _ABSENCES.where(ABSENCES.c.until > tx.now - _KEPT)
    if member_id is not None:
        query = query.where(ABSENCES.c.member_id == member_id)
    absences: dict[str, tuple[Absence, ...]] = {}
    for row in tx.connection.execute(query):
        absence = Absence(row.since, row.until, row.deputy, row.id)
        absences[row.member_id] = (*absences.get(row.member_id, ()), absence)
    return absences


def _change(tx: Tx, absence: Absence) -> None:
    values = {"since": absence.since, "until": absence.until, "deputy": absence.deputy}
    tx.update_by(ABSENCES, {"id": absence.number}, **values)


def _log_absence(
    tx: Tx, member: str, until: datetime, deputy: str | None, by: str | None, since: datetime | None = None
) -> None:
    facts = {"member": member, "until": format_time(until), "deputy": deputy, "by": by or member}
    facts |= {} if since is None else {"since": format_time(since)}
    record_instance_event(tx, "absence", facts)


def _write(tx: Tx, member: Member) -> None:
    own_names = json.dumps({"name": member.name, "aliases": list(member.aliases)}, ensure_ascii=False)
    tx.put(
        STAFF,
        {
            "id": member.id,
            "slack_id": member.id,
            "line": member.line,
            "sealed": tx.keys.seal(own_names.encode(), place("staff", member.id, "name")),
            "limits": {
                name: list(values)
                for name, values in (("categories", member.categories), ("languages", member.languages))
                if values
            },
            "deputy": member.deputy,
            "left_at": None,
        },
    )


def _members(tx: Tx, member_id: str | None, *, with_owners: bool = False) -> list[Member]:
    roles_by_member = load_current_roles(tx)
    owners = select(COMPLAINTS.c.owner).where(OPEN if with_owners else false())
    is_listed = or_(STAFF.c.left_at.is_(None), STAFF.c.id.in_(owners))
    query = select(STAFF).where(is_listed).order_by(STAFF.c.id)
    if member_id is not None:
        query = query.where(STAFF.c.id == member_id)
    absences = _absences(tx, member_id)
    members = []
    for row in tx.connection.execute(query):
        sealed_names = _names(tx, row)
        absence = absence_at(absences.get(row.id, ()), tx.now)
        members.append(
            Member(
                id=row.id,
                name=sealed_names["name"],
                aliases=tuple(sealed_names["aliases"]),
                roles=roles_by_member.get(row.id, frozenset()),
                line=row.line,
                absences=absences.get(row.id, ()),
                # The deputy named for an absence counts only while it lasts.
                deputy=(None if absence is None else absence.deputy) or row.deputy,
                categories=tuple(row.limits.get("categories", ())),
                languages=tuple(row.limits.get("languages", ())),
            )
        )
    return members


def _names(tx: Tx, row: Any) -> dict[str, Any]:
    """Name and aliases; the id if they do not open, because without members no button works."""
    where = place("staff", row.id, "name")
    try:
        names: dict[str, Any] = json.loads(tx.keys.unseal(row.sealed, where))
    except Altered:
        note_damage(where)
        return {"name": row.id, "aliases": []}
    return names
