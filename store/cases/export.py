"""Export one complaint, or all data about one person (8.1), in the field names of docs/domain.md, section 2."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select

from complaints.actions.access import is_on_hold
from complaints.actions.assessment import issues_event
from complaints.actions.registry import ACTIONS
from complaints.case import Case, events_of, last_of
from complaints.case_values import Decision, RemedyOwed
from complaints.deadlines.explanation import target_record
from complaints.deadlines.targets import next_due
from complaints.errors import UnknownReference
from complaints.incidents import Incident
from complaints.priorities import priority_of
from complaints.rulebook import Rulebook
from complaints.times import format_time, json_fields
from complaints.vocabulary import Flag, Verb
from store.cases.conflicts import find_support_needs
from store.cases.read import find_latest_proposal, list_messages, proposal_record, with_first_similar
from store.cases.record_fields import (
    Words,
    capa_ids,
    contact_points,
    fairness_fields,
    links,
    merged,
    outside_decisions,
    people,
    request_fields,
    text_read_at,
)
from store.database.errors import DamagedCase, Erased, UnknownRow, note_damage
from store.database.keyring import place, sealing_key, unseal
from store.database.transaction import Tx
from store.files import files_as_records, load_bytes
from store.incidents import load_incident
from store.outbox.deliveries import list_deliveries, message_text_place
from store.people.contacts import find_person_name, person_key
from store.people.identification import list_complainant_names
from store.people.staff import list_names
from store.proof.hash_chain import sha256
from store.record.load import CaseFile, load_all_texts, load_case_file, load_newest_texts, load_words_by_event
from store.rulebooks import load_current_rulebook
from store.similarity.similar import list_all_similar_cases
from store.tables import (
    CASE_PEOPLE,
    COMPLAINTS,
    CONTACTS,
    CONVERSATIONS,
    EVENTS,
    IDENTIFIERS,
    MESSAGES,
    PEOPLE,
    READS,
)
from store.values import Delivery


@dataclass(frozen=True)
class WholeCase:
    """One complaint for its case file: the record and what the record leaves out.

    `head` is the newest hash of its chain, `names` are all names of the complainant.
    """

    record: Mapping[str, Any]
    head: str
    names: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    needs: str | None
    rules: Rulebook
    incident: Incident | None


@dataclass(frozen=True)
class WholePerson:
    """All data about one person. `cases` are the complaints, each with the person's roles in it.

    `rules` are those of the newest complaint; without one, the organisation's rules in force. `staff` holds names
    and aliases of staff, longest first, which are not this person's data and are to be redacted.
    """

    id: str
    name: str | None
    needs: str | None
    language: str | None
    created_at: str
    contact_points: tuple[Mapping[str, Any], ...]
    cases: tuple[tuple[WholeCase, tuple[str, ...]], ...]
    rules: Rulebook
    messages: tuple[Mapping[str, Any], ...]
    conversations: tuple[Mapping[str, Any], ...]
    staff: tuple[str, ...]


def export_record(tx: Tx, ref: str) -> dict[str, Any]:
    """The whole record of one complaint: every field, the exact words in and out, who read what.

    It is the output of `amends case show REF --json`.
    """
    file = load_case_file(tx, ref)
    case, words = file.case, load_words_by_event(tx, file)
    assessment = issues_event(file.events)
    issue_words = words.get(assessment.seq, {}) if assessment is not None else {}
    return {
        **_header(tx, file),
        **request_fields(file, words, load_newest_texts(tx, file)),
        "people": people(tx, case),
        **_assessment(case, file, words),
        "text_read_at": text_read_at(tx, case),
        **_handling(case, words),
        **_ending(case, file, words),
        "texts": [
            {**asdict(text), "at": format_time(text.at)} for text in load_all_texts(tx, file, staff_too=True)
        ],
        "issues": [
            {
                "n": issue.n,
                "text": issue_words.get(f"issues.{issue.n}.text"),
                "category": issue.category,
                "finding": _code(issue.finding),
                "reasons": _last(words, f"issues.{issue.n}.reasons"),
            }
            for issue in case.issues
        ],
        "targets": [target_record(target) for target in case.targets],
        "decisions": sorted(
            [*(_decision(decision, words) for decision in case.decisions), *outside_decisions(file, words)],
            key=lambda decision: decision["seq"],
        ),
        "remedies": [_remedy(case, remedy, words) for remedy in case.remedies],
        "files": files_as_records(tx, file),
        "messages": list_messages(tx, file),
        "deliveries": [_delivery(delivery) for delivery in list_deliveries(tx, ref)],
        "events": _events(tx, file),
        # With it anyone can check the words against the events (docs/verify.py); it opens nothing.
        "commitment_key": _commitment_key(tx, file),
        "reads": _reads(tx, ref),
        "links": links(tx, ref),
        "merged": merged(tx, case),
        "merged_into": case.merged_into,
        "capa_ids": capa_ids(tx, case),
        **fairness_fields(tx, case),
    }


def export_case(tx: Tx, ref: str) -> WholeCase:
    """One complaint with everything that its case file shows; raises UnknownReference."""
    file = load_case_file(tx, ref)
    return WholeCase(
        export_record(tx, ref),
        file.head,
        tuple(list_complainant_names(tx, ref)),
        tuple(_identifiers(tx, file)),
        find_support_needs(tx, file.case.complainant),
        file.case.rules,
        _incident(tx, ref),
    )


def export_person(tx: Tx, person: str) -> WholePerson:
    """All data about one person (`people.id`), unsealed; raises UnknownRow, or Erased."""
    row = tx.connection.execute(select(PEOPLE).where(PEOPLE.c.id == person)).first()
    if row is None:
        raise UnknownRow(f"no person has the id {person}: give the reference of one of their complaints")
    if row.key_wrapped is None:
        raise Erased(f"The data of {person} were erased on {format_time(row.erased_at)}.")
    cases = tuple(_readable_cases(tx, person))
    staff_names = {name for aliases in list_names(tx).values() for name in aliases if name}
    return WholePerson(
        id=person,
        name=find_person_name(tx, person),
        needs=find_support_needs(tx, person),
        language=row.language,
        created_at=format_time(row.created_at),
        contact_points=tuple(contact_points(tx, person)),
        cases=cases,
        rules=cases[-1][0].rules if cases else load_current_rulebook(tx),
        messages=tuple(_other_messages(tx, person, person_key(tx, person, row.key_wrapped))),
        conversations=tuple(_conversations(tx, person)),
        staff=tuple(sorted(staff_names, key=len)[::-1]),
    )


def list_person_roles(tx: Tx, person: str) -> dict[str, tuple[str, ...]]:
    """The person's complaints, the earliest first, with the person's roles in each."""
    of_person = (
        select(COMPLAINTS.c.ref, COMPLAINTS.c.complainant_id, CASE_PEOPLE.c.role)
        .outerjoin(CASE_PEOPLE, (CASE_PEOPLE.c.ref == COMPLAINTS.c.ref) & (CASE_PEOPLE.c.person_id == person))
        .where(or_(COMPLAINTS.c.complainant_id == person, CASE_PEOPLE.c.person_id == person))
        .order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref, CASE_PEOPLE.c.role)
    )
    roles_by_ref: dict[str, tuple[str, ...]] = {}
    for row in tx.connection.execute(of_person):
        roles = (*roles_by_ref.get(row.ref, ()), row.role or "complainant")
        if row.complainant_id == person and "complainant" not in roles:
            roles = ("complainant", *roles)
        roles_by_ref[row.ref] = tuple(dict.fromkeys(roles))
    return roles_by_ref


def record_read(tx: Tx, refs: Sequence[str], by: str, what: str, reason: str | None = None) -> None:
    """Log a read by someone who is not a member of staff: `complainant`, or `operator:` and the account's name.

    What comes before the colon is the role.
    """
    for ref in refs:
        query = select(COMPLAINTS.c.version).where(COMPLAINTS.c.ref == ref)
        version = tx.connection.execute(query).scalar()
        if version is None:
            raise UnknownReference.worded("unknown_reference:case", ref=ref)
        role = by.partition(":")[0]
        tx.add(READS, ref=ref, by=by, role=role, at=tx.now, what=what, version=version, reason=reason)


def read_stored_file(tx: Tx, ref: str, n: int) -> bytes:
    """The bytes of a file; the caller logs the read with `record_read`."""
    return load_bytes(tx, load_case_file(tx, ref), n)


def _header(tx: Tx, file: CaseFile) -> dict[str, Any]:
    case = file.case
    row = tx.connection.execute(
        select(COMPLAINTS.c.jurisdiction, COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == case.ref)
    ).one()
    due = next_due(case) if case.is_open else None
    texts = load_newest_texts(tx, file)
    return {
        **json_fields(case, "ref state version work_version kind is_simulation imported"),
        "jurisdiction": row.jurisdiction,
        "incident_id": row.incident_id,
        "rulebook": case.rules.id,
        **json_fields(case, "received_at logged_at channel"),
        "recipient_staff": file.events[0].facts.get("recipient_staff"),
        # Identifies the wording of the privacy notice at the time: a complaint keeps its rules.
        "privacy_notice_version": sha256(case.rules.notice)[:12] if case.rules.notice else None,
        **json_fields(case, "answer_by answer_to"),
        "signed_by_hand": bool(file.events[0].facts.get("signed")),
        "happened_on": file.events[0].facts.get("happened_on"),
        "consent_to_contact": file.events[0].facts.get("consent_to_contact"),
        **json_fields(case, "raised_late language complainant"),
        "name": None if Flag.ANONYMOUS in case.flags else find_person_name(tx, case.complainant),
        "description": texts.get("description"),
        **json_fields(case, "confirmed_at form_ended_at"),
        "priority": priority_of(case).value,
        **json_fields(case, "category severity safety owner level"),
        "next_due": {"target": due.target.value, "at": format_time(due.internal_due)} if due else None,
        **json_fields(case, "flags restricted"),
        "significant": Flag.SIGNIFICANT in case.flags,
        "legal_hold": is_on_hold(case, tx.now),
        **json_fields(case, "hold_until erased_at"),
    }


def _assessment(case: Case, file: CaseFile, words: Words) -> dict[str, Any]:
    assessment = case.assessment
    return {
        "assessed_at": _time(assessment.at) if assessment else None,
        "assessed_by": assessment.by if assessment else None,
        **json_fields(
            assessment, "product branch complexity reach recurrence immediate_needed immediate_possible"
        ),
        "immediate_action": _last(words, "immediate_action"),
        **json_fields(assessment, "compensation_likely"),
        "media_heard": case.media_heard,
        "override_reason": _last(words, "override_reason"),
        "proposal": with_first_similar(find_latest_proposal(file, words)),
        "signs": [sign.facts for sign in case.signs],
    }


def _handling(case: Case, words: Words) -> dict[str, Any]:
    last = case.decisions[-1] if case.decisions else None
    return {
        "subject_staff": sorted(case.subjects),
        **json_fields(case, "conflicted evidence"),
        **_investigation(case, words),
        "acknowledged_at": _time(case.acks.get(1)),
        "acknowledgements": {str(level): format_time(at) for level, at in sorted(case.acks.items())},
        **json_fields(case, "last_contact_at executive_receipt_at"),
        **json_fields(last, "others_affected"),
        "others_action": _last(words, "others_action"),
        **json_fields(last, "cause_class"),
        "root_cause": _last(words, "root_cause") or _last(words, "cause"),
    }


def _investigation(case: Case, words: Words) -> dict[str, Any]:
    """Evidence, statements and findings, each with its words, and the limit on contact; the events have the times."""
    limit = (case.conduct.limit,) if case.conduct.limit else ()
    groups = {
        "evidence_items": case.evidence_items,
        "statements": case.statements,
        "issue_findings": case.issue_findings,
        "contact_limit": limit,
    }
    return {name: [_with_words(value, words) for value in values] for name, values in groups.items()}


def _with_words(value: Any, words: Words) -> dict[str, Any]:
    row = getattr(value, "row", "-")
    own = {
        path.partition(f"{row}.")[2]: text for path, text in words.get(value.seq, {}).items() if row in path
    }
    values = {name: item for name, item in vars(value).items() if not isinstance(item, datetime)}
    return own | {name: str(item) if isinstance(item, date) else item for name, item in values.items()}


def _ending(case: Case, file: CaseFile, words: Words) -> dict[str, Any]:
    events = file.events
    closing = next((event for event in reversed(events) if event.facts.get("close_code")), None)
    reply = last_of(events, Verb.ACCEPT, Verb.DISAGREE)
    return {
        **json_fields(case, "reply reply_at"),
        "reply_reason": "\n".join(words[reply.seq].values()) if reply and reply.seq in words else None,
        "recourse_notice_at": _time(case.recourse_at),
        "external": [
            {"at": format_time(event.at), **event.facts, **words.get(event.seq, {})}
            for event in events_of(events, Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL)
        ],
        **json_fields(case, "close_code closed_at"),
        "closed_by": closing.by if closing and case.closed_at else None,
        "reopen_count": case.reopened,
        "survey": [
            {"at": format_time(event.at), **event.facts, **words.get(event.seq, {})}
            for event in events_of(events, Verb.SURVEY)
        ],
    }


def _decision(decision: Decision, words: Words) -> dict[str, Any]:
    texts = words.get(decision.seq, {})
    reasons = [texts.get(f"issues.{n}.reasons") for n, _ in enumerate(decision.findings)]
    return {
        **json_fields(decision, "level seq"),
        "external": False,
        **json_fields(decision, "by at short"),
        "findings": [
            {"finding": finding.value, "reasons": why}
            for finding, why in zip(decision.findings, reasons, strict=True)
        ],
        **json_fields(decision, "cause_class others_affected needs_approval approved_by communicated_at"),
        "words": dict(texts),
    }


def _remedy(case: Case, remedy: RemedyOwed, words: Words) -> dict[str, Any]:
    return {
        **json_fields(remedy, "n type"),
        "text": _remedy_text(case, remedy, words),
        **json_fields(remedy, "level amount currency due"),
        "promised_by_date": remedy.promised_by.isoformat() if remedy.promised_by else None,
        **json_fields(remedy, "needs_acceptance external done_at done_by verified_at verified_by"),
    }


def _remedy_text(case: Case, remedy: RemedyOwed, words: Words) -> str | None:
    """The words of a remedy: they belong to its decision and are numbered from that decision's first remedy."""
    first = min(other.n for other in case.remedies if other.promised_at == remedy.promised_at)
    decision = next((decision for decision in case.decisions if decision.at == remedy.promised_at), None)
    if decision is None or remedy.external:
        return None
    texts = words.get(decision.seq, {})
    return texts.get("done") if decision.short else texts.get(f"remedies.{remedy.n - first}.text")


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "obligation": delivery.number,
        "kind": delivery.kind,
        "state": delivery.status.value,
        "at": format_time(delivery.at),
        "reason": delivery.reason,
        "uncertain_at": _time(delivery.uncertain_since),
    }


def _commitment_key(tx: Tx, file: CaseFile) -> str | None:
    return None if file.key_wrapped is None else sealing_key(file.key(tx), b"commit").hex()


def _events(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    query = select(EVENTS.c.seq, EVENTS.c.hash, EVENTS.c.entry).where(EVENTS.c.ref == file.case.ref)
    rows = {row.seq: row for row in tx.connection.execute(query)}
    return [
        {
            **json_fields(event, "seq at verb by role"),
            "clause": ACTIONS[event.verb].clause,
            "facts": dict(event.facts),
            "hash": rows[event.seq].hash,
            "entry": rows[event.seq].entry,
        }
        for event in file.events
    ]


def _reads(tx: Tx, ref: str) -> list[dict[str, Any]]:
    rows = tx.connection.execute(select(READS).where(READS.c.ref == ref).order_by(READS.c.id))
    return [
        {"by": row.by, "role": row.role, "at": format_time(row.at), "what": row.what, "reason": row.reason}
        for row in rows
    ]


def _last(words: Words, field: str) -> str | None:
    return next((words[seq][field] for seq in sorted(words, reverse=True) if field in words[seq]), None)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _code(code: object | None) -> str | None:
    return None if code is None else str(code)


def _readable_cases(tx: Tx, person: str) -> Iterator[tuple[WholeCase, tuple[str, ...]]]:
    """The person's complaints with the person's roles, without those whose events are damaged: they are noted."""
    for ref, roles in list_person_roles(tx, person).items():
        try:
            yield _case_of_person(tx, ref, person, roles), roles
        except DamagedCase:
            if not note_damage(place("complaints", ref, "events")):
                raise


def _case_of_person(tx: Tx, ref: str, person: str, roles: tuple[str, ...]) -> WholeCase:
    """The complaint with the messages that this person sent or received, and all that was derived from their words.

    Other complaints in it are only counted.
    """
    whole, file = export_case(tx, ref), load_case_file(tx, ref)
    words = load_words_by_event(tx, file)
    proposals = [proposal_record(event, words) for event in events_of(file.events, Verb.PROPOSE)]
    own = {
        "messages": _messages_of_person(tx, ref, person, whole.record["messages"], roles),
        "proposals": [{**row, "similar": len(row.get("similar") or ())} for row in proposals],
        "similar_cases": len(list_all_similar_cases(tx, ref)),
    }
    return replace(whole, record={**whole.record, **own})


def _messages_of_person(
    tx: Tx, ref: str, person: str, records: Sequence[Mapping[str, Any]], roles: tuple[str, ...]
) -> list[Mapping[str, Any]]:
    query = (
        select(CONTACTS.c.person_id)
        .select_from(MESSAGES)
        .outerjoin(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(MESSAGES.c.ref == ref)
        .order_by(MESSAGES.c.id)
    )
    owners = tx.connection.execute(query).scalars().all()
    # A message without a contact point went to the complainant by voice or letter.
    offline = person if "complainant" in roles else None
    return [record for record, owner in zip(records, owners, strict=True) if (owner or offline) == person]


def _incident(tx: Tx, ref: str) -> Incident | None:
    number = tx.connection.execute(
        select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref)
    ).scalar_one()
    return None if number is None else load_incident(tx, number)


def _identifiers(tx: Tx, file: CaseFile) -> Iterator[tuple[str, str]]:
    ref = file.case.ref
    query = select(IDENTIFIERS.c.kind, IDENTIFIERS.c.sealed).where(IDENTIFIERS.c.ref == ref)
    for row in tx.connection.execute(query.order_by(IDENTIFIERS.c.kind)):
        if row.sealed is not None:
            yield row.kind, unseal(file.key(tx), row.sealed, place("identifiers", ref, row.kind))


def _conversations(tx: Tx, person: str) -> Iterator[dict[str, Any]]:
    """Where the dialogue in each chat of the person is now: codes and times."""
    query = select(CONTACTS.c.channel, CONVERSATIONS.c.state, CONVERSATIONS.c.updated_at)
    query = query.join(CONTACTS, CONTACTS.c.id == CONVERSATIONS.c.contact_id)
    for row in tx.connection.execute(query.where(CONTACTS.c.person_id == person)):
        yield {"channel": row.channel, "updated_at": format_time(row.updated_at), "state": row.state}


def _other_messages(tx: Tx, person: str, key: bytes) -> Iterator[dict[str, Any]]:
    """Messages that belong to no complaint, such as greetings and answers to commands."""
    query = (
        select(MESSAGES)
        .join(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(CONTACTS.c.person_id == person, MESSAGES.c.ref.is_(None))
        .order_by(MESSAGES.c.id)
    )
    for row in tx.connection.execute(query):
        yield {
            "direction": row.direction,
            "at": format_time(row.at),
            "text": None if row.sealed is None else unseal(key, row.sealed, message_text_place(row.id)),
            "channel": row.channel,
            "language": row.language,
            "state": row.state,
        }
