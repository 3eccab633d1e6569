"""Erase on request and after the retention period (8.1), except what must be kept; and what the record shows of it.

Also deletes expired rows that belong to no record: drafts, dead letters, keys of messages, unused rate limits.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, and_, cast, delete, exists, func, not_, or_, select

from complaints.actions.access import is_on_hold
from complaints.actors import OPERATOR, SYSTEM, Actor
from complaints.deadlines.periods import RetentionPeriod
from complaints.errors import UnknownReference
from complaints.history import CollectionRecord, DataRequest
from complaints.identifiers import parse_reference
from complaints.times import parse_time
from complaints.vocabulary import CloseCode, Flag, State, Target, Verb
from store.cases.act import act
from store.cases.erase import erase_person
from store.database.errors import DamagedCase
from store.database.transaction import Tx
from store.models.erased import list_models_with_erased_words
from store.outbox.rate_limit import delete_unused_limits
from store.outbox.rows import insert_removal
from store.proof.hash_chain import INSTANCE_CHAIN, record_instance_event
from store.record.load import load_case_file
from store.rulebooks import load_rulebook
from store.slack_posts import BLOCK_ANSWERS, BLOCK_ANSWERS_KEPT
from store.tables import (
    CASE_PEOPLE,
    COMPLAINTS,
    CONTACTS,
    DEAD_LETTERS,
    DRAFTS,
    EVENTS,
    FILES,
    IDENTIFIERS,
    MESSAGES,
    OBLIGATIONS,
    PEOPLE,
    READS,
    RECEIVED_KEYS,
    SLACK,
    TARGETS,
    TEXTS,
)

#: A key must outlive the last retry of its message: Telegram retries for 24 hours, Slack for minutes.
KEYS_KEPT = timedelta(days=7)
#: A person who never complained is erased this long after their last message; as long as drafts of staff are kept.
SILENT_KEPT = timedelta(hours=24)
_PAGE = 500


#: What an erasure counts for its receipt.
_COUNTED = {
    "texts": TEXTS.c.sealed,
    "messages": MESSAGES.c.sealed,
    "files": FILES.c.meta_sealed,
    "numbers": IDENTIFIERS.c.sealed,
    "slack_posts": SLACK.c.ts,
}
#: By what right something is erased, as a code of the receipt.
ON_REQUEST, RETENTION, RESTORED = "request", "retention", "restored"


@dataclass(frozen=True)
class Erasure:
    """The result of an erasure. `kept` has the reason by reference: `open`, `legal_hold` or `external`.

    `counts` are those of the receipt; `exports` are files that the operator made before, which stay where they are.
    """

    person: str
    erased: tuple[str, ...]
    kept: Mapping[str, str]
    person_erased: bool
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Expired:
    """A complaint after its retention period; `kept_because` is the reason why it must still be kept."""

    ref: str
    closed_at: datetime
    due: datetime
    kept_because: str | None


def find_person(tx: Tx, who: str) -> str:
    """The complainant of a reference, or the person with this id; raises UnknownReference."""
    ref = parse_reference(who)
    person = None
    if ref is not None:
        person = tx.connection.execute(
            select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
        ).scalar()
    if person is None:
        person = tx.connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == who.strip())).scalar()
    if person is None:
        raise UnknownReference.worded("unknown_reference:person", who=who)
    return str(person)


def list_complaints_of(tx: Tx, who: str) -> list[str]:
    """The complaints of a person that are not erased, the earliest first; raises UnknownReference."""
    query = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.complainant_id == find_person(tx, who), COMPLAINTS.c.erased_at.is_(None)
    )
    return list(tx.connection.execute(query.order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref)).scalars())


def erase_complainant(
    tx: Tx, who: str, because: str, right: str = ON_REQUEST, *, preview: bool = False
) -> Erasure:
    """Erase a person with all their complaints, except those that must be kept, in one transaction.

    With `preview` nothing is changed: the result says what would be erased.
    """
    person = find_person(tx, who)
    erased, kept, counts = list[str](), dict[str, str](), Counter[str]()
    for ref in list_complaints_of(tx, person):
        reason = _reason_to_keep(tx, ref)
        if reason is None:
            counts += _count_words(tx, ref) if preview else erase(tx, ref, because, OPERATOR)
            erased.append(ref)
        else:
            kept[ref] = reason
    if not preview:
        # A person without a complaint is erased with none.
        counts["persons"] += _erase_unless_needed(tx, person)
        if erased or counts["persons"]:
            record_receipt(tx, right, because, len(erased), counts, kept=len(kept))
    erased_at = tx.connection.execute(select(PEOPLE.c.erased_at).where(PEOPLE.c.id == person)).scalar_one()
    return Erasure(person, tuple(erased), kept, erased_at is not None, dict(counts))


def erase(tx: Tx, ref: str, because: str, actor: Actor = SYSTEM) -> Counter[str]:
    """Erase one closed complaint, and each of its people who appears in no other complaint.

    `because` is a code that stays on the record. Returns the counts for the receipt. Raises ComplaintError if the
    complaint is open or under legal hold.
    """
    counts = _count_words(tx, ref)
    act(tx, ref, Verb.ERASE, actor, {"because": because})
    persons = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref)
    complainant = select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
    for person in sorted({*tx.connection.execute(persons.union(complainant)).scalars()}):
        counts["persons"] += _erase_unless_needed(tx, person)
    return counts


def erase_expired(tx: Tx, ref: str) -> Counter[str] | str:
    """Erase a complaint after its retention period; returns the counts, or the reason why it is kept after all."""
    try:
        return _reason_to_keep(tx, ref) or erase(tx, ref, RETENTION)
    except DamagedCase:
        return "damaged"


def record_receipt(
    tx: Tx, right: str, because: str, complaints: int, counts: Mapping[str, int], *, kept: int = 0
) -> None:
    """Record in the installation's log what was erased, by what right and when: counts and codes only (8.1)."""
    facts = {"right": right, "because": because, "complaints": complaints, "kept": kept, **dict(counts)}
    # Their words are in these models until the next night replaces them.
    record_instance_event(tx, "erasure", {**facts, "models": list_models_with_erased_words(tx)})


def list_erasures(tx: Tx) -> list[tuple[str, str, datetime]]:
    """Everything that was erased: `ref` or `person`, its id, and when; a person only if no complaint names them."""
    complaints = select(COMPLAINTS.c.ref, COMPLAINTS.c.erased_at).where(COMPLAINTS.c.erased_at.is_not(None))
    named = or_(
        exists().where(COMPLAINTS.c.complainant_id == PEOPLE.c.id),
        exists().where(CASE_PEOPLE.c.person_id == PEOPLE.c.id),
    )
    people = select(PEOPLE.c.id, PEOPLE.c.erased_at).where(PEOPLE.c.erased_at.is_not(None), ~named)
    queries = {"ref": complaints.order_by(COMPLAINTS.c.erased_at), "person": people}
    return [(kind, *row) for kind, query in queries.items() for row in tx.connection.execute(query)]


def list_unerased(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Which of these complaints exist and still have their words."""
    unerased: list[str] = []
    for start in range(0, len(refs), _PAGE):
        page = list(refs[start : start + _PAGE])
        query = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.ref.in_(page), COMPLAINTS.c.erased_at.is_(None))
        unerased += tx.connection.execute(query.order_by(COMPLAINTS.c.ref)).scalars()
    return unerased


def list_expired(tx: Tx, retention: Mapping[str, str], limit: int = _PAGE) -> list[Expired]:
    """Closed complaints after the retention period of their country, the earliest closed first.

    A country without a period in `retention` keeps everything. Complaints that must be kept are listed with the
    reason.
    """
    expired: list[Expired] = []
    after: tuple[datetime, str] | None = None
    while len(expired) < limit:
        rows = _closed_page(tx, after)
        for row in rows:
            rules = load_rulebook(tx, row.rulebook_id)
            period = retention.get(rules.country)
            until = period and RetentionPeriod.parse(period).until(
                received=row.received_at, closed=row.closed_at, calendar=rules.calendar
            )
            if until and until <= tx.now:
                expired.append(Expired(row.ref, row.closed_at, until, _reason_to_keep(tx, row.ref)))
        if len(rows) < _PAGE:
            break
        after = rows[-1].closed_at, rows[-1].ref
    return expired[:limit]


def delete_expired_rows(tx: Tx) -> None:
    """Delete drafts, dead letters, message keys and rate limits that are no longer needed."""
    is_longer_kept = and_(
        RECEIVED_KEYS.c.key.startswith(f"slack:{BLOCK_ANSWERS}", autoescape=True),
        RECEIVED_KEYS.c.at >= tx.now - BLOCK_ANSWERS_KEPT,
    )
    tx.connection.execute(
        delete(RECEIVED_KEYS).where(RECEIVED_KEYS.c.at < tx.now - KEYS_KEPT, not_(is_longer_kept))
    )
    tx.delete(DRAFTS, DRAFTS.c.expires_at <= tx.now)
    tx.delete(DEAD_LETTERS, DEAD_LETTERS.c.expires_at <= tx.now)
    delete_unused_limits(tx)
    insert_removal(tx)


def list_silent_people(tx: Tx, among: Sequence[str] | None = None, limit: int = 1_000) -> list[str]:
    """People who never complained, have no part in a complaint, and did not write for SILENT_KEPT."""
    cutoff = tx.now - SILENT_KEPT
    wrote = (
        select(MESSAGES.c.id)
        .join(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(CONTACTS.c.person_id == PEOPLE.c.id, MESSAGES.c.at > cutoff)
    )
    query = select(PEOPLE.c.id).where(
        PEOPLE.c.erased_at.is_(None),
        PEOPLE.c.created_at <= cutoff,
        PEOPLE.c.id.not_in(select(COMPLAINTS.c.complainant_id)),
        ~exists().where(CASE_PEOPLE.c.person_id == PEOPLE.c.id),
        ~wrote.exists(),
    )
    if among is not None:
        query = query.where(PEOPLE.c.id.in_(among))
    return list(tx.connection.execute(query.order_by(PEOPLE.c.created_at).limit(limit)).scalars())


def erase_silent_people(tx: Tx, people: Sequence[str]) -> int:
    """Erase those who are still silent, with a receipt; returns how many."""
    silent = list_silent_people(tx, people)
    for person in silent:
        erase_person(tx, person)
    if silent:
        record_receipt(tx, RETENTION, "no_complaint", 0, {"persons": len(silent)})
    return len(silent)


def _closed_page(tx: Tx, after: tuple[datetime, str] | None) -> Sequence[Any]:
    columns = COMPLAINTS.c
    query = select(columns.ref, columns.received_at, columns.closed_at, columns.rulebook_id).where(
        columns.closed_at.is_not(None), columns.erased_at.is_(None), columns.closed_at <= tx.now
    )
    if after is not None:
        closed_at, ref = after
        query = query.where(
            columns.closed_at >= closed_at, or_(columns.closed_at > closed_at, columns.ref > ref)
        )
    return tx.connection.execute(query.order_by(columns.closed_at, columns.ref).limit(_PAGE)).all()


def _reason_to_keep(tx: Tx, ref: str) -> str | None:
    """Why a complaint must still be kept; None if it may be erased."""
    try:
        return _reason(tx, ref)
    except DamagedCase:
        return "damaged"


def _reason(tx: Tx, ref: str) -> str | None:
    row = tx.connection.execute(
        select(COMPLAINTS.c.state, COMPLAINTS.c.flags, COMPLAINTS.c.close_code).where(COMPLAINTS.c.ref == ref)
    ).one()
    if row.state != State.CLOSED.value:
        return "open"
    if row.close_code == CloseCode.MERGED.value:
        # Its words are part of the complaint that it was merged into, and must be kept as long as that one.
        target = load_case_file(tx, ref).case.merged_into
        reason = None if target is None else _reason_to_keep(tx, target)
        if reason is not None:
            return reason
    if Flag.LEGAL_HOLD.value in row.flags and is_on_hold(load_case_file(tx, ref).case, tx.now):
        return "legal_hold"
    # The flag stays once an outside body was named. Only the events show whether that body has finished.
    if Flag.EXTERNAL.value in row.flags and load_case_file(tx, ref).case.external_open:
        return "external"
    return None


def _count_words(tx: Tx, ref: str) -> Counter[str]:
    """What there is to erase, and how often the operator made a file of it, which no erasure reaches."""
    to_file = and_(READS.c.role == "operator", READS.c.what.like("export%") | READS.c.what.like("file%"))
    conditions = {
        name: and_(column.table.c.ref == ref, column.is_not(None)) for name, column in _COUNTED.items()
    }
    conditions["exports"] = and_(READS.c.ref == ref, to_file)
    counts = {name: select(func.count()).where(where) for name, where in conditions.items()}
    return Counter({name: tx.connection.execute(query).scalar_one() for name, query in counts.items()})


def _erase_unless_needed(tx: Tx, person: str) -> int:
    """Erase a person unless a complaint that still has its words is from or about them; how many, 0 or 1."""
    has_words = COMPLAINTS.c.erased_at.is_(None)
    own = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.complainant_id == person, has_words)
    named = (
        select(COMPLAINTS.c.ref)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.ref == COMPLAINTS.c.ref)
        .where(CASE_PEOPLE.c.person_id == person, has_words)
    )
    erased = select(PEOPLE.c.id).where(PEOPLE.c.id == person, PEOPLE.c.erased_at.is_not(None))
    if tx.connection.execute(own.union(named, erased).limit(1)).first() is not None:
        return 0
    erase_person(tx, person)
    return 1


#: The events of the installation that a report on collection lists.
KEPT_VERBS = (
    "erasure",
    "backup",
    "backup_check",
    "restore",
    "rotate_keys",
    "data_request",
    "report",
    "publication",
)


def load_collection(tx: Tx, start: datetime, end: datetime) -> CollectionRecord:
    """The period's events, and the state now."""
    query = select(EVENTS.c.verb, EVENTS.c.at, EVENTS.c.entry).where(
        EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb.in_(KEPT_VERBS), EVENTS.c.at >= start, EVENTS.c.at < end
    )
    events: dict[str, list[tuple[datetime, Any]]] = defaultdict(list)
    for row in tx.connection.execute(query.order_by(EVENTS.c.seq)):
        events[row.verb].append((row.at, json.loads(row.entry)["facts"]))
    by_verb = select(EVENTS.c.verb, func.count()).where(
        EVENTS.c.verb.in_((Verb.HOLD.value, Verb.RELEASE.value)), EVENTS.c.at >= start, EVENTS.c.at < end
    )
    holds = {verb: int(number) for verb, number in tx.connection.execute(by_verb.group_by(EVENTS.c.verb))}
    is_held = cast(COMPLAINTS.c.flags, String).like(f'%"{Flag.LEGAL_HOLD.value}"%')
    counts = select(func.count(), func.count(COMPLAINTS.c.erased_at)).select_from(COMPLAINTS)
    complaints, erased = tx.connection.execute(counts).one()
    return CollectionRecord(
        events,
        (
            *_requests(tx, start, end),
            *(_by_operator(at, facts) for at, facts in events.get("data_request", ())),
        ),
        holds.get(Verb.HOLD.value, 0),
        holds.get(Verb.RELEASE.value, 0),
        int(tx.connection.execute(select(func.count()).where(is_held)).scalar_one()),
        int(complaints),
        int(erased),
    )


def _requests(tx: Tx, start: datetime, end: datetime) -> list[DataRequest]:
    """Copies that people asked for in their chat, and corrections and erasures that staff answered by letter."""
    copies = select(OBLIGATIONS.c.created_at, OBLIGATIONS.c.ended_at).where(
        OBLIGATIONS.c.kind == "mydata", OBLIGATIONS.c.created_at >= start, OBLIGATIONS.c.created_at < end
    )
    row = TARGETS.c
    letters = select(row.start, func.max(row.promised_due), func.max(row.met_at)).where(
        row.target == Target.DATA_REQUEST.value, row.start >= start, row.start < end
    )
    return [
        *(
            DataRequest("copy", asked_at, None, answered)
            for asked_at, answered in tx.connection.execute(copies)
        ),
        *(
            DataRequest("change", *values)
            for values in tx.connection.execute(letters.group_by(row.ref, row.start))
        ),
    ]


def _by_operator(at: datetime, facts: dict[str, Any]) -> DataRequest:
    asked_at = facts.get("asked_at")
    return DataRequest(facts["about"], parse_time(asked_at) if asked_at else at, None, at)
