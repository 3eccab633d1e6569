"""Complaints as they are read: one opened by a person, lists, and the whole record for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import and_, or_, select

from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import NotAllowed
from complaints.timestamps import format_time
from complaints.vocabulary import Flag, Verb
from store.cases.conflicts import needs_of
from store.cases.load import CaseFile, events_of, load_case_file, may_open
from store.cases.projections import NEVER
from store.cases.read_log import write_read
from store.cases.record_fields import read_by_denied
from store.cases.refused_attempts import remember
from store.cases.worklists import known_cases
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.files import seen
from store.outbox.deliveries import list_deliveries
from store.outbox.messages import message_place
from store.people.contacts import person_key
from store.people.identity import names_of
from store.proof.seal import place, unseal
from store.similarity.similar import list_similar_cases
from store.tables import COMPLAINTS, MESSAGES, PEOPLE
from store.texts import all_texts, words_by_event
from store.values import MergedCase, OpenedCase

#: Like cases that a person sees beside a proposal.
SHOWN = 3


def load_case(tx: Tx, ref: str) -> Case:
    """One complaint as its events add up; UnknownReference where there is none."""
    return load_case_file(tx, ref).case


def load_history(tx: Tx, ref: str) -> list[Event]:
    """What happened, in order, without words."""
    load_case_file(tx, ref)
    return list(events_of(tx, ref))


def read_dates(tx: Tx, ref: str, by: Actor) -> tuple[Case, tuple[Event, ...]]:
    """The complaint and its events without words, from which its dates explain themselves.

    For whoever may open it; no read is recorded, for nothing personal is shown. NotAllowed is recorded.
    """
    return _let_in(tx, ref, by).case, events_of(tx, ref)


def open_case(tx: Tx, ref: str, by: Actor, what: str) -> OpenedCase:
    """Everything that this person may see; it leaves a row in `reads` (4.7). NotAllowed is recorded too."""
    file = _let_in(tx, ref, by)
    found = file.case
    write_read(tx, found, by, what)
    words = words_by_event(tx, file)
    drafted = {} if found.drafted is None else words.get(found.drafted.seq, {})
    return OpenedCase(
        case=found,
        texts=tuple(all_texts(tx, file)),
        files=seen(tx, file),
        events=tuple(replace(event, words=words.get(event.seq, {})) for event in file.events),
        messages=tuple(messages(tx, file)),
        proposal=_known_to(tx, proposal(file, words), by),
        draft_words=drafted,
        # Who wants the name kept back is nameless to everybody here.
        complainant_name=None if Flag.ANONYMOUS in found.flags else " / ".join(names_of(tx, ref)) or None,
        support_needs=needs_of(tx, found.complainant),
        merged=tuple(_merged(tx, one) for one in found.merged),
        read_before=tuple(read_by_denied(tx, found)),
        likes=list_similar_cases(tx, ref, by),
        deliveries=list_deliveries(tx, ref),
    )


def _let_in(tx: Tx, ref: str, by: Actor) -> CaseFile:
    """The file, for whoever may open it; any other attempt is recorded."""
    file = load_case_file(tx, ref)
    if not may_open(tx, file.case, by):
        refused = NotAllowed(f"{ref} is not open to you.", code="not_allowed.read")
        remember(tx, ref, "open", by, refused)
        raise refused
    return file


def _merged(tx: Tx, ref: str) -> MergedCase:
    file = load_case_file(tx, ref)
    return MergedCase(ref, tuple(all_texts(tx, file)), seen(tx, file))


def proposal(file: CaseFile, words: Mapping[int, Mapping[str, str]]) -> dict[str, Any] | None:
    """What the model proposed last, with the words behind it."""
    last = next((event for event in reversed(file.events) if event.verb is Verb.PROPOSE), None)
    if last is None:
        return None
    told = {field: json.loads(text) for field, text in words.get(last.seq, {}).items()}
    matters = zip_longest(last.facts.get("issues", ()), told.pop("matters", ()))
    return {
        **last.facts,
        "at": format_time(last.at),
        "because": None,
        **told,
        "issues": [{**one, "text": text} for one, text in matters if one is not None],
    }


def _known_to(tx: Tx, proposed: dict[str, Any] | None, by: Actor) -> dict[str, Any] | None:
    """The proposal with the first like cases that this reader may know of and whose words are not gone."""
    if proposed is None or not proposed.get("similar"):
        return proposed
    refs = [str(one["ref"]) for one in proposed["similar"]]
    known = {case.ref for case in known_cases(tx, refs, by) if case.erased_at is None}
    return first_like({**proposed, "similar": [one for one in proposed["similar"] if one["ref"] in known]})


def first_like(proposed: dict[str, Any] | None) -> dict[str, Any] | None:
    """The proposal with as many like cases as are shown: the words behind it hold more, for not everybody may
    know of every one.
    """
    if proposed is None or not proposed.get("similar"):
        return proposed
    return {**proposed, "similar": proposed["similar"][:SHOWN]}


def name_of(tx: Tx, person: str) -> str | None:
    """A person's name, where one was given and not erased."""
    row = tx.connection.execute(
        select(PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed).where(PEOPLE.c.id == person)
    ).first()
    if row is None or row.key_wrapped is None or row.name_sealed is None:
        return None
    return unseal(person_key(tx, person, row.key_wrapped), row.name_sealed, place("people", person, "name"))


def messages(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    """Every message in and out in order, exact; `text` is None once erased."""
    words = words_by_event(tx, file)
    query = select(MESSAGES).where(MESSAGES.c.ref == file.case.ref).order_by(MESSAGES.c.id)
    told = []
    for row in tx.connection.execute(query):
        if row.sealed is not None and file.key_wrapped is not None:
            text: str | None = unseal(file.key(tx), row.sealed, message_place(row.id))
        else:
            text = "\n".join(words[row.seq].values()) if row.seq in words else None
        told.append(
            {
                "direction": row.direction,
                "at": format_time(row.at),
                "text": text,
                "template": row.template,
                "language": row.language,
                "state": row.state,
                "reason": row.reason,
                "channel": row.channel,
                "platform_id": row.platform_id,
            }
        )
    return told


def list_cases(
    tx: Tx,
    state: str | None = None,
    owner: str | None = None,
    priority: str | None = None,
    overdue: bool = False,
    after: str | None = None,
    limit: int = 50,
    category: str | None = None,
    incident: int | None = None,
    jurisdiction: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Complaints, the next due first; the second value is the cursor of the next page, None at the end."""
    one = COMPLAINTS.c
    query = select(
        one.ref,
        one.jurisdiction,
        one.state,
        one.priority,
        one.category,
        one.owner,
        one.received_at,
        one.next_target,
        one.next_due_at,
    )
    filters = (
        (one.state, state),
        (one.owner, owner),
        (one.priority, priority),
        (one.category, category),
        (one.incident_id, incident),
        (one.jurisdiction, jurisdiction),
    )
    for column, wanted in filters:
        if wanted is not None:
            query = query.where(column == wanted)
    if overdue:
        query = query.where(one.next_due_at < tx.now)
    if after is not None:
        due, ref = _cursor(after)
        query = query.where(or_(one.next_due_at > due, and_(one.next_due_at == due, one.ref > ref)))
    rows = tx.connection.execute(query.order_by(one.next_due_at, one.ref).limit(limit + 1)).all()
    listed = [
        {
            "ref": row.ref,
            "jurisdiction": row.jurisdiction,
            "state": row.state,
            "priority": row.priority,
            "category": row.category,
            "owner": row.owner,
            "received_at": format_time(row.received_at),
            "next_due": _next(row.next_target, row.next_due_at),
        }
        for row in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return listed, None if last is None else f"{format_time(last.next_due_at)}_{last.ref}"


def _next(target: str | None, due: datetime) -> dict[str, str] | None:
    return None if target is None or due == NEVER else {"target": target, "at": format_time(due)}


def _cursor(after: str) -> tuple[datetime, str]:
    due, _, ref = after.partition("_")
    try:
        return datetime.fromisoformat(due), ref
    except ValueError:
        raise UnknownRow(f"{after!r} is the end of no page: give `next` of the page before") from None
