"""The whole record of one complaint as JSON values, in the names of iso10002.md section 2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from complaints.explaining import target_record
from complaints.particulars import Decision, RemedyOwed
from complaints.priorities import priority_of
from complaints.record import Case, Event
from complaints.targets import next_due
from complaints.vocabulary import CLAUSES, Flag, Verb
from store.canonical import sha256
from store.casefiles import CaseFile, load
from store.deliveries import deliveries
from store.fairness_fields import capa_ids, fairness_fields, links, merged, outside_decisions
from store.fates import Delivery
from store.files import files_as_records
from store.reading import first_like, messages, name_of, proposal
from store.record_fields import people, said_in_events, text_read_at
from store.tables import COMPLAINTS, EVENTS, READS
from store.told import all_texts, newest_texts, words_by_event
from store.transactions import Tx

Words = Mapping[int, Mapping[str, str]]


def record(tx: Tx, ref: str) -> dict[str, Any]:
    """`amends case show REF --json`: every field, exact words in and out, who read what."""
    file = load(tx, ref)
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
                "at": stamp(one.at),
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
        "files": [{**one, "at": stamp(one["at"])} for one in files_as_records(tx, file)],
        "messages": messages(tx, file),
        "deliveries": [_delivery(one) for one in deliveries(tx, ref)],
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
        "at": stamp(one.at),
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
        "received_at": stamp(case.received_at),
        "logged_at": stamp(case.logged_at),
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
        "next_due": {"target": due.target.value, "at": stamp(due.internal_due)} if due else None,
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
        "acknowledgements": {str(level): stamp(at) for level, at in sorted(case.acks.items())},
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
            {"at": stamp(one.at), **one.facts, **words.get(one.seq, {})}
            for one in file.events
            if one.verb in (Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL)
        ],
        "close_code": _code(case.close_code),
        "closed_at": _at(case.closed_at),
        "closed_by": closing.by if closing and case.closed_at else None,
        "reopen_count": case.reopened,
        "survey": [
            {"at": stamp(one.at), **one.facts, **words.get(one.seq, {})}
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
        "at": stamp(one.at),
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
        "due": stamp(one.due),
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
        "at": stamp(one.at),
        "verb": one.verb.value,
        "by": one.by,
        "role": one.role.value,
        "clause": CLAUSES[one.verb],
        "facts": dict(one.facts),
        "hash": hash_,
    }


def _reads(tx: Tx, ref: str) -> list[dict[str, Any]]:
    query = select(READS.c.by, READS.c.role, READS.c.at, READS.c.what).where(READS.c.ref == ref)
    rows = tx.connection.execute(query.order_by(READS.c.id))
    return [{"by": row.by, "role": row.role, "at": stamp(row.at), "what": row.what} for row in rows]


def _last(file: CaseFile, words: Words, field: str) -> str | None:
    """The words of this field as they were said last."""
    return next((words[seq][field] for seq in sorted(words, reverse=True) if field in words[seq]), None)


def _at(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _code(code: object | None) -> str | None:
    return None if code is None else str(code)
