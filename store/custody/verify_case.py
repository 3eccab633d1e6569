"""Check the chain, the words and the rows of a complaint or incident, and every row against the journal.

The journal shows what was edited, inserted or deleted without the key of the MACs.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, bindparam, select
from sqlalchemy.exc import DBAPIError

from complaints.actions.perform import fold
from complaints.history import CaseHistory
from complaints.incidents import fold as fold_incident
from complaints.measures.row import measure_history
from complaints.times import format_time
from store.database.errors import SealBroken
from store.database.keyring import unseal
from store.database.prepared import Prepared
from store.database.schema import APPEND_ONLY
from store.database.transaction import Tx
from store.incidents import CHAIN, incident_row, key_place, load_incident_history
from store.proof.hash_chain import GENESIS, INSTANCE_CHAIN, canonical, commitment, event_mac, sha256
from store.proof.journal import Item, changes_in, entry_mac, head_mac, items_of
from store.record.load import case_key, first_rules, parse_events, text_place
from store.record.measures import is_current, read_measures
from store.record.projections import LISTS, assessment_row, complaint_row, proposal_row
from store.similarity.sketches import check_sketch
from store.tables import (
    ASSESSMENTS,
    COMPLAINTS,
    INCIDENTS,
    JOURNAL,
    JOURNAL_HEADS,
    PROPOSALS,
    TEXTS,
)
from store.values import Damage

#: Reference (or chain), seq of the event, and what is wrong.
Problem = tuple[str, int, str]
#: Words by event and field.
Words = dict[int, dict[str, str]]
# The rows of one complaint, not of a batch: a value that cannot be read must not hide what others show.
_ROWS = {
    table.name: Prepared(select(table).where(table.c.ref == bindparam("ref")).order_by(*table.primary_key))
    for table in (COMPLAINTS, TEXTS, ASSESSMENTS, PROPOSALS, *(table for table, *_ in LISTS))
}


def check_chain_and_case(tx: Tx, ref: str, rows: list[Row[Any]], mac_key: bytes | None) -> list[Problem]:
    """The first problem of a chain or its complaint; if words do not open, each of them. Without events: none."""
    header = _ROWS[COMPLAINTS.name].first(tx.connection, ref=ref)
    words, unopened = _read_words(tx, ref, header)
    problem: Problem | None
    try:
        if not rows:
            problem = (ref, 1, "this complaint has lost its events") if header is not None else None
        else:
            problem = _check_chain(ref, rows, mac_key) or _check_case(
                tx, ref, rows, header, None if unopened else words
            )
    except DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged event can fail anywhere; the other chains are checked too
        problem = ref, rows[-1].seq, f"its events cannot be read ({type(error).__name__})"
    return unopened if problem is None else [problem, *unopened]


def _check_chain(ref: str, rows: list[Row[Any]], mac_key: bytes | None) -> Problem | None:
    prev = GENESIS
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            return ref, seq, "this event is missing"
        if sha256(row.entry) != row.hash:
            return ref, seq, "the entry does not have the hash that was recorded"
        entry = json.loads(row.entry)
        if canonical(entry) != row.entry or entry["prev"] != prev:
            return ref, seq, "the entry does not follow the one before"
        columns = (row.ref, row.seq, row.verb, format_time(row.at), row.by, row.role)
        if columns != tuple(entry[name] for name in ("case", "seq", "verb", "at", "actor", "role")):
            return ref, seq, "the row differs from its entry"
        if mac_key is not None and row.mac != event_mac(mac_key, ref, seq, row.hash):
            return ref, seq, "the event has a wrong MAC: it was not written by this desk"
        prev = row.hash
    return None


def _check_case(tx: Tx, ref: str, rows: list[Row[Any]], header: Any, words: Words | None) -> Problem | None:
    """The first problem of a complaint or incident; `words` is None if some do not open, which is named."""
    if ref == INSTANCE_CHAIN:
        return None
    if is_incident(ref):
        return _check_incident(tx, ref, rows)
    last = rows[-1].seq
    if header is None:
        return ref, last, "these events have no complaint"
    if header.head != rows[-1].hash:
        return ref, last, "the last events are cut off: the complaint knows a later one"
    if words is None:
        return None
    problem = None if header.key_wrapped is None else _check_words(tx, ref, rows, header.key_wrapped, words)
    return problem or _check_sketch(tx, ref, last, header) or _check_projection(tx, ref, rows, header)


def _check_sketch(tx: Tx, ref: str, last: int, header: Row[Any]) -> Problem | None:
    try:
        problem = check_sketch(tx, ref, header.key_wrapped)
    except SealBroken as error:
        problem = str(error)
    return None if problem is None else (ref, last, problem)


def _read_words(tx: Tx, ref: str, header: Any) -> tuple[Words, list[Problem]]:
    """The words of a complaint that open, and each text that does not."""
    words, unopened = Words(), list[Problem]()
    if header is None or header.key_wrapped is None:
        return words, unopened
    try:
        key = case_key(tx, ref, header.key_wrapped)
    except SealBroken as error:
        return words, [(ref, 1, str(error))]
    for text in _ROWS[TEXTS.name].rows(tx.connection, ref=ref):
        try:
            place = text_place(ref, text.seq, text.field)
            content = "" if text.sealed is None else unseal(key, text.sealed, place)
        except SealBroken:
            unopened.append((ref, text.seq, f"the sealed words of {text.field} do not open"))
        else:
            words.setdefault(text.seq, {})[text.field] = content
    return words, unopened


def _check_words(tx: Tx, ref: str, rows: list[Row[Any]], wrapped: bytes, words: Words) -> Problem | None:
    key = case_key(tx, ref, wrapped)
    for row in rows:
        if json.loads(row.entry)["commit"] != commitment(key, words.get(row.seq, {})):
            return ref, row.seq, "the words are not those that were committed to"
    if words.keys() - {row.seq for row in rows}:
        return ref, max(words), "there are words without an event"
    return None


def _check_projection(tx: Tx, ref: str, rows: list[Row[Any]], header: Any) -> Problem | None:
    events = tuple(parse_events(tx, [row.entry for row in rows]))
    case = fold(events, first_rules(tx, events))
    last = events[-1].seq
    with_rulebook = (event for event in reversed(events) if "rulebook" in event.facts)
    latest_rules = next(with_rulebook)
    if (header.rulebook_id, header.jurisdiction) != (latest_rules.facts["rulebook"], case.rules.country):
        return ref, latest_rules.seq, "the row names other rules than the events"
    for name, value in complaint_row(case).items():
        if getattr(header, name) != value:
            return ref, last, f"the row's {name} is not what the events add up to"
    if (case.complainant, case.channel) != (header.complainant_id, header.channel):
        return ref, 1, "the row names another complainant or channel than the events"
    for table, key, rows_of, _ in LISTS:
        expected, stored = (
            sorted(list_rows, key=lambda row: [str(row[name]) for name in key])
            for list_rows in (rows_of(case), _stored_rows(tx, table, ref, "ref"))
        )
        if expected != stored:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    measures = read_measures(tx, ref)
    if is_current(measures, case) and measures != measure_history(CaseHistory(case, events)):
        return ref, last, "the row of measures is not what the events add up to"
    last_rows = (
        (ASSESSMENTS, [] if case.assessment is None else [assessment_row(case.assessment)]),
        (PROPOSALS, [] if case.proposed is None else [proposal_row(case.proposed)]),
    )
    for table, latest in last_rows:
        if _stored_rows(tx, table, ref, "ref", "seq")[-1:] != latest:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    return None


def _stored_rows(tx: Tx, table: Table, ref: str, *without: str) -> list[Mapping[str, Any]]:
    rows = _ROWS[table.name].rows(tx.connection, ref=ref)
    return [{name: value for name, value in row._asdict().items() if name not in without} for row in rows]


def _check_incident(tx: Tx, chain: str, rows: Sequence[Row[Any]]) -> Problem | None:
    """The first problem of the words or the row of an incident; its chain was checked like any other."""
    number, last = int(chain.removeprefix(CHAIN)), rows[-1].seq
    header = tx.connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).first()
    if header is None:
        return chain, last, "these events have no incident"
    if header.head != rows[-1].hash:
        return chain, last, "the last events are cut off: the incident knows a later one"
    try:
        events = load_incident_history(tx, number)
        key = tx.keys.unwrap(header.key_wrapped, key_place(number)) if header.key_wrapped else None
    except SealBroken as error:
        return chain, 1, str(error)
    for event, row in zip(events, rows, strict=True):
        if key is not None and commitment(key, event.words) != json.loads(row.entry)["commit"]:
            return chain, event.seq, "the words are not those that were recorded"
    for name, value in incident_row(fold_incident(events, id_=number)).items():
        if header._mapping[name] != value:  # noqa: SLF001  # SQLAlchemy's public name
            return chain, last, f"the row's {name} is not what the events add up to"
    return None


def is_incident(chain: str) -> bool:
    return chain.startswith(CHAIN)


_KINDS = {
    "edited": "this row was changed by somebody who does not have the key",
    "inserted": "this row was added by somebody who does not have the key",
    "deleted": "this row is missing",
}
_CHANGED_BEFORE = "this row was changed by somebody who does not have the key, before the desk changed it"
_REWRITTEN = "a later journal entry changes this row, and rows of this table are never changed"


def check_journal(tx: Tx, key: bytes, owners: Sequence[str]) -> list[Damage]:
    """The damage of these owners, which are all of one kind."""
    entries: dict[str, list[Any]] = defaultdict(list)
    query = select(JOURNAL).where(JOURNAL.c.owner.in_(owners)).order_by(JOURNAL.c.owner, JOURNAL.c.n)
    for row in tx.connection.execute(query):
        entries[row.owner].append(row)
    heads_query = select(JOURNAL_HEADS).where(JOURNAL_HEADS.c.owner.in_(owners))
    heads = {row.owner: row for row in tx.connection.execute(heads_query)}
    current = items_of(tx, key, owners)
    damages: list[Damage] = []
    for owner in owners:
        if owner not in heads and not entries[owner]:
            if current[owner]:
                damages.append(Damage(owner, 0, "its journal is missing", "journal", "", "deleted"))
            continue
        broken = list(_check_entries(key, owner, entries[owner], heads.get(owner)))
        damages += broken or _compare(owner, [row.entry for row in entries[owner]], current[owner])
    return damages


def _check_entries(key: bytes, owner: str, rows: Sequence[Any], head: Any) -> Iterator[Damage]:
    prev = GENESIS
    for n, row in enumerate(rows, start=1):
        problem = _check_entry(key, owner, n, row, prev)
        if problem is not None:
            yield Damage(owner, 0, problem, "journal", str(row.id), "edited")
            return
        prev = row.hash
    if head is None:
        yield Damage(owner, 0, "the head of its journal is missing", "journal_heads", owner, "deleted")
    elif head.mac != head_mac(key, owner, head.n, head.hash) or head.logged_n > head.n:
        yield Damage(owner, 0, "the head of its journal was changed", "journal_heads", owner, "edited")
    elif (head.n, head.hash) != (len(rows), prev):
        yield Damage(
            owner, 0, f"entry {len(rows) + 1} of its journal is missing", "journal", owner, "deleted"
        )


def _check_entry(key: bytes, owner: str, n: int, row: Any, prev: str) -> str | None:
    if row.n != n:
        return f"entry {n} of its journal is missing"
    if sha256(row.entry) != row.hash or row.mac != entry_mac(key, owner, n, row.hash):
        return f"entry {n} of its journal was not written by this desk"
    entry = json.loads(row.entry)
    if canonical(entry) != row.entry or entry["prev"] != prev:
        return f"entry {n} of its journal does not follow the entry before"
    if (entry["owner"], entry["n"], entry["at"]) != (owner, n, format_time(row.at)):
        return f"entry {n} of its journal differs from its row"
    return None


def _compare(owner: str, entries: Sequence[str], current: Sequence[Item]) -> list[Damage]:
    latest: dict[tuple[str, str], str | None] = {}
    added, damages = set(), []
    for table, key, digest, *before in changes_in(entries):
        # A holder of the keys can write an entry for a row that this program never changes.
        if (table, key) in added and digest != latest[table, key]:
            damages.append(Damage(owner, 0, _REWRITTEN, table, key, "edited"))
        elif next(iter(before), None) != latest.get((table, key)):
            damages.append(Damage(owner, _seq(table, key), _CHANGED_BEFORE, table, key, "edited"))
        latest[table, key] = digest
        if table in APPEND_ONLY:
            added.add((table, key))
    rows = {(table, key): digest for table, key, digest in current}
    for table, key in sorted(latest.keys() | rows.keys()):
        expected, digest = latest.get((table, key)), rows.get((table, key))
        if expected == digest:
            continue
        kind = "deleted" if digest is None else "inserted" if expected is None else "edited"
        damages.append(Damage(owner, _seq(table, key), _KINDS[kind], table, key, kind))
    return damages


def _seq(table: str, key: str) -> int:
    """The event that a row of `texts` belongs to; 0 for other tables."""
    parts = key.split("|")
    return int(parts[1]) if table == "texts" and len(parts) > 1 and parts[1].isdigit() else 0
