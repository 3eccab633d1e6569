"""Record one act on a complaint: load and lock it, check the act, write the event (docs/design.md, rule 3).

Event, words, projections and obligations are written in the open transaction: all of them or none.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select, update

from complaints.actions.action import Fetched
from complaints.actions.assessment import require_trained
from complaints.actions.authorisation import Access, authorise, is_allowed, require_state, second_readers
from complaints.actions.intake import RETURNED, TRANSLATION
from complaints.actions.perform import ActResult, perform
from complaints.actions.quality_check import DRAWS
from complaints.actions.registry import ACTIONS, MESSAGE_VERBS, SECOND_PERSON_VERBS, raises_work_version
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import AlreadyDone, NotAllowed, OutOfOrder, Stale
from complaints.event_facts import HELD
from complaints.identifiers import parse_reference
from complaints.incidents import SAME_INCIDENT
from complaints.rulebook import Rulebook
from complaints.similarity import SimilarCase
from complaints.times import format_time
from complaints.vocabulary import Role, Verb
from store.cases import conflicts
from store.cases.conflicts import list_handlers, merge_facts, with_conflicts
from store.cases.erase import erase_words
from store.database.keyring import new_key, seal
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.incidents import find_incident_of, open_incident, require_open_incident, schedule_for_move
from store.outbox.complete import complete
from store.outbox.deliveries import mark_read_out
from store.outbox.rows import schedule_after_act
from store.people.masked_texts import list_case_names, seal_masked
from store.people.staff import count_reviewers, load_current_roles
from store.proof.hash_chain import GENESIS, canonical, commitment, event_entry, insert_event, sha256
from store.proof.received_keys import take_key
from store.record.access_log import record_after_rollback
from store.record.load import CaseFile, key_place, load_case_file, load_event_words, text_place
from store.record.measures import write_measures
from store.record.projections import complaint_row, project
from store.registers import list_missing_training, open_for_case
from store.similarity.similar import schedule_similar_redraw, store_sketch
from store.tables import CASE_PEOPLE, COMPLAINTS, READS, STAFF_ROLES, TEXTS
from store.values import RecordedAct

#: The relation of a complaint to the complaint whose handling it is about.
ABOUT_HANDLING = "about_handling_of"
# Built once, since every act runs them.
_CONTINUE = Prepared(
    update(COMPLAINTS).where(
        COMPLAINTS.c.ref == bindparam("case"),
        COMPLAINTS.c.version == bindparam("old_version"),
        COMPLAINTS.c.work_version == bindparam("old_work_version"),
    )
)
_LAST_READ = Prepared(
    select(func.max(READS.c.version).label("version")).where(
        READS.c.ref == bindparam("ref"), READS.c.by == bindparam("reader")
    )
)


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
    completes: int | None = None,
) -> RecordedAct:
    """Perform one act on a complaint and record it.

    `version` is the work_version that the person saw. `key` makes a repeat of the same obligation detectable.
    `settles` is the obligation that this act completes. Raises ComplaintError: UnknownReference, AlreadyDone,
    Stale (`new_message` or `not_read` if the person must read first), NotAllowed (recorded), or an error of the verb.
    """
    file = load_case_file(tx, ref, lock=True)
    recorded = act_on(tx, file, verb, by, facts or {}, words or {}, version=version, key=key)[0]
    if completes is not None:
        complete(tx, completes)
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
    previewed: bool = False,
) -> tuple[RecordedAct, CaseFile]:
    """`act` on a complaint that is loaded and locked; also returns the file as the act left it.

    `rules` is only for `redate`: the rules that the complaint gets. `previewed`: a person decides on many complaints
    by a preview, and the caller leaves out those with a newer message.
    """
    if file.case.erased_at is not None:
        # Its key is destroyed; this raises and names what is still possible.
        require_state(file.case, verb)
    case, secret = file.case, file.key(tx)
    act_keys = [act_key(case.ref, key)] if key else []
    if version is not None:
        act_keys.append(_fingerprint(case, secret, verb, by, facts, words, version))
    for done_key in act_keys:
        if not take_key(tx, done_key):
            raise AlreadyDone.worded("already_done:act", verb=verb.value, ref=case.ref)
    try:
        if version is not None and version != case.work_version:
            if not is_allowed(case, Access.KNOW, by):
                # Who may not know of the complaint must not learn from `Stale` what was done.
                authorise(case, verb, by)
            raise _stale(file, version)
        if ACTIONS[verb].needs_latest and by.is_staff and not previewed:
            _must_have_read(tx, file, verb, by)
        if verb in SECOND_PERSON_VERBS and facts.get("agreed") == "yes":
            # Damaged words raise SealBroken: the letter could not be sent.
            for event in [event for event in file.events if ACTIONS[event.verb].asks][-1:]:
                load_event_words(tx, case.ref, event.seq)
        all_facts = complete_facts(tx, case, verb, by, facts)
        done = perform(case, verb, at=tx.now, actor=by, facts=all_facts, words=words, rules=rules)
    except NotAllowed as refused:
        record_after_rollback(tx, case.ref, verb.value, by, refused)
        raise
    head = continue_record(tx, file, done, key=secret)
    mark_read_out(tx, done.event, case.ref)
    conflicts.update_people(tx, done.case, done.event, words)
    if ACTIONS[verb].fetches is Fetched.MERGED:
        # With one of them the other is taken back.
        hold = {HELD: facts[HELD]} if HELD in facts else {}
        act(tx, str(done.event.facts["other_ref"]), Verb.LINK, by, {**merge_facts(file), **hold})
    after = CaseFile(done.case, (*file.events, done.event), file.key_wrapped, head, file.contact_id)
    return RecordedAct(done.event, done.case), after


def act_key(ref: str, key: str) -> str:
    """What is kept of a `key`, so that a repeated act on this complaint is refused."""
    return f"{ref}/{key}"


def record_proposal(
    tx: Tx,
    ref: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    sketch: Sequence[bytes],
    story_words: Sequence[bytes] | None = None,
    similar: Sequence[SimilarCase] | None = None,
    key: str | None = None,
    settles: int | None = None,
) -> RecordedAct:
    """Record a proposal, and the sketch and the words of the story that it was made from, in one transaction (7.5).

    `similar` are the similar cases where they were read before.
    """
    recorded = act(tx, ref, Verb.PROPOSE, by, facts, words, key=key, completes=settles)
    store_sketch(tx, ref, sketch, similar, story_words)
    return recorded


def begin_record(tx: Tx, done: ActResult, *, contact_id: int | None, name: str | None) -> CaseFile:
    """Write a new complaint: its row and own key, its complainant, whose name this is, and its first event."""
    case, event = done.case, done.event
    key = new_key()
    wrapped = tx.keys.wrap(key, key_place(case.ref))
    entry = event_entry(case.ref, event, commit=commitment(key, event.words), prev=GENESIS)
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
    _write(tx, None, done, entry=entry, key=key, contact_id=contact_id, names=[name] if name else [])
    return CaseFile(case, (event,), wrapped, head, contact_id)


def continue_record(tx: Tx, file: CaseFile, done: ActResult, *, key: bytes) -> str:
    """Write the next event and return the new head; Stale if another was written since the file was loaded."""
    before, case, event = file.case, done.case, done.event
    entry = event_entry(case.ref, event, commit=commitment(key, event.words), prev=file.head)
    new_head = sha256(entry)
    values = {
        "case": case.ref,
        "old_version": before.version,
        "old_work_version": before.work_version,
        "head": new_head,
        **complaint_row(case),
        **_changed_rules(event),
    }
    if _CONTINUE.run(tx.connection, [values]) != 1:
        raise Stale.worded("stale:meanwhile", ref=case.ref)
    names = list_case_names(tx, case.ref) if event.words else []
    _write(tx, file, done, entry=entry, key=key, contact_id=file.contact_id, names=names)
    return new_head


def _fingerprint(
    case: Case,
    secret: bytes,
    verb: Verb,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    version: int,
) -> str:
    """A key of this very act: pressing the same button twice gives the same key."""
    content: list[Any] = [case.ref, version, verb.value, by.id, dict(facts), commitment(secret, words)]
    if ACTIONS[verb].answers_alarm and case.alarms:
        # A new danger needs a new receipt and a new end, although it does not raise the work_version.
        content.append(case.alarms[-1].at.isoformat())
    return "act:" + sha256(canonical(content))


def _stale(file: CaseFile, version: int) -> Stale:
    reached, since = 0, []
    for event in file.events:
        if raises_work_version(event):
            reached += 1
            if reached > version:
                since.append(event.verb.value)
    acts = ", ".join(since) or "something"
    return Stale.worded("stale:shown", ref=file.case.ref, acts=acts).after(since)


def _must_have_read(tx: Tx, file: CaseFile, verb: Verb, by: Actor) -> None:
    case = file.case
    authorise(case, verb, by)
    messages: list[Event] = [
        event
        for event in file.events
        if event.verb in MESSAGE_VERBS and event.facts.get("kind") not in (RETURNED, TRANSLATION)
    ]
    read = _LAST_READ.first(tx.connection, ref=case.ref, reader=by.id).version
    unread = [event for event in messages if event.seq > (read or 0) and event.by != by.id]
    if unread and not read:
        raise Stale.worded("not_read", ref=case.ref)
    if unread:
        local = unread[-1].at.astimezone(ZoneInfo(case.rules.calendar.zone))
        raise Stale.worded("new_message:at", local=local, ref=case.ref)


def complete_facts(tx: Tx, case: Case, verb: Verb, by: Actor, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of an act, with what it needs from outside the complaint: staff, other complaints, incidents."""
    match ACTIONS[verb].fetches:
        case Fetched.REVIEWERS:
            return {**facts, "reviewers": count_reviewers(tx, case)}
        case Fetched.DRAW if not facts.get("batch"):
            return {**facts, **decision_draw(tx, case, by)}
        case Fetched.TRAINING_OF_OWNER if case.rules.required_training:
            owner = str(facts.get("owner") or by.id)
            return {**facts, "untrained": list_missing_training(tx, owner, case.rules)}
        case Fetched.TRAINING_OF_ASSESSOR if case.is_unowned and by.is_staff and case.rules.required_training:
            require_trained(case, list_missing_training(tx, by.id, case.rules))
        case Fetched.CONFLICTS:
            return with_conflicts(tx, case.rules, facts, case)
        case Fetched.MERGED:
            return _merge_target_facts(tx, case, facts)
        case Fetched.LINKED:
            return _incident_facts(tx, case, by, _link_facts(tx, case, facts))
    return facts


def _other_file(tx: Tx, case: Case, facts: Mapping[str, Any]) -> CaseFile | None:
    """The other complaint that the facts name; None if they name none, or this one."""
    other_ref = parse_reference(str(facts.get("other_ref") or ""))
    return None if other_ref in (None, case.ref) else load_case_file(tx, str(other_ref))


def _merge_target_facts(tx: Tx, case: Case, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the complainant of the complaint that this one is merged into; OutOfOrder if that is closed."""
    other = _other_file(tx, case, facts)
    if other is None:
        return facts
    if not other.case.is_open:
        raise OutOfOrder.worded("other_closed", ref=other.case.ref)
    return {**facts, "other_complainant": other.case.complainant}


def _link_facts(tx: Tx, case: Case, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the handlers of the linked complaint, if this one is about them."""
    other = _other_file(tx, case, facts)
    if other is None or facts.get("relation") != ABOUT_HANDLING:
        return facts
    return with_conflicts(tx, case.rules, {**facts, "handlers": list_handlers(other)}, case)


def _incident_facts(tx: Tx, case: Case, by: Actor, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the incident that two complaints share: the one that either has, or a new one that both join."""
    if facts.get("incident") is not None:
        if not facts.get("left"):
            require_open_incident(tx, int(facts["incident"]))
        return facts
    other_ref = parse_reference(str(facts.get("other_ref") or ""))
    shared = facts.get("relation") == SAME_INCIDENT and by.is_staff
    if not shared or other_ref is None or other_ref == case.ref:
        return facts
    authorise(case, Verb.LINK, by)
    number = find_incident_of(tx, other_ref)
    if number is not None:
        return facts if number == case.incident else {**facts, "incident": number}
    number = case.incident
    if number is None:
        started_at = min(case.received_at, load_case_file(tx, other_ref).case.received_at)
        number = open_incident(tx, by, {"started_at": format_time(started_at)}, {}).id
    act(tx, other_ref, Verb.LINK, by, {"relation": SAME_INCIDENT, "incident": number, "other_ref": case.ref})
    return facts if case.incident == number else {**facts, "incident": number}


def _write(
    tx: Tx,
    file: CaseFile | None,
    done: ActResult,
    *,
    entry: str,
    key: bytes,
    contact_id: int | None,
    names: Sequence[str],
) -> None:
    case, event = done.case, done.event
    before, events = (None, ()) if file is None else (file.case, file.events)
    insert_event(tx, case.ref, event.seq, event.verb.value, event.at, event.by, event.role.value, entry)
    _write_words(tx, case, event, key, names)
    project(tx, before, case, event)
    write_measures(tx, before, case, (*events, event))
    schedule_for_move(tx, before, case)
    open_for_case(tx, before, case)
    schedule_similar_redraw(tx, before, case)
    schedule_after_act(tx, case.ref, contact_id, done.obligations)
    if event.verb is Verb.ERASE:
        erase_words(tx, case.ref)


def _write_words(tx: Tx, case: Case, event: Event, key: bytes, names: Sequence[str]) -> None:
    if not event.words:
        return
    ref, seq = case.ref, event.seq
    # Nothing searches or learns from what the model wrote (it repeats the words as JSON) or from a translation.
    masked: Mapping[str, bytes] = {}
    if event.role is not Role.MODEL and event.facts.get("kind") != TRANSLATION:
        origin = {"language": case.language, "country": case.rules.country}
        masked = seal_masked(key, ref, seq, event.words, names=names, **origin)
    rows = [
        {
            "ref": ref,
            "seq": seq,
            "field": path,
            "role": event.role.value,
            "at": event.at,
            "source": event.facts.get("source"),
            "replaces": event.facts.get("replaces"),
            "sealed": seal(key, text, text_place(ref, seq, path)),
            "masked": masked.get(path),
        }
        for path, text in event.words.items()
    ]
    tx.add_all(TEXTS, rows)


def _changed_rules(event: Event) -> Mapping[str, str]:
    if not ACTIONS[event.verb].changes_rules:
        return {}
    return {"rulebook_id": event.facts["rulebook"], "jurisdiction": event.facts["jurisdiction"]}


#: A decider is new for so long after the first role.
NEW_FOR = timedelta(days=90)


def keyed_number(tx: Tx, purpose: str, value: str) -> int:
    """A number of 64 bits: the same again with the instance's secret, and not to be foreseen without it."""
    return int.from_bytes(tx.keys.index(purpose, value)[:8])


def decision_draw(tx: Tx, case: Case, by: Actor) -> Mapping[str, Any]:
    """What a decision needs to know of its draw; nothing where no share is read.

    The draw is the same for every decision at this level, so neither another wording nor another try changes it.
    """
    if not case.rules.check_share:
        return {}
    first = select(func.min(STAFF_ROLES.c.since)).where(STAFF_ROLES.c.member_id == by.id)
    since: datetime | None = tx.connection.execute(first).scalar()
    number = keyed_number(tx, "quality_check", f"{case.ref}|{case.level}|{case.reopened}")
    return {
        "draw": number * DRAWS >> 64,
        "readers": len(second_readers(case, by.id, load_current_roles(tx))),
        "is_new": since is None or tx.now - since < NEW_FOR,
    }
