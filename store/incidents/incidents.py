"""Incidents on file: a chain of events each, their words sealed, the row a projection like a complaint's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from complaints import incidents as rules
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, NotAllowed, Stale, UnknownReference
from complaints.incidents import Incident, IncidentAct, IncidentEvent
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import Role
from store.cases.load import load_many
from store.cases.refused_attempts import remember
from store.database.transaction import Tx
from store.incidents.card import schedule_card
from store.proof.hash_chain import GENESIS, written
from store.proof.keyring import new_key
from store.proof.seal import commitment, place, seal, sha256, unseal
from store.tables import COMPLAINTS, EVENTS, HEARD, INCIDENT_WORDS, INCIDENTS

#: A chain of its own for each incident; no complaint's reference looks like it.
CHAIN = "-incident-"
#: More open ones than this nobody keeps apart; the newest are asked about.
MOST_OPEN = 50
#: Cases of one page.
PAGE = 200

_ONE = INCIDENTS.c


def open_incident(
    tx: Tx, by: Actor, facts: Mapping[str, Any], words: Mapping[str, str], *, key: str | None = None
) -> Incident:
    """Open an incident (facts `started_at`, `owner`); raises NotAllowed (recorded), BadFacts, AlreadyDone."""
    _once(tx, key)
    event = _performed(tx, None, IncidentAct.OPEN, by, facts, words)
    number: int = tx.connection.execute(
        insert(INCIDENTS)
        .values(
            key_wrapped=None,
            head=GENESIS,
            version=0,
            told_seq=event.seq,
            batch=None,
            owner=None,
            opened_at=event.at,
            started_at=event.at,
            updated_at=None,
            ended_at=None,
            channel=None,
            ts=None,
            draws=0,
        )
        .returning(_ONE.id)
    ).scalar_one()
    key_ = new_key()
    wrapped = tx.keys.wrap(key_, key_place(number))
    tx.connection.execute(update(INCIDENTS).where(_ONE.id == number).values(key_wrapped=wrapped))
    after = rules.after(None, event, id_=number)
    _record(tx, after, event, key=key_, head=GENESIS)
    return after


def act_on_incident(
    tx: Tx,
    number: int,
    act: IncidentAct,
    by: Actor,
    facts: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    key: str | None = None,
) -> Incident:
    """Change, update or end an incident; `version` is what the act was drawn with, `key` tells a repeat.

    Raises UnknownReference, Stale, AlreadyDone, NotAllowed (recorded), BadFacts.
    """
    row = _locked(tx, number)
    before = _incident(tx, row)
    _once(tx, None if key is None else f"{number}/{key}")
    if version is not None and version != before.version:
        raise Stale("This incident moved on since it was drawn: look again.")
    event = _performed(tx, before, act, by, facts or {}, words or {})
    after = rules.after(before, event, id_=number)
    _record(tx, after, event, key=_key(tx, row), head=row.head)
    return after


def _performed(
    tx: Tx,
    incident: Incident | None,
    act: IncidentAct,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
) -> IncidentEvent:
    try:
        return rules.perform(incident, act, at=tx.now, by=by, facts=facts, words=words)
    except NotAllowed as refused:
        remember(tx, None, act.value, by, refused)
        raise


def _once(tx: Tx, key: str | None) -> None:
    if key is not None and not tx.take(HEARD, {"key": f"incident/{key}", "at": tx.now}):
        raise AlreadyDone("This was done to the incident before: nothing changed.")


def _record(tx: Tx, incident: Incident, event: IncidentEvent, *, key: bytes, head: str) -> None:
    chain = f"{CHAIN}{incident.id}"
    entry = written(
        chain,
        event.seq,
        event.act.value,
        format_time(event.at),
        event.by,
        event.role.value,
        event.facts,
        commitment(key, event.words),
        head,
    )
    tx.add(
        EVENTS,
        ref=chain,
        seq=event.seq,
        verb=event.act.value,
        at=event.at,
        by=event.by,
        role=event.role.value,
        entry=entry,
        hash=sha256(entry),
    )
    if event.words:
        said = json.dumps(dict(event.words), ensure_ascii=False)
        tx.add(
            INCIDENT_WORDS,
            incident_id=incident.id,
            seq=event.seq,
            sealed=seal(key, said, words_place(incident.id, event.seq)),
        )
    told = {"told_seq": event.seq} if event.act in (IncidentAct.OPEN, IncidentAct.CHANGE) else {}
    changed = tx.connection.execute(
        update(INCIDENTS)
        .where(_ONE.id == incident.id, _ONE.version == event.seq - 1)
        .values(head=sha256(entry), **told, **incident_row(incident))
    )
    if changed.rowcount != 1:
        raise Stale("This incident moved on meanwhile: look at it again.")
    schedule_card(tx, incident.id, str(event.seq))


def incident_row(incident: Incident) -> dict[str, Any]:
    """The columns of `incidents` that follow from its events."""
    return {
        "version": incident.version,
        "batch": incident.batch,
        "owner": incident.owner,
        "opened_at": incident.opened_at,
        "started_at": incident.started_at,
        "updated_at": incident.updated_at,
        "ended_at": incident.ended_at,
    }


# reading


def load_incident(tx: Tx, number: int) -> Incident:
    """One incident; UnknownReference where there is none."""
    row = tx.connection.execute(select(INCIDENTS).where(_ONE.id == number)).first()
    if row is None:
        raise _unknown()
    return _incident(tx, row)


def list_open_incidents(tx: Tx) -> list[Incident]:
    """Those that nobody has ended, the newest first."""
    query = select(INCIDENTS).where(_ONE.ended_at.is_(None)).order_by(_ONE.id.desc()).limit(MOST_OPEN)
    return [_incident(tx, row) for row in tx.connection.execute(query).all()]


def list_incident_cases(tx: Tx, number: int, after: str = "") -> list[Case]:
    """A page of its complaints by reference, those after this one; a page that is not full is the last."""
    refs = tx.connection.execute(_refs(number).where(COMPLAINTS.c.ref > after).limit(PAGE)).scalars().all()
    return [one.case for one in load_many(tx, refs)]


def every_case(tx: Tx, number: int) -> list[Case]:
    """All of them, page by page, in this transaction."""
    found: list[Case] = []
    while True:
        page = list_incident_cases(tx, number, found[-1].ref if found else "")
        found += page
        if len(page) < PAGE:
            return found


def count_incident_cases(tx: Tx, number: int) -> dict[str, int]:
    """How many of its complaints stand in which state."""
    query = (
        select(COMPLAINTS.c.state, func.count())
        .where(COMPLAINTS.c.incident_id == number)
        .group_by(COMPLAINTS.c.state)
    )
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}


def load_incident_history(tx: Tx, number: int) -> list[IncidentEvent]:
    """What was done to it, in order, with the words that stand."""
    row = tx.connection.execute(select(INCIDENTS).where(_ONE.id == number)).first()
    if row is None:
        raise _unknown()
    query = select(EVENTS.c.entry).where(EVENTS.c.ref == f"{CHAIN}{number}").order_by(EVENTS.c.seq)
    return [_event(tx, row, json.loads(one)) for one in tx.connection.execute(query).scalars()]


def incident_words(tx: Tx, row: Any, seq: int) -> dict[str, str]:
    """The words of one act; empty where it had none or they were erased."""
    query = select(INCIDENT_WORDS.c.sealed).where(
        INCIDENT_WORDS.c.incident_id == row.id, INCIDENT_WORDS.c.seq == seq
    )
    sealed = tx.connection.execute(query).scalar()
    if sealed is None or row.key_wrapped is None:
        return {}
    said: dict[str, str] = json.loads(unseal(_key(tx, row), sealed, words_place(row.id, seq)))
    return said


def incident_of(tx: Tx, ref: str) -> int | None:
    """The incident of a complaint; UnknownReference where there is no such complaint."""
    row = tx.connection.execute(select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref)).first()
    if row is None:
        raise UnknownReference(f"No complaint has the reference {ref}: check each letter.")
    found: int | None = row.incident_id
    return found


def must_be_open(tx: Tx, number: int) -> None:
    """Raise where there is no such incident, or it was ended."""
    row = tx.connection.execute(select(_ONE.ended_at).where(_ONE.id == number)).first()
    if row is None:
        raise _unknown()
    if row.ended_at is not None:
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")


def key_place(number: int) -> str:
    """What an incident's wrapped key is bound to."""
    return place("incidents", number, "key")


def words_place(number: int, seq: int) -> str:
    """What the words of one act are bound to."""
    return place("incident_words", f"{number}/{seq}", "words")


def _event(tx: Tx, row: Any, said: Mapping[str, Any]) -> IncidentEvent:
    return IncidentEvent(
        seq=said["seq"],
        act=IncidentAct(said["verb"]),
        at=parse_time(said["at"]),
        by=said["actor"],
        role=Role(said["role"]),
        facts=said["facts"],
        words=incident_words(tx, row, said["seq"]),
    )


def _incident(tx: Tx, row: Any) -> Incident:
    return Incident(
        id=row.id,
        opened_at=row.opened_at,
        started_at=row.started_at,
        owner=row.owner,
        ended_at=row.ended_at,
        updated_at=row.updated_at,
        version=row.version,
        batch=row.batch,
        **rules.told_by(incident_words(tx, row, row.told_seq)),
    )


def _locked(tx: Tx, number: int) -> Any:
    query: Select[Any] = select(INCIDENTS).where(_ONE.id == number)
    row = tx.connection.execute(query if tx.is_sqlite else query.with_for_update()).first()
    if row is None:
        raise _unknown()
    return row


def _key(tx: Tx, row: Any) -> bytes:
    return tx.keys.unwrap(row.key_wrapped, key_place(row.id))


def _refs(number: int) -> Select[Any]:
    return select(COMPLAINTS.c.ref).where(COMPLAINTS.c.incident_id == number).order_by(COMPLAINTS.c.ref)


def _unknown() -> UnknownReference:
    return UnknownReference("There is no such incident: choose one from the list.", code="unknown_incident")
