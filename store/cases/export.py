"""The whole record of one complaint as JSON values, in the names of docs/domain.md, section 2.

What leaves the store as a whole: one complaint for its file, and everything about one person (8.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.case_values import Decision, RemedyOwed
from complaints.deadlines.explanation import target_record
from complaints.deadlines.targets import next_due
from complaints.incidents import Incident
from complaints.priorities import priority_of
from complaints.rulebook import Rulebook
from complaints.timestamps import format_time
from complaints.vocabulary import Flag, Verb
from store.cases.conflicts import needs_of
from store.cases.load import CaseFile, load_case_file
from store.cases.read import first_like, messages, name_of, proposal
from store.cases.record_fields import (
    capa_ids,
    contact_points,
    fairness_fields,
    links,
    merged,
    outside_decisions,
    people,
    said_in_events,
    text_read_at,
)
from store.database.errors import Erased, UnknownRow
from store.database.transaction import Tx
from store.files import files_as_records, stored_bytes
from store.incidents.incidents import load_incident
from store.outbox.deliveries import list_deliveries
from store.outbox.messages import message_place
from store.people.contacts import person_key
from store.people.identity import names_of
from store.people.staff import names
from store.proof.seal import place, sha256, unseal
from store.rulebooks import load_current_rulebook
from store.tables import CASE_PEOPLE, COMPLAINTS, CONTACTS, EVENTS, IDENTIFIERS, MESSAGES, PEOPLE, READS
from store.texts import all_texts, newest_texts, words_by_event
from store.values import Delivery

Words = Mapping[int, Mapping[str, str]]


def export_record(tx: Tx, ref: str) -> dict[str, Any]:
    """`amends case show REF --json`: every field, exact words in and out, who read what."""
    file = load_case_file(tx, ref)
    case, words = file.case, words_by_event(tx, file)
    return {
        **_header(tx, file),
        **said_in_events(file, words, newest_texts(tx, file)),
        "people": people(tx, ref),
        **_assessed(case, file, words),
        "text_read_at": text_read_at(tx, case),
        **_handled(case, file, words),
        **_ended(case, file, words),
        "texts": [
            {
                "field": one.field,
                "seq": one.seq,
                "text": one.text,
                "at": format_time(one.at),
                "source": one.source,
                "replaces": one.replaces,
            }
            for one in all_texts(tx, file, staff_too=True)
        ],
        "issues": [
            {
                "n": one.n,
                "text": _last(file, words, f"issues.{one.n}.text"),
                "category": one.category,
                "finding": _code(one.finding),
                "reasons": _last(file, words, f"issues.{one.n}.reasons"),
            }
            for one in case.issues
        ],
        "targets": [target_record(one) for one in case.targets],
        "decisions": sorted(
            [*(_decision(case, one, words) for one in case.decisions), *outside_decisions(file, words)],
            key=lambda made: made["seq"],
        ),
        "remedies": [_remedy(case, one, words) for one in case.remedies],
        "files": [{**one, "at": format_time(one["at"])} for one in files_as_records(tx, file)],
        "messages": messages(tx, file),
        "deliveries": [_delivery(one) for one in list_deliveries(tx, ref)],
        "events": _events(tx, file),
        "reads": _reads(tx, ref),
        "links": links(tx, ref),
        "merged": merged(tx, case),
        "merged_into": case.merged_into,
        "capa_ids": capa_ids(tx, ref),
        **fairness_fields(tx, case),
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    return {
        "obligation": one.number,
        "kind": one.kind,
        "state": one.fate.value,
        "at": format_time(one.at),
        "reason": one.why,
        "uncertain_at": _at(one.first),
    }


def _header(tx: Tx, file: CaseFile) -> dict[str, Any]:
    case = file.case
    row = tx.connection.execute(
        select(COMPLAINTS.c.jurisdiction, COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == case.ref)
    ).one()
    due = next_due(case) if case.is_open else None
    told = newest_texts(tx, file)
    return {
        "ref": case.ref,
        "state": case.state.value,
        "version": case.version,
        "work_version": case.work_version,
        "kind": case.kind.value,
        "is_simulation": case.is_simulation,
        "imported": case.imported,
        "jurisdiction": row.jurisdiction,
        "incident_id": row.incident_id,
        "rulebook": case.rules.id,
        "received_at": format_time(case.received_at),
        "logged_at": format_time(case.logged_at),
        "channel": case.channel,
        "recipient_staff": file.events[0].facts.get("recipient_staff"),
        # Which words of the notice were in force: the complaint is frozen to its rules.
        "privacy_notice_version": sha256(case.rules.notice)[:12] if case.rules.notice else None,
        "answer_by": case.answer_by,
        "consent_to_contact": file.events[0].facts.get("consent_to_contact"),
        "raised_late": case.raised_late,
        "language": case.language,
        "complainant": case.complainant,
        "name": None if Flag.ANONYMOUS in case.flags else name_of(tx, case.complainant),
        "description": told.get("description"),
        "confirmed_at": _at(case.confirmed_at),
        "form_ended_at": _at(case.form_ended_at),
        "priority": priority_of(case).value,
        "category": case.category,
        "severity": case.severity,
        "safety": case.safety,
        "owner": case.owner,
        "level": case.level,
        "next_due": {"target": due.target.value, "at": format_time(due.internal_due)} if due else None,
        "flags": sorted(flag.value for flag in case.flags),
        "restricted": case.restricted,
        "significant": Flag.SIGNIFICANT in case.flags,
        "legal_hold": Flag.LEGAL_HOLD in case.flags,
        "erased_at": _at(case.erased_at),
    }


def _assessed(case: Case, file: CaseFile, words: Words) -> dict[str, Any]:
    made = case.assessment
    return {
        "assessed_at": _at(made.at) if made else None,
        "assessed_by": made.by if made else None,
        "complexity": made.complexity if made else None,
        "reach": made.reach if made else None,
        "recurrence": made.recurrence if made else None,
        "immediate_needed": made.immediate_needed if made else None,
        "immediate_possible": made.immediate_possible if made else None,
        "immediate_action": _last(file, words, "immediate_action"),
        "compensation_likely": made.compensation_likely if made else None,
        "media_heard": case.media_heard,
        "override_reason": _last(file, words, "override_reason"),
        "proposal": first_like(proposal(file, words)),
        "signs": [
            {"rule": one.rule, "severity": one.severity, "safety": one.safety, "danger": one.danger}
            for one in case.signs
        ],
    }


def _handled(case: Case, file: CaseFile, words: Words) -> dict[str, Any]:
    last = case.decisions[-1] if case.decisions else None
    return {
        "subject_staff": sorted(case.subjects),
        "conflicted": sorted(case.conflicted),
        "evidence": sorted(case.evidence),
        "acknowledged_at": _at(case.acks.get(1)),
        "acknowledgements": {str(level): format_time(at) for level, at in sorted(case.acks.items())},
        "last_contact_at": _at(case.last_contact_at),
        "executive_receipt_at": _at(case.executive_receipt_at),
        "others_affected": last.others_affected if last else None,
        "others_action": _last(file, words, "others_action"),
        "cause_class": last.cause_class if last else None,
        "root_cause": _last(file, words, "root_cause") or _last(file, words, "cause"),
    }


def _ended(case: Case, file: CaseFile, words: Words) -> dict[str, Any]:
    closing = next((one for one in reversed(file.events) if one.facts.get("close_code")), None)
    reply = next((one for one in reversed(file.events) if one.verb in (Verb.ACCEPT, Verb.DISAGREE)), None)
    return {
        "reply": case.reply,
        "reply_at": _at(case.reply_at),
        "reply_reason": "\n".join(words[reply.seq].values()) if reply and reply.seq in words else None,
        "recourse_notice_at": _at(case.recourse_at),
        "external": [
            {"at": format_time(one.at), **one.facts, **words.get(one.seq, {})}
            for one in file.events
            if one.verb in (Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL)
        ],
        "close_code": _code(case.close_code),
        "closed_at": _at(case.closed_at),
        "closed_by": closing.by if closing and case.closed_at else None,
        "reopen_count": case.reopened,
        "survey": [
            {"at": format_time(one.at), **one.facts, **words.get(one.seq, {})}
            for one in file.events
            if one.verb is Verb.SURVEY
        ],
    }


def _decision(case: Case, one: Decision, words: Words) -> dict[str, Any]:
    said = words.get(one.seq, {})
    reasons = [said.get(f"issues.{n}.reasons") for n, _ in enumerate(one.findings)]
    return {
        "level": one.level,
        "seq": one.seq,
        "external": False,
        "by": one.by,
        "at": format_time(one.at),
        "short": one.short,
        "findings": [
            {"finding": found.value, "reasons": why} for found, why in zip(one.findings, reasons, strict=True)
        ],
        "cause_class": one.cause_class,
        "others_affected": one.others_affected,
        "needs_approval": one.needs_approval,
        "approved_by": one.approved_by,
        "communicated_at": _at(one.communicated_at),
        "words": dict(said),
    }


def _remedy(case: Case, one: RemedyOwed, words: Words) -> dict[str, Any]:
    return {
        "n": one.n,
        "type": one.type,
        "text": _promise(case, one, words),
        "level": one.level,
        "amount": one.amount,
        "currency": one.currency,
        "due": format_time(one.due),
        "promised_by_date": one.promised_by.isoformat() if one.promised_by else None,
        "needs_acceptance": one.needs_acceptance,
        "external": one.external,
        "done_at": _at(one.done_at),
        "done_by": one.done_by,
        "verified_at": _at(one.verified_at),
        "verified_by": one.verified_by,
    }


def _promise(case: Case, one: RemedyOwed, words: Words) -> str | None:
    """The words of a promise stand with its decision, numbered from that decision's first promise."""
    together = [other.n for other in case.remedies if other.promised_at == one.promised_at]
    decision = next((made for made in case.decisions if made.at == one.promised_at), None)
    if decision is None or one.external:
        return None
    said = words.get(decision.seq, {})
    return said.get("done") if decision.short else said.get(f"remedies.{one.n - min(together)}.text")


def _events(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    query = select(EVENTS.c.seq, EVENTS.c.hash).where(EVENTS.c.ref == file.case.ref)
    hashes = {row.seq: row.hash for row in tx.connection.execute(query)}
    return [_event(one, hashes[one.seq]) for one in file.events]


def _event(one: Event, hash_: str) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "at": format_time(one.at),
        "verb": one.verb.value,
        "by": one.by,
        "role": one.role.value,
        "clause": ACTIONS[one.verb].clause,
        "facts": dict(one.facts),
        "hash": hash_,
    }


def _reads(tx: Tx, ref: str) -> list[dict[str, Any]]:
    query = select(READS.c.by, READS.c.role, READS.c.at, READS.c.what).where(READS.c.ref == ref)
    rows = tx.connection.execute(query.order_by(READS.c.id))
    return [{"by": row.by, "role": row.role, "at": format_time(row.at), "what": row.what} for row in rows]


def _last(file: CaseFile, words: Words, field: str) -> str | None:
    """The words of this field as they were said last."""
    return next((words[seq][field] for seq in sorted(words, reverse=True) if field in words[seq]), None)


def _at(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)


def _code(code: object | None) -> str | None:
    return None if code is None else str(code)


#: Who opens things at the command line: no member of staff signs in there (4.7: it is on the record).
OPERATOR = "operator"


@dataclass(frozen=True)
class WholeCase:
    """One complaint for its file: the record, and what stands beside it. `head` is the chain's newest hash,
    `names` all by which the complainant is known.
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
    """Everything about one person. `cases` gives each complaint with the parts that the person has in it.

    `rules` are those of the newest complaint, else the organisation's in force; `staff` the names and aliases of
    staff, longest first, which are no data of this person.
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
    staff: tuple[str, ...]


def export_case(tx: Tx, ref: str) -> WholeCase:
    """One complaint with all that its file shows; UnknownReference where there is none."""
    file = load_case_file(tx, ref)
    return WholeCase(
        export_record(tx, ref),
        file.head,
        tuple(names_of(tx, ref)),
        tuple(_identifiers(tx, file)),
        needs_of(tx, file.case.complainant),
        file.case.rules,
        _incident(tx, ref),
    )


def export_person(tx: Tx, person: str) -> WholePerson:
    """Everything about one person (people.id), unsealed. Raises UnknownRow, or Erased where it is gone."""
    row = tx.connection.execute(select(PEOPLE).where(PEOPLE.c.id == person)).first()
    if row is None:
        raise UnknownRow(f"no person has the id {person}: give the reference of one of their complaints")
    if row.key_wrapped is None:
        raise Erased(f"The data of {person} were erased on {format_time(row.erased_at)}.")
    cases = tuple(
        (_theirs(tx, ref, person, parts), parts) for ref, parts in list_person_roles(tx, person).items()
    )
    return WholePerson(
        id=person,
        name=name_of(tx, person),
        needs=needs_of(tx, person),
        language=row.language,
        created_at=format_time(row.created_at),
        contact_points=tuple(contact_points(tx, person)),
        cases=cases,
        rules=cases[-1][0].rules if cases else load_current_rulebook(tx),
        messages=tuple(_loose_messages(tx, person, person_key(tx, person, row.key_wrapped))),
        staff=tuple(sorted({one for said in names(tx).values() for one in said if one}, key=len)[::-1]),
    )


def list_person_roles(tx: Tx, person: str) -> dict[str, tuple[str, ...]]:
    """The person's complaints, the earliest first, with the parts that they have in each."""
    of_person = (
        select(COMPLAINTS.c.ref, COMPLAINTS.c.complainant_id, CASE_PEOPLE.c.role)
        .outerjoin(CASE_PEOPLE, (CASE_PEOPLE.c.ref == COMPLAINTS.c.ref) & (CASE_PEOPLE.c.person_id == person))
        .where(or_(COMPLAINTS.c.complainant_id == person, CASE_PEOPLE.c.person_id == person))
        .order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref, CASE_PEOPLE.c.role)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.connection.execute(of_person):
        parts = (*found.get(row.ref, ()), row.role or "complainant")
        if row.complainant_id == person and "complainant" not in parts:
            parts = ("complainant", *parts)
        found[row.ref] = tuple(dict.fromkeys(parts))
    return found


def record_read(tx: Tx, refs: Sequence[str], by: str, what: str) -> None:
    """Somebody without a role in the case (the operator, the person concerned) was given it: on the record.

    `by` and the role are the same word: `operator` or `complainant`.
    """
    for ref in refs:
        version = load_case_file(tx, ref).case.version
        tx.add(READS, ref=ref, by=by, role=by, at=tx.now, what=what, version=version)


def read_stored_file(tx: Tx, ref: str, n: int) -> bytes:
    """The bytes of a file, for whoever writes down by `note_read` that it was given out."""
    return stored_bytes(tx, load_case_file(tx, ref), n)


def _theirs(tx: Tx, ref: str, person: str, parts: tuple[str, ...]) -> WholeCase:
    """The complaint with only those messages that this person sent or was sent."""
    whole = export_case(tx, ref)
    kept = {**whole.record, "messages": _with_person(tx, ref, person, whole.record["messages"], parts)}
    return replace(whole, record=kept)


def _with_person(
    tx: Tx, ref: str, person: str, told: Sequence[Mapping[str, Any]], parts: tuple[str, ...]
) -> list[Mapping[str, Any]]:
    query = (
        select(CONTACTS.c.person_id)
        .select_from(MESSAGES)
        .outerjoin(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(MESSAGES.c.ref == ref)
        .order_by(MESSAGES.c.id)
    )
    owners = tx.connection.execute(query).scalars().all()
    # Without a contact point it was said by voice or letter to whoever complained.
    by_voice = person if "complainant" in parts else None
    return [one for one, owner in zip(told, owners, strict=True) if (owner or by_voice) == person]


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


def _loose_messages(tx: Tx, person: str, key: bytes) -> Iterator[dict[str, Any]]:
    """Messages that belong to no complaint: greetings, commands answered, surveys of nothing."""
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
            "text": None if row.sealed is None else unseal(key, row.sealed, message_place(row.id)),
            "channel": row.channel,
            "language": row.language,
            "state": row.state,
        }
