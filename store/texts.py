"""The words of a complaint, unsealed for whom they are meant."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from complaints.case import Case
from complaints.vocabulary import Role, Verb
from store.cases.load import CaseFile, case_key, load_case_file
from store.database.transaction import Tx
from store.proof.seal import place, unseal
from store.tables import COMPLAINTS, MESSAGES, TEXTS
from store.values import Text


def load_event_words(tx: Tx, ref: str, seq: int) -> Mapping[str, str]:
    """The words of one event, by field; empty once erased."""
    key = _key(tx, ref)
    if key is None:
        return {}
    query = select(TEXTS.c.field, TEXTS.c.sealed).where(TEXTS.c.ref == ref, TEXTS.c.seq == seq)
    return {
        row.field: unseal(key, row.sealed, text_place(ref, seq, row.field))
        for row in tx.connection.execute(query)
        if row.sealed is not None
    }


def words_by_event(tx: Tx, file: CaseFile) -> dict[int, dict[str, str]]:
    """All words of a complaint, by seq and field."""
    ref = file.case.ref
    said: dict[int, dict[str, str]] = {}
    if file.key_wrapped is None:
        return said
    key = file.key(tx)
    query = select(TEXTS.c.seq, TEXTS.c.field, TEXTS.c.sealed).where(TEXTS.c.ref == ref)
    for row in tx.connection.execute(query.order_by(TEXTS.c.seq, TEXTS.c.field)):
        if row.sealed is not None:
            told = unseal(key, row.sealed, text_place(ref, row.seq, row.field))
            said.setdefault(row.seq, {})[row.field] = told
    return said


def all_texts(tx: Tx, file: CaseFile, *, staff_too: bool = False) -> list[Text]:
    """What the complainant said (a logged complaint is the complainant's word too), every version.

    `staff_too` adds what staff wrote; the model's reasons are never among the texts.
    """
    said = words_by_event(tx, file)
    by_seq = {event.seq: event for event in file.events}
    texts = []
    for seq, fields in said.items():
        event = by_seq[seq]
        theirs = event.role is Role.COMPLAINANT or event.verb in (Verb.RECEIVE, Verb.ADD, Verb.ANSWER)
        if event.role is Role.MODEL or not (theirs or staff_too):
            continue
        source, replaces = event.facts.get("source"), event.facts.get("replaces")
        texts += [Text(field, seq, text, event.at, source, replaces) for field, text in fields.items()]
    return texts


def load_texts(tx: Tx, ref: str) -> list[Text]:
    """What the complainant said as it stands: superseded versions are left out."""
    return standing(all_texts(tx, load_case_file(tx, ref)))


def newest_texts(tx: Tx, file: CaseFile) -> Mapping[str, str]:
    """What was told so far for a read-back: by field, several messages of one field joined by blank lines."""
    told: dict[str, list[str]] = {}
    for one in standing(all_texts(tx, file)):
        told.setdefault(one.field, []).append(one.text)
    return {field: "\n\n".join(parts) for field, parts in told.items()}


def source_of(tx: Tx, person: str, source: str) -> tuple[str, str, int] | None:
    """Which text of this person a message of the channel became: reference, field, latest seq."""
    row = tx.connection.execute(
        select(TEXTS.c.ref, TEXTS.c.field, TEXTS.c.seq)
        .join(COMPLAINTS, COMPLAINTS.c.ref == TEXTS.c.ref)
        .where(TEXTS.c.source == source, COMPLAINTS.c.complainant_id == person)
        .order_by(TEXTS.c.seq.desc(), TEXTS.c.field)
        .limit(1)
    ).first()
    return None if row is None else (row.ref, row.field, row.seq)


def posted_about(tx: Tx, contact_id: int, platform_id: str) -> str | None:
    """Which complaint a message of ours in a chat was about, by the channel's own id of it."""
    ref: str | None = tx.connection.execute(
        select(MESSAGES.c.ref)
        .where(
            MESSAGES.c.contact_id == contact_id,
            MESSAGES.c.direction == "out",
            MESSAGES.c.platform_id == platform_id,
        )
        .limit(1)
    ).scalar()
    return ref


def decision_letter(tx: Tx, case: Case) -> str:
    """The letter of the present decision as it was previewed; empty where there is none, or none is told."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        return ""
    return load_event_words(tx, case.ref, decision.seq).get("letter", "")


def text_place(ref: str, seq: int, field: str) -> str:
    """What sealed words of an event are bound to."""
    return place("texts", f"{ref}/{seq}", field)


def standing(said: list[Text]) -> list[Text]:
    """Of all versions those that stand, each in the place where its first version was told."""
    replaced = {(one.replaces, one.field) for one in said if one.replaces is not None}
    places: dict[tuple[int, str], int] = {}
    for one in said:
        first = one.seq if one.replaces is None else places.get((one.replaces, one.field), one.seq)
        places[one.seq, one.field] = first
    standing = [one for one in said if (one.seq, one.field) not in replaced]
    return sorted(standing, key=lambda one: (places[one.seq, one.field], one.field))


def _key(tx: Tx, ref: str) -> bytes | None:
    wrapped = tx.connection.execute(select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == ref)).scalar()
    return None if wrapped is None else case_key(tx, ref, wrapped)
