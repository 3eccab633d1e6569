"""Fields of the record that stand in single events, in the words of staff, or beside the complaint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from complaints.record import Case, Event
from complaints.vocabulary import Flag, Verb
from store.casefiles import CaseFile
from store.contacts import CHAT, chat_of
from store.tables import CASE_PEOPLE, CONTACTS, PEOPLE, READS
from store.transactions import Tx

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
        "data_request_at": None if case.data_request_at is None else stamp(case.data_request_at),
        "kind_reason": _reason(events, words, Verb.RECLASSIFY),
        "escalations": [
            {"at": stamp(one.at), "verb": one.verb.value, "by": one.by, "reason": _all(words, one)}
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
    return None if found is None else stamp(found)


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
