"""Fields of the record that stand in single events, in the words of staff, or beside the complaint.

Fields of the record about staff complained about, outside bodies, and complaints that belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from complaints.case import Case, Event
from complaints.timestamps import format_time
from complaints.vocabulary import Flag, Verb
from store.cases.load import CaseFile, load_case_file
from store.database.transaction import Tx
from store.files import files_as_records
from store.people.contacts import CHAT, chat_of
from store.tables import CASE_PEOPLE, CONTACTS, IMPROVEMENTS, LINKS, PEOPLE, READS
from store.texts import all_texts
from store.values import EarlierRead

Words = Mapping[int, Mapping[str, str]]


def said_in_events(file: CaseFile, words: Words, told: Mapping[str, str]) -> dict[str, Any]:
    """What the complainant asked for and what staff gave as reasons; `told` is what was said, by field."""
    events, case = file.events, file.case
    return {
        "summary_confirmed": case.confirmed_at is not None,
        "for_whom": told.get("for_whom"),
        "where_and_when": told.get("where_and_when"),
        "remedy_requested": [
            str(one.facts["remedy_requested"]) for one in events if one.facts.get("remedy_requested")
        ],
        "remedy_requested_text": told.get("remedy_requested"),
        "effect": told.get("effect"),
        "recurrent": _code(events, "recurrent"),
        "anonymity": _code(events, "anonymity") or "named",
        "minor_flag": Flag.MINOR in case.flags,
        "support_needs": told.get("support_needs"),
        "representative": _representative(case, events),
        "data_request_at": None if case.data_request_at is None else format_time(case.data_request_at),
        "kind_reason": _reason(events, words, Verb.RECLASSIFY),
        "escalations": [
            {"at": format_time(one.at), "verb": one.verb.value, "by": one.by, "reason": _all(words, one)}
            for one in events
            if one.verb in (Verb.DISAGREE, Verb.ESCALATE)
        ],
        "reopen_reason": _reason(events, words, Verb.REOPEN),
        "restriction": _reason(events, words, Verb.RESTRICT) if case.restricted else None,
    }


def _reason(events: Sequence[Event], words: Words, verb: Verb) -> str | None:
    """The words of the latest act of this kind."""
    return next((_all(words, one) for one in reversed(events) if one.verb is verb), None)


def _code(events: Sequence[Event], name: str) -> str | None:
    """The code of an answer as it was given last."""
    return next((str(one.facts[name]) for one in reversed(events) if one.facts.get(name)), None)


def _representative(case: Case, events: Sequence[Event]) -> dict[str, Any] | None:
    """Somebody else's complaint: what the one who writes is to them, and whether that was shown."""
    told = _code(events, "for_whom")
    if told is None or told == "for_me":
        return None
    status = "shown" if case.authority_shown else told
    return {"relation": _code(events, "relation"), "authority_status": status}


def _all(words: Words, event: Event) -> str | None:
    return "\n".join(words[event.seq].values()) if event.seq in words else None


def text_read_at(tx: Tx, case: Case) -> str | None:
    """When whoever assessed had last read the complaint before assessing (7.5)."""
    made = case.assessment
    if made is None:
        return None
    query = (
        select(READS.c.at)
        .where(READS.c.ref == case.ref, READS.c.by == made.by, READS.c.at <= made.at)
        .order_by(READS.c.at.desc())
        .limit(1)
    )
    found = tx.connection.execute(query).scalar()
    return None if found is None else format_time(found)


def people(tx: Tx, ref: str) -> list[dict[str, Any]]:
    """The people of the complaint in their roles, each with the contact points that were not erased."""
    of_case = (
        select(CASE_PEOPLE.c.person_id, CASE_PEOPLE.c.role, CASE_PEOPLE.c.relation, CASE_PEOPLE.c.may_receive)
        .join(PEOPLE, PEOPLE.c.id == CASE_PEOPLE.c.person_id)
        .where(CASE_PEOPLE.c.ref == ref)
        .order_by(CASE_PEOPLE.c.role, PEOPLE.c.created_at, PEOPLE.c.id)
    )
    return [
        {
            "id": one.person_id,
            "role": one.role,
            "relation": one.relation,
            "may_receive": one.may_receive,
            "contact_points": contact_points(tx, one.person_id),
        }
        for one in tx.connection.execute(of_case)
    ]


def contact_points(tx: Tx, person: str) -> list[dict[str, Any]]:
    """A person's addresses, opened; `address` is None once erased."""
    query = (
        select(*CHAT, CONTACTS.c.verified, CONTACTS.c.preferred, CONTACTS.c.quiet_hours)
        .join(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .where(CONTACTS.c.person_id == person)
        .order_by(CONTACTS.c.id)
    )
    found = []
    for row in tx.connection.execute(query):
        chat, _ = chat_of(tx, row)
        found.append(
            {
                "channel": row.channel,
                "address": None if chat is None else chat.address,
                "verified": row.verified,
                "preferred": row.preferred,
                "blocked": row.blocked,
                "quiet_hours": row.quiet_hours,
            }
        )
    return found


def fairness_fields(tx: Tx, case: Case) -> dict[str, Any]:
    """What the people complained about were given, with dates, and who is kept from the complaint (C)."""
    fair = case.fairness
    dates = {
        "staff_informed_at": fair.informed_at,
        "staff_heard_at": fair.heard_at,
        "staff_supported_at": fair.supported_at,
        "staff_outcome_at": fair.outcome_at,
    }
    return {
        **{name: None if at is None else format_time(at) for name, at in dates.items()},
        "staff_not_told_because": fair.not_yet,
        "staff_review_by": None if fair.review_by is None else fair.review_by.isoformat(),
        "denied": sorted(case.denied),
        "read_before_denied": [{"by": one.by, "at": format_time(one.at)} for one in read_by_denied(tx, case)],
        "nobody_left": case.nobody_left,
        "about_handling_of": list(case.about),
    }


def read_by_denied(tx: Tx, case: Case) -> list[EarlierRead]:
    """Who had opened it before being kept from it: whoever deals with it must know (C)."""
    query = (
        select(READS.c.by, READS.c.at)
        .where(READS.c.ref == case.ref, READS.c.by.in_(sorted(case.denied)))
        .order_by(READS.c.id)
    )
    first: dict[str, EarlierRead] = {}
    for row in tx.connection.execute(query):
        first.setdefault(row.by, EarlierRead(row.by, row.at))
    return list(first.values())


def outside_decisions(file: CaseFile, words: Words) -> list[dict[str, Any]]:
    """Decisions of outside bodies in the shape of ours."""
    facts = {event.seq: event.facts for event in file.events}
    found: list[dict[str, Any]] = []
    for one in file.case.outside:
        said = words.get(one.seq, {})
        found.append(
            {
                "level": one.level,
                "seq": one.seq,
                "external": True,
                "body": said.get("body"),
                "by": one.by,
                "at": format_time(one.at),
                "overturned": one.overturned,
                "complainant_accepts": False if one.refused else None,
                "comply_by": facts[one.seq].get("comply_by"),
                "findings": [],
                "words": dict(said),
            }
        )
    return found


def capa_ids(tx: Tx, ref: str) -> list[int]:
    """The improvements that this complaint opened, by number."""
    query = select(IMPROVEMENTS.c.id).where(IMPROVEMENTS.c.ref == ref).order_by(IMPROVEMENTS.c.id)
    return list(tx.connection.execute(query).scalars())


def links(tx: Tx, ref: str) -> list[dict[str, Any]]:
    """Other complaints that this one names, and those that name it (`theirs`)."""
    query = select(LINKS.c.other_ref, LINKS.c.relation, LINKS.c.at).where(LINKS.c.ref == ref)
    back = select(LINKS.c.ref.label("other_ref"), LINKS.c.relation, LINKS.c.at).where(
        LINKS.c.other_ref == ref
    )
    rows = [
        *((row, False) for row in tx.connection.execute(query.order_by(LINKS.c.seq))),
        *((row, True) for row in tx.connection.execute(back.order_by(LINKS.c.at, LINKS.c.ref))),
    ]
    return [
        {"other_ref": row.other_ref, "relation": row.relation, "at": format_time(row.at), "theirs": theirs}
        for row, theirs in rows
    ]


def merged(tx: Tx, case: Case) -> list[dict[str, Any]]:
    """Every word and file of the complaints that were merged into this one, under their own references."""
    found = []
    for ref in case.merged:
        file = load_case_file(tx, ref)
        found.append(
            {
                "ref": ref,
                "received_at": format_time(file.case.received_at),
                "channel": file.case.channel,
                "texts": [
                    {"field": one.field, "seq": one.seq, "text": one.text, "at": format_time(one.at)}
                    for one in all_texts(tx, file, staff_too=True)
                ],
                "files": [{**one, "at": format_time(one["at"])} for one in files_as_records(tx, file)],
            }
        )
    return found
