"""The lists that staff work from: indexed, counted and read a page at a time, of what one person may know.

No list loads more complaints than it shows; restricted ones and those kept from a person are left out by the
database, so that their number shows in no heading either (4.7, C).

What happened to somebody's complaints while they were away, for the morning of their return (6.4).

Whose turn it is: what nobody has is offered to one person after the other, the least laden first (4.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, true, union_all, update

from complaints import permissions
from complaints.actions.authorisation import may_approve, require_permission
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import ComplaintError
from complaints.obligations.reminders import PINGED
from complaints.vocabulary import Role, State, Verb
from store.cases.load import load_many
from store.database.transaction import Tx
from store.tables import COMPLAINTS, DENIED, EVENTS, HEARD, OBLIGATIONS, REMEDIES
from store.tables.complaints import OPEN, UNCHECKED, WAITS

_ONE = COMPLAINTS.c

#: Further are not counted: nobody needs to know whether it is 1,000 or 1,200.
MOST_COUNTED = 1000
#: What waits for a second person is few; each is asked in full whether it is this person.
MOST_WAITING = 200


class WorklistSection(StrEnum):
    """What a list holds."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OVERDUE = "overdue"
    WAITING = "waiting"
    UNCHECKED = "unchecked"
    OPEN = "open"


@dataclass(frozen=True)
class Worklist:
    """One page. `count` is of all pages, at most `MOST_COUNTED`."""

    cases: tuple[Case, ...]
    count: int
    offset: int = 0

    @property
    def more(self) -> int:
        """How many come after this page."""
        return max(0, self.count - self.offset - len(self.cases))


def load_worklist(
    tx: Tx,
    section: WorklistSection,
    by: Actor,
    *,
    owner: str | None = None,
    due_from: datetime | None = None,
    due_before: datetime | None = None,
    slow_before: datetime | None = None,
    offset: int = 0,
    limit: int = 10,
) -> Worklist:
    """A page of a list, the next due first.

    `owner` is whose, for `mine` (else the person's own). `due_from` and `due_before` bound the next due time;
    `slow_before` that of P3 and P4 alone, but for what only the top reads.
    """
    if section in (WorklistSection.WAITING, WorklistSection.UNCHECKED):
        found = _second_hand(tx, section, by)
        return Worklist(tuple(found[offset : offset + limit]), len(found), offset)
    conditions = [*_conditions(tx, section, owner or by.id), *known_to(by)]
    if due_from is not None:
        conditions.append(_ONE.next_due_at >= due_from)
    if due_before is not None:
        conditions.append(_ONE.next_due_at < due_before)
    if slow_before is not None:
        theirs = _ONE.restriction.is_not(None) & (_ONE.restriction != "managers")
        urgent = _ONE.priority.in_([one.value for one in PINGED])
        conditions.append((_ONE.next_due_at < slow_before) | urgent | theirs)
    query = select(_ONE.ref).where(*conditions)
    counted = select(func.count()).select_from(query.limit(MOST_COUNTED).subquery())
    page = query.order_by(_ONE.next_due_at, _ONE.ref).offset(offset).limit(limit)
    return Worklist(_loaded(tx, page), int(tx.connection.execute(counted).scalar_one()), offset)


def _conditions(tx: Tx, section: WorklistSection, owner: str) -> list[ColumnElement[bool]]:
    is_open: list[ColumnElement[bool]] = [OPEN]  # type: ignore[list-item]  # a text clause is one
    match section:
        case WorklistSection.MINE:
            return [*is_open, _ONE.owner == owner]
        case WorklistSection.UNASSIGNED:
            return [*is_open, _ONE.owner.is_(None)]
        case WorklistSection.OVERDUE:
            return [*is_open, _ONE.next_due_at < tx.now]
        case _:
            return is_open


def known_to(by: Actor) -> list[ColumnElement[bool]]:
    """Only what this person may know of: as `permissions.may_read` says for restricted ones (4.7)."""
    if by.has(Role.TOP_MANAGEMENT, Role.AUDITOR):
        cleared: ColumnElement[bool] = true()
    else:
        cleared = _ONE.restriction.is_(None)
        if by.has(Role.MANAGER):
            cleared = cleared | (_ONE.restriction == "managers")
        if by.roles & permissions.READERS:
            cleared = cleared | (_ONE.owner == by.id)
    kept_from = exists().where(DENIED.c.ref == _ONE.ref, DENIED.c.member_id == by.id)
    return [cleared, ~kept_from]


def _second_hand(tx: Tx, section: WorklistSection, by: Actor) -> list[Case]:
    """What waits for this person as a second one: to be approved, or a remedy of somebody else to be checked."""
    if section is WorklistSection.WAITING:
        query = select(_ONE.ref).where(WAITS, *known_to(by)).order_by(_ONE.next_due_at, _ONE.ref)
        return [one for one in _loaded(tx, query.limit(MOST_WAITING)) if may_approve(one, by)]
    refs = select(REMEDIES.c.ref).where(UNCHECKED).order_by(REMEDIES.c.done_at).limit(MOST_WAITING)
    found = dict.fromkeys(tx.connection.execute(refs).scalars())
    return [one.case for one in load_many(tx, list(found)) if may_check(one.case, by)]


def may_check(case: Case, by: Actor) -> bool:
    """Is a remedy done by somebody else left to be verified by this person (Annex D)?"""
    try:
        require_permission(case, Verb.VERIFY, by)
    except ComplaintError:
        return False
    return case.is_open and any(
        one.done_at is not None and one.verified_at is None and one.done_by != by.id
        for one in case.owed_remedies
    )


def _loaded(tx: Tx, query: Select[Any]) -> tuple[Case, ...]:
    refs = list(tx.connection.execute(query).scalars())
    return tuple(one.case for one in load_many(tx, refs))


def count_open_by_owner(tx: Tx) -> Mapping[str, int]:
    """How many open complaints each owner has."""
    query = select(_ONE.owner, func.count()).where(OPEN, _ONE.owner.is_not(None)).group_by(_ONE.owner)
    return {str(row[0]): int(row[1]) for row in tx.connection.execute(query)}


def known_cases(tx: Tx, refs: list[str], by: Actor) -> tuple[Case, ...]:
    """Those of these complaints that this person may know of, in the order asked for."""
    query = select(_ONE.ref).where(_ONE.ref.in_(refs), *known_to(by))
    allowed = set(tx.connection.execute(query).scalars())
    return tuple(one.case for one in load_many(tx, [ref for ref in refs if ref in allowed]))


def list_codes(tx: Tx, column: str, value: str, by: Actor, *, limit: int = 10) -> Worklist:
    """Complaints with this category, state or priority, the next due first; closed ones only by that state."""
    wanted = {"category": _ONE.category, "state": _ONE.state, "priority": _ONE.priority}[column] == value
    closed = (column, value) == ("state", State.CLOSED.value)
    query = select(_ONE.ref).where(wanted, *([] if closed else [OPEN]), *known_to(by))
    counted = select(func.count()).select_from(query.limit(MOST_COUNTED).subquery())
    page = query.order_by(_ONE.next_due_at, _ONE.ref).limit(limit)
    return Worklist(_loaded(tx, page), int(tx.connection.execute(counted).scalar_one()))


#: What comes by itself is no news to a person.
_UNTOLD = (Verb.PROPOSE.value, Verb.SURVEY.value, Verb.END_FORM.value)


@dataclass(frozen=True)
class CaseChanges:
    """One complaint of theirs: what was done to it, by verb in the order of the last time, and how often in all."""

    case: Case
    verbs: tuple[str, ...]
    count: int


def list_events_since(tx: Tx, by: Actor, since: datetime, limit: int) -> tuple[CaseChanges, ...]:
    """The complaints that this person owns and others acted on since then, the most moved first."""
    event, one = EVENTS.c, COMPLAINTS.c
    is_open: ColumnElement[bool] = OPEN  # type: ignore[assignment]  # a text clause is one
    theirs = union_all(
        select(one.ref).where(is_open, one.owner == by.id, *known_to(by)),
        select(one.ref).where(one.closed_at >= since, one.owner == by.id, *known_to(by)),
    )
    query = (
        select(event.ref, event.verb, func.count().label("often"), func.max(event.seq).label("last"))
        .where(event.ref.in_(theirs), event.at >= since, event.by != by.id, event.verb.not_in(_UNTOLD))
        .group_by(event.ref, event.verb)
    )
    verbs: dict[str, list[tuple[int, str, int]]] = {}
    for row in tx.connection.execute(query):
        verbs.setdefault(row.ref, []).append((row.last, row.verb, row.often))
    moved = sorted(verbs, key=lambda ref: (-sum(one[2] for one in verbs[ref]), ref))[:limit]
    files = {one.case.ref: one.case for one in load_many(tx, moved)}
    return tuple(
        CaseChanges(
            files[ref],
            tuple(verb for _, verb, _ in sorted(verbs[ref])),
            sum(often for _, _, often in verbs[ref]),
        )
        for ref in moved
    )


_NEVER = datetime.min.replace(tzinfo=UTC)
_REMIND = OBLIGATIONS.c.kind == "remind"


def list_reminders_waiting(tx: Tx, ref: str) -> tuple[str, ...]:
    """The keys of this complaint's reminders that are due and not done."""
    one = OBLIGATIONS.c
    query = select(one.key).where(one.scope == ref, _REMIND, one.state == "open", one.due <= tx.now)
    return tuple(tx.connection.execute(query.order_by(one.key)).scalars())


def complete_reminders(tx: Tx, ref: str, keys: Sequence[str]) -> None:
    """These reminders need nothing more: another of the same complaint spoke for them."""
    one = OBLIGATIONS.c
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(one.scope == ref, one.key.in_(keys), _REMIND, one.state == "open")
        .values(state="done", ended_at=tx.now, why=None)
    )


def take_digest_turn(tx: Tx, number: int, able: Sequence[str]) -> str | None:
    """Who of these is asked by this reminder to take its complaint; None when all were asked.

    Whoever has the fewest open complaints, of these who was asked longest ago, and nobody twice for the same
    complaint. The choice stands among the facts of the duty, so that a second try asks the same person.
    """
    one = OBLIGATIONS.c
    row = tx.connection.execute(select(one.scope, one.facts).where(one.id == number)).one()
    if "asked" in row.facts:
        return str(row.facts["asked"]) if row.facts["asked"] in able else None
    of_case = select(one.facts).where(one.scope == row.scope, _REMIND)
    before = {facts.get("asked") for facts in tx.connection.execute(of_case).scalars()}
    free = [member for member in able if member not in before]
    if not free:
        return None
    asked = select(HEARD.c.key, HEARD.c.at).where(HEARD.c.key.in_([_turn(member) for member in free]))
    last = {row.key: row.at for row in tx.connection.execute(asked)}
    carried = count_open_by_owner(tx)
    first = min(free, key=lambda each: (carried.get(each, 0), last.get(_turn(each), _NEVER), each))
    tx.put(HEARD, {"key": _turn(first), "at": tx.now})
    tx.connection.execute(
        update(OBLIGATIONS).where(one.id == number).values(facts={**row.facts, "asked": first})
    )
    return first


def _turn(member: str) -> str:
    """A week without being asked is long enough: then the key is tidied away like any other."""
    return f"asked:{member}"
