"""Fields of the exported record that come from single events or from other tables than `complaints`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event, last_of
from complaints.times import format_time, json_fields
from complaints.vocabulary import Flag, Verb
from store.cases.conflicts import REPRESENTATIVE
from store.database.transaction import Tx
from store.files import files_as_records
from store.people.contacts import CHAT, chat_of, find_person_name
from store.people.identification import list_complainant_names
from store.record.load import CaseFile, load_all_texts, load_many
from store.registers import list_entries
from store.tables import CASE_PEOPLE, CONTACTS, LINKS, PEOPLE, READS
from store.values import EarlierRead

Words = Mapping[int, Mapping[str, str]]


def request_fields(file: CaseFile, words: Words, texts: Mapping[str, str]) -> dict[str, Any]:
    """What the complainant asked for, and the reasons that staff gave; `texts` are the newest, by field."""
    events, case = file.events, file.case
    return {
        "summary_confirmed": case.confirmed_at is not None,
        "for_whom": texts.get("for_whom"),
        "where_and_when": texts.get("where_and_when"),
        "remedy_requested": [
            str(code)
            for event in events
            for code in event.facts.get("remedies_requested") or [event.facts.get("remedy_requested")]
            if code
        ],
        "remedy_requested_text": texts.get("remedy_requested"),
        "effect": texts.get("effect"),
        "recurrent": _code(events, "recurrent"),
        "anonymity": _code(events, "anonymity") or "named",
        "minor_flag": Flag.MINOR in case.flags,
        "support_needs": texts.get("support_needs"),
        "representative": _representative(case, events),
        **json_fields(case, "data_request_at"),
        "kind_reason": _reason(events, words, Verb.RECLASSIFY),
        "escalations": [
            {**json_fields(event, "at verb by"), "reason": _text(words, event)}
            for event in events
            if ACTIONS[event.verb].raises_level
        ],
        "reopen_reason": _reason(events, words, Verb.REOPEN),
        "restriction": _reason(events, words, Verb.RESTRICT) if case.restricted else None,
    }


def fairness_fields(tx: Tx, case: Case) -> dict[str, Any]:
    """When staff complained about were informed, interviewed and supported, and who has no access (C)."""
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
        "read_before_denied": [json_fields(read, "by at") for read in read_by_denied(tx, case)],
        "nobody_left": case.no_reviewer_left,
        "about_handling_of": list(case.about),
    }


def people(tx: Tx, case: Case) -> list[dict[str, Any]]:
    """The people of the complaint with their roles and contact points."""
    representative = _find_representative(tx, case)
    of_case = (
        select(CASE_PEOPLE.c.person_id, CASE_PEOPLE.c.role, CASE_PEOPLE.c.relation, CASE_PEOPLE.c.may_receive)
        .join(PEOPLE, PEOPLE.c.id == CASE_PEOPLE.c.person_id)
        .where(CASE_PEOPLE.c.ref == case.ref)
        .order_by(CASE_PEOPLE.c.role, PEOPLE.c.created_at, PEOPLE.c.id)
    )
    return [
        {
            "id": row.person_id,
            "role": row.role,
            "relation": row.relation,
            "may_receive": row.may_receive,
            "contact_points": contact_points(tx, row.person_id),
        }
        | ({"name": find_person_name(tx, row.person_id)} if row.person_id == representative else {})
        for row in tx.connection.execute(of_case)
    ]


def recipient(tx: Tx, case: Case) -> str | None:
    """Who gets the letters of a complaint without a chat, with the address for the way that was chosen.

    None where neither a name nor an address is on file.
    """
    if case.answer_to is not None:
        return find_person_name(tx, _find_representative(tx, case))
    how = case.answer_by or case.channel
    names = [] if Flag.ANONYMOUS in case.flags else list_complainant_names(tx, case.ref)[:1]
    addresses = [
        point["address"] for point in contact_points(tx, case.complainant) if point["channel"] == how
    ]
    return "\n".join(part for part in (*names, *addresses) if part) or None


def _find_representative(tx: Tx, case: Case) -> str:
    """The person who acts for a complainant without a chat, otherwise empty."""
    of_case = (CASE_PEOPLE.c.ref == case.ref) & (CASE_PEOPLE.c.role == REPRESENTATIVE)
    query = select(CASE_PEOPLE.c.person_id).where(of_case, CASE_PEOPLE.c.person_id != case.complainant)
    return tx.connection.execute(query).scalar() or ""


def contact_points(tx: Tx, person: str) -> list[dict[str, Any]]:
    """A person's contact points, unsealed; `address` is None once erased."""
    query = (
        select(*CHAT, CONTACTS.c.verified, CONTACTS.c.preferred, CONTACTS.c.quiet_hours)
        .join(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .where(CONTACTS.c.person_id == person)
        .order_by(CONTACTS.c.id)
    )
    points = []
    for row in tx.connection.execute(query):
        chat, _ = chat_of(tx, row)
        points.append(
            {
                "channel": row.channel,
                "address": None if chat is None else chat.address,
                "verified": row.verified,
                "preferred": row.preferred,
                "blocked": row.blocked,
                "quiet_hours": row.quiet_hours,
            }
        )
    return points


def text_read_at(tx: Tx, case: Case) -> str | None:
    """When the assessor last read the complaint before assessing it (7.5)."""
    assessment = case.assessment
    if assessment is None:
        return None
    query = (
        select(READS.c.at)
        .where(READS.c.ref == case.ref, READS.c.by == assessment.by, READS.c.at <= assessment.at)
        .order_by(READS.c.at.desc())
        .limit(1)
    )
    read_at = tx.connection.execute(query).scalar()
    return None if read_at is None else format_time(read_at)


def read_by_denied(tx: Tx, case: Case) -> list[EarlierRead]:
    """Members of staff who read the complaint before they lost access to it: its handler must know (C)."""
    if not case.denied:
        return []
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
    """Decisions of outside bodies, in the same form as the organisation's decisions."""
    facts = {event.seq: event.facts for event in file.events}
    records: list[dict[str, Any]] = []
    for decision in file.case.outside:
        texts = words.get(decision.seq, {})
        records.append(
            {
                **json_fields(decision, "level seq"),
                "external": True,
                "body": texts.get("body"),
                **json_fields(decision, "by at overturned"),
                "complainant_accepts": False if decision.refused else None,
                "comply_by": facts[decision.seq].get("comply_by"),
                "findings": [],
                "words": dict(texts),
            }
        )
    return records


def capa_ids(tx: Tx, case: Case) -> list[int]:
    """Numbers of the entries of the improvement register that this complaint opened."""
    if not case.improvements:
        return []
    return [
        entry.number
        for entry in reversed(list_entries(tx, "improvement"))
        if entry.acts[0].facts.get("source") == "overturned" and case.ref in entry.acts[0].facts["refs"]
    ]


def links(tx: Tx, ref: str) -> list[dict[str, Any]]:
    """Other complaints that this one links to, and those that link to it (`theirs`)."""
    query = select(LINKS.c.other_ref, LINKS.c.relation, LINKS.c.at).where(LINKS.c.ref == ref)
    back = select(LINKS.c.ref.label("other_ref"), LINKS.c.relation, LINKS.c.at).where(
        LINKS.c.other_ref == ref
    )
    rows = [
        *((row, False) for row in tx.connection.execute(query.order_by(LINKS.c.seq))),
        *((row, True) for row in tx.connection.execute(back.order_by(LINKS.c.at, LINKS.c.ref))),
    ]
    return [{**json_fields(row, "other_ref relation at"), "theirs": is_incoming} for row, is_incoming in rows]


def merged(tx: Tx, case: Case) -> list[dict[str, Any]]:
    """Texts and files of the complaints that were merged into this one, under their own references."""
    return [
        {
            **json_fields(file.case, "ref received_at channel"),
            "texts": [
                json_fields(text, "field seq text translates at")
                for text in load_all_texts(tx, file, staff_too=True)
            ],
            "files": files_as_records(tx, file),
        }
        for file in load_many(tx, case.merged)
    ]


def _reason(events: Sequence[Event], words: Words, verb: Verb) -> str | None:
    last = last_of(events, verb)
    return None if last is None else _text(words, last)


def _code(events: Sequence[Event], name: str) -> str | None:
    return next((str(event.facts[name]) for event in reversed(events) if event.facts.get(name)), None)


def _representative(case: Case, events: Sequence[Event]) -> dict[str, Any] | None:
    """The relation of a representative to the affected person, and whether their authority was shown (4.7)."""
    for_whom = _code(events, "for_whom")
    if for_whom is None or for_whom == "for_me":
        return None
    status = "shown" if case.authority_shown else for_whom
    return {"relation": _code(events, "relation"), "authority_status": status}


def _text(words: Words, event: Event) -> str | None:
    return "\n".join(words[event.seq].values()) if event.seq in words else None
