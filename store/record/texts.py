"""Read the words of complaints: unsealed, by event, by field, or by the channel's message."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from complaints.case import Case
from complaints.vocabulary import Role, Verb
from store.database.keyring import place, unseal
from store.database.transaction import Tx
from store.record.load import CaseFile, case_key, load_case_file
from store.tables import COMPLAINTS, MESSAGES, TEXTS
from store.values import Text


def load_texts(tx: Tx, ref: str) -> list[Text]:
    """The complainant's words in their newest versions."""
    return newest_versions(load_all_texts(tx, load_case_file(tx, ref)))


def load_newest_texts(tx: Tx, file: CaseFile) -> Mapping[str, str]:
    """The complainant's newest words by field, for the read-back; messages of one field are joined by blank lines."""
    parts: dict[str, list[str]] = {}
    for text in newest_versions(load_all_texts(tx, file)):
        parts.setdefault(text.field, []).append(text.text)
    return {field: "\n\n".join(texts) for field, texts in parts.items()}


def load_all_texts(tx: Tx, file: CaseFile, *, staff_too: bool = False) -> list[Text]:
    """The complainant's words in every version, also those that staff logged for the complainant.

    `staff_too` adds what staff wrote themselves. The model's reasons are never included.
    """
    by_seq = {event.seq: event for event in file.events}
    texts = []
    for seq, fields in load_words_by_event(tx, file).items():
        event = by_seq[seq]
        of_complainant = event.role is Role.COMPLAINANT or event.verb in (Verb.RECEIVE, Verb.ADD, Verb.ANSWER)
        if event.role is Role.MODEL or not (of_complainant or staff_too):
            continue
        source, replaces = event.facts.get("source"), event.facts.get("replaces")
        texts += [Text(field, seq, text, event.at, source, replaces) for field, text in fields.items()]
    return texts


def load_event_words(tx: Tx, ref: str, seq: int) -> Mapping[str, str]:
    """The words of one event by field; empty once erased."""
    key = _key(tx, ref)
    if key is None:
        return {}
    query = select(TEXTS.c.field, TEXTS.c.sealed).where(TEXTS.c.ref == ref, TEXTS.c.seq == seq)
    return {
        row.field: unseal(key, row.sealed, text_place(ref, seq, row.field))
        for row in tx.connection.execute(query)
        if row.sealed is not None
    }


def load_words_by_event(tx: Tx, file: CaseFile) -> dict[int, dict[str, str]]:
    """All words of a complaint by seq and field; empty once erased."""
    ref = file.case.ref
    words: dict[int, dict[str, str]] = {}
    if file.key_wrapped is None:
        return words
    key = file.key(tx)
    query = select(TEXTS.c.seq, TEXTS.c.field, TEXTS.c.sealed).where(TEXTS.c.ref == ref)
    for row in tx.connection.execute(query.order_by(TEXTS.c.seq, TEXTS.c.field)):
        if row.sealed is not None:
            text = unseal(key, row.sealed, text_place(ref, row.seq, row.field))
            words.setdefault(row.seq, {})[row.field] = text
    return words


def load_decision_letter(tx: Tx, case: Case) -> str:
    """The letter of the present decision as it was previewed; empty until a decision is communicated."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        return ""
    return load_event_words(tx, case.ref, decision.seq).get("letter", "")


def find_text_by_source(tx: Tx, person: str, source: str) -> tuple[str, str, int] | None:
    """The text of this person that came from a message of the channel: reference, field, latest seq."""
    row = tx.connection.execute(
        select(TEXTS.c.ref, TEXTS.c.field, TEXTS.c.seq)
        .join(COMPLAINTS, COMPLAINTS.c.ref == TEXTS.c.ref)
        .where(TEXTS.c.source == source, COMPLAINTS.c.complainant_id == person)
        .order_by(TEXTS.c.seq.desc(), TEXTS.c.field)
        .limit(1)
    ).first()
    return None if row is None else (row.ref, row.field, row.seq)


def find_case_of_message(tx: Tx, contact_id: int, platform_id: str) -> str | None:
    """The complaint that one of our messages in a chat was about, by the channel's message id."""
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


def newest_versions(texts: list[Text]) -> list[Text]:
    """The newest versions of these texts, each at the position of its first version."""
    replaced = {(text.replaces, text.field) for text in texts if text.replaces is not None}
    positions: dict[tuple[int, str], int] = {}
    for text in texts:
        first = text.seq if text.replaces is None else positions.get((text.replaces, text.field), text.seq)
        positions[text.seq, text.field] = first
    newest = [text for text in texts if (text.seq, text.field) not in replaced]
    return sorted(newest, key=lambda text: (positions[text.seq, text.field], text.field))


def text_place(ref: str, seq: int, field: str) -> str:
    """The row and field that the sealed words of an event are bound to."""
    return place("texts", f"{ref}/{seq}", field)


def _key(tx: Tx, ref: str) -> bytes | None:
    wrapped = tx.connection.execute(select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == ref)).scalar()
    return None if wrapped is None else case_key(tx, ref, wrapped)
