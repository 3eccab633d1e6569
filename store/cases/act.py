"""Writing one act into the record: event, words, projections and duties, all in the open transaction.

`act`: authorise, load, call the verb, record; one event or nothing (docs/design.md, rule 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update

from complaints import permissions
from complaints.actions.authorisation import require_permission, require_state
from complaints.actions.intake import RETURNED
from complaints.actions.perform import ActResult, perform
from complaints.actions.registry import raises_work_version
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import AlreadyDone, NotAllowed, OutOfOrder, Stale
from complaints.incidents import SAME_INCIDENT
from complaints.references import parse_reference
from complaints.rulebook import Rulebook
from complaints.timestamps import format_time
from complaints.vocabulary import Verb
from store.cases import conflicts
from store.cases.conflicts import handlers_of, taken_in, with_people
from store.cases.load import CaseFile, key_place, load_case_file
from store.cases.projections import complaint_row, project
from store.cases.refused_attempts import remember
from store.database.transaction import Tx
from store.incidents import incidents
from store.incidents.card import schedule_for_move
from store.outbox.offline import mark_told
from store.outbox.rows import schedule_for_case
from store.people.staff import roles_now
from store.proof.erase import erase_words
from store.proof.hash_chain import GENESIS, entry_of
from store.proof.keyring import new_key
from store.proof.seal import canonical, commitment, place, seal, sha256
from store.similarity.similar import schedule_similar_redraw
from store.tables import CASE_PEOPLE, COMPLAINTS, EVENTS, HEARD, OBLIGATIONS, READS, TEXTS
from store.values import RecordedAct


def begin_record(tx: Tx, done: ActResult, *, contact_id: int | None) -> CaseFile:
    """Write a new complaint with its first event, a key of its own, and whose it is."""
    case, event = done.case, done.event
    key = new_key()
    wrapped = tx.keys.wrap(key, key_place(case.ref))
    entry = entry_of(case.ref, event, commit=commitment(key, event.words), prev=GENESIS)
    head = sha256(entry)
    tx.add(
        COMPLAINTS,
        ref=case.ref,
        key_wrapped=wrapped,
        complainant_id=case.complainant,
        contact_id=contact_id,
        rulebook_id=event.facts["rulebook"],
        jurisdiction=case.rules.country,
        channel=case.channel,
        head=head,
        **complaint_row(case),
    )
    tx.add(
        CASE_PEOPLE,
        ref=case.ref,
        person_id=case.complainant,
        role="complainant",
        relation=None,
        authority=None,
        may_receive=True,
    )
    _write(tx, None, done, entry=entry, head=head, key=key, contact_id=contact_id)
    return CaseFile(case, (event,), wrapped, head, contact_id)


def continue_record(
    tx: Tx, before: Case, done: ActResult, *, key: bytes, head: str, contact_id: int | None
) -> str:
    """Write one more event; Stale when somebody else's was written since `before` was loaded."""
    case, event = done.case, done.event
    entry = entry_of(case.ref, event, commit=commitment(key, event.words), prev=head)
    new_head = sha256(entry)
    changed = tx.connection.execute(
        update(COMPLAINTS)
        .where(
            COMPLAINTS.c.ref == case.ref,
            COMPLAINTS.c.version == before.version,
            COMPLAINTS.c.work_version == before.work_version,
        )
        .values(head=new_head, **complaint_row(case), **_ruled(event))
    )
    if changed.rowcount != 1:
        raise Stale(f"{case.ref} moved on meanwhile: look at it again.")
    _write(tx, before, done, entry=entry, head=new_head, key=key, contact_id=contact_id)
    return new_head


def _ruled(event: Event) -> Mapping[str, str]:
    """Under which rules the complaint goes on, where the event changed them."""
    if event.verb is not Verb.REDATE:
        return {}
    return {"rulebook_id": event.facts["rulebook"], "jurisdiction": event.facts["jurisdiction"]}


def _write(
    tx: Tx, before: Case | None, done: ActResult, *, entry: str, head: str, key: bytes, contact_id: int | None
) -> None:
    case, event = done.case, done.event
    tx.add(
        EVENTS,
        ref=case.ref,
        seq=event.seq,
        verb=event.verb.value,
        at=event.at,
        by=event.by,
        role=event.role.value,
        entry=entry,
        hash=head,
    )
    _keep_words(tx, case.ref, event, event.words, key)
    project(tx, before, case, event)
    schedule_for_move(tx, before, case)
    schedule_similar_redraw(tx, before, case)
    schedule_for_case(tx, case.ref, contact_id, done.owed)
    if event.verb is Verb.ERASE:
        erase_words(tx, case.ref)


def _keep_words(tx: Tx, ref: str, event: Event, words: Mapping[str, str], key: bytes) -> None:
    rows = [
        {
            "ref": ref,
            "seq": event.seq,
            "field": path,
            "role": event.role.value,
            "at": event.at,
            "source": event.facts.get("source"),
            "replaces": event.facts.get("replaces"),
            "sealed": seal(key, said, place("texts", f"{ref}/{event.seq}", path)),
        }
        for path, said in words.items()
    ]
    if rows:
        tx.connection.execute(insert(TEXTS), rows)


#: Refused while the complainant wrote since this person last read (docs/surfaces.md, "Versions").
NEEDS_LATEST: frozenset[Verb] = frozenset({Verb.RESOLVE, Verb.RESPOND, Verb.CLOSE})
_WORDS_COME_BY: frozenset[Verb] = frozenset({Verb.RECEIVE, Verb.ADD, Verb.ANSWER})


def act(
    tx: Tx,
    ref: str,
    verb: Verb,
    by: Actor,
    facts: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    key: str | None = None,
    settles: int | None = None,
) -> RecordedAct:
    """Do one verb to a complaint.

    `version` is the work_version that the act was drawn with, `key` makes a repeat of the same duty known,
    `settles` is the obligation that is settled with it. Raises ComplaintError: UnknownReference, AlreadyDone,
    Stale (code `new_message` where the person must read first), NotAllowed (recorded), or the verb's own.
    """
    file = load_case_file(tx, ref, lock=True)
    recorded = act_on(tx, file, verb, by, facts or {}, words or {}, version=version, key=key)[0]
    if settles is not None:
        settle(tx, settles)
    return recorded


def act_on(
    tx: Tx,
    file: CaseFile,
    verb: Verb,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    version: int | None = None,
    key: str | None = None,
    rules: Rulebook | None = None,
) -> tuple[RecordedAct, CaseFile]:
    """The same on a complaint that is loaded and locked; also gives it back as it is now.

    `rules` are those to go on under, for `redate` alone.
    """
    if file.case.erased_at is not None:
        # There is no key any more; the rules say what may be done instead.
        require_state(file.case, verb)
    case, secret = file.case, file.key(tx)
    once = [f"{case.ref}/{key}"] if key else []
    if version is not None:
        once.append(_fingerprint(case, secret, verb, by, facts, words, version))
    for one in once:
        if not tx.take(HEARD, {"key": one, "at": tx.now}):
            raise AlreadyDone(f"'{verb.value}' on {case.ref} was done before: nothing changed.")
    try:
        if version is not None and version != case.work_version:
            if by.is_staff and permissions.is_excluded(case, by.id):
                # What was done meanwhile is not theirs to know.
                require_permission(case, verb, by)
            raise _stale(file, version)
        if verb in NEEDS_LATEST and by.is_staff:
            _must_have_read(tx, file, verb, by)
        filled = _filled(tx, case, verb, by, facts)
        done = perform(case, verb, at=tx.now, by=by, facts=filled, words=words, rules=rules)
    except NotAllowed as refused:
        remember(tx, case.ref, verb.value, by, refused)
        raise
    head = continue_record(tx, case, done, key=secret, head=file.head, contact_id=file.contact_id)
    mark_told(tx, done.event, case.ref)
    conflicts.keep(tx, done.case, done.event, words)
    if verb is Verb.MERGE:
        act(tx, str(done.event.facts["other_ref"]), Verb.LINK, by, taken_in(file))
    after = CaseFile(done.case, (*file.events, done.event), file.key_wrapped, head, file.contact_id)
    return RecordedAct(done.event, done.case), after


def settle(tx: Tx, number: int) -> None:
    """A duty is done: its words are no longer needed here."""
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.id == number, OBLIGATIONS.c.state == "open")
        .values(state="done", ended_at=tx.now, payload=None, why=None)
    )
    # The next message of the same chat is free to leave.
    tx.owing = True


def _fingerprint(
    case: Case,
    secret: bytes,
    verb: Verb,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    version: int,
) -> str:
    said: list[Any] = [case.ref, version, verb.value, by.id, dict(facts), commitment(secret, words)]
    if verb is Verb.RECEIPT and case.danger_at is not None:
        # A new danger asks for a new receipt, though nothing of the work has moved.
        said.append(case.danger_at.isoformat())
    return "act:" + sha256(canonical(said))


def _stale(file: CaseFile, version: int) -> Stale:
    """Names what happened since the work_version that the act was drawn with."""
    reached, since = 0, []
    for event in file.events:
        if raises_work_version(event):
            reached += 1
            if reached > version:
                since.append(event.verb.value)
    told = ", ".join(since) or "something"
    return Stale(f"{file.case.ref} moved on since this was drawn ({told}): look again.", since=tuple(since))


def _must_have_read(tx: Tx, file: CaseFile, verb: Verb, by: Actor) -> None:
    case = file.case
    require_permission(case, verb, by)
    said: list[Event] = [
        event for event in file.events if event.verb in _WORDS_COME_BY and event.facts.get("kind") != RETURNED
    ]
    read = tx.connection.execute(
        select(func.max(READS.c.version)).where(READS.c.ref == case.ref, READS.c.by == by.id)
    ).scalar()
    unread = [event for event in said if event.seq > (read or 0) and event.by != by.id]
    if unread:
        local = unread[-1].at.astimezone(ZoneInfo(case.rules.calendar.zone))
        raise Stale(f"New message at {local:%H:%M}: open {case.ref} first.", code="new_message")


#: The relation of a complaint to the one whose handling it is about.
ABOUT_HANDLING = "about_handling_of"
#: Acts that may name somebody who is then denied the complaint.
_NAMING: frozenset[Verb] = frozenset({Verb.ADD, Verb.ANSWER, Verb.RESTRICT, Verb.DECLARE_CONFLICT})


def _filled(tx: Tx, case: Case, verb: Verb, by: Actor, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a verb must know from other rows than the complaint's own."""
    if verb is Verb.DISAGREE:
        reviewers = permissions.eligible_reviewers(case, case.level + 1, roles_now(tx))
        return {**facts, "reviewers": len(reviewers)}
    if verb in _NAMING:
        return with_people(tx, case.rules, facts, case)
    if verb in (Verb.LINK, Verb.MERGE):
        facts = _tied(tx, case, verb, facts)
    return _of_incident(tx, case, by, facts) if verb is Verb.LINK else facts


def _tied(tx: Tx, case: Case, verb: Verb, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the other complaint brings: whose it is, and who dealt with it where this one is about that."""
    other_ref = parse_reference(str(facts.get("other_ref") or ""))
    if other_ref is None or other_ref == case.ref:
        return facts
    other = load_case_file(tx, other_ref)
    if verb is Verb.MERGE:
        if not other.case.is_open:
            raise OutOfOrder(
                f"{other_ref} is closed: reopen it first, or merge it into this one.", code="other_closed"
            )
        return {**facts, "other_complainant": other.case.complainant}
    if facts.get("relation") == ABOUT_HANDLING:
        return with_people(tx, case.rules, {**facts, "handlers": handlers_of(other)}, case)
    return facts


def _of_incident(tx: Tx, case: Case, by: Actor, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which incident two complaints share: the one that either has, else a new one that both join."""
    if facts.get("incident") is not None:
        if not facts.get("left"):
            incidents.must_be_open(tx, int(facts["incident"]))
        return facts
    other_ref = parse_reference(str(facts.get("other_ref") or ""))
    shared = facts.get("relation") == SAME_INCIDENT and by.is_staff
    if not shared or other_ref is None or other_ref == case.ref:
        return facts
    require_permission(case, Verb.LINK, by)
    number = incidents.incident_of(tx, other_ref)
    if number is not None:
        return facts if number == case.incident else {**facts, "incident": number}
    theirs = case.incident
    if theirs is None:
        began = min(case.received_at, load_case_file(tx, other_ref).case.received_at)
        theirs = incidents.open_incident(tx, by, {"started_at": format_time(began)}, {}).id
    act(tx, other_ref, Verb.LINK, by, {"relation": SAME_INCIDENT, "incident": theirs, "other_ref": case.ref})
    return facts if case.incident == theirs else {**facts, "incident": theirs}
