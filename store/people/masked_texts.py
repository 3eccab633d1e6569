"""The masked copy of each text, sealed next to it: what training, similar cases and reports read (4.9).

The same search for personal data warns staff of what a letter says about others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from complaints.actions.intake import FORWARDED, MACHINE_MADE, TRANSLATION
from complaints.actions.registry import MESSAGE_VERBS
from complaints.vocabulary import Role
from store.database.errors import Altered, collecting_damage, note_damage
from store.database.keyring import place, seal, unseal
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.people.contacts import readable_name
from store.record.load import case_key, load_all_texts, load_case_file, newest_versions, text_place
from store.redaction.masking import find_spans, mask
from store.tables import CASE_PEOPLE, COMPLAINTS, EVENTS, PEOPLE, TEXTS
from store.values import Text

#: Fields of words that a machine or another person wrote.
NOT_OWN_WORDS = MACHINE_MADE | {FORWARDED}
#: Built once: every message asks it.
_NAMES = Prepared(
    select(PEOPLE.c.id, PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed)
    .join(CASE_PEOPLE, CASE_PEOPLE.c.person_id == PEOPLE.c.id)
    .where(CASE_PEOPLE.c.ref == bindparam("ref"), PEOPLE.c.name_sealed.is_not(None))
)


def seal_masked(
    key: bytes,
    ref: str,
    seq: int,
    words: Mapping[str, str],
    *,
    names: Sequence[str],
    language: str,
    country: str,
) -> Mapping[str, bytes]:
    """The sealed masked copies of an event's words, by field; the last three parameters are those of `mask`."""
    return {
        field: seal(
            key, mask(text, names=names, language=language, country=country), masked_place(ref, seq, field)
        )
        for field, text in words.items()
    }


def open_masked(tx: Tx, key: bytes, row: Any) -> str:
    """The masked copy of a row of `texts`, with the `language` and `jurisdiction` of its complaint.

    A text whose copy is missing or damaged is masked now.
    """
    if row.masked is not None:
        try:
            return unseal(key, row.masked, masked_place(row.ref, row.seq, row.field))
        except Altered:
            note_damage(masked_place(row.ref, row.seq, row.field))
    text = unseal(key, row.sealed, text_place(row.ref, row.seq, row.field))
    names = list_case_names(tx, row.ref)
    return mask(text, names=names, language=row.language, country=row.jurisdiction)


def masked_texts(tx: Tx, refs: Sequence[str]) -> Sequence[Any]:
    """The rows of all texts of these complaints for `open_masked`, with the verbs of their events."""
    query = (
        select(TEXTS, EVENTS.c.verb, COMPLAINTS.c.language, COMPLAINTS.c.jurisdiction)
        .join(EVENTS, (EVENTS.c.ref == TEXTS.c.ref) & (EVENTS.c.seq == TEXTS.c.seq))
        .join(COMPLAINTS, COMPLAINTS.c.ref == TEXTS.c.ref)
        .where(TEXTS.c.ref.in_(refs), TEXTS.c.sealed.is_not(None))
        .order_by(TEXTS.c.ref, TEXTS.c.seq, TEXTS.c.field)
    )
    return tx.connection.execute(query).all()


def masked_story(tx: Tx, key: bytes, rows: Sequence[Any], *, own_only: bool = False) -> str:
    """The complainant's masked words in their newest versions; also those that staff logged for the complainant.

    `own_only`: without transcripts and forwarded messages. They help to find similar cases, but a model must not
    learn what a machine or another person wrote as the complainant's words.
    """
    left_out = NOT_OWN_WORDS if own_only else {TRANSLATION}
    texts = [
        Text(row.field, row.seq, open_masked(tx, key, row), row.at, row.source, row.replaces)
        for row in rows
        if row.field.split(".")[0] not in left_out
        and (
            row.role == Role.COMPLAINANT.value or (row.verb in MESSAGE_VERBS and row.role != Role.MODEL.value)
        )
    ]
    return "\n".join(text.text for text in newest_versions(texts))


def load_masked_story(tx: Tx, ref: str) -> str:
    """`masked_story` of one complaint; raises Erased."""
    wrapped = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == ref)
    ).scalar_one()
    return masked_story(tx, case_key(tx, ref, wrapped), masked_texts(tx, [ref]))


def list_case_names(tx: Tx, ref: str) -> list[str]:
    """The names of everybody in the complaint, as they were given at intake; a damaged one is left out."""
    names = (readable_name(tx, row) for row in _NAMES.rows(tx.connection, ref=ref))
    return [name for name in names if name]


def masked_place(ref: str, seq: int, field: str) -> str:
    return place("texts", f"{ref}/{seq}", f"{field}|masked")


def find_others_data(tx: Tx, ref: str, text: str) -> tuple[tuple[int, int, str], ...]:
    """Personal data in a letter of staff, without that of the complaint (4.9): (start, end, kind) of each.

    The complaint's own are its names, and what is in the complainant's words or was logged with them.
    """
    file = load_case_file(tx, ref)
    with collecting_damage():
        own = [*list_case_names(tx, ref), *(entry.text for entry in load_all_texts(tx, file))]
    own_text = _plain(" ".join(own))
    spans = find_spans(text, language=file.case.language, country=file.case.rules.country)
    return tuple(
        (span.start, span.end, span.kind)
        for span in spans
        if _plain(text[span.start : span.end]) not in own_text
    )


def _plain(text: str) -> str:
    """Letters and digits only: a number is the same with other spaces."""
    return "".join(character for character in text.casefold() if character.isalnum())
