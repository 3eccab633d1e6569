"""Fields of the record that stand in single events, in the words of staff, or beside the complaint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from complaints.record import Case, Event
from complaints.vocabulary import Verb
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
    of_case = select(
        CASE_PEOPLE.c.person_id, CASE_PEOPLE.c.role, CASE_PEOPLE.c.relation, CASE_PEOPLE.c.may_receive
    )
    return [
        {
            "id": one.person_id,
            "role": one.role,
            "relation": one.relation,
            "may_receive": one.may_receive,
            "contact_points": _contact_points(tx, one.person_id),
        }
        for one in tx.connection.execute(of_case.where(CASE_PEOPLE.c.ref == ref).order_by(CASE_PEOPLE.c.role))
    ]


def _contact_points(tx: Tx, person: str) -> list[dict[str, Any]]:
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
