"""Load complaints: fold their events into cases, unwrap their keys, lock their rows, and unseal their words."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, bindparam, case, or_, select
from sqlalchemy.exc import SQLAlchemyError

from complaints.actions.intake import TRANSLATION
from complaints.actions.perform import apply_event, fold
from complaints.actions.registry import ACTIONS, MESSAGE_VERBS
from complaints.case import Case, Event, events_of
from complaints.errors import UnknownReference
from complaints.identifiers import new_reference
from complaints.letter_texts import ComplaintText, without_own_words
from complaints.rulebook import Rulebook
from complaints.vocabulary import Role, Verb
from store.database.errors import (
    DAMAGE_REMEDY,
    UNREADABLE,
    DamagedCase,
    Erased,
    WrongSchemaVersion,
    collecting_damage,
    note_damage,
)
from store.database.keyring import place, unseal
from store.database.prepared import Prepared
from store.database.transaction import FoldedCase, Tx
from store.proof.hash_chain import parse_event, previous_hash
from store.rulebooks import load_rulebook
from store.tables import COMPLAINTS, EVENTS, FILES, MESSAGES, STAFF_ROLES, TEXTS
from store.values import Text

#: People who may own complaints now.
_ABLE = select(STAFF_ROLES.c.member_id).where(
    STAFF_ROLES.c.role.in_([role.value for role in ACTIONS[Verb.ASSESS].roles]), STAFF_ROLES.c.until.is_(None)
)
#: The owner may own complaints no more, for example has left.
OWNER_LEFT = COMPLAINTS.c.owner.not_in(_ABLE)
_HEADER = select(
    COMPLAINTS.c.ref,
    COMPLAINTS.c.rulebook_id,
    COMPLAINTS.c.key_wrapped,
    COMPLAINTS.c.head,
    COMPLAINTS.c.version,
    COMPLAINTS.c.contact_id,
    case((OWNER_LEFT, COMPLAINTS.c.owner)).label("former_owner"),
)
# Built once, since every act or message runs them. SQLite needs no row lock: BEGIN IMMEDIATE locks the whole file.
_OF_REF = _HEADER.where(COMPLAINTS.c.ref == bindparam("ref"))
_OF_PERSON = (
    _HEADER.where(COMPLAINTS.c.complainant_id == bindparam("person"))
    .order_by(COMPLAINTS.c.received_at.desc(), COMPLAINTS.c.ref)
    .limit(bindparam("limit"))
)
# By whether the rows are locked until the commit.
_HEADER_OF_REF = {False: Prepared(_OF_REF), True: Prepared(_OF_REF.with_for_update())}
_HEADERS_OF_PERSON = {False: Prepared(_OF_PERSON), True: Prepared(_OF_PERSON.with_for_update())}
_ENTRIES_SINCE = Prepared(
    select(EVENTS.c.entry)
    .where(EVENTS.c.ref == bindparam("ref"), EVENTS.c.seq > bindparam("seq"))
    .order_by(EVENTS.c.seq)
)
_WORDS = Prepared(
    select(TEXTS.c.seq, TEXTS.c.field, TEXTS.c.sealed)
    .where(TEXTS.c.ref == bindparam("ref"))
    .order_by(TEXTS.c.seq, TEXTS.c.field)
)
_KEY = Prepared(select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == bindparam("ref")))


@dataclass(frozen=True)
class CaseFile:
    """A loaded complaint: the case, its events, its wrapped key (None once erased), the hash chain's head."""

    case: Case
    events: tuple[Event, ...]
    key_wrapped: bytes | None
    head: str
    contact_id: int | None

    def key(self, tx: Tx) -> bytes:
        """The complaint's own key; raises Erased if it was destroyed."""
        return case_key(tx, self.case.ref, self.key_wrapped)


def free_references(tx: Tx, count: int) -> list[str]:
    """Unused references for so many new complaints: among 100,000 that are drawn, two are probably equal."""
    free: set[str] = set()
    while len(free) < count:
        drawn = {new_reference(secrets.randbelow) for _ in range(count - len(free))}
        query = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.ref.in_(drawn))
        free |= drawn - set(tx.connection.execute(query).scalars())
    return sorted(free)


def load_case_file(tx: Tx, ref: str, *, lock: bool = False) -> CaseFile:
    """Load one complaint; raises UnknownReference, or DamagedCase. `lock` locks its row until the commit."""
    rows = _HEADER_OF_REF[lock and not tx.is_sqlite].rows(tx.connection, ref=ref)
    if not rows:
        raise UnknownReference.worded("unknown_reference:case", ref=ref)
    return _files(tx, rows)[0]


def load_many(tx: Tx, refs: Sequence[str]) -> list[CaseFile]:
    """Load several complaints in the order of `refs`; unknown references and damaged complaints are left out."""
    headers = tx.connection.execute(_HEADER.where(COMPLAINTS.c.ref.in_(refs))).all()
    files = {file.case.ref: file for file in _readable_files(tx, headers)}
    return [files[ref] for ref in refs if ref in files]


def load_files_of_person(tx: Tx, person: str, limit: int, *, lock: bool) -> list[CaseFile]:
    """Load a person's complaints, the newest first, without damaged ones. `lock` locks their rows."""
    headers = _HEADERS_OF_PERSON[lock and not tx.is_sqlite].rows(tx.connection, person=person, limit=limit)
    return _readable_files(tx, headers)


def parse_events(tx: Tx, entries: Iterable[str]) -> list[Event]:
    """The events in these entries; each `redate` event carries the rules that it put in force."""
    return [
        replace(event, rules=load_rulebook(tx, event.facts["rulebook"]))
        if ACTIONS[event.verb].changes_rules
        else event
        for event in map(parse_event, entries)
    ]


def first_rules(tx: Tx, events: Sequence[Event]) -> Rulebook:
    """The rules under which a complaint was received."""
    return load_rulebook(tx, events[0].facts["rulebook"])


def case_key(tx: Tx, ref: str, wrapped: bytes | None) -> bytes:
    """Unwrap a complaint's key; raises Erased."""
    if wrapped is None:
        raise Erased(f"The words of {ref} were erased.")
    return tx.keys.unwrap(wrapped, key_place(ref))


def load_case_key(tx: Tx, ref: str) -> bytes:
    """`case_key` of a complaint that is not loaded."""
    return case_key(tx, ref, _KEY.first(tx.connection, ref=ref).key_wrapped)


def key_place(ref: str) -> str:
    """The row and field that a complaint's wrapped key is bound to."""
    return place("complaints", ref, "key")


def load_texts(tx: Tx, ref: str) -> list[Text]:
    """The complainant's words about the complaint in their newest versions, without answers to the survey."""
    file = load_case_file(tx, ref)
    answers = {event.seq for event in events_of(file.events, Verb.SURVEY)}
    return [text for text in newest_versions(load_all_texts(tx, file)) if text.seq not in answers]


def load_newest_texts(tx: Tx, file: CaseFile) -> Mapping[str, str]:
    """The complainant's newest words by field, for the read-back; messages of one field are joined by blank lines."""
    return _by_field(newest_versions(load_all_texts(tx, file)))


def _by_field(texts: Iterable[Text]) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    for text in texts:
        parts.setdefault(text.field, []).append(text.text)
    return {field: "\n\n".join(texts) for field, texts in parts.items()}


def load_readable_texts(tx: Tx, file: CaseFile) -> Mapping[str, str]:
    """`load_newest_texts` without damaged words: the dialogue asks for them again or leaves them out."""
    with collecting_damage():
        texts = newest_versions(load_all_texts(tx, file))
    return _by_field(text for text in texts if text.text != UNREADABLE)


def load_complaint_text(tx: Tx, ref: str) -> ComplaintText:
    """The complaint in the complainant's own words, as it was last read back to them; without any, its files.

    Also without words if they are damaged: a letter leaves them out, so that a decision does not wait for a backup.
    """
    with collecting_damage():
        texts = load_newest_texts(tx, load_case_file(tx, ref))
    versions = [field for field in texts if field.split(".")[0] == "description"]
    text = texts[max(versions, key=lambda field: int(field.partition(".")[2] or 1))] if versions else ""
    if text and UNREADABLE not in text:
        return ComplaintText(text)
    received = select(FILES.c.kind, FILES.c.seconds).where(FILES.c.ref == ref, FILES.c.kind != "attachment")
    query = received.order_by(FILES.c.n)
    files = tuple((row.kind, row.seconds) for row in tx.connection.execute(query))
    readable = {field: text for field, text in texts.items() if text != UNREADABLE}
    return without_own_words(readable, files)


def load_all_texts(tx: Tx, file: CaseFile, *, staff_too: bool = False) -> list[Text]:
    """The complainant's words in every version, also those that staff logged for the complainant.

    `staff_too` adds what staff wrote themselves, and translations. The model's reasons are never included.
    """
    by_seq = {event.seq: event for event in file.events}
    texts = []
    for seq, fields in load_words_by_event(tx, file).items():
        event = by_seq[seq]
        of_complainant = event.role is Role.COMPLAINANT or event.verb in MESSAGE_VERBS
        is_translation = event.facts.get("kind") == TRANSLATION
        if (
            event.role is Role.MODEL
            or not (of_complainant or staff_too)
            or (is_translation and not staff_too)
        ):
            continue
        origin = tuple(event.facts.get(name) for name in ("source", "replaces", "translates"))
        texts += [Text(field, seq, text, event.at, *origin) for field, text in fields.items()]
    return texts


def load_event_words(tx: Tx, ref: str, seq: int) -> Mapping[str, str]:
    """The words of one event by field; empty once erased."""
    row = _KEY.first(tx.connection, ref=ref)
    if row is None or row.key_wrapped is None:
        return {}
    key = case_key(tx, ref, row.key_wrapped)
    query = select(TEXTS.c.field, TEXTS.c.sealed).where(TEXTS.c.ref == ref, TEXTS.c.seq == seq)
    return {
        row.field: unseal(key, row.sealed, text_place(ref, seq, row.field))
        for row in tx.connection.execute(query)
        if row.sealed is not None
    }


def load_readable_words(tx: Tx, ref: str, seq: int) -> Mapping[str, str]:
    """The words of one event without damaged ones, for what staff only read or write again."""
    with collecting_damage():
        words = load_event_words(tx, ref, seq)
    return {field: text for field, text in words.items() if text != UNREADABLE}


def load_words_by_event(tx: Tx, file: CaseFile) -> dict[int, dict[str, str]]:
    """All words of a complaint by seq and field; empty once erased."""
    ref = file.case.ref
    words: dict[int, dict[str, str]] = {}
    if file.key_wrapped is None:
        return words
    key = file.key(tx)
    for row in _WORDS.rows(tx.connection, ref=ref):
        if row.sealed is not None:
            text = unseal(key, row.sealed, text_place(ref, row.seq, row.field))
            words.setdefault(row.seq, {})[row.field] = text
    return words


def load_decision_letter(tx: Tx, case: Case) -> str:
    """The letter of the present decision as it was previewed; empty until a decision is communicated."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        return ""
    return load_readable_words(tx, case.ref, decision.seq).get("letter", "")


def find_text_by_source(tx: Tx, person: str, source: str) -> tuple[str, str, int] | None:
    """The text of this person that came from a message of the channel: reference, field, latest seq.

    Of a file without a caption the field is "".
    """
    row = tx.connection.execute(
        select(TEXTS.c.ref, TEXTS.c.field, TEXTS.c.seq)
        .join(COMPLAINTS, COMPLAINTS.c.ref == TEXTS.c.ref)
        .where(TEXTS.c.source == source, COMPLAINTS.c.complainant_id == person)
        .order_by(TEXTS.c.seq.desc(), TEXTS.c.field)
        .limit(1)
    ).first()
    if row is not None:
        return row.ref, row.field, row.seq
    file = tx.connection.execute(
        select(FILES.c.ref, FILES.c.seq)
        .join(COMPLAINTS, COMPLAINTS.c.ref == FILES.c.ref)
        .where(FILES.c.source == source, COMPLAINTS.c.complainant_id == person)
        .limit(1)
    ).first()
    return None if file is None else (file.ref, "", file.seq)


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
    return place("texts", f"{ref}/{seq}", field)


def _files(tx: Tx, headers: Sequence[Any]) -> list[CaseFile]:
    return [
        CaseFile(
            case=folded.case
            if header.former_owner is None
            else replace(folded.case, former_owner=header.former_owner),
            events=folded.events,
            key_wrapped=header.key_wrapped,
            head=header.head,
            contact_id=header.contact_id,
        )
        for header, folded in zip(headers, _folded(tx, headers), strict=True)
    ]


def _readable_files(tx: Tx, headers: Sequence[Any]) -> list[CaseFile]:
    """The files without those of damaged complaints, which are noted and logged: one must not stop a list."""
    try:
        return _files(tx, headers)
    except DamagedCase:
        files = []
    for header in headers:
        try:
            files += _files(tx, [header])
        except DamagedCase:
            if not note_damage(place("complaints", header.ref, "events")):
                _log_damage(header.ref)
    return files


def _log_damage(ref: str) -> None:
    # Imported here: a command that only reads complaints starts faster without it.
    import structlog

    structlog.get_logger(__name__).error("damaged_complaint", ref=ref, remedy="amends db verify")


def _folded(tx: Tx, headers: Sequence[Any]) -> list[FoldedCase]:
    """Fold each complaint up to its head; of a cached one only the newer events are read."""
    cases = {header.ref: _cached(tx, header) for header in headers}
    outdated = [header for header in headers if _version(cases[header.ref]) < header.version]
    entries = _entries(tx, {header.ref: _version(cases[header.ref]) for header in outdated})
    for header in outdated:
        cached, new = cases[header.ref], entries.get(header.ref, [])
        if cached is not None and new and previous_hash(new[0]) != cached.head:
            # Cached by a transaction that was rolled back: its events are not in the record.
            cached, new = None, _entries(tx, {header.ref: 0}).get(header.ref, [])
        try:
            folded = _continued(tx, header, cached, new)
        except (SQLAlchemyError, WrongSchemaVersion):
            # Neither means damage: the remedies are another database connection and the newer release.
            raise
        except Exception as error:
            # Damaged events can fail in the fold at any place and in any way.
            raise DamagedCase(
                f"The events of {header.ref} cannot be read ({type(error).__name__}); all other complaints can. "
                f"{DAMAGE_REMEDY}"
            ) from error
        cases[header.ref] = folded
        tx.folded.keep(header.ref, folded)
    return [case for header in headers if (case := cases[header.ref]) is not None]


def _cached(tx: Tx, header: Any) -> FoldedCase | None:
    """The cached case, if it is the present or an earlier state under the same rules."""
    cached = tx.folded.of(header.ref)
    if cached is None or cached.rulebook_id != header.rulebook_id or cached.case.version > header.version:
        return None
    return cached if cached.case.version < header.version or cached.head == header.head else None


def _version(folded: FoldedCase | None) -> int:
    return 0 if folded is None else folded.case.version


def _entries(tx: Tx, since: Mapping[str, int]) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    if len(since) == 1:
        ((ref, seq),) = since.items()
        entries[ref] = [row.entry for row in _ENTRIES_SINCE.rows(tx.connection, ref=ref, seq=seq)]
    elif since:
        # A condition for each reference costs more to build than its events cost to read.
        whole = EVENTS.c.ref.in_([ref for ref, seq in since.items() if seq == 0])
        newer = (and_(EVENTS.c.ref == ref, EVENTS.c.seq > seq) for ref, seq in since.items() if seq)
        query = select(EVENTS.c.ref, EVENTS.c.entry).where(or_(whole, *newer))
        for row in tx.connection.execute(query.order_by(EVENTS.c.ref, EVENTS.c.seq)):
            entries.setdefault(row.ref, []).append(row.entry)
    return entries


def _continued(tx: Tx, header: Any, cached: FoldedCase | None, entries: Sequence[str]) -> FoldedCase:
    # Another transaction may have added events after the header was read: they belong to the next state.
    events = [event for event in parse_events(tx, entries) if event.seq <= header.version]
    if cached is not None:
        case = cached.case
        for event in events:
            case = apply_event(case, event)
        return FoldedCase(header.head, header.rulebook_id, case, (*cached.events, *events))
    case = fold(events, first_rules(tx, events))
    return FoldedCase(header.head, header.rulebook_id, case, tuple(events))
