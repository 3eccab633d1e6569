"""Is an incident's record whole? Its chain is checked like every other; here its words and its row.

`verify`: is the record whole? Every entry, its place, its words' commitment, its rows, its checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from complaints.actions.fold import fold
from complaints.incidents import fold as fold_incident
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import Verb
from store.cases.load import case_key, first_rules, with_rules
from store.cases.projections import LISTS, assessment_row, complaint_row, proposal_row
from store.database.errors import SealBroken
from store.database.transaction import Tx
from store.incidents.incidents import CHAIN, incident_row, key_place, load_incident_history
from store.proof.checkpoints import merkle_root, statement_of
from store.proof.hash_chain import GENESIS
from store.proof.instance_log import SETTINGS_CHAIN
from store.proof.keyring import signed
from store.proof.rotate_keys import retired
from store.proof.seal import canonical, commitment, sha256, unseal
from store.similarity.sketches import check_sketch, stray_hashes
from store.tables import (
    ASSESSMENTS,
    CHECKPOINT_HEADS,
    CHECKPOINTS,
    COMPLAINTS,
    EVENTS,
    IMPROVEMENTS,
    INCIDENTS,
    PROPOSALS,
    TEXTS,
)
from store.texts import text_place
from store.values import Verification

Bad = tuple[str, int, str]


def is_incident(chain: str) -> bool:
    """Is this the chain of an incident?"""
    return chain.startswith(CHAIN)


def check_incident(tx: Tx, chain: str, rows: Sequence[Row[Any]]) -> Bad | None:
    """The first thing that is wrong with an incident whose chain holds: reference, seq, what."""
    number, last = int(chain.removeprefix(CHAIN)), rows[-1].seq
    header = tx.connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).first()
    if header is None:
        return chain, last, "these events have no incident"
    if header.head != rows[-1].hash:
        return chain, last, "the last events are cut off: the incident knows a later one"
    try:
        events = load_incident_history(tx, number)
        key = tx.keys.unwrap(header.key_wrapped, key_place(number)) if header.key_wrapped else None
    except SealBroken as wrong:
        return chain, 1, str(wrong)
    for event, row in zip(events, rows, strict=True):
        if key is not None and commitment(key, event.words) != json.loads(row.entry)["commit"]:
            return chain, event.seq, "the words are not those that were recorded"
    wanted = incident_row(fold_incident(events, id_=number))
    for name, value in wanted.items():
        if header._mapping[name] != value:  # noqa: SLF001  # SQLAlchemy's public name
            return chain, last, f"the row's {name} is not what the events add up to"
    return None


def verify(tx: Tx, outside: Mapping[str, Any] | None = None) -> Verification:
    """Check the whole record; `outside` is a checkpoint document kept elsewhere, checked against it too."""
    sealed_up_to = tx.connection.execute(select(func.max(CHECKPOINTS.c.last_event_id))).scalar() or 0
    entries = cases = erased = tail = 0
    first_bad: Bad | None = None
    known: dict[str, list[str]] = {}
    for ref, rows in _by_case(tx):
        entries += len(rows)
        tail += sum(row.id > sealed_up_to for row in rows)
        known[ref] = [row.hash for row in rows]
        header = tx.connection.execute(select(COMPLAINTS).where(COMPLAINTS.c.ref == ref)).first()
        if ref != SETTINGS_CHAIN and not is_incident(ref):
            cases += 1
            erased += header is not None and header.key_wrapped is None
        first_bad = first_bad or _chain(ref, rows) or _case(tx, ref, rows, header)
    first_bad = first_bad or _stray_hashes(tx, known) or _without_events(tx, known) or _checkpoints(tx, known)
    if outside is not None:
        first_bad = first_bad or _document(tx, outside, known)
    return Verification(entries, cases, first_bad, tail, erased)


def _by_case(tx: Tx) -> Iterator[tuple[str, list[Row[Any]]]]:
    """Every chain, one at a time: the archive may be larger than memory."""
    after = ""
    while True:
        refs = (
            tx.connection.execute(
                select(EVENTS.c.ref)
                .where(EVENTS.c.ref > after)
                .group_by(EVENTS.c.ref)
                .order_by(EVENTS.c.ref)
                .limit(200)
            )
            .scalars()
            .all()
        )
        if not refs:
            return
        rows: dict[str, list[Row[Any]]] = {ref: [] for ref in refs}
        query = select(EVENTS).where(EVENTS.c.ref.in_(refs)).order_by(EVENTS.c.ref, EVENTS.c.seq)
        for row in tx.connection.execute(query):
            rows[row.ref].append(row)
        yield from rows.items()
        after = refs[-1]


def _chain(ref: str, rows: list[Row[Any]]) -> Bad | None:
    prev = GENESIS
    for place, row in enumerate(rows, start=1):
        if row.seq != place:
            return ref, place, "this event is missing"
        if sha256(row.entry) != row.hash:
            return ref, place, "the entry does not have the hash that was recorded"
        said = json.loads(row.entry)
        if canonical(said) != row.entry or said["prev"] != prev:
            return ref, place, "the entry does not follow the one before"
        columns = (row.ref, row.seq, row.verb, format_time(row.at), row.by, row.role)
        if columns != tuple(said[name] for name in ("case", "seq", "verb", "at", "actor", "role")):
            return ref, place, "the row says otherwise than its entry"
        prev = row.hash
    return None


def _case(tx: Tx, ref: str, rows: list[Row[Any]], header: Row[Any] | None) -> Bad | None:
    if ref == SETTINGS_CHAIN:
        return None
    if is_incident(ref):
        return check_incident(tx, ref, rows)
    last = rows[-1].seq
    if header is None:
        return ref, last, "these events have no complaint"
    if header.head != rows[-1].hash:
        return ref, last, "the last events are cut off: the complaint knows a later one"
    words = None if header.key_wrapped is None else _words(tx, ref, rows, header.key_wrapped)
    return words or _sketch(tx, ref, last, header) or _projection(tx, ref, rows, header)


def _sketch(tx: Tx, ref: str, last: int, header: Row[Any]) -> Bad | None:
    try:
        wrong = check_sketch(tx, ref, header.key_wrapped)
    except SealBroken as broken:
        wrong = str(broken)
    return None if wrong is None else (ref, last, wrong)


def _stray_hashes(tx: Tx, known: Mapping[str, list[str]]) -> Bad | None:
    found = stray_hashes(tx)
    if found is None:
        return None
    ref, wrong = found
    return ref, len(known.get(ref, [])), wrong


def _words(tx: Tx, ref: str, rows: list[Row[Any]], wrapped: bytes) -> Bad | None:
    try:
        key = case_key(tx, ref, wrapped)
    except SealBroken as wrong:
        return ref, 1, str(wrong)
    said: dict[int, dict[str, str]] = {}
    for text in tx.connection.execute(select(TEXTS).where(TEXTS.c.ref == ref)):
        try:
            told = (
                "" if text.sealed is None else unseal(key, text.sealed, text_place(ref, text.seq, text.field))
            )
        except SealBroken:
            return ref, text.seq, f"the sealed words of {text.field} do not open"
        said.setdefault(text.seq, {})[text.field] = told
    for row in rows:
        if json.loads(row.entry)["commit"] != commitment(key, said.get(row.seq, {})):
            return ref, row.seq, "the words are not those that were committed to"
    if said.keys() - {row.seq for row in rows}:
        return ref, max(said), "there are words without an event"
    return None


def _projection(tx: Tx, ref: str, rows: list[Row[Any]], header: Row[Any]) -> Bad | None:
    events = with_rules(tx, [row.entry for row in rows])
    case = fold(events, first_rules(tx, events))
    last = events[-1].seq
    ruled = next(one for one in reversed(events) if one.verb in (Verb.RECEIVE, Verb.REDATE))
    if (header.rulebook_id, header.jurisdiction) != (ruled.facts["rulebook"], case.rules.country):
        return ref, ruled.seq, "the row names other rules than the events"
    held = header._mapping  # noqa: SLF001  # SQLAlchemy's public name
    for name, value in complaint_row(case).items():
        if held[name] != value:
            return ref, last, f"the row's {name} is not what the events add up to"
    if (case.complainant, case.channel) != (header.complainant_id, header.channel):
        return ref, 1, "the row names another complainant or channel than the events"
    for table, key, rows_of in LISTS:
        wanted = sorted(
            (_plain(row) for row in rows_of(case)), key=lambda row: [str(row[name]) for name in key]
        )
        query = select(table).where(table.c.ref == ref)
        found = sorted(
            (_plain(row._mapping, "ref") for row in tx.connection.execute(query)),  # noqa: SLF001
            key=lambda row: [str(row[name]) for name in key],
        )
        if wanted != found:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    opened = sorted((one.seq, one.due, one.opened_at, one.cause_class) for one in case.improvements)
    columns = (IMPROVEMENTS.c.seq, IMPROVEMENTS.c.due, IMPROVEMENTS.c.opened_at, IMPROVEMENTS.c.cause_class)
    # What is done about it later stands in the row alone; that an event opened it must not be lost.
    query = select(*columns).where(IMPROVEMENTS.c.ref == ref, IMPROVEMENTS.c.seq.is_not(None))
    if opened != sorted(tuple(row) for row in tx.connection.execute(query)):
        return ref, last, "the rows of improvements are not what the events add up to"
    last_rows = (
        (ASSESSMENTS, None if case.assessment is None else assessment_row(case.assessment)),
        (PROPOSALS, None if case.proposed is None else proposal_row(case.proposed)),
    )
    for table, latest in last_rows:
        query = select(table).where(table.c.ref == ref).order_by(table.c.seq.desc()).limit(1)
        row = tx.connection.execute(query).first()
        stored = None if row is None else _plain(row._mapping, "ref", "seq")  # noqa: SLF001
        if stored != latest:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    return None


def _plain(row: Any, *without: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in without}


def _without_events(tx: Tx, known: Mapping[str, list[str]]) -> Bad | None:
    for ref in tx.connection.execute(select(COMPLAINTS.c.ref)).scalars():
        if ref not in known:
            return ref, 1, "this complaint has lost its events"
    return None


def _checkpoints(tx: Tx, known: Mapping[str, list[str]]) -> Bad | None:
    """Each checkpoint: its own signature, its place after the one before, and every head that it sealed."""
    previous = GENESIS
    rows = tx.connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.n)).all()
    for place, row in enumerate(rows, start=1):
        query = select(CHECKPOINT_HEADS).where(CHECKPOINT_HEADS.c.n == row.n)
        sealed = sorted((one.ref, one.seq, one.hash) for one in tx.connection.execute(query))
        said = statement_of(row.n, format_time(row.at), row.last_event_id, row.heads, row.root, row.previous)
        whole = (
            row.n == place
            and row.previous == previous
            and len(sealed) == row.heads
            and merkle_root(sealed) == row.root
        )
        if not whole:
            return f"checkpoint {row.n}", 0, "the checkpoint was altered"
        if not tx.keys.verifies(canonical(said).encode(), row.public_key, row.signature):
            return f"checkpoint {row.n}", 0, "no secret of this instance signed this checkpoint"
        for ref, seq, hash_ in sealed:
            bad = _sealed(ref, seq, hash_, known)
            if bad is not None:
                return bad
        previous = row.root
    return None


def _document(tx: Tx, outside: Mapping[str, Any], known: Mapping[str, list[str]]) -> Bad | None:
    said = {name: outside[name] for name in ("version", "at", "root", "heads")}
    ours = {*tx.keys.publics, *retired(tx)}
    if outside["public_key"] not in ours or not signed(
        canonical(said).encode(), outside["public_key"], outside["signature"]
    ):
        return "checkpoint document", 0, "no secret of this instance signed it"
    parse_time(outside["at"])
    for ref, seq, hash_ in outside["heads"]:
        bad = _sealed(ref, seq, hash_, known)
        if bad is not None:
            return bad
    return None


def _sealed(ref: str, seq: int, hash_: str, known: Mapping[str, list[str]]) -> Bad | None:
    hashes = known.get(ref, [])
    if len(hashes) < seq:
        return ref, len(hashes) + 1, "the last events are cut off: a checkpoint knows a later one"
    if hashes[seq - 1] != hash_:
        return ref, seq, "a checkpoint knows another event in this place"
    return None
