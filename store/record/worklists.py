"""Lists that staff work from, a page at a time: worklists, news after an absence (6.4), whose turn it is (4.9).

The database leaves out restricted complaints that a person may not know of, so that no count includes them (4.7, C).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from complaints import actors
from complaints.actions.authorisation import Access, is_allowed, may_approve, may_decide_appeal
from complaints.actions.registry import verbs_that
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import UnknownReference
from complaints.obligations.reminders import WITH_MESSAGES
from complaints.vocabulary import Role, State, Verb
from store.database.transaction import Tx
from store.record.access_log import record_after_rollback
from store.record.load import OWNER_LEFT, load_many
from store.tables import COMPLAINTS, DENIED_MEMBERS, EVENTS, OBLIGATIONS, RECEIVED_KEYS, REMEDIES
from store.tables.complaints import OPEN, UNCHECKED, WAITS

_COLUMNS = COMPLAINTS.c

#: Counting stops here: an exact number above it would cost time and helps no one.
MOST_COUNTED = 1000
#: Few complaints wait for a second person, so that each can be loaded and checked for this person.
MOST_WAITING = 200
#: Automatic acts are left out of the news after an absence.
_AUTOMATIC = sorted(verbs_that(lambda row: row.is_automatic))
_NEVER = datetime.min.replace(tzinfo=UTC)
#: Also if the owner may no longer work on complaints, for example has left.
_WITHOUT_OWNER = _COLUMNS.owner.is_(None) | OWNER_LEFT
_REMIND = OBLIGATIONS.c.kind == "remind"


class WorklistSection(StrEnum):
    """The lists that a person can open."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OVERDUE = "overdue"
    WAITING = "waiting"
    UNCHECKED = "unchecked"
    SURVEY = "survey"
    #: Those of the absent people whose deputy the person is.
    DEPUTY = "deputy"
    #: Limits on contact in force, for managers.
    LIMITED = "limited"
    OPEN = "open"


_CHECKED_ONE_BY_ONE = (
    WorklistSection.WAITING, WorklistSection.UNCHECKED, WorklistSection.SURVEY, WorklistSection.LIMITED
)  # fmt: skip


@dataclass(frozen=True)
class Worklist:
    """One page of a list; `count` is the number of complaints on all pages, at most `offset` + `MOST_COUNTED`."""

    cases: tuple[Case, ...]
    count: int
    offset: int = 0

    @property
    def more(self) -> int:
        """How many complaints come after this page."""
        return max(0, self.count - self.offset - len(self.cases))


@dataclass(frozen=True)
class OpenCounts:
    """Numbers of open complaints: all, overdue, due later today, without an owner, and by priority."""

    total: int
    overdue: int
    due_today: int
    unowned: int
    by_priority: Mapping[str, int]


@dataclass(frozen=True)
class CaseChanges:
    """Acts on a complaint since a moment: its verbs, the one used longest ago first, and the number of acts."""

    case: Case
    verbs: tuple[str, ...]
    count: int


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

    `owner` is for the section `mine`; without it, the person's own complaints. `due_from` and `due_before` bound
    the next due time. `slow_before` bounds it too, except for P1, P2 and complaints that only top management reads.
    """
    if section in _CHECKED_ONE_BY_ONE:
        cases = _for_second_person(tx, section, by)
        return Worklist(tuple(cases[offset : offset + limit]), len(cases), offset)
    owners = by.stands_in_for if section is WorklistSection.DEPUTY else {owner or by.id}
    conditions = [*_conditions(tx, section, owners), *visible_to(by)]
    if due_from is not None:
        conditions.append(_COLUMNS.next_due_at >= due_from)
    if due_before is not None:
        conditions.append(_COLUMNS.next_due_at < due_before)
    if slow_before is not None:
        for_top = _COLUMNS.restriction.is_not(None) & (_COLUMNS.restriction != "managers")
        urgent = _COLUMNS.priority.in_([priority.value for priority in WITH_MESSAGES])
        conditions.append((_COLUMNS.next_due_at < slow_before) | urgent | for_top)
    query = select(_COLUMNS.ref).where(*conditions)
    counted = select(func.count()).select_from(query.limit(offset + MOST_COUNTED).subquery())
    page = query.order_by(_COLUMNS.next_due_at, _COLUMNS.ref).offset(offset).limit(limit)
    return Worklist(_load_cases(tx, page), int(tx.connection.execute(counted).scalar_one()), offset)


def list_by_code(tx: Tx, column: str, value: str, by: Actor, *, offset: int = 0, limit: int = 10) -> Worklist:
    """Complaints with this category, state or priority, the next due first; closed ones only for state `closed`."""
    wanted = {"category": _COLUMNS.category, "state": _COLUMNS.state, "priority": _COLUMNS.priority}[
        column
    ] == value
    closed = (column, value) == ("state", State.CLOSED.value)
    query = select(_COLUMNS.ref).where(wanted, *([] if closed else [OPEN]), *visible_to(by))
    counted = select(func.count()).select_from(query.limit(offset + MOST_COUNTED).subquery())
    page = query.order_by(_COLUMNS.next_due_at, _COLUMNS.ref).offset(offset).limit(limit)
    return Worklist(_load_cases(tx, page), int(tx.connection.execute(counted).scalar_one()), offset)


def list_changes_since(tx: Tx, by: Actor, since: datetime, limit: int) -> tuple[CaseChanges, ...]:
    """The person's complaints on which others acted since then, the one with the most acts first."""
    event, columns = EVENTS.c, COMPLAINTS.c
    is_open: ColumnElement[bool] = OPEN  # type: ignore[assignment]  # a text clause is one
    owned = union_all(
        select(columns.ref).where(is_open, columns.owner == by.id, *visible_to(by)),
        select(columns.ref).where(columns.closed_at >= since, columns.owner == by.id, *visible_to(by)),
    )
    query = (
        select(event.ref, event.verb, func.count().label("times"), func.max(event.seq).label("last"))
        .where(event.ref.in_(owned), event.at >= since, event.by != by.id, event.verb.not_in(_AUTOMATIC))
        .group_by(event.ref, event.verb)
    )
    verbs: dict[str, list[tuple[int, str, int]]] = {}
    for row in tx.connection.execute(query):
        verbs.setdefault(row.ref, []).append((row.last, row.verb, row.times))
    counts = {ref: sum(times for _, _, times in acts) for ref, acts in verbs.items()}
    refs = sorted(verbs, key=lambda ref: (-counts[ref], ref))[:limit]
    return tuple(
        CaseChanges(
            file.case, tuple(verb for _, verb, _ in sorted(verbs[file.case.ref])), counts[file.case.ref]
        )
        for file in load_many(tx, refs)
    )


def visible_to(by: Actor) -> list[ColumnElement[bool]]:
    """Conditions for the complaints that this person may know of; the rule of `authorise` for `Access.KNOW` (4.7)."""
    if not by.roles:
        return [false()]
    if by.has(Role.TOP_MANAGEMENT, Role.AUDITOR):
        cleared: ColumnElement[bool] = true()
    else:
        cleared = _COLUMNS.restriction.is_(None)
        if by.has(Role.MANAGER):
            cleared = cleared | (_COLUMNS.restriction == "managers")
        if by.roles & actors.READERS:
            cleared = cleared | (_COLUMNS.owner == by.id)
    kept_from = exists().where(DENIED_MEMBERS.c.ref == _COLUMNS.ref, DENIED_MEMBERS.c.member_id == by.id)
    return [cleared, ~kept_from]


def is_visible(tx: Tx, ref: str, by: Actor) -> bool:
    """Whether there is such a complaint and this person may know of it: one query for both, and one answer."""
    query = select(_COLUMNS.ref).where(_COLUMNS.ref == ref, *visible_to(by))
    return tx.connection.execute(query).first() is not None


def require_visible(tx: Tx, ref: str, by: Actor, what: str) -> None:
    """Raises UnknownReference (recorded) if `is_visible` is false: who guesses learns nothing and leaves a trace."""
    if not is_visible(tx, ref, by):
        refused = UnknownReference.worded("unknown_reference:not_open", ref=ref)
        record_after_rollback(tx, ref, what, by, refused)
        raise refused


def load_visible_cases(tx: Tx, refs: list[str], by: Actor) -> tuple[Case, ...]:
    """The complaints among `refs` that this person may know of, in that order."""
    query = select(_COLUMNS.ref).where(_COLUMNS.ref.in_(refs), *visible_to(by))
    allowed = set(tx.connection.execute(query).scalars())
    return tuple(file.case for file in load_many(tx, [ref for ref in refs if ref in allowed]))


def may_check(case: Case, by: Actor) -> bool:
    """Whether a remedy that another person carried out waits for verification by this person (Annex D)."""
    return (
        is_allowed(case, Verb.VERIFY, by)
        and case.is_open
        and any(
            remedy.done_at is not None and remedy.verified_at is None and remedy.done_by != by.id
            for remedy in case.owed_remedies
        )
    )


def count_open_by_owner(tx: Tx) -> Mapping[str, int]:
    """How many open complaints each owner has."""
    query = (
        select(_COLUMNS.owner, func.count()).where(OPEN, _COLUMNS.owner.is_not(None)).group_by(_COLUMNS.owner)
    )
    return {str(row[0]): int(row[1]) for row in tx.connection.execute(query)}


def count_open(tx: Tx, by: Actor, today_ends: datetime) -> OpenCounts:
    """Count the open complaints that this person may know of; `today_ends` is the end of the local day."""
    due = _COLUMNS.next_due_at
    columns = [
        func.sum(case((condition, 1), else_=0))
        for condition in (due < tx.now, (due >= tx.now) & (due < today_ends), _WITHOUT_OWNER)
    ]
    query = select(_COLUMNS.priority, func.count(), *columns).where(OPEN, *visible_to(by))
    rows = tx.connection.execute(query.group_by(_COLUMNS.priority).order_by(_COLUMNS.priority)).all()
    total, overdue, today, unowned = (sum(int(row[n]) for row in rows) for n in (1, 2, 3, 4))
    return OpenCounts(total, overdue, today, unowned, {row[0]: int(row[1]) for row in rows})


def list_reminders_waiting(tx: Tx, ref: str) -> tuple[str, ...]:
    """The keys of this complaint's open reminders that are due."""
    columns = OBLIGATIONS.c
    query = select(columns.key).where(
        columns.scope == ref, _REMIND, columns.state == "open", columns.due <= tx.now
    )
    return tuple(tx.connection.execute(query.order_by(columns.key)).scalars())


def complete_reminders(tx: Tx, ref: str, keys: Sequence[str]) -> None:
    """Complete these reminders: another reminder of the same complaint has covered them."""
    columns = OBLIGATIONS.c
    waiting = columns.scope == ref, columns.key.in_(keys), _REMIND, columns.state == "open"
    tx.update(OBLIGATIONS, *waiting, state="done", ended_at=tx.now, why=None)


def choose_member_to_ask(tx: Tx, number: int, able: Mapping[str, int]) -> str | None:
    """Choose which member this reminder asks to take its complaint (4.9); None once all of `able` were asked.

    `able` has for each member how little their skills fit, 0 for the best. Of those who fit best it is the member
    with the fewest open complaints, then the one asked longest ago. No member is asked twice for
    the same complaint. The choice is kept in the obligation's facts, so that a retry asks the same person.
    """
    columns = OBLIGATIONS.c
    row = tx.connection.execute(select(columns.scope, columns.facts).where(columns.id == number)).one()
    if "asked" in row.facts:
        return str(row.facts["asked"]) if row.facts["asked"] in able else None
    of_case = select(columns.facts).where(columns.scope == row.scope, _REMIND)
    already = {facts.get("asked") for facts in tx.connection.execute(of_case).scalars()}
    candidates = [member for member in able if member not in already]
    if not candidates:
        return None
    turns = select(RECEIVED_KEYS.c.key, RECEIVED_KEYS.c.at).where(
        RECEIVED_KEYS.c.key.in_([_turn_key(member) for member in candidates])
    )
    last = {row.key: row.at for row in tx.connection.execute(turns)}
    open_cases = count_open_by_owner(tx)
    chosen = min(
        candidates,
        key=lambda member: (
            able[member],
            open_cases.get(member, 0),
            last.get(_turn_key(member), _NEVER),
            member,
        ),
    )
    tx.put(RECEIVED_KEYS, {"key": _turn_key(chosen), "at": tx.now})
    tx.update_by(OBLIGATIONS, {"id": number}, facts={**row.facts, "asked": chosen})
    return chosen


def _conditions(tx: Tx, section: WorklistSection, owners: Set[str]) -> list[ColumnElement[bool]]:
    is_open: list[ColumnElement[bool]] = [OPEN]  # type: ignore[list-item]  # a text clause is one
    match section:
        case WorklistSection.MINE | WorklistSection.DEPUTY:
            return [*is_open, _COLUMNS.owner.in_(owners)]
        case WorklistSection.UNASSIGNED:
            return [*is_open, _WITHOUT_OWNER]
        case WorklistSection.OVERDUE:
            return [*is_open, _COLUMNS.next_due_at < tx.now]
        case _:
            return is_open


def _for_second_person(tx: Tx, section: WorklistSection, by: Actor) -> list[Case]:
    """Decisions to approve, appeals against limits, drawn reviews, remedies of others, bad survey answers."""
    if section is WorklistSection.SURVEY:
        if not is_allowed(None, Access.REPORT, by):
            return []
        cases = _cases_with(tx, "survey_concern", by)
        return [case for case in cases if case.survey_concern_at and is_allowed(case, Access.SURVEY, by)]
    if section is WorklistSection.LIMITED:
        if not is_allowed(None, Access.MANAGE, by):
            return []
        return [case for case in _cases_with(tx, "limit_ends", by) if case.conduct.limit is not None]
    if section is WorklistSection.WAITING:
        query = (
            select(_COLUMNS.ref).where(WAITS, *visible_to(by)).order_by(_COLUMNS.next_due_at, _COLUMNS.ref)
        )
        waiting = [case for case in _load_cases(tx, query.limit(MOST_WAITING)) if may_approve(case, by)]
        waiting += [case for case in _cases_with(tx, "limit_ends", by) if may_decide_appeal(case, by)]
        drawn = _cases_with(tx, "redraw_review", by)
        waiting += [
            case for case in drawn if case.open_review is not None and case.open_review.reviewer == by.id
        ]
        return list({case.ref: case for case in waiting}.values())
    query = select(REMEDIES.c.ref).where(UNCHECKED).order_by(REMEDIES.c.done_at).limit(MOST_WAITING)
    refs = dict.fromkeys(tx.connection.execute(query).scalars())
    return [file.case for file in load_many(tx, list(refs)) if may_check(file.case, by)]


def _cases_with(tx: Tx, kind: str, by: Actor) -> tuple[Case, ...]:
    """The visible complaints that have an open obligation of this kind."""
    row = OBLIGATIONS.c
    refs = select(row.scope).where(row.kind == kind, row.state == literal_column("'open'"))
    scopes = tx.connection.execute(refs.order_by(row.created_at).limit(MOST_WAITING)).scalars()
    return load_visible_cases(tx, list(dict.fromkeys(scopes)), by)


def _load_cases(tx: Tx, query: Select[Any]) -> tuple[Case, ...]:
    refs = list(tx.connection.execute(query).scalars())
    return tuple(file.case for file in load_many(tx, refs))


def _turn_key(member: str) -> str:
    """When this member was asked last; the cleanup deletes the key after a week, like every key."""
    return f"asked:{member}"
