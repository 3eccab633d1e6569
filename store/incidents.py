"""Incidents in the database: each is a hash chain of events with sealed words; its row is a projection.

Its Slack card is redrawn at once after an act on the incident, and a few seconds after one of its complaints changed.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, exists, func, select

from complaints import incidents as rules
from complaints.actors import Actor
from complaints.batch import TAKEN_BACK, IncidentDecision, check_approver
from complaints.case import Case
from complaints.errors import AlreadyDone, NotAllowed, Stale, UnknownReference
from complaints.incidents import DECIDING, Incident, IncidentAct, IncidentEvent
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.standing import SURVEY_EVERY
from complaints.times import format_time, parse_time
from complaints.vocabulary import Role, State
from store.database.errors import UNREADABLE
from store.database.keyring import new_key, place, seal, unseal
from store.database.transaction import Tx
from store.outbox import rows
from store.proof.hash_chain import GENESIS, build_entry, commitment, insert_event, sha256
from store.proof.received_keys import take_key
from store.record.access_log import record_after_rollback
from store.record.load import load_many
from store.rulebooks import load_current_rulebook
from store.tables import COMPLAINTS, EVENTS, INCIDENT_RECEIVERS, INCIDENT_WORDS, INCIDENTS, SLACK

#: The `ref` of an incident's events is this and its number; no complaint's reference looks like it.
CHAIN = "-incident-"
#: The dialogue asks about this many open incidents, the newest.
MOST_OPEN = 50
#: Cases of one page.
PAGE = 200
#: The obligation that draws the card.
KIND = "incident_card"
#: Changes within this many seconds share one redraw: fifty people may join an incident at the same time.
_BUCKET_SECONDS = 5
_COLUMNS = INCIDENTS.c


def open_incident(
    tx: Tx, by: Actor, facts: Mapping[str, Any], words: Mapping[str, str], *, key: str | None = None
) -> Incident:
    """Open an incident (facts `started_at`, `owner`); raises NotAllowed (recorded), BadFacts, AlreadyDone."""
    _take_key(tx, key)
    event = _perform(tx, None, IncidentAct.OPEN, by, facts, words)
    (number,), secret = tx.next_numbers(INCIDENTS), new_key()
    row = {"head": GENESIS, "version": 0, "told_seq": event.seq, "draws": 0}
    wrapped = tx.keys.wrap(secret, key_place(number))
    row |= {"id": number, "key_wrapped": wrapped, "opened_at": event.at, "started_at": event.at}
    tx.add(INCIDENTS, **row)
    after = rules.after(None, event, id_=number)
    _record(tx, after, event, key=secret, head=GENESIS)
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
    """Change, update or end an incident.

    `version` is the version that the person saw, `key` makes a repeat detectable. Raises UnknownReference, Stale,
    AlreadyDone, NotAllowed (recorded), BadFacts.
    """
    row = _row(tx, number, lock=True)
    before = _incident(tx, row)
    _take_key(tx, None if key is None else f"{number}/{key}")
    if version is not None and version != before.version:
        raise Stale.worded("stale:incident")
    decision = load_incident_decision(tx, number) if act in DECIDING else None
    event = _perform(tx, before, act, by, facts or {}, words or {}, decision)
    after = rules.after(before, event, id_=number)
    _record(tx, after, event, key=_key(tx, row), head=row.head)
    if act is IncidentAct.END:
        _unfold_cards(tx, number)
    return after


def load_incident(tx: Tx, number: int) -> Incident:
    """One incident; raises UnknownReference."""
    return _incident(tx, _row(tx, number))


def list_open_incidents(tx: Tx) -> list[Incident]:
    """The incidents that have not ended, the newest first, at most `MOST_OPEN`."""
    query = select(INCIDENTS).where(_COLUMNS.ended_at.is_(None)).order_by(_COLUMNS.id.desc()).limit(MOST_OPEN)
    return [_incident(tx, row) for row in tx.connection.execute(query).all()]


def list_incident_cases(tx: Tx, number: int, after: str = "") -> list[Case]:
    """A page of its complaints by reference, those after `after`; the last page has less than `PAGE`."""
    query = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.incident_id == number, COMPLAINTS.c.ref > after)
    refs = tx.connection.execute(query.order_by(COMPLAINTS.c.ref).limit(PAGE)).scalars().all()
    return [file.case for file in load_many(tx, refs)]


def list_all_incident_cases(tx: Tx, number: int) -> list[Case]:
    """All complaints of the incident, by reference."""
    cases: list[Case] = []
    while True:
        page = list_incident_cases(tx, number, cases[-1].ref if cases else "")
        cases += page
        if len(page) < PAGE:
            return cases


def count_incident_cases(tx: Tx, number: int) -> dict[str, int]:
    """The number of its complaints by state."""
    query = (
        select(COMPLAINTS.c.state, func.count())
        .where(COMPLAINTS.c.incident_id == number)
        .group_by(COMPLAINTS.c.state)
    )
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}


def load_incident_history(tx: Tx, number: int) -> list[IncidentEvent]:
    """The events of an incident in order, with words that are not erased; raises UnknownReference."""
    row = _row(tx, number)
    query = select(EVENTS.c.entry).where(EVENTS.c.ref == f"{CHAIN}{number}").order_by(EVENTS.c.seq)
    return [_event(tx, row, json.loads(entry)) for entry in tx.connection.execute(query).scalars()]


def load_incident_decision(tx: Tx, number: int, batch: str | None = None) -> IncidentDecision | None:
    """The decision on all its complaints with this batch, or the last, with the second person's answer."""
    row = _row(tx, number)
    acts = [act.value for act in DECIDING | {IncidentAct.TAKE_BACK}]
    query = select(EVENTS.c.entry).where(EVENTS.c.ref == f"{CHAIN}{number}", EVENTS.c.verb.in_(acts))
    entries = [json.loads(entry) for entry in tx.connection.execute(query.order_by(EVENTS.c.seq)).scalars()]
    proposed = [entry["facts"]["batch"] for entry in entries if entry["verb"] == IncidentAct.DECIDE]
    wanted = batch or (proposed[-1] if proposed else None)
    events = [_event(tx, row, entry) for entry in entries if entry["facts"]["batch"] == wanted]
    if not events:
        return None
    # An approval that was taken back is none: the decision waits again.
    event, answer = events[0], events[-1] if events[-1].act is IncidentAct.APPROVE else None
    return IncidentDecision(
        incident=number,
        batch=str(event.facts["batch"]),
        by=event.by,
        at=event.at,
        previewed_at=parse_time(str(event.facts["previewed_at"])),
        number=int(event.facts["receivers"]),
        facts=event.facts,
        words=event.words,
        answered_by=answer.by if answer else None,
        answered_at=answer.at if answer else None,
        answered_seq=answer.seq if answer else 0,
        agreed=answer.facts["agreed"] == "yes" if answer else None,
        reason=answer.words.get("reason", "") if answer else "",
    )


def count_incident_replies(tx: Tx, number: int) -> dict[str, int]:
    """The number of its complaints by the complainant's reply to the decision: `accept`, `disagree`."""
    query = (
        select(COMPLAINTS.c.reply, func.count())
        .where(COMPLAINTS.c.incident_id == number, COMPLAINTS.c.reply.is_not(None))
        .group_by(COMPLAINTS.c.reply)
    )
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}


def folds_card(tx: Tx, ref: str, number: int) -> bool:
    """Whether the incident is open and no act on all left this complaint to a person."""
    left_out = exists().where(
        INCIDENT_RECEIVERS.c.incident_id == number,
        INCIDENT_RECEIVERS.c.ref == ref,
        INCIDENT_RECEIVERS.c.left_out != TAKEN_BACK,
    )
    query = select(_COLUMNS.id).where(_COLUMNS.id == number, _COLUMNS.ended_at.is_(None), ~left_out)
    return tx.connection.execute(query).first() is not None


def load_incident_words(tx: Tx, row: Any, seq: int) -> dict[str, str]:
    """The words of one act by field; empty if it had none or they were erased."""
    query = select(INCIDENT_WORDS.c.sealed).where(
        INCIDENT_WORDS.c.incident_id == row.id, INCIDENT_WORDS.c.seq == seq
    )
    sealed = tx.connection.execute(query).scalar()
    if sealed is None or row.key_wrapped is None:
        return {}
    text = unseal(_key(tx, row), sealed, words_place(row.id, seq))
    words: dict[str, str] = {} if text == UNREADABLE else json.loads(text)
    return words


def find_incident_of(tx: Tx, ref: str) -> int | None:
    """The number of a complaint's incident, or None; raises UnknownReference if there is no such complaint."""
    row = tx.connection.execute(select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref)).first()
    if row is None:
        raise UnknownReference.worded("unknown_reference:case", ref=ref)
    number: int | None = row.incident_id
    return number


def require_open_incident(tx: Tx, number: int) -> None:
    """Raises UnknownReference if there is no such incident, AlreadyDone if it has ended."""
    if _row(tx, number).ended_at is not None:
        raise AlreadyDone.worded("incident_ended:before")


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


def key_place(number: int) -> str:
    return place("incidents", number, "key")


def words_place(number: int, seq: int) -> str:
    return place("incident_words", f"{number}/{seq}", "words")


def schedule_card(tx: Tx, incident: int, why: str, *, due: datetime | None = None) -> None:
    """Schedule a redraw; `why` is part of the obligation's key."""
    facts = {"incident": incident}
    rows.insert_obligation(
        tx, NewObligation(f"{KIND}:{incident}:{why}", KIND, due or tx.now, SendPriority.DIALOGUE, facts)
    )


def schedule_for_move(tx: Tx, before: Case | None, case: Case) -> None:
    """Schedule redraws if the complaint joined or left an incident or changed its state: cards count these."""
    old = None if before is None else (before.incident, before.state, before.withdrawn_at)
    if old == (case.incident, case.state, case.withdrawn_at):
        return
    bucket = int(tx.now.timestamp()) // _BUCKET_SECONDS + 1
    due = datetime.fromtimestamp(bucket * _BUCKET_SECONDS, UTC)
    for incident in {case.incident, before.incident if before is not None else None} - {None}:
        schedule_card(tx, int(incident or 0), f"moved:{bucket}", due=due)


def load_incident_post(tx: Tx, incident: int, channel: str) -> tuple[str, str | None, int]:
    """Channel, timestamp and number of draws of the card; fixes the channel before the first post."""
    columns = select(INCIDENTS.c.channel, INCIDENTS.c.ts, INCIDENTS.c.draws)
    row = tx.connection.execute(columns.where(INCIDENTS.c.id == incident)).one()
    if row.channel is None:
        tx.update_by(INCIDENTS, {"id": incident}, channel=channel)
    return row.channel or channel, row.ts, row.draws


def record_incident_posted(tx: Tx, incident: int, ts: str, draws: int) -> None:
    tx.update_by(INCIDENTS, {"id": incident}, ts=ts, draws=draws)


def was_executive_notified(tx: Tx, ref: str) -> bool:
    """Whether top management was notified of this incident for another of its complaints (5.3)."""
    mine = select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref).scalar_subquery()
    query = (
        select(SLACK.c.id)
        .join(COMPLAINTS, COMPLAINTS.c.ref == SLACK.c.ref)
        .where(
            COMPLAINTS.c.incident_id == mine,
            SLACK.c.ref != ref,
            SLACK.c.purpose == "executive",
            SLACK.c.deleted_at.is_(None),
        )
        .limit(1)
    )
    return tx.connection.execute(query).first() is not None


def was_surveyed_before(tx: Tx, ref: str) -> bool:
    """Whether this person was surveyed about another complaint, lately or of the same incident (8.3)."""
    row = tx.connection.execute(
        select(COMPLAINTS.c.incident_id, COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
    ).one()
    same = EVENTS.c.at > tx.now - SURVEY_EVERY
    if row.incident_id is not None:
        same |= COMPLAINTS.c.incident_id == row.incident_id
    query = (
        select(EVENTS.c.id)
        .join(COMPLAINTS, COMPLAINTS.c.ref == EVENTS.c.ref)
        .where(COMPLAINTS.c.complainant_id == row.complainant_id, COMPLAINTS.c.ref != ref)
        .where(EVENTS.c.verb == "survey", same)
        .limit(1)
    )
    return tx.connection.execute(query).first() is not None


def _perform(
    tx: Tx,
    incident: Incident | None,
    act: IncidentAct,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    decision: IncidentDecision | None = None,
) -> IncidentEvent:
    try:
        event = rules.perform_on_incident(
            incident, act, at=tx.now, by=by, facts=facts, words=words,
            decision_waits=decision is not None and decision.waits,
        )  # fmt: skip
        if act is IncidentAct.APPROVE and decision is not None:
            check_approver(decision, by, load_current_rulebook(tx).authority, agreed=facts["agreed"] == "yes")
        return event
    except NotAllowed as refused:
        record_after_rollback(tx, None, act.value, by, refused)
        raise


def _unfold_cards(tx: Tx, number: int) -> None:
    """Draw the card of each of its complaints whole again, after everything urgent."""
    refs = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.incident_id == number, COMPLAINTS.c.state != State.CLOSED.value
    )
    for ref in tx.connection.execute(refs).scalars().all():
        rows.insert_redraw(tx, ref, f"incident_ended:{number}")


def _take_key(tx: Tx, key: str | None) -> None:
    if key is not None and not take_key(tx, f"incident/{key}"):
        raise AlreadyDone.worded("already_done:repeated")


def _record(tx: Tx, incident: Incident, event: IncidentEvent, *, key: bytes, head: str) -> None:
    chain = f"{CHAIN}{incident.id}"
    entry = build_entry(
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
    insert_event(tx, chain, event.seq, event.act.value, event.at, event.by, event.role.value, entry)
    if event.words:
        words = json.dumps(dict(event.words), ensure_ascii=False)
        tx.add(
            INCIDENT_WORDS,
            incident_id=incident.id,
            seq=event.seq,
            sealed=seal(key, words, words_place(incident.id, event.seq)),
        )
    # `told_seq` is the event with the incident's present description.
    description = {"told_seq": event.seq} if event.act in (IncidentAct.OPEN, IncidentAct.CHANGE) else {}
    unchanged = _COLUMNS.id == incident.id, _COLUMNS.version == event.seq - 1
    values = {"head": sha256(entry), **description, **incident_row(incident)}
    if tx.update(INCIDENTS, *unchanged, **values) != 1:
        raise Stale.worded("stale:incident_meanwhile")
    schedule_card(tx, incident.id, str(event.seq))


def _event(tx: Tx, row: Any, entry: Mapping[str, Any]) -> IncidentEvent:
    return IncidentEvent(
        seq=entry["seq"],
        act=IncidentAct(entry["verb"]),
        at=parse_time(entry["at"]),
        by=entry["actor"],
        role=Role(entry["role"]),
        facts=entry["facts"],
        words=load_incident_words(tx, row, entry["seq"]),
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
        **rules.words_as_fields(load_incident_words(tx, row, row.told_seq)),
    )


def _row(tx: Tx, number: int, *, lock: bool = False) -> Any:
    query: Select[Any] = select(INCIDENTS).where(_COLUMNS.id == number)
    row = tx.connection.execute(query.with_for_update() if lock and not tx.is_sqlite else query).first()
    if row is None:
        raise UnknownReference.worded("unknown_incident")
    return row


def _key(tx: Tx, row: Any) -> bytes:
    return tx.keys.unwrap(row.key_wrapped, key_place(row.id))
